from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]

    operations = [
        migrations.AlterField(
            model_name="ledgertransaction",
            name="kind",
            field=models.CharField(
                choices=[
                    ("top_up", "Top-up"),
                    ("hold", "Hold"),
                    ("capture", "Usage"),
                    ("release", "Released"),
                    ("transfer", "Transfer"),
                ],
                max_length=8,
                verbose_name="kind",
            ),
        ),
    ]
