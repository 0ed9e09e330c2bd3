import django.db.models.deletion
import gateways.models
from accounts.rls import enable_row_level_security
from django.db import migrations, models
from django.db.models.functions import MD5


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0001_initial"),
        ("gateways", "0003_sender_look"),
    ]

    operations = [
        migrations.AddField(
            model_name="gatewayaccount",
            name="push_token",
            field=models.CharField(default="", editable=False, max_length=64),
        ),
        # Each existing row its own; the policies see platform rows only in platform scope.
        migrations.RunSQL(
            "SELECT set_config('app.platform', 'on', true); UPDATE gateways_gatewayaccount SET push_token ="
            " replace(gen_random_uuid()::text || gen_random_uuid()::text, '-', '');"
            " SELECT set_config('app.platform', 'off', true); SET CONSTRAINTS ALL IMMEDIATE",
            migrations.RunSQL.noop,
        ),
        migrations.AlterField(
            model_name="gatewayaccount",
            name="push_token",
            field=models.CharField(
                default=gateways.models.make_push_token, editable=False, max_length=64, unique=True
            ),
        ),
        migrations.CreateModel(
            name="PullCursor",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gateway_account_id", models.BigIntegerField()),
                ("stream", models.CharField(max_length=20)),
                ("cursor", models.TextField()),
                ("updated_at", models.DateTimeField(auto_now=True)),
            ],
            options={
                "constraints": [
                    models.UniqueConstraint(fields=("gateway_account_id", "stream"), name="pull_cursor_once")
                ],
            },
        ),
        migrations.CreateModel(
            name="ReceiptJob",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("gateway_account_id", models.BigIntegerField()),
                ("job", models.TextField()),
                ("message_count", models.PositiveIntegerField()),
                ("tries", models.PositiveSmallIntegerField(default=0)),
                ("due_at", models.DateTimeField()),
                ("closed_at", models.DateTimeField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "tenant",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="accounts.tenant",
                    ),
                ),
            ],
            options={
                "abstract": False,
                "base_manager_name": "objects",
                "constraints": [
                    models.UniqueConstraint("gateway_account_id", MD5("job"), name="receipt_job_once")
                ],
                "indexes": [
                    models.Index(
                        fields=["gateway_account_id", "due_at"],
                        name="receipt_job_due",
                        condition=models.Q(closed_at=None),
                    )
                ],
            },
        ),
        enable_row_level_security("gateways_pullcursor", "platform"),
        enable_row_level_security("gateways_receiptjob"),
    ]
