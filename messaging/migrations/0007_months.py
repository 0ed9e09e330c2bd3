"""Messages, provider references and receipts in one partition per month of ids (docs/adr/0005).

What is there becomes month 0, as it is: each of the three tables is read once while it is locked, and only references of
the last weeks are written anew. A new installation starts without a month 0.
"""

from django.db import migrations, models

import messaging.months
from accounts.rls import list_security_statements
from messaging.services.partitions import (
    FAMILIES,
    MESSAGES,
    RECEIPTS,
    REFERENCES,
    create_months_ahead,
    partition_name,
)

ROOM = messaging.months.MONTH_ROOM
# What references and receipts get as id, with a number behind it: the month in which they are written.
WRITTEN_NOW = f"to_char(now() AT TIME ZONE 'UTC', 'YYYYMM')::bigint * {ROOM}"
# As the models name them; PostgreSQL makes them on every partition.
INDEXES = {
    REFERENCES: [
        "CREATE INDEX provider_reference_lookup ON {table} (gateway_account_id, provider_message_id)",
        "CREATE INDEX provider_reference_parts ON {table} (message_id) WHERE of_parts > 1",
    ],
    RECEIPTS: ["CREATE INDEX receipt_due ON {table} (due_at, id) WHERE settled_at IS NULL"],
}


def cut_by_month(apps, schema_editor):
    with schema_editor.connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.platform', 'on', true)")  # or every table looks empty
        for table in FAMILIES:
            cut(table, cursor)
        number("messaging_messagebatch", cursor)
        own_number("messaging_messagebatch", cursor)
        create_months_ahead()
        # What receipts may still name is looked for in the months of these days, so that is where it has to be.
        cursor.execute(
            f"UPDATE {REFERENCES} SET id = id + {messaging.months.current_month() * ROOM}"
            f" WHERE id < {ROOM} AND created_at > now() - interval '31 days'"
        )
        cursor.execute("SELECT set_config('app.platform', '', true)")


def cut(table, cursor):
    first = partition_name(table, 0)
    is_needed = number(table, cursor)
    # A run that is being written when this is installed goes on in month 0.
    cursor.execute("SELECT EXISTS (SELECT 1 FROM messaging_sendrun)")
    is_needed = is_needed or (table == MESSAGES and cursor.fetchone()[0])
    cursor.execute(f"ALTER TABLE {table} RENAME TO {first}")
    cursor.execute(
        f"CREATE TABLE {table} (LIKE {first} INCLUDING DEFAULTS INCLUDING CONSTRAINTS) PARTITION BY RANGE (id)"
    )
    if is_needed:
        free_names(first, cursor)
    else:
        cursor.execute(f"DROP TABLE {first}")
    cursor.execute(f"ALTER TABLE {table} ADD CONSTRAINT {table}_pkey PRIMARY KEY (id)")
    for statement in [*INDEXES.get(table, []), *list_security_statements("{table}", FAMILIES[table].security)]:
        cursor.execute(statement.format(table=table))
    own_number(table, cursor)
    if table != MESSAGES:
        cursor.execute(f"ALTER TABLE {table} ALTER COLUMN id SET DEFAULT {WRITTEN_NOW} + nextval('{table}_number')")
    if is_needed:
        cursor.execute(f"ALTER TABLE {table} ATTACH PARTITION {first} FOR VALUES FROM (MINVALUE) TO ({ROOM})")


def number(table, cursor):
    """Ids come from a sequence of n and from who writes, or not at all; returns whether there are rows.

    The sequence starts again at the end of its room: those are ids of another month by then.
    """
    cursor.execute(f"SELECT coalesce(max(id), 0) FROM {table}")
    (last_id,) = cursor.fetchone()
    cursor.execute(f"ALTER TABLE {table} ALTER COLUMN id DROP IDENTITY")
    cursor.execute(f"CREATE SEQUENCE {table}_number START {last_id + 1} MAXVALUE {ROOM - 1} CYCLE")
    if table != "messaging_messagebatch":  # those by the thousand to whoever inserts by the thousand
        cursor.execute(f"ALTER SEQUENCE {table}_number CACHE 500")
    return last_id > 0


def own_number(table, cursor):
    cursor.execute(f"ALTER SEQUENCE {table}_number OWNED BY {table}.id")


def free_names(table, cursor):
    """Names of indexes, and of the constraints they serve, are the new parent's."""
    cursor.execute(
        "SELECT relname FROM pg_class JOIN pg_index ON indexrelid = oid WHERE indrelid = %s::regclass", [table]
    )
    for (name,) in cursor.fetchall():
        cursor.execute(f"ALTER INDEX {name} RENAME TO legacy_{name}")


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0006_inbound_once"),
    ]

    operations = [
        migrations.AddField("sendrun", "month", models.PositiveIntegerField(default=0, editable=False)),
        migrations.AlterField(
            "sendrun", "month", models.PositiveIntegerField(default=messaging.months.current_month, editable=False)
        ),
        migrations.AddField("sendrun", "messages_dropped_at", models.DateTimeField(blank=True, null=True)),
        migrations.AddIndex("sendrun", models.Index(fields=["month"], name="run_month")),
        migrations.RunPython(cut_by_month),
    ]
