"""The one function that moves messages between states, in bulk, with everything that follows from a move.

Allowed moves are `smscore.status.ALLOWED_MOVES`; what is not in it is refused. With the state change, in the same
transaction, go the roll-ups and the credits: a message's held credits are captured or released by the first move out
of the reserved states, and by no later one (M4).

Order of locks, here and everywhere: session → batch → messages (by id) → roll-ups → credit accounts (by id).
"""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from billing.services import Settlement, settle_credits
from common.ids import uuid7
from messaging.months import ids_beside
from smscore.status import CREDITS, TERMINAL_STATES, CreditState, MessageState, can_move

from .arrays import int_array, text_array
from .tallies import Counted, record_tallies

# `claimed` and `submitting` are read from the batch's lease and mark; the row says queued.
STORED_AS_QUEUED = frozenset({MessageState.QUEUED, MessageState.CLAIMED, MessageState.SUBMITTING})
TERMINAL = [str(state) for state in TERMINAL_STATES]
CAPTURED = [str(state) for state, credits in CREDITS.items() if credits == CreditState.CAPTURED]


class Move(NamedTuple):
    """Where a message is to go. `provider_code` is kept beside it as the provider said it."""

    message_id: int
    state: str
    reason: str = ""
    provider_code: str = ""


class Consequences:
    """What moves do to roll-ups and credits: gathered while messages move, and written once, when the last of them has.
    Accounts are everybody's: who holds one must not wait for a message any more."""

    def __init__(self, shard: int) -> None:
        self._shard = shard
        self._entered: list[Counted] = []
        self._left: list[Counted] = []
        self._resolved: list[tuple[str, Counted]] = []

    def add(self, counted: Sequence[Counted], before: MessageState, reason: str = "") -> None:
        """Messages, as they are now, that were in state `before` for that reason."""
        self._entered += counted
        self._left += _leaving(counted, before, reason)
        self._resolved += _resolve(counted, before)

    def record(self) -> None:
        """The last statements of the transaction."""
        record_tallies(entered=self._entered, left=self._left, shard=self._shard)
        _settle(self._resolved)


class MoveResult(NamedTuple):
    """How many messages moved; the others were refused, because the table has no such move from where they are."""

    moved: int
    refused: int


# `accepted_at` is when the credits were captured: the gateway has the message, by its answer or by a receipt.
# CASE hides the state from the planner. Its statistics are from a moment ago, when no message was in that state: "one
# row", it concludes, and reads all messages through the index once, looking for each in the list: 5 s instead of 20 ms.
#
# The bounds choose the partition. (SELECT ...)::bigint[] hides the keys from that choice: the planner would find the
# partition of each of them, and take 5 ms for 3,000 where this takes 0.3.
OF_THESE = "m.id >= %(low)s AND m.id < %(high)s AND m.id = ANY((SELECT %(ids)s::bigint[])::bigint[])"
UPDATE_SQL = f"""
WITH moved AS (
    UPDATE messaging_message m SET
        state = v.state, reason = v.reason, provider_code = v.code,
        submitted_at = CASE WHEN %(touches_wire)s THEN coalesce(m.submitted_at, now()) ELSE m.submitted_at END,
        accepted_at = CASE WHEN %(is_reserved)s AND v.state = ANY(%(captured)s) THEN now() ELSE m.accepted_at END,
        done_at = CASE WHEN v.state = ANY(%(terminal)s) THEN now() ELSE NULL END
    FROM unnest(%(ids)s::bigint[], %(states)s::text[], %(reasons)s::text[], %(codes)s::text[])
        AS v(id, state, reason, code)
    WHERE m.id = v.id AND {OF_THESE} AND CASE WHEN m.state = %(stored)s THEN true ELSE false END
    RETURNING m.run_id, m.tenant_id, m.state, m.reason, m.operator, m.parts, m.price
)
SELECT run_id, tenant_id, state, reason, operator, count(*), sum(parts), sum(price) FROM moved GROUP BY 1, 2, 3, 4, 5
"""  # noqa: S608 - constants only


def bound(message_ids: Sequence[int]) -> dict[str, int]:
    """Parameters of OF_THESE beside the ids themselves."""
    return ids_beside(message_ids)._asdict()


def move_messages(moves: Iterable[Move], *, usual: MessageState, shard: int) -> MoveResult:
    """Move messages, with everything that follows from it."""
    consequences = Consequences(shard)
    result = gather_moves(moves, usual=usual, into=consequences)
    consequences.record()
    return result


def gather_moves(moves: Iterable[Move], *, usual: MessageState, into: Consequences) -> MoveResult:
    """Move messages, each id at most once per call; the caller records the consequences.

    `usual` is the state that nearly all of them are in: those take one statement. The others are locked, looked at
    and moved as the table allows. The caller vouches for `usual`: `submitting` says that they were written to the wire
    (or may have been), `claimed` and `queued` that they were not. In platform scope, inside the caller's transaction.
    """
    wanted = {move.message_id: move for move in sorted(moves)}
    if not wanted:
        return MoveResult(0, 0)
    fitting = [move for move in wanted.values() if can_move(usual, move.state)]
    counted = _update(fitting, usual)
    into.add(counted, usual)
    moved = sum(row.messages for row in counted)
    if moved < len(wanted):
        for before, reason, group in _sort_strays(wanted):
            counted = _update(group, before)
            into.add(counted, before, reason)
            moved += sum(row.messages for row in counted)
    return MoveResult(moved, len(wanted) - moved)


NO_ID = "no_id"
"""`provider_code` of a message that was accepted without the provider's id: its receipt is found by number."""
ACCEPT_SQL = f"""
WITH moved AS (
    UPDATE messaging_message m SET
        state = 'accepted', submitted_at = coalesce(m.submitted_at, now()), accepted_at = now(),
        provider_code = CASE WHEN v.provider_id = '' THEN '{NO_ID}' ELSE m.provider_code END
    FROM unnest(%(ids)s::bigint[], %(provider_ids)s::text[]) AS v(id, provider_id)
    WHERE m.id = v.id AND {OF_THESE} AND CASE WHEN m.state = 'queued' THEN true ELSE false END
    RETURNING m.id, v.provider_id, m.run_id, m.tenant_id, m.operator, m.parts, m.price
), referenced AS (
    INSERT INTO messaging_providerreference
        (gateway_account_id, provider_message_id, message_id, part, of_parts, state, tenant_id, created_at)
    SELECT %(account)s, provider_id, id, 1, 1, '', tenant_id, now() FROM moved WHERE provider_id <> ''
)
SELECT run_id, tenant_id, 'accepted', '', operator, count(*), sum(parts), sum(price) FROM moved GROUP BY 1, 2, 5
"""  # noqa: S608 - constants only


def accept_messages(answers: Iterable[tuple[int, str]], *, gateway_account_id: int, into: Consequences) -> int:
    """The usual answer in one statement: (message id, provider's id) from `submitting` to `accepted`, with the
    provider's ids kept for receipts. Returns how many moved: what was in another state stays as it is, without its
    id, for the caller to give to `gather_moves`.
    """
    rows = sorted(answers)
    if not rows:
        return 0
    with connection.cursor() as cursor:
        cursor.execute(
            ACCEPT_SQL,
            {
                "account": gateway_account_id,
                "ids": int_array(row[0] for row in rows),
                **bound([row[0] for row in rows]),
                "provider_ids": text_array(row[1] for row in rows),
            },
        )
        counted = [Counted(*row) for row in cursor.fetchall()]
    into.add(counted, MessageState.SUBMITTING)
    return sum(row.messages for row in counted)


def record_moved(counted: Sequence[Counted], *, before: MessageState, shard: int) -> None:
    """Roll-ups and credits of messages that the caller's own statement has moved out of `before` (reason "")."""
    consequences = Consequences(shard)
    consequences.add(counted, before)
    consequences.record()


def _update(moves: Sequence[Move], before: MessageState) -> list[Counted]:
    if not moves:
        return []
    with connection.cursor() as cursor:
        cursor.execute(
            UPDATE_SQL,
            {
                "ids": int_array(m.message_id for m in moves),
                **bound([m.message_id for m in moves]),
                "states": text_array(m.state for m in moves),
                "reasons": text_array(m.reason for m in moves),
                "codes": text_array(m.provider_code for m in moves),
                "stored": "queued" if before in STORED_AS_QUEUED else str(before),
                "touches_wire": before == MessageState.SUBMITTING,
                "terminal": TERMINAL,
                "is_reserved": CREDITS[before] == CreditState.RESERVED,
                "captured": CAPTURED,
            },
        )
        return [Counted(*row) for row in cursor.fetchall()]


def _sort_strays(wanted: dict[int, Move]) -> list[tuple[MessageState, str, list[Move]]]:
    """Lock what did not move and group it by the state and reason it is in; refused moves fall out here."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, state, reason FROM messaging_message WHERE id = ANY(%s) ORDER BY id FOR UPDATE",
            [sorted(wanted)],
        )
        rows = cursor.fetchall()
    groups: dict[tuple[MessageState, str], list[Move]] = {}
    for message_id, state, reason in rows:
        # What the row calls queued is what the caller knows it to be, if anything; those were tried already. One that
        # is in the usual state now came there a moment ago: a late answer, while its receipt was looked at.
        before = MessageState(state)
        move = wanted[message_id]
        if before is not MessageState.QUEUED and can_move(before, move.state):
            groups.setdefault((before, reason), []).append(move)
    return [(before, reason, moves) for (before, reason), moves in groups.items()]


def _leaving(counted: Sequence[Counted], before: MessageState, reason: str) -> list[Counted]:
    state = "queued" if before in STORED_AS_QUEUED else str(before)
    return [row._replace(state=state, reason=reason) for row in counted]


def _resolve(counted: Sequence[Counted], before: MessageState) -> list[tuple[str, Counted]]:
    """What the moves do to held credits: (capture | release, the messages)."""
    if CREDITS[before] != CreditState.RESERVED:
        return []
    kinds = {CreditState.CAPTURED: "capture", CreditState.RELEASED: "release"}
    after = ((kinds.get(CREDITS[MessageState(row.state)]), row) for row in counted)
    return [(kind, row) for kind, row in after if kind]


def _settle(resolved: Sequence[tuple[str, Counted]]) -> None:
    sums: dict[tuple[int, int, str], tuple[Decimal, int]] = {}
    for kind, row in resolved:
        credits, messages = sums.get((row.tenant_id, row.run_id, kind), (Decimal(0), 0))
        sums[row.tenant_id, row.run_id, kind] = (credits + row.credits, messages + row.messages)
    if sums:
        # The conditional update above is what keeps a message from being settled twice; the reference only names it.
        name = uuid7().hex
        settle_credits(
            [
                Settlement(tenant_id, run_id, kind, credits, messages, f"run:{run_id}:{kind}:{name}")
                for (tenant_id, run_id, kind), (credits, messages) in sums.items()
            ]
        )
