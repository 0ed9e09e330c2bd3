"""Messages of a run are written here, in bulk, before any byte of them is sent.

Rows go through a temporary table: COPY into a table under row-level security is refused, and there duplicates are
found and positions given by set operations.
"""

import io
from collections.abc import Sequence
from decimal import Decimal

from django.db import connection

from messaging.models import SendRun
from messaging.rows import MessageRow, WrittenMessages

from .tallies import SHARD_WRITING, Counted, record_tallies

BATCH_SIZE = 1000
TEMP_TABLE = """
CREATE TEMP TABLE IF NOT EXISTS written_rows (
    contact_id bigint, msisdn text, text text, encoding text, parts smallint, price numeric(12, 4), operator text
) ON COMMIT DELETE ROWS
"""
COPY_ROWS = "COPY written_rows (contact_id, msisdn, text, encoding, parts, price, operator) FROM STDIN"
ESCAPES = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r", "\x00": None})


class RunClosed(RuntimeError):
    """The run is past preparing: its messages are frozen (S4)."""


def write_messages(
    *, run_id: int, tenant_id: int, gateway_account_id: int, rows: Sequence[MessageRow]
) -> WrittenMessages:
    """Add messages to a run that is being prepared; a number it has already is skipped (S1, S12).

    In the caller's transaction, so that its cursor over the audience commits with the rows. Writers of one run wait
    for each other. Raises RunClosed.
    """
    run = _lock_preparing_run(run_id)
    if not rows:
        return WrittenMessages(0, 0, Decimal(0))
    with connection.cursor() as cursor:
        cursor.execute(TEMP_TABLE)
        cursor.execute("TRUNCATE written_rows")
        cursor.copy_expert(COPY_ROWS, _copy_stream(rows))
        cursor.execute("ANALYZE written_rows")
        _drop_duplicates(run_id, cursor)
        batches = _create_batches(run, tenant_id, gateway_account_id, cursor)
        if not batches:
            return WrittenMessages(0, 0, Decimal(0))
        _insert_messages(run_id, tenant_id, batches, cursor)
        cursor.execute("SELECT operator, count(*), sum(parts), sum(price) FROM written_rows GROUP BY operator")
        counted = [Counted(run_id, tenant_id, "queued", "", *row) for row in cursor.fetchall()]
    record_tallies(entered=counted, shard=SHARD_WRITING)
    return WrittenMessages(
        sum(c.messages for c in counted), sum(c.parts for c in counted), sum((c.credits for c in counted), Decimal(0))
    )


def _lock_preparing_run(run_id: int) -> tuple[int, int]:
    """(id, priority)"""
    run = (
        SendRun.objects.select_for_update()
        .filter(pk=run_id, state=SendRun.State.PREPARING)
        .values_list("id", "priority")
        .first()
    )
    if run is None:
        raise RunClosed(run_id)
    return run


def _copy_stream(rows: Sequence[MessageRow]) -> io.StringIO:
    null = "\\N"
    lines = [
        f"{null if contact_id is None else contact_id}\t{msisdn}\t{text.translate(ESCAPES)}"
        f"\t{encoding}\t{parts}\t{price}\t{operator}\n"
        for contact_id, msisdn, text, encoding, parts, price, operator in rows
    ]
    return io.StringIO("".join(lines))


def _drop_duplicates(run_id: int, cursor) -> None:  # type: ignore[no-untyped-def]
    cursor.execute(
        "DELETE FROM written_rows w USING messaging_message m WHERE m.run_id = %s AND m.msisdn = w.msisdn", [run_id]
    )
    cursor.execute(
        "DELETE FROM written_rows w USING (SELECT msisdn, min(ctid) AS kept FROM written_rows GROUP BY msisdn"
        " HAVING count(*) > 1) d WHERE d.msisdn = w.msisdn AND w.ctid <> d.kept"
    )


def _create_batches(  # type: ignore[no-untyped-def]
    run: tuple[int, int], tenant_id: int, gateway_account_id: int, cursor
) -> list[tuple[int, str, int]]:
    """(batch id, encoding, number) with at most BATCH_SIZE messages of one encoding each."""
    cursor.execute("SELECT encoding, count(*) FROM written_rows GROUP BY encoding ORDER BY encoding")
    planned = [
        (encoding, number, min(BATCH_SIZE, count - number * BATCH_SIZE))
        for encoding, count in cursor.fetchall()
        for number in range((count + BATCH_SIZE - 1) // BATCH_SIZE)
    ]
    run_id, priority = run
    cursor.execute(
        """
        INSERT INTO messaging_messagebatch
            (tenant_id, run_id, gateway_account_id, state, priority, not_before, message_count, intent_upto, attempt,
             created_at)
        SELECT %s, %s, %s, 'ready', %s, now(), size, 0, 0, now()
        FROM unnest(%s::int[]) WITH ORDINALITY AS sizes(size, ord) ORDER BY ord RETURNING id
        """,
        [tenant_id, run_id, gateway_account_id, priority, [size for _, _, size in planned]],
    )
    ids = [row[0] for row in cursor.fetchall()]
    return [(pk, encoding, number) for pk, (encoding, number, _) in zip(ids, planned, strict=True)]


def _insert_messages(run_id: int, tenant_id: int, batches: list[tuple[int, str, int]], cursor) -> None:  # type: ignore[no-untyped-def]
    # In the order of the unique key (run, msisdn): its pages are then filled one after the other.
    cursor.execute(
        """
        INSERT INTO messaging_message (tenant_id, run_id, batch_id, position, contact_id, msisdn, text, encoding,
            parts, price, operator, state, reason, provider_code)
        SELECT %(tenant)s, %(run)s, b.id, (n - 1) %% %(size)s, w.contact_id, w.msisdn, w.text, w.encoding,
            w.parts, w.price, w.operator, 'queued', '', ''
        FROM (SELECT *, row_number() OVER (PARTITION BY encoding ORDER BY msisdn) AS n FROM written_rows) w
        JOIN unnest(%(ids)s::bigint[], %(encodings)s::text[], %(numbers)s::int[]) AS b(id, encoding, number)
            ON b.encoding = w.encoding AND b.number = (n - 1) / %(size)s
        ORDER BY w.msisdn
        """,
        {
            "tenant": tenant_id,
            "run": run_id,
            "size": BATCH_SIZE,
            "ids": [b[0] for b in batches],
            "encodings": [b[1] for b in batches],
            "numbers": [b[2] for b in batches],
        },
    )
