import django.db.models.deletion
from django.db import migrations, models

from accounts.rls import enable_row_level_security


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("campaigns", "0003_part_counts"),
    ]

    operations = [
        migrations.CreateModel(
            name="AudienceStretch",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("cursor", models.BigIntegerField()),
                ("upper_contact_id", models.BigIntegerField()),
                (
                    "snapshot",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="stretches",
                        to="campaigns.audiencesnapshot",
                    ),
                ),
                (
                    "tenant",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "verbose_name": "stretch of an audience",
                "verbose_name_plural": "stretches of an audience",
                "abstract": False,
                "base_manager_name": "objects",
            },
        ),
        # Snapshots that are being walked go on where they are.
        migrations.RunSQL(
            [
                "SELECT set_config('app.platform', 'on', true)",
                "INSERT INTO campaigns_audiencestretch (tenant_id, snapshot_id, cursor, upper_contact_id)"
                " SELECT tenant_id, id, cursor, upper_contact_id FROM campaigns_audiencesnapshot WHERE NOT is_complete",
                "SELECT set_config('app.platform', '', true)",
                # Foreign keys are checked before the next statement may change the tables they are on.
                "SET CONSTRAINTS ALL IMMEDIATE",
            ],
            migrations.RunSQL.noop,
        ),
        enable_row_level_security("campaigns_audiencestretch"),
        migrations.RemoveField(model_name="audiencesnapshot", name="cursor"),
        migrations.AlterField(
            model_name="audienceexclusion",
            name="snapshot",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="exclusions",
                to="campaigns.audiencesnapshot",
            ),
        ),
        migrations.AlterField(
            model_name="audienceexclusion",
            name="tenant",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="accounts.tenant",
            ),
        ),
    ]
