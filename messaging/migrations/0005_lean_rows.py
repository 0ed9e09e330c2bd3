from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0004_unchecked_keys"),
    ]

    operations = [
        migrations.RunSQL(
            "ALTER TABLE messaging_receiptinbox ALTER COLUMN raw TYPE bytea USING decode(raw, 'base64')",
            "ALTER TABLE messaging_receiptinbox ALTER COLUMN raw TYPE text USING encode(raw, 'base64')",
            state_operations=[
                migrations.AlterField(model_name="receiptinbox", name="raw", field=models.BinaryField()),
            ],
        ),
        # A flush updates every row of a page at once: all of them need a second place there to stay HOT, and the next
        # flush finds the first ones pruned.
        migrations.RunSQL(
            "ALTER TABLE messaging_message SET (fillfactor = 45)",
            "ALTER TABLE messaging_message SET (fillfactor = 70)",
        ),
        # Numbers by the thousand to whoever inserts by the thousand. Gaps and order mean nothing in these two.
        *(
            migrations.RunSQL(f"ALTER SEQUENCE {table}_id_seq CACHE 500", f"ALTER SEQUENCE {table}_id_seq CACHE 1")
            for table in ("messaging_receiptinbox", "messaging_providerreference")
        ),
    ]
