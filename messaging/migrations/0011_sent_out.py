from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0010_receipt_token")]

    operations = [
        migrations.AddField(
            model_name="sendrun",
            name="is_sent_out",
            field=models.BooleanField(db_default=False, default=False, editable=False),
        ),
    ]
