"""Why a message went where it went: the decision of its batch and the moves since."""

from datetime import datetime
from typing import NamedTuple

from django.db.models import QuerySet

from gateways.models import GatewayAccount
from messaging.models import Message, MessageBatch, RouteStep


class Candidate(NamedTuple):
    """A connection that was looked at. `why`: gateways.routing.rules.Why."""

    name: str
    why: str


class TrailStep(NamedTuple):
    """The decision, or a move. `cause`: RouteStep.Cause; `detail`: gateways.routing.breaker.Cause, or empty."""

    at: datetime
    cause: str
    detail: str
    connection: str
    candidates: list[Candidate]


class Trail(NamedTuple):
    """Oldest step first; empty for messages from before routing was written down.

    rule     name of the rule that decided; `passed`: rules that fitted but had no usable connection
    attempt  how often the present connection asked to come again later
    """

    steps: list[TrailStep]
    rule: str
    passed: list[str]
    attempt: int


def explain_route(message: Message) -> Trail:
    """The trail of a message, whatever has become of it. One query per step, and few have more than three."""
    batch = MessageBatch.objects.filter(tenant_id=message.tenant_id).get(pk=message.batch_id)
    rows: list[RouteStep] = []
    step_id = batch.route_step_id
    own: QuerySet[RouteStep] = RouteStep.objects.filter(tenant_id=message.tenant_id, run_id=message.run_id)
    while step_id is not None and (row := own.filter(pk=step_id).first()) is not None:
        rows.insert(0, row)
        step_id = row.parent_id
    if not rows:
        return Trail([], "", [], batch.attempt)
    accounts = {row.gateway_account_id for row in rows}
    names = dict(GatewayAccount.objects.filter(pk__in=accounts).values_list("pk", "name"))
    steps = [
        TrailStep(
            row.created_at,
            row.cause,
            row.detail,
            names.get(row.gateway_account_id, ""),
            [Candidate(name, why) for _, name, why in row.candidates],
        )
        for row in rows
    ]
    return Trail(steps, rows[0].rule_name, list(rows[0].passed), batch.attempt)
