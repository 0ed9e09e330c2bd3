"""Messages of a run are written here, in bulk, before any byte of them is sent.

Rows come in groups that share all but number, contact and text, so batches, positions and sums are known before the
first row is written; the rows themselves pass once through COPY and once through INSERT … SELECT. (COPY into a table
under row-level security is refused, hence the temporary table.) S1 stays with the database: a number that the run has
already makes the insert fail, and only then are numbers compared.

Ids of messages and batches are made here (and those of later batches in `deferral`), in the run's month, whatever the
day: the unique key is one per partition (see `messaging.months`). The table has no default that could say otherwise.
"""

import io
from collections import Counter
from collections.abc import Iterator, Sequence
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import IntegrityError, connection, transaction

from gateways.routing.rules import NO_STEP, Step
from messaging.months import MONTH_ROOM
from messaging.rows import MessageGroups, MessageKind, MessageRow, Recipient, WrittenMessages

from .partitions import MESSAGES, partition_name
from .route_steps import record_decisions
from .tallies import SHARD_WRITING, Counted, record_tallies

BATCH_SIZE: Final = 1000
READ_SIZE: Final = 1 << 20
# Types as in messaging_message: nothing is converted on the way from here to there.
TEMP_TABLE: Final = """
CREATE TEMP TABLE IF NOT EXISTS written_rows (
    batch_id bigint, position integer, contact_id bigint, msisdn varchar(16), text text, encoding varchar(16),
    parts smallint, price numeric(12, 4), operator varchar(12)
) ON COMMIT DELETE ROWS
"""
COPY_ROWS: Final = (
    "COPY written_rows (batch_id, position, contact_id, msisdn, text, encoding, parts, price, operator) FROM STDIN"
)
INSERT_ROWS: Final = """
INSERT INTO {partition} (id, tenant_id, run_id, batch_id, position, contact_id, msisdn, text, encoding,
    parts, price, operator, state, reason, provider_code)
SELECT %s + nextval('messaging_message_number'), %s, %s, batch_id, position, contact_id, msisdn, text, encoding,
    parts, price, operator, 'queued', '', ''
FROM written_rows
"""
NULL: Final = "\\N"
ESCAPES: Final = (("\\", "\\\\"), ("\n", "\\n"), ("\t", "\\t"), ("\r", "\\r"))


class RunClosed(RuntimeError):
    """The run is past preparing: its messages are frozen (S4)."""


class _Run(NamedTuple):
    pk: int
    tenant_id: int
    priority: int
    month: int


def write_messages(
    *, run_id: int, tenant_id: int, gateway_account_id: int, rows: Sequence[MessageRow], step: Step = NO_STEP
) -> WrittenMessages:
    """As `write_message_groups`, for rows that are not sorted into kinds yet. `step`: why that connection."""
    groups: dict[MessageKind, list[Recipient]] = {}
    for contact_id, msisdn, text, encoding, parts, price, operator in rows:
        kind = MessageKind(gateway_account_id, encoding, parts, price, operator, step)
        groups.setdefault(kind, []).append((msisdn, contact_id, text))
    return write_message_groups(run_id=run_id, tenant_id=tenant_id, groups=groups)


def write_message_groups(*, run_id: int, tenant_id: int, groups: MessageGroups) -> WrittenMessages:
    """Add messages to a run that is being prepared; a number it has already is skipped (S1, S12).

    In the caller's transaction, so that its mark in the audience commits with the rows. Several may write to one run
    at a time: they meet at the roll-ups only, which come last. Raises RunClosed.
    """
    run = _Run(run_id, tenant_id, *_lock_preparing_run(run_id))
    repeats: list[Recipient] = []
    try:
        with transaction.atomic():
            _write(run, groups)
    except IntegrityError:
        groups, repeats = _part_written(run, groups)
        with transaction.atomic():
            _write(run, groups)
    return _count(run, groups, repeats)


def _lock_preparing_run(run_id: int) -> tuple[int, int]:
    """The run's priority and month. Shared: the run stays as it is, and other writers may go on."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT priority, month FROM messaging_sendrun WHERE id = %s AND state = 'preparing' FOR SHARE", [run_id]
        )
        row: tuple[int, int] | None = cursor.fetchone()
    if row is None:
        raise RunClosed(run_id)
    return row


def _write(run: _Run, groups: MessageGroups) -> None:
    # In the order of the unique key (run, msisdn), as far as batches allow: its pages are visited once.
    sets = sorted({kind.batch_key for kind, recipients in groups.items() if recipients})
    by_set = {key: [(kind, sorted(groups[kind])) for kind in sorted(groups) if kind.batch_key == key] for key in sets}
    sizes = {key: sum(len(recipients) for _, recipients in by_set[key]) for key in sets}
    if not sets:
        return
    batches = _create_batches(run, sizes)
    lines = [line for key in sets for line in _write_lines(by_set[key], batches)]
    with connection.cursor() as cursor:
        cursor.execute(TEMP_TABLE)
        cursor.execute("DELETE FROM written_rows")  # of an earlier call in this transaction
        cursor.copy_expert(COPY_ROWS, io.BytesIO("".join(lines).encode()), READ_SIZE)
        insert = INSERT_ROWS.format(partition=partition_name(MESSAGES, run.month))  # nothing to look up for each row
        cursor.execute(insert, [run.month * MONTH_ROOM, run.tenant_id, run.pk])


def _create_batches(run: _Run, sizes: dict[Any, int]) -> Iterator[int]:
    """Ids of new batches of at most BATCH_SIZE messages, in the order of `sizes`: one `batch_key` each."""
    steps = record_decisions(run_id=run.pk, tenant_id=run.tenant_id, steps={step for _, _, step in sizes})
    planned = [
        (account_id, encoding, steps.get(step), min(BATCH_SIZE, size - start))
        for (account_id, encoding, step), size in sizes.items()
        for start in range(0, size, BATCH_SIZE)
    ]
    with connection.cursor() as cursor:
        cursor.execute(
            """
            INSERT INTO messaging_messagebatch
                (id, tenant_id, run_id, gateway_account_id, state, priority, not_before, message_count, intent_upto,
                 attempt, encoding, route_step_id, created_at)
            SELECT %s + nextval('messaging_messagebatch_number'), %s, %s, account_id, 'ready', %s, now(), size, 0,
                0, encoding, step_id, now()
            FROM unnest(%s::bigint[], %s::text[], %s::bigint[], %s::int[]) WITH ORDINALITY
                AS planned(account_id, encoding, step_id, size, ord)
            ORDER BY ord RETURNING id
            """,
            [
                run.month * MONTH_ROOM,
                run.tenant_id,
                run.pk,
                run.priority,
                *([*column] for column in zip(*planned, strict=True)),
            ],
        )
        return iter([row[0] for row in cursor.fetchall()])


def _write_lines(kinds: Sequence[tuple[MessageKind, Sequence[Recipient]]], batches: Iterator[int]) -> Iterator[str]:
    """COPY lines of the messages of one connection and encoding, packed into batches."""
    batch, position = 0, BATCH_SIZE
    for (_, encoding, parts, price, operator, _step), recipients in kinds:
        texts = _escape([recipient[2] for recipient in recipients])
        tail = f"{encoding}\t{parts}\t{price}\t{operator}\n"
        start = 0
        while start < len(recipients):
            if position == BATCH_SIZE:
                batch, position = next(batches), 0
            end = min(start + BATCH_SIZE - position, len(recipients))
            yield from [
                f"{batch}\t{at}\t{NULL if contact_id is None else contact_id}\t{msisdn}\t{text}\t{tail}"
                for at, ((msisdn, contact_id, _), text) in enumerate(
                    zip(recipients[start:end], texts[start:end], strict=True), position
                )
            ]
            position += end - start
            start = end


def _escape(texts: list[str]) -> list[str]:
    """Texts as COPY reads them, all at once: a pass over a thousand texts costs what one costs alone.

    PostgreSQL has no NUL, so here it may part the texts.
    """
    whole = "\0".join(texts)
    if whole.count("\0") != len(texts) - 1:
        whole = "\0".join([text.replace("\0", "") for text in texts])
    for char, escaped in ESCAPES:
        if char in whole:
            whole = whole.replace(char, escaped)
    return whole.split("\0")


def _part_written(run: _Run, groups: MessageGroups) -> tuple[MessageGroups, list[Recipient]]:
    """The groups with each number that the run does not have, once; and the rest."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT msisdn FROM {partition_name(MESSAGES, run.month)} WHERE run_id = %s AND msisdn = ANY(%s)",  # noqa: S608 - names of ours
            [run.pk, [recipient[0] for recipients in groups.values() for recipient in recipients]],
        )
        seen = {row[0] for row in cursor.fetchall()}
    kept: dict[MessageKind, list[Recipient]] = {kind: [] for kind in groups}
    repeats: list[Recipient] = []
    for kind, recipients in groups.items():
        for recipient in recipients:
            (repeats if recipient[0] in seen else kept[kind]).append(recipient)
            seen.add(recipient[0])
    return kept, repeats


def _count(run: _Run, groups: MessageGroups, repeats: list[Recipient]) -> WrittenMessages:
    """Sums of what was written, put into the roll-ups."""
    by_operator: dict[str, WrittenMessages] = {}
    by_parts: Counter[int] = Counter()
    for kind, recipients in groups.items():
        count = len(recipients)
        if count:
            sofar = by_operator.get(kind.operator, WrittenMessages(0, 0, Decimal(0)))
            by_operator[kind.operator] = WrittenMessages(
                sofar.count + count, sofar.parts + count * kind.parts, sofar.credits + count * kind.price
            )
            by_parts[kind.parts] += count
    counted = [
        Counted(run.pk, run.tenant_id, "queued", "", operator, sums.count, sums.parts, sums.credits)
        for operator, sums in by_operator.items()
    ]
    record_tallies(entered=counted, shard=SHARD_WRITING)
    return WrittenMessages(
        sum(c.messages for c in counted),
        sum(c.parts for c in counted),
        sum((c.credits for c in counted), Decimal(0)),
        dict(by_parts),
        repeats,
    )
