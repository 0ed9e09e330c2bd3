from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("messaging", "0011_sent_out")]

    operations = [
        migrations.RemoveIndex(model_name="sendrun", name="run_tenant_created"),
        migrations.AddIndex(
            model_name="sendrun",
            index=models.Index(
                condition=models.Q(("started_at__isnull", False)),
                fields=["tenant", "completed_at"],
                name="run_tenant_completed",
            ),
        ),
    ]
