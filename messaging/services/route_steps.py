"""The trail of routing: why messages are where they are (`RouteStep`)."""

import hashlib
import json
from collections.abc import Iterable

from django.db import connection

from gateways.routing.rules import NO_STEP, Step

RECORD_SQL = """
INSERT INTO messaging_routestep (tenant_id, run_id, cause, detail, rule_id, rule_name, gateway_account_id,
    home_account_id, reference_bits, candidates, passed, tried, digest, created_at)
VALUES (%s, %s, 'decided', '', %s, %s, %s, %s, %s, %s, %s, '[]', %s, now())
ON CONFLICT (run_id, digest) WHERE parent_id IS NULL DO NOTHING
"""
MOVE_SQL = """
INSERT INTO messaging_routestep (tenant_id, run_id, parent_id, cause, detail, rule_id, rule_name, gateway_account_id,
    home_account_id, reference_bits, candidates, passed, tried, digest, created_at)
SELECT tenant_id, run_id, id, %s, %s, rule_id, rule_name, %s, home_account_id, reference_bits, %s, '[]', %s, '', now()
FROM messaging_routestep WHERE id = %s RETURNING id
"""


def record_decisions(*, run_id: int, tenant_id: int, steps: Iterable[Step]) -> dict[Step, int]:
    """Ids of the decisions' rows, made where the run has none yet. In the caller's transaction, in any scope that may
    write the tenant's rows; walkers of one run meet here, each at most once per decision."""
    digests = {_digest(step): step for step in steps if step is not NO_STEP and step != NO_STEP}
    if not digests:
        return {}
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT digest, id FROM messaging_routestep WHERE run_id = %s AND parent_id IS NULL AND digest = ANY(%s)",
            [run_id, list(digests)],
        )
        known = dict(cursor.fetchall())
        for digest in sorted(digests.keys() - known.keys()):
            step = digests[digest]
            cursor.execute(
                RECORD_SQL,
                [
                    tenant_id,
                    run_id,
                    step.rule_id or None,
                    step.rule_name,
                    step.account_id,
                    step.account_id,
                    step.reference_bits,
                    json.dumps(step.candidates),
                    json.dumps(step.passed),
                    digest,
                ],
            )
        if digests.keys() - known.keys():
            cursor.execute(
                "SELECT digest, id FROM messaging_routestep"
                " WHERE run_id = %s AND parent_id IS NULL AND digest = ANY(%s)",
                [run_id, list(digests)],
            )
            known = dict(cursor.fetchall())
    return {step: known[digest] for digest, step in digests.items()}


def record_move(
    *,
    step_id: int,
    gateway_account_id: int,
    cause: str,
    detail: str,
    candidates: Iterable[tuple[int, str, str]],
    tried: Iterable[int],
) -> int:
    """The step after `step_id`: messages go to another connection. Returns its id."""
    said, refused = json.dumps([*candidates]), json.dumps(sorted(tried))
    with connection.cursor() as cursor:
        cursor.execute(MOVE_SQL, [cause, detail, gateway_account_id, said, refused, step_id])
        row: tuple[int] = cursor.fetchone()
    return row[0]


def _digest(step: Step) -> str:
    return hashlib.blake2b(json.dumps(step).encode(), digest_size=16).hexdigest()
