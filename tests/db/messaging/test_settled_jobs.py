"""Providers that push and can be asked: what a push has told is not asked about."""

import json

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from gateways.types import DeliveryState, JobsWanted, OutcomeKind, SubmitOutcome
from messaging.dispatch import desk
from messaging.scope import engine_scope
from messaging.services.pulling import DUE_SQL, add_jobs, list_due_jobs
from tests.engine_runs import make_rows, make_run

from .engine import HandSlot
from .test_receipts import arrive, match, receipt

pytestmark = pytest.mark.django_db


def list_open(account, **wanted):
    """What would be asked about now."""
    with engine_scope(reason="test"):
        due = list_due_jobs(
            gateway_account_id=getattr(account, "pk", account), wanted=JobsWanted(1000, 100, 0, **wanted), served={}
        )
    return [job.job for job in due.jobs]


def test_only_messages_that_have_not_ended_are_asked_about(funded, account):
    make_run(funded, account, make_rows(4))
    slot = HandSlot(account).open()
    sent = slot.send_all()
    outcomes = [SubmitOutcome(m.token, OutcomeKind.ACCEPTED, f"SM{m.token}", job=f"SM{m.token}") for m in sent]
    outcomes[3] = outcomes[3]._replace(job="a call of many")
    slot.answer(*outcomes)
    arrive(
        account,
        receipt(outcomes[0].provider_message_id, DeliveryState.DELIVERED, sent[0].msisdn),
        receipt(outcomes[1].provider_message_id, DeliveryState.ACCEPTED, sent[1].msisdn),
        receipt(outcomes[3].provider_message_id, DeliveryState.DELIVERED, sent[3].msisdn),
    )
    match()
    names = [o.job for o in outcomes]
    assert list_open(account) == names
    assert list_open(account.pk + 1, skips_settled=True) == [], "another connection's"
    assert list_open(account, skips_settled=True) == names[1:], "a call of many is asked about as ever"
    assert list_open(account) == names[1:], "forgotten for good"


def test_a_search_stays(funded, account):
    make_run(funded, account, make_rows(1))
    slot = HandSlot(account).open()
    [message] = slot.send_all()
    with engine_scope(reason="test"):
        add_jobs(account.pk, [SubmitOutcome(message.token, OutcomeKind.UNKNOWN, job="?search")])
    assert list_open(account, skips_settled=True) == ["?search"]


def test_searches_are_asked_about_by_themselves(funded, account):
    make_run(funded, account, make_rows(4))
    slot = HandSlot(account).open()
    sent = slot.send_all()
    kinds = [OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN, OutcomeKind.ACCEPTED]
    with engine_scope(reason="test"):
        for message, kind, job in zip(sent, kinds, ["?1", "j1", "?2", "j2"], strict=True):
            add_jobs(account.pk, [SubmitOutcome(message.token, kind, job=job)])
    assert list_open(account) == ["?1", "?2"]
    assert list_open(account, searches=False) == ["j1", "j2"]


def write_jobs(account, tenant_id, count, *, tries=0, age=60, name="SM"):
    with engine_scope(reason="test"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO gateways_receiptjob"
            " (gateway_account_id, tenant_id, job, message_count, tries, due_at, created_at)"
            " SELECT %s, %s, %s || '-' || n, 1, %s, clock_timestamp() - (%s - n * 0.001) * interval '1 second', now()"
            " FROM generate_series(1, %s) n",
            [account.pk, tenant_id, name, tries, age, count],
        )


def test_one_tenants_many_jobs_do_not_hide_anothers(account):
    write_jobs(account, 1, 5000, name="A")
    write_jobs(account, 2, 2, name="B", age=10)
    write_jobs(account, 3, 1, name="C", tries=2, age=1)
    with engine_scope(reason="test"):
        wanted = JobsWanted(1000, 1, 0)
        served: dict[int, float] = {}
        asked = []
        for turn in range(4):
            [job], [tenant], _ = list_due_jobs(gateway_account_id=account.pk, wanted=wanted, served=served)
            asked.append(job.job)
            served[tenant] = turn + 1.0
    assert asked == ["A-1", "B-1", "C-1", "A-1"]


def test_new_jobs_are_due_after_the_first_wait_and_others_at_their_time(account):
    write_jobs(account, 1, 1, name="new", age=50)
    write_jobs(account, 1, 1, name="old", age=70)
    write_jobs(account, 1, 1, name="again", tries=1, age=20)
    write_jobs(account, 1, 1, name="later", tries=1, age=-20)
    with engine_scope(reason="test"):
        due = list_due_jobs(gateway_account_id=account.pk, wanted=JobsWanted(1000, 10, 60.0), served={})
    assert [job.job for job in due.jobs] == ["again-1", "old-1"], "who is due for longest comes first"


def test_a_question_does_not_read_all_that_is_due(account):
    """A provider with a job for each message has as many jobs as messages: a question must not cost more for it."""
    write_jobs(account, 1, 20_000)
    with engine_scope(reason="test"), connection.cursor() as cursor:
        cursor.execute("ANALYZE gateways_receiptjob")
        values = {"account": account.pk, "first": 0, "searches": True, "most": 10}
        cursor.execute("EXPLAIN (ANALYZE, FORMAT JSON) " + DUE_SQL, values)
        plan = cursor.fetchone()[0]
    assert max(count_rows(plan if isinstance(plan, list) else json.loads(plan))) <= 100


def count_rows(plan):
    """Rows that each node of the plan gave or threw away."""
    for node in plan:
        inner = node.get("Plan", node)
        yield (inner["Actual Rows"] + inner.get("Rows Removed by Filter", 0)) * inner["Actual Loops"]
        yield from count_rows(inner.get("Plans", []))


def test_many_settled_jobs_are_closed_in_few_rounds_each_with_a_commit(funded, account, monkeypatch):
    make_run(funded, account, make_rows(1))
    slot = HandSlot(account).open()
    [message] = slot.send_all()
    slot.answer(SubmitOutcome(message.token, OutcomeKind.REJECTED))
    write_jobs(account, funded.pk, 20_000)
    with engine_scope(reason="test"), connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO messaging_providerreference"
            " (gateway_account_id, provider_message_id, message_id, part, of_parts, state, tenant_id, created_at)"
            " SELECT gateway_account_id, job, %s, 1, 1, '', tenant_id, now() FROM gateways_receiptjob",
            [message.token],
        )
    write_jobs(account, funded.pk, 1, name="open", age=5)
    monkeypatch.setattr(connection, "close", lambda: None)  # the test's own transaction lives in it
    rounds, real = [], desk.in_one_transaction
    monkeypatch.setattr(desk, "in_one_transaction", lambda *work: (rounds.append(1), real(*work))[1])
    with CaptureQueriesContext(connection) as queries:
        jobs = desk.AccountDesk(account.pk).list_due_jobs(JobsWanted(1000, 1, 0, skips_settled=True))
    assert [job.job for job in jobs] == ["open-1"]
    assert 8 <= len(rounds) <= 12 and len(queries) < 250
