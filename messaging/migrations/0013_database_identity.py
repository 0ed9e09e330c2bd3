from django.db import migrations, models

from accounts.rls import enable_row_level_security


class Migration(migrations.Migration):
    dependencies = [("messaging", "0012_run_completed")]

    operations = [
        migrations.CreateModel(
            name="DatabaseIdentity",
            fields=[
                ("id", models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ("system_identifier", models.BigIntegerField(verbose_name="system identifier")),
                ("timeline", models.IntegerField(verbose_name="timeline")),
                ("confirmed_at", models.DateTimeField(verbose_name="confirmed at")),
                ("doubted_at", models.DateTimeField(null=True, verbose_name="in doubt since")),
                (
                    "doubted_cluster",
                    models.CharField(
                        blank=True, db_default="", default="", max_length=40, verbose_name="cluster found then"
                    ),
                ),
                ("lost_from", models.DateTimeField(null=True, verbose_name="history missing from")),
                ("lost_until", models.DateTimeField(null=True, verbose_name="history missing until")),
            ],
            options={
                "verbose_name": "database identity",
                "verbose_name_plural": "database identity",
                "constraints": [models.CheckConstraint(condition=models.Q(("id", 1)), name="one_database_identity")],
            },
        ),
        enable_row_level_security("messaging_databaseidentity", "platform"),
    ]
