"""Waiting messages change their connection: away from one that rests or was turned off, and back when it is well (S11).

Only what is certainly not on the wire moves: batches that nobody leases, from their mark on. What is below a mark stays
where it is, answered or unknown. A batch of which nothing was sent moves as it is; of another one the rest becomes a
new batch, in the statement that ends the old one. Prices stay as they were held (M7).
"""

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from django.db import connection

from gateways.routing.book import load_rules
from gateways.routing.rules import Fallback, Rule, Target, choose_fallback
from messaging.due import IN_MAINTENANCE
from messaging.months import MONTH_ROOM, ids_beside

from .partitions import MESSAGES, find_source
from .route_steps import record_move

MOST_BATCHES: Final = 500
"""In one transaction: half a million messages, and a few milliseconds."""

# Batches that could leave if their connection were well: of the few open runs, by (run, connection).
STRANDED_SQL = f"""
SELECT DISTINCT b.run_id, r.tenant_id, r.sender, b.gateway_account_id, b.route_step_id, b.encoding,
    s.rule_id, s.reference_bits, s.tried, s.candidates, a.is_active,
    CASE WHEN h.state = 'open' THEN h.cause WHEN {IN_MAINTENANCE} THEN 'maintenance' END
FROM messaging_sendrun r
JOIN messaging_messagebatch b ON b.run_id = r.id AND b.state = 'ready'
JOIN messaging_routestep s ON s.id = b.route_step_id AND s.rule_id IS NOT NULL
JOIN gateways_gatewayaccount a ON a.id = b.gateway_account_id
LEFT JOIN gateways_accounthealth h ON h.gateway_account_id = a.id
WHERE r.state = 'running' AND b.gateway_account_id = ANY(%s)
"""  # noqa: S608 - constants only
TROUBLED_SQL = f"""
SELECT a.id FROM gateways_gatewayaccount a LEFT JOIN gateways_accounthealth h ON h.gateway_account_id = a.id
WHERE NOT a.is_active OR h.state = 'open' OR {IN_MAINTENANCE}
"""  # noqa: S608 - constants only
# Moved away because their connection rested; it does not any more. `is_trial`: it should get a little at a time.
STRAYED_SQL = f"""
SELECT DISTINCT b.run_id, r.tenant_id, r.sender, b.gateway_account_id, b.route_step_id, b.encoding,
    s.rule_id, s.reference_bits, s.tried, s.candidates, s.home_account_id, coalesce(h.state = 'half_open', false)
FROM messaging_sendrun r
JOIN messaging_routestep s ON s.run_id = r.id AND s.parent_id IS NOT NULL
    AND s.gateway_account_id <> s.home_account_id AND NOT s.tried @> to_jsonb(s.home_account_id)
JOIN gateways_gatewayaccount a ON a.id = s.home_account_id AND a.is_active
LEFT JOIN gateways_accounthealth h ON h.gateway_account_id = a.id
JOIN messaging_messagebatch b ON b.run_id = r.id AND b.gateway_account_id = s.gateway_account_id
    AND b.state = 'ready' AND b.route_step_id = s.id
WHERE r.state = 'running' AND coalesce(h.state, 'closed') <> 'open' AND NOT {IN_MAINTENANCE}
"""  # noqa: S608 - constants only
PICK_SQL = """
SELECT id, intent_upto FROM messaging_messagebatch
WHERE run_id = %s AND gateway_account_id = %s AND route_step_id = %s AND encoding = %s AND state = 'ready'
ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED
"""
MOVE_WHOLE_SQL = """
UPDATE messaging_messagebatch
SET gateway_account_id = %s, route_step_id = %s, attempt = 0, not_before = least(not_before, now()) WHERE id = ANY(%s)
"""
MOVE_REST_SQL = """
WITH ended AS (
    UPDATE messaging_messagebatch o SET state = 'done', message_count = o.intent_upto
    FROM messaging_messagebatch n WHERE o.id = %(batch)s AND n.id = o.id
    RETURNING o.id, o.tenant_id, o.run_id, o.priority, o.encoding, o.intent_upto,
        n.message_count - n.intent_upto AS rest
), begun AS (
    INSERT INTO messaging_messagebatch (id, tenant_id, run_id, gateway_account_id, state, priority, not_before,
        message_count, intent_upto, attempt, encoding, route_step_id, created_at)
    SELECT %(month)s + nextval('messaging_messagebatch_number'), tenant_id, run_id,
        %(account)s, 'ready', priority, now(), rest, 0, 0, encoding, %(step)s, now() FROM ended
    RETURNING id
)
UPDATE {messages} m SET batch_id = begun.id, position = m.position - ended.intent_upto
FROM ended, begun WHERE m.batch_id = ended.id AND m.batch_id = %(batch)s AND m.position >= ended.intent_upto
    AND m.state = 'queued'
"""


class _Group(NamedTuple):
    """Ready batches of a run of which the same is true."""

    run_id: int
    tenant_id: int
    sender: str
    account_id: int
    step_id: int
    encoding: str
    rule_id: int
    reference_bits: int
    tried: list[int]
    candidates: list[list[Any]]


def _read_group(row: Sequence[Any]) -> _Group:
    return _Group._make([*row[:8], json.loads(row[8]), json.loads(row[9])])


def reroute_waiting() -> int:
    """Look after all running runs; returns how many batches changed their connection.

    In engine scope, one transaction; called again at once while it returns MOST_BATCHES or more.
    """
    return _leave_troubled() + _return_strayed()


def _leave_troubled() -> int:
    with connection.cursor() as cursor:
        cursor.execute(TROUBLED_SQL)
        troubled = [row[0] for row in cursor.fetchall()]
        if not troubled:
            return 0
        cursor.execute(STRANDED_SQL, [troubled])
        rows = cursor.fetchall()
    rules = _load_rules(_read_group(row) for row in rows)
    moved = 0
    for row in rows:
        group, (is_active, cause) = _read_group(row), row[10:]
        found = _find_fallback(group, rules)
        if found is None or found.target is None or moved >= MOST_BATCHES:
            continue
        why = ("resting", cause or "") if is_active else ("inactive", "")
        moved += _move(group, found.target, why, found.candidates, MOST_BATCHES - moved)
    return moved


def _return_strayed() -> int:
    with connection.cursor() as cursor:
        cursor.execute(STRAYED_SQL)
        rows = cursor.fetchall()
    rules = _load_rules(_read_group(row) for row in rows)
    moved = 0
    busy: set[int] = set()
    for row in rows:
        group, (home, is_trial) = _read_group(row), row[10:]
        rule = rules.get((group.tenant_id, group.sender, group.rule_id))
        rule = rule.for_batch(group.candidates) if rule else None
        target = next((t for t in rule.targets if t.account_id == home and not t.obstacle), None) if rule else None
        # They were rendered for it: what characters it carries was asked then.
        if rule is None or target is None or not _carries_its_own(target, group):
            continue
        if moved >= MOST_BATCHES or (is_trial and (home in busy or _has_work(home))):
            continue
        busy.add(home)
        said = tuple((t.account_id, t.name, "chosen" if t is target else t.obstacle or "later") for t in rule.order)
        moved += _move(group, target, ("returned", ""), said, 1 if is_trial else MOST_BATCHES - moved)
    return moved


def _carries_its_own(home: Target, group: _Group) -> bool:
    return home._replace(unicode=True).can_carry(group.encoding, group.reference_bits)


def _has_work(account_id: int) -> bool:
    """A connection that comes back gets one batch at a time to try with."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT EXISTS (SELECT 1 FROM messaging_sendrun r JOIN messaging_messagebatch b ON b.run_id = r.id"
            " AND b.gateway_account_id = %s AND b.state IN ('ready', 'leased') WHERE r.state = 'running')",
            [account_id],
        )
        return bool(cursor.fetchone()[0])


def find_next_connection(step_ids: Iterable[int], *, encoding: str) -> dict[int, Fallback]:
    """For messages that their connection refused again and again: the next one of their rule, by routing step. Steps
    without one are left out."""
    wanted = sorted(set(step_ids))
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT s.id, s.run_id, s.tenant_id, r.sender, s.gateway_account_id, s.rule_id, s.reference_bits, s.tried,"
            " s.candidates"
            " FROM messaging_routestep s JOIN messaging_sendrun r ON r.id = s.run_id"
            " WHERE s.id = ANY(%s) AND s.rule_id IS NOT NULL",
            [wanted],
        )
        groups = {
            pk: _Group(
                run, tenant, sender, account, pk, encoding, rule, bits, [*json.loads(tried), account], json.loads(said)
            )
            for pk, run, tenant, sender, account, rule, bits, tried, said in cursor.fetchall()
        }
    rules = _load_rules(groups.values())
    found = {pk: _find_fallback(group, rules) for pk, group in groups.items()}
    return {pk: fallback for pk, fallback in found.items() if fallback is not None and fallback.target is not None}


def _load_rules(groups: Iterable[_Group]) -> dict[tuple[int, str, int], Rule]:
    """By tenant, sender and rule, as they are now: a connection added to a rule helps those who wait already."""
    wanted: dict[tuple[int, str], set[int]] = {}
    for group in groups:
        wanted.setdefault((group.tenant_id, group.sender), set()).add(group.rule_id)
    return {
        (tenant_id, sender, rule_id): rule
        for (tenant_id, sender), ids in wanted.items()
        for rule_id, rule in load_rules(ids, tenant_id=tenant_id, sender=sender).items()
    }


def _find_fallback(group: _Group, rules: dict[tuple[int, str, int], Rule]) -> Fallback | None:
    rule = rules.get((group.tenant_id, group.sender, group.rule_id))
    if rule is None:
        return None
    return choose_fallback(
        rule,
        account_id=group.account_id,
        encoding=group.encoding,
        reference_bits=group.reference_bits,
        tried=group.tried,
        said=group.candidates,
    )


def _move(
    group: _Group, target: Target, why: tuple[str, str], candidates: Sequence[tuple[int, str, str]], limit: int
) -> int:
    with connection.cursor() as cursor:
        cursor.execute(PICK_SQL, [group.run_id, group.account_id, group.step_id, group.encoding, limit])
        batches = cursor.fetchall()
        if not batches:
            return 0
        step_id = record_move(
            step_id=group.step_id,
            gateway_account_id=target.account_id,
            cause=why[0],
            detail=why[1],
            candidates=candidates,
            tried=group.tried,
        )
        whole = [pk for pk, mark in batches if mark == 0]
        if whole:
            cursor.execute(MOVE_WHOLE_SQL, [target.account_id, step_id, whole])
        for pk, mark in batches:
            if mark > 0:
                month = pk // MONTH_ROOM * MONTH_ROOM  # the run's, and so of the new batch
                params = {"batch": pk, "account": target.account_id, "step": step_id, "month": month}
                cursor.execute(MOVE_REST_SQL.format(messages=find_source(MESSAGES, ids_beside([pk]))), params)
    return len(batches)
