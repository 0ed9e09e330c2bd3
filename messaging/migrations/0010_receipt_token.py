from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0009_routing")]

    operations = [
        migrations.AddField(model_name="receiptinbox", name="token", field=models.BigIntegerField(null=True)),
    ]
