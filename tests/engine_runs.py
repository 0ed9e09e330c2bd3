"""Runs of made-up messages, for tests of the engine."""

from decimal import Decimal

from accounts.scope import tenant_scope
from gateways.models import GatewayAccount
from gateways.routing.book import load_book
from gateways.routing.rules import NO_STEP
from messaging.rows import MessageRow
from messaging.selectors import get_run_totals
from messaging.services import RunTerms, create_send_run, mark_run_ready, start_send_run, write_messages


def make_rows(count, *, start=0, **changes):
    """Messages to +905320000000 and on; one part, one credit."""
    return [
        MessageRow(None, f"+9053{start + n:08d}", f"Merhaba {n}", "gsm7", 1, Decimal(1), "turkcell")._replace(**changes)
        for n in range(count)
    ]


def make_routed_run(tenant, rows, **fields):
    """A run whose connection the routing rules decide, by its first number."""
    with tenant_scope(tenant.pk):
        choice = load_book(tenant.pk, sender="BUTIK").find(rows[0].msisdn)
        account = GatewayAccount.objects.get(pk=choice.account_id)
    return make_run(tenant, account, rows, step=choice.step, **fields)


def make_run(tenant, account, rows, *, start=True, step=NO_STEP, origin_type="campaign", origin_id=1, **changes):
    """A run with these messages, started unless told otherwise."""
    values = {"sender": "BUTIK", "content_class": "informational", "time_zone": "Europe/Istanbul", **changes}
    with tenant_scope(tenant.pk):
        run = create_send_run(
            tenant_id=tenant.pk, origin_type=origin_type, origin_id=origin_id, terms=RunTerms(**values)
        )
        write_messages(run_id=run.pk, tenant_id=tenant.pk, gateway_account_id=account.pk, rows=rows, step=step)
        run = mark_run_ready(run.pk)
        return start_send_run(run_id=run.pk, tenant_id=tenant.pk) if start else run


def count_states(run):
    """How many of the run's messages are in each state, by its roll-ups."""
    with tenant_scope(run.tenant_id):
        return {state: count.messages for state, count in get_run_totals(run).by_state.items()}
