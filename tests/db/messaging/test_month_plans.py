"""Every statement of the engine, and of the pages about a run, visits the partition that it is about and no other.

A statement that loses its bounds still answers right, only slower with every month: nothing else would notice.
"""

import re
from contextlib import contextmanager
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from accounts.scope import platform_scope, tenant_scope
from gateways.types import DeliveryEvent, DeliveryState, InboundMessage, OutcomeKind, Reason, SubmitOutcome
from messaging.models import DispatcherSession, MessageBatch, ReceiptInbox, SendRun
from messaging.months import add_months, current_month
from messaging.scope import engine_scope
from messaging.services import cancel_send_run, discard_send_run, write_messages
from messaging.services.inbox import StoredEvent, store_events
from messaging.services.partitions import MESSAGES, REFERENCES, partition_name
from messaging.services.receipts import ADOPT_AFTER_TRIES, match_receipts
from messaging.services.sessions import end_dead_sessions
from messaging.tasks import sweep_runs, sweep_timers
from reporting.selectors.opt_outs import count_opt_outs
from reporting.selectors.recipients import find_group, list_matching
from tests.engine_runs import make_rows, make_run

from .engine import accepted

PARTITION = re.compile(rf"\b((?:{MESSAGES}|{REFERENCES})_(?:\d{{6}}|legacy))\b")
NOW = current_month()
# References are found by time: on the first and last days of a month in two.
EXPECTED = {partition_name(MESSAGES, NOW), *(partition_name(REFERENCES, add_months(NOW, n)) for n in (-1, 0, 1))}


@contextmanager
def watched():
    """(statement, partitions in its plan) of all that read or change messages or references meanwhile."""
    seen = []

    def explain(execute, sql, params, many, context):
        if re.search(rf"\b({MESSAGES}|{REFERENCES})(_\d+)?\b", sql):
            with connection.connection.cursor() as cursor:
                cursor.execute("EXPLAIN " + sql, params)
                plan = "\n".join(row[0] for row in cursor.fetchall())
            seen.append((" ".join(sql.split())[:160], set(PARTITION.findall(plan))))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(explain):
        yield seen


def test_one_month_is_visited(funded, account, slot):
    with watched() as seen:
        run = make_run(funded, account, make_rows(12))
        messages = slot.send_all()
        slot.accept(messages[:4])
        slot.answer(accepted(messages[4], "a", "b"))
        slot.answer(SubmitOutcome(messages[5].token, OutcomeKind.UNKNOWN, reason=Reason.TIMEOUT))
        slot.answer(SubmitOutcome(messages[6].token, OutcomeKind.REJECTED, reason=Reason.BAD_ADDRESS))
        slot.answer(SubmitOutcome(messages[7].token, OutcomeKind.DEFERRED, reason=Reason.THROTTLED))
        receive(account, f"id-{messages[0].token}", messages[0].msisdn)
        receive(account, "a", messages[4].msisdn)
        receive(account, "b", messages[4].msisdn)
        receive(account, "never heard of", messages[5].msisdn)
        with engine_scope(reason="test"):
            store_events([StoredEvent(account.pk, b"raw", InboundMessage(messages[0].msisdn, "4609", "Teşekkürler"))])
        match()
        with platform_scope(reason="test"):
            ReceiptInbox.objects.update(tries=ADOPT_AFTER_TRIES)
        match()
        match()
        slot.finish(**{str(batch): 9 for batch in set(slot.batches.values())})
        with platform_scope(reason="test"):
            MessageBatch.objects.update(state="leased", session_id=slot.session_id)
            DispatcherSession.objects.update(lease_until=timezone.now() - timedelta(seconds=1))
        with engine_scope(reason="test"):
            end_dead_sessions()
        with tenant_scope(funded.pk):
            cancel_send_run(run_id=run.pk, tenant_id=funded.pk)
        with platform_scope(reason="test"):
            SendRun.objects.update(started_at=timezone.now() - timedelta(days=5))
        sweep_timers()
        sweep_runs()
    assert_one_month(seen, at_least=20)


def receive(account, provider_id, msisdn):
    event = DeliveryEvent(provider_id, msisdn, DeliveryState.DELIVERED)
    with engine_scope(reason="test"):
        store_events([StoredEvent(account.pk, b"raw", event)])


def match():
    with engine_scope(reason="test"):
        ReceiptInbox.objects.update(due_at=timezone.now() - timedelta(seconds=1))
        assert match_receipts() > 0


def test_pages_and_preparation_visit_one_month(funded, account):
    with watched() as seen:
        run = make_run(funded, account, make_rows(3), start=False)
        with tenant_scope(funded.pk):
            SendRun.objects.update(state=SendRun.State.PREPARING, started_at=timezone.now())
            write_messages(run_id=run.pk, tenant_id=funded.pk, gateway_account_id=account.pk, rows=make_rows(4))
            run.refresh_from_db()
            list(list_matching(run, group=find_group("delivered"), query="90"))
            count_opt_outs(run)
            discard_send_run(run_id=run.pk, tenant_id=funded.pk)
    assert_one_month(seen, at_least=4)


def assert_one_month(seen, *, at_least):
    assert len([found for _, found in seen if found]) >= at_least
    assert [(sql, found) for sql, found in seen if not found <= EXPECTED] == []
