"""Answers of a gateway, written down in bulk: state, the provider's ids, credits and roll-ups in one transaction."""

from collections.abc import Collection, Sequence

from django.db import connection

from gateways.types import OutcomeKind, Reason, SubmitOutcome
from smscore.status import MessageState

from .arrays import int_array, text_array
from .deferral import Deferral, defer_messages
from .intents import REASON_SUPPRESSED
from .moves import NO_ID, Consequences, Move, accept_messages, gather_moves
from .pulling import add_jobs

# Answers to our own speed use no retry (S10).
NO_RETRY_USED = frozenset({Reason.THROTTLED, Reason.QUEUE_FULL})

Answer = tuple[SubmitOutcome, int | None]
"""What became of a submit, and the batch that the message was sent from: looked up when the answer comes, because soon
after it the message may be on its way from another one. None for an answer that comes late, to a submit that is
forgotten. A bare tuple: one is made for every message, on the link's event loop."""


def record_outcomes(
    *, gateway_account_id: int, answers: Sequence[Answer], shard: int, blocked: Sequence[int] = ()
) -> int:
    """Apply what became of submits; returns how many messages changed.

    blocked  messages that the suppression list kept from being written

    In platform scope, inside the caller's transaction. The same answers again change nothing. One that comes late
    heals `unknown`.
    """
    certain = _keep_certain(answers)
    moves: list[Move] = []
    accepted: dict[int, str] = {}
    unusual: list[SubmitOutcome] = []
    deferrals: list[Deferral] = []
    for outcome, batch_id in certain:
        kind = outcome.kind
        if kind is OutcomeKind.ACCEPTED:
            if len(outcome.part_ids) <= 1 and not outcome.late:
                accepted[outcome.token] = outcome.provider_message_id[:80]
            else:
                unusual.append(outcome)
        elif kind is OutcomeKind.UNKNOWN:
            moves.append(Move(outcome.token, "unknown", str(outcome.reason), outcome.code))
        elif kind is OutcomeKind.REJECTED:
            moves.append(Move(outcome.token, "rejected", str(outcome.reason), outcome.code))
        else:
            deferrals.append(_defer(outcome, batch_id))
    consequences = Consequences(shard)
    changed = accept_messages(accepted.items(), gateway_account_id=gateway_account_id, into=consequences)
    if changed < len(accepted):  # some were not where they should be: whatever else they are, they are looked at singly
        unusual += [outcome for outcome, _ in certain if outcome.token in accepted]
    _store_references(gateway_account_id, unusual)
    moves += [Move(o.token, "accepted", provider_code="" if _has_id(o) else NO_ID) for o in unusual]
    add_jobs(gateway_account_id, [outcome for outcome, _ in answers if outcome.job])
    changed += defer_messages(deferrals, into=consequences) if deferrals else 0
    changed += gather_moves(moves, usual=MessageState.SUBMITTING, into=consequences).moved
    unwritten = [Move(message_id, str(MessageState.SUPPRESSED), REASON_SUPPRESSED) for message_id in blocked]
    changed += gather_moves(unwritten, usual=MessageState.CLAIMED, into=consequences).moved
    consequences.record()
    return changed


def _keep_certain(answers: Sequence[Answer]) -> Collection[Answer]:
    """One answer per message. Of two to one try that which came right after its timer gave up, not the timer. Of two
    tries the later one's: that it was made proves that the answer to the earlier one is in the database."""
    kept = {answer[0].token: answer for answer in answers}
    if len(kept) < len(answers):
        kept = {answer[0].token: answer for answer in sorted(answers, key=_weigh)}
    return kept.values()


def _weigh(answer: Answer) -> tuple[int, bool]:
    outcome, batch_id = answer
    return batch_id or 0, outcome.kind is not OutcomeKind.UNKNOWN


def _has_id(outcome: SubmitOutcome) -> bool:
    return bool(outcome.provider_message_id) or any(outcome.part_ids)


def _defer(outcome: SubmitOutcome, batch_id: int | None) -> Deferral:
    if outcome.kind is OutcomeKind.NOT_SENT:
        return Deferral(outcome.token, batch_id, 0.0, uses_retry=False)
    if outcome.reason in NO_RETRY_USED:
        return Deferral(outcome.token, batch_id, max(outcome.retry_after_seconds, 0.2), uses_retry=False)
    return Deferral(outcome.token, batch_id, outcome.retry_after_seconds, uses_retry=True)


def _store_references(gateway_account_id: int, accepted: Sequence[SubmitOutcome]) -> None:
    ids: list[str] = []
    tokens: list[int] = []
    parts: list[int] = []
    totals: list[int] = []
    for outcome in accepted:
        part_ids = outcome.part_ids or (outcome.provider_message_id,)
        total = len(part_ids)
        for part, provider_id in enumerate(part_ids, 1):
            if provider_id:
                ids.append(provider_id[:80])
                tokens.append(outcome.token)
                parts.append(part)
                totals.append(total)
    if not ids:
        return
    keys = int_array(tokens)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_providerreference"
            " (gateway_account_id, provider_message_id, message_id, part, of_parts, state, tenant_id, created_at)"
            " SELECT %s, v.id, m.id, v.part, v.total, '', m.tenant_id, now()"
            " FROM unnest(%s::text[], %s::bigint[], %s::int[], %s::int[]) AS v(id, message_id, part, total)"
            " JOIN messaging_message m ON m.id = v.message_id"
            " WHERE m.id = ANY(%s::bigint[]) AND CASE WHEN m.state IN ('queued', 'unknown') THEN true ELSE false END",
            [gateway_account_id, text_array(ids), keys, int_array(parts), int_array(totals), keys],
        )
