from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("gateways", "0007_receipt_job_turns")]

    operations = [
        migrations.AddField(
            model_name="gatewayaccount",
            name="switched_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
    ]
