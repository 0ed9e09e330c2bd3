from django.db import migrations

from accounts.rls import READABLE


class Migration(migrations.Migration):
    """The platform's list holds everybody's customers: tenants do not read it any more, raw SQL included."""

    dependencies = [("optout", "0002_order")]
    operations = [
        migrations.RunSQL(
            f'ALTER POLICY scope_read ON "optout_suppressionentry" USING ({READABLE["tenant"]})',
            reverse_sql=f'ALTER POLICY scope_read ON "optout_suppressionentry" USING ({READABLE["shared"]})',
        )
    ]
