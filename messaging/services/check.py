"""The checker: proves the engine's promises from the database and the operator simulator's journal.

Every violation names the invariant of reliability.md that it breaks. Tests, benchmarks and `./dev demo` end with it.
"""

from collections import defaultdict
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from django.db import connection

from gateways.simulator.journal import JournalEntry, find_duplicates, read_journal


class Violation(NamedTuple):
    """A broken promise: which, where, and what was found."""

    invariant: str
    detail: str


# Each query returns one text per violation. Messages are counted here, and nowhere else; runs whose messages went by
# age (`messages_dropped_at`) are left out where they are.
QUERIES: tuple[tuple[str, str], ...] = (
    (
        "S1",
        "SELECT format('run %s has %s messages to one number', run_id, count(*)) FROM messaging_message"
        " GROUP BY run_id, msisdn HAVING count(*) > 1",
    ),
    # Unique keys hold inside a month (of MONTH_ROOM ids): with every message in its run's month they hold for the run.
    (
        "S1",
        "SELECT format('message %s of run %s is not in month %s', m.id, m.run_id, r.month) FROM messaging_message m"
        " JOIN messaging_sendrun r ON r.id = m.run_id WHERE m.id / 10000000000 <> r.month",
    ),
    (
        "S1",
        "SELECT format('batch %s of run %s is not in month %s', b.id, b.run_id, r.month) FROM messaging_messagebatch b"
        " JOIN messaging_sendrun r ON r.id = b.run_id WHERE b.id / 10000000000 <> r.month",
    ),
    (
        "S4",
        "SELECT format('run %s: %s messages, %s were frozen', r.id, coalesce(m.n, 0), r.message_count)"
        " FROM messaging_sendrun r LEFT JOIN (SELECT run_id, count(*) AS n FROM messaging_message GROUP BY 1) m"
        " ON m.run_id = r.id WHERE r.state NOT IN ('preparing', 'discarded') AND r.messages_dropped_at IS NULL"
        " AND coalesce(m.n, 0) <> r.message_count",
    ),
    (
        "S4",
        "SELECT format('run %s, state %s: roll-ups say %s, messages %s', run_id, state, t.n, m.n)"
        ' FROM (SELECT t.run_id, t.state, sum(t.entered - t."left") AS n FROM messaging_runtally t'
        " JOIN messaging_sendrun r ON r.id = t.run_id AND r.messages_dropped_at IS NULL GROUP BY 1, 2) t"
        " FULL JOIN (SELECT run_id, state, count(*) AS n FROM messaging_message GROUP BY 1, 2) m USING (run_id, state)"
        " WHERE coalesce(t.n, 0) <> coalesce(m.n, 0)",
    ),
    (
        "S4",
        "SELECT format('run %s is completed with %s messages %s', r.id, count(*), m.state) FROM messaging_sendrun r"
        " JOIN messaging_message m ON m.run_id = r.id WHERE r.state = 'completed'"
        " AND m.state IN ('queued', 'accepted', 'unknown') GROUP BY r.id, m.state",
    ),
    (
        "S4",
        "SELECT format('batch %s is done with %s messages queued', b.id, count(*)) FROM messaging_messagebatch b"
        " JOIN messaging_message m ON m.batch_id = b.id WHERE b.state = 'done' AND m.state = 'queued' GROUP BY b.id",
    ),
    (
        "W3",
        "SELECT format('batch %s is leased to session %s, which is over', b.id, b.session_id)"
        " FROM messaging_messagebatch b LEFT JOIN messaging_dispatchersession s ON s.id = b.session_id"
        " WHERE b.state = 'leased' AND s.state IS DISTINCT FROM 'live'",
    ),
    (
        "R2",
        "SELECT format('message %s is %s although a receipt said delivered', m.id, m.state)"
        " FROM messaging_receiptinbox i JOIN messaging_message m ON m.id = i.matched_message_id"
        " WHERE i.settled_at IS NOT NULL AND i.state = 'delivered' AND m.parts = 1 AND m.state <> 'delivered'",
    ),
    (
        "R5",
        "SELECT format('receipt %s moved message %s of another number', i.id, m.id)"
        " FROM messaging_receiptinbox i JOIN messaging_message m ON m.id = i.matched_message_id"
        " WHERE i.msisdn <> '' AND i.msisdn <> m.msisdn",
    ),
    (
        "S11",
        "SELECT format('message %s was taken by connection %s, its batch says %s', m.id, p.gateway_account_id,"
        " b.gateway_account_id) FROM messaging_providerreference p JOIN messaging_message m ON m.id = p.message_id"
        " JOIN messaging_messagebatch b ON b.id = m.batch_id WHERE b.gateway_account_id <> p.gateway_account_id",
    ),
    (
        "M1",
        "SELECT format('account %s: balance %s/%s, ledger %s/%s', a.id, a.available, a.reserved,"
        " coalesce(e.available, 0), coalesce(e.reserved, 0)) FROM billing_creditaccount a LEFT JOIN"
        " (SELECT account_id, sum(available_delta) AS available, sum(reserved_delta) AS reserved"
        " FROM billing_ledgerentry GROUP BY 1) e ON e.account_id = a.id"
        " WHERE a.available <> coalesce(e.available, 0) OR a.reserved <> coalesce(e.reserved, 0)",
    ),
    (
        "M2",
        "SELECT format('account %s: %s available, %s reserved', id, available, reserved) FROM billing_creditaccount"
        " WHERE reserved < 0 OR (available < 0 AND kind <> 'issued')",
    ),
    (
        "M3",
        "SELECT format('movement %s does not add up: %s', transaction_id, sum(available_delta + reserved_delta))"
        " FROM billing_ledgerentry GROUP BY transaction_id HAVING sum(available_delta + reserved_delta) <> 0",
    ),
    (
        "M4",
        "SELECT format('run %s: captured %s, its messages say %s', r.id, coalesce(t.n, 0), coalesce(m.n, 0))"
        " FROM messaging_sendrun r LEFT JOIN (SELECT t.run_id, sum(-e.reserved_delta) AS n"
        " FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id"
        " WHERE t.kind = 'capture' AND t.run_id IS NOT NULL AND e.reserved_delta < 0 GROUP BY 1) t ON t.run_id = r.id"
        " LEFT JOIN (SELECT run_id, sum(price) AS n FROM messaging_message WHERE accepted_at IS NOT NULL GROUP BY 1) m"
        " ON m.run_id = r.id WHERE r.messages_dropped_at IS NULL AND coalesce(t.n, 0) <> coalesce(m.n, 0)",
    ),
    (
        "M6",
        "SELECT format('run %s is over and holds %s', r.id, sum(e.reserved_delta)) FROM messaging_sendrun r"
        " JOIN billing_ledgertransaction t ON t.run_id = r.id JOIN billing_ledgerentry e ON e.transaction_id = t.id"
        " WHERE r.state = 'completed' GROUP BY r.id HAVING sum(e.reserved_delta) <> 0",
    ),
    (
        "M6",
        "SELECT format('run %s holds %s, its open messages cost %s', r.id, coalesce(h.n, 0), coalesce(m.n, 0))"
        " FROM messaging_sendrun r LEFT JOIN (SELECT t.run_id, sum(e.reserved_delta) AS n"
        " FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id"
        " WHERE t.run_id IS NOT NULL GROUP BY 1) h ON h.run_id = r.id"
        " LEFT JOIN (SELECT run_id, sum(price) FILTER (WHERE state IN ('queued', 'unknown')) AS n"
        " FROM messaging_message GROUP BY 1) m ON m.run_id = r.id"
        " WHERE r.state IN ('running', 'paused', 'cancelling', 'completed') AND coalesce(h.n, 0) <> coalesce(m.n, 0)",
    ),
)
NEVER_TAKEN = ("rejected", "failed", "suppressed", "cancelled", "queued")


def check_engine(journal: Path | None = None) -> list[Violation]:
    """All violations, in platform scope. Takes a full read of the messages: for tests and demonstrations."""
    found = [Violation("M3", f"all accounts together hold {total}") for total in _total_credits() if total]
    with connection.cursor() as cursor:
        for invariant, query in QUERIES:
            cursor.execute(query)
            found += [Violation(invariant, row[0]) for row in cursor.fetchall()]
    return found + (check_journal(read_journal(journal)) if journal else [])


def check_journal(entries: Iterable[JournalEntry]) -> list[Violation]:
    """What the simulator saw against what we say: nothing twice, nothing accepted that never arrived, nothing
    arrived that we call never sent. Needs the account's `send_token`."""
    submits = list(entries)
    found = [
        Violation("S1", f"message {later.token} part {later.part} was submitted again")
        for _, later in find_duplicates(submits)
    ]
    taken: defaultdict[int, set[int]] = defaultdict(set)
    for entry in submits:
        if entry.token is not None and not entry.status:
            taken[entry.token].add(entry.part)
    began = datetime.fromtimestamp(submits[0].at, UTC) if submits else datetime.now(UTC)
    with connection.cursor() as cursor:
        # A journal may be younger than the database: only what was under way since it began.
        cursor.execute(
            # In the air is seen in the same instant as the state: a moment later the answer may have been written.
            "SELECT m.id, m.state, m.parts, m.position < b.intent_upto AND b.state = 'leased' FROM messaging_message m"
            " JOIN messaging_messagebatch b ON b.id = m.batch_id"
            " JOIN messaging_sendrun r ON r.id = m.run_id AND r.started_at IS NOT NULL"
            " WHERE coalesce(m.submitted_at, m.done_at, now()) >= %s",
            [began],
        )
        for message_id, state, parts, is_in_air in cursor.fetchall():
            arrived = len(taken.pop(message_id, ()))
            if state in ("accepted", "delivered", "undelivered", "expired") and arrived < parts:
                found.append(Violation("S1", f"message {message_id} is {state}: {arrived} of {parts} parts arrived"))
            elif state in NEVER_TAKEN and arrived == parts and not (state == "queued" and is_in_air):
                found.append(Violation("S3", f"message {message_id} is {state}, but the gateway has it"))
    return found + [Violation("S2", f"unknown message {token} on the wire") for token in taken]


def _total_credits() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT coalesce(sum(available + reserved), 0) FROM billing_creditaccount")
        return [row[0] for row in cursor.fetchall()]
