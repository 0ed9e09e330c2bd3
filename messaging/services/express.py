"""Intent for one-time passwords: one statement leases small urgent batches, marks the whole of them, and returns what
may be written, in one round trip with its commit.

The promises are those of `intents.py`: only what it returns may be written, and only when it has returned (S2); lease,
run, hours (S8) and suppression list (S7) are as they are when it begins. Its batches are never shared or held in part,
so nothing else has to be remembered of them than how many answers are missing.
"""

from collections.abc import Mapping
from typing import NamedTuple

from gateways.types import OutboundMessage
from messaging.due import ACCOUNT_MAY_SEND, RUN_MAY_SEND
from messaging.scope import commit_alone

from .claims import EXPRESS_DAYS, EXPRESS_SIZE, Lane, finish_batches, list_leases
from .intents import OUTBOUND
from .partitions import MESSAGES, find_recent_source


class ExpressBatch(NamedTuple):
    """A batch leased and marked to its end. `blocked`: messages (ids) to be moved to `suppressed`, never to be written.

    `mark`  how far it is marked: its message count
    """

    batch_id: int
    mark: int
    messages: list[OutboundMessage]
    blocked: list[int]


# The session is locked shared: a sweep that ends it waits for this commit, and then sees the batches it leased.
# Hash joins are out (`enable_hashjoin`): a handful of batches is found by index, whatever the statistics say.
EXPRESS_SQL = f"""
SELECT set_config('enable_hashjoin', 'off', true);
WITH live AS (
    SELECT s.id FROM messaging_dispatchersession s
    WHERE s.id = %(session)s AND s.state = 'live' AND s.lease_until > clock_timestamp()
        AND {ACCOUNT_MAY_SEND} FOR SHARE
), turns AS (
    SELECT b.id, b.priority, b.tenant_id,
        row_number() OVER (PARTITION BY b.priority, b.tenant_id ORDER BY b.id) AS turn
    FROM messaging_messagebatch b JOIN messaging_sendrun r ON r.id = b.run_id
    WHERE b.state = 'ready' AND {Lane.EXPRESS.value} AND b.gateway_account_id = %(account)s
        AND b.not_before <= clock_timestamp() AND {RUN_MAY_SEND} AND b.message_count <= %(most)s
), picked AS (
    SELECT b.id, b.intent_upto AS mark FROM turns t JOIN messaging_messagebatch b ON b.id = t.id CROSS JOIN live
    WHERE b.state = 'ready' AND b.gateway_account_id = %(account)s  -- again, under the lock: it may have moved
    ORDER BY t.priority, t.turn, t.tenant_id LIMIT %(limit)s
    FOR UPDATE OF b SKIP LOCKED
), marked AS (
    UPDATE messaging_messagebatch b SET state = 'leased', session_id = %(session)s, intent_upto = b.message_count
    FROM picked, messaging_sendrun r WHERE b.id = picked.id AND r.id = b.run_id
    RETURNING b.id, b.tenant_id, b.message_count, picked.mark, r.sender, r.validity_seconds, r.content_class
)
SELECT k.id, k.message_count, {OUTBOUND}
FROM marked k LEFT JOIN {{messages}} m
    ON m.batch_id = k.id AND m.position >= k.mark AND m.state = 'queued'
ORDER BY k.id, m.position
"""  # noqa: S608 - constants only


def declare_express(
    *, session_id: int, gateway_account_id: int, limit: int, most_messages: int = EXPRESS_SIZE
) -> list[ExpressBatch]:
    """Lease and mark up to `limit` due batches of at most `most_messages` messages, tenants in turn. Committed when
    this returns.

    Raises DatabaseError: it may have taken effect all the same, and nothing of that may be written. Then call
    `return_unwritten` before the next one.
    """
    params = {"session": session_id, "account": gateway_account_id, "limit": limit, "most": most_messages}
    batches: dict[int, ExpressBatch] = {}
    statement = EXPRESS_SQL.format(messages=find_recent_source(MESSAGES, EXPRESS_DAYS))
    for row in commit_alone(statement, params, reason="declare express intent"):
        batch = batches.setdefault(row[0], ExpressBatch(row[0], row[1], [], []))
        if row[2] is None:
            continue
        if row[11]:
            batch.blocked.append(row[2])
        else:
            batch.messages.append(OutboundMessage._make(row[2:11]))
    return list(batches.values())


def return_unwritten(*, session_id: int, held: Mapping[int, object], shard: int) -> None:
    """Give back express batches that the database leased to the session without its slot (which has `held`) hearing
    of it: nothing of them was written, so all that is still queued goes back to the queue."""
    unheard = {batch_id: 0 for batch_id in list_leases(session_id, Lane.EXPRESS) if batch_id not in held}
    finish_batches(session_id=session_id, marks=unheard, shard=shard)
