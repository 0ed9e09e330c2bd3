from django.db import migrations, models

CLEAR_TWINS = """
UPDATE accounts_tenant t SET opt_out_code = '' WHERE opt_out_code <> '' AND EXISTS
    (SELECT 1 FROM accounts_tenant o WHERE o.opt_out_code = t.opt_out_code AND o.id < t.id)
"""


class Migration(migrations.Migration):
    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(CLEAR_TWINS, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="tenant",
            constraint=models.UniqueConstraint(
                condition=models.Q(("opt_out_code", ""), _negated=True),
                fields=("opt_out_code",),
                name="opt_out_code_once",
                violation_error_message="Another account has this opt-out code. Choose another one.",
            ),
        ),
    ]
