from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("optout", "0001_initial")]

    operations = [
        # Pages continue by id: a bulk import gives thousands of rows one created_at.
        migrations.RemoveIndex(model_name="suppressionentry", name="suppression_tenant_created"),
        migrations.AddIndex(
            model_name="suppressionentry",
            index=models.Index(fields=["tenant", "-id"], name="suppression_tenant_newest"),
        ),
        migrations.AddIndex(
            model_name="suppressionentry",
            index=models.Index(
                fields=["tenant", "created_at"], name="suppression_replies", condition=models.Q(source="reply")
            ),
        ),
    ]
