from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.scope import tenant_scope
from messaging.models import Message, SendRun
from messaging.selectors import MinuteCount, list_run_minutes
from optout.services import record_opt_out
from reporting.selectors.campaign_report import (
    build_time_line,
    get_average_rate,
    get_figures,
    list_operator_rows,
    list_reason_rows,
)
from reporting.selectors.opt_outs import count_opt_outs
from reporting.selectors.overview import get_daily_results, get_month_totals, list_setup_steps
from tests.engine_runs import make_rows
from tests.launched import complete, launch, move

ISTANBUL = ZoneInfo("Europe/Istanbul")


@pytest.fixture
def campaign(cast):
    return launch(cast, 10)


def count_by_state(run):
    with tenant_scope(run.tenant_id):
        states = Message.objects.filter(run=run).values_list("state", flat=True)
        return {state: list(states).count(state) for state in set(states)}


def test_a_fresh_run_is_all_queue(cast, campaign):
    with tenant_scope(cast.butik.pk):
        figures = get_figures(campaign.run)
    assert (figures.total_count, figures.queued_count, figures.sent_count) == (10, 10, 0)
    assert figures.delivery_rate is None
    assert figures.is_live


def test_figures_are_the_states_of_the_messages(cast, campaign):
    move(campaign, range(8), "accepted")
    move(campaign, range(5), "delivered")
    move(campaign, [5], "undelivered", reason="absent_subscriber")
    move(campaign, [8], "rejected", reason="bad_address")
    with tenant_scope(cast.butik.pk):
        figures = get_figures(campaign.run)
        states = count_by_state(campaign.run)
    assert {state: count.messages for state, count in figures.totals.by_state.items()} == states
    assert (figures.sent_count, figures.waiting_count, figures.undelivered_count) == (8, 2, 1)
    assert (figures.not_sent_count, figures.queued_count) == (1, 1)
    assert figures.delivery_rate == pytest.approx(5 / 6)
    assert figures.used_credits == 8
    assert figures.sent_parts == 8


def test_a_late_delivery_moves_the_figures(cast, campaign):
    move(campaign, range(10), "accepted")
    move(campaign, range(10), "expired", reason="no_receipt")
    move(campaign, [3], "delivered")
    with tenant_scope(cast.butik.pk):
        figures = get_figures(campaign.run)
        reasons = list_reason_rows(campaign.run, figures.totals)
    assert (figures.totals.get("delivered").messages, figures.undelivered_count) == (1, 9)
    assert [(row.reason, row.message_count) for row in reasons] == [("no_receipt", 9)]


def test_reasons_count_every_failure_once(cast, campaign):
    move(campaign, range(9), "accepted")
    move(campaign, range(3), "undelivered", reason="unknown_subscriber")
    move(campaign, [3], "undelivered", reason="expired")
    move(campaign, [4, 5], "expired")
    move(campaign, [9], "suppressed")
    with tenant_scope(cast.butik.pk):
        figures = get_figures(campaign.run)
        rows = list_reason_rows(campaign.run, figures.totals)
    found = [(row.state, row.reason, row.message_count) for row in rows]
    assert found[0] == ("undelivered", "unknown_subscriber", 3)
    assert sum(row.message_count for row in rows) == figures.undelivered_count + figures.not_sent_count == 7
    assert ("suppressed", "", 1) in found


def test_operators_with_their_own_rates(cast):
    rows = make_rows(4) + make_rows(2, start=1000, operator="vodafone")
    campaign = launch(cast, rows=rows)
    move(campaign, range(6), "accepted")
    move(campaign, range(3), "delivered")
    move(campaign, [3], "undelivered")
    with tenant_scope(cast.butik.pk):
        operators = list_operator_rows(campaign.run)
    assert [(row.operator, row.message_count, row.delivery_rate) for row in operators] == [
        ("turkcell", 4, 0.75),
        ("vodafone", 2, None),
    ]


def test_rate_and_time_left_while_sending(cast, campaign):
    started = timezone.now() - timedelta(seconds=30)
    move(campaign, range(5), "accepted")
    with tenant_scope(cast.butik.pk):
        SendRun.objects.filter(pk=campaign.run.pk).update(started_at=started)
        campaign.run.refresh_from_db()
        figures = get_figures(campaign.run)
    assert 8 <= figures.messages_per_minute <= 11
    assert 25 <= figures.seconds_left <= 40


def test_no_rate_once_all_is_sent_or_paused(cast, campaign):
    move(campaign, range(5), "accepted")
    with tenant_scope(cast.butik.pk):
        SendRun.objects.filter(pk=campaign.run.pk).update(state=SendRun.State.PAUSED)
        campaign.run.refresh_from_db()
        assert get_figures(campaign.run).messages_per_minute == 0
    complete(campaign)
    with tenant_scope(cast.butik.pk):
        assert not get_figures(campaign.run).is_live


def minute(text, state="delivered", messages=1):
    return MinuteCount(datetime.fromisoformat(text).replace(tzinfo=UTC), state, messages)


def test_time_line_of_a_short_run_is_by_minute_in_local_time():
    line = build_time_line([minute("2026-11-22 07:00", messages=5), minute("2026-11-22 07:02", "expired", 2)], ISTANBUL)
    # Padded on the left: nothing is drawn beyond the last result.
    assert (f"{line.starts[0]:%H:%M}", f"{line.starts[-1]:%H:%M}") == ("09:55", "10:02")
    assert (line.minutes_per_point, line.later_count) == (1, 0)
    assert line.delivered == [0, 0, 0, 0, 0, 5, 0, 0]
    assert line.undelivered == [0, 0, 0, 0, 0, 0, 0, 2]


def test_time_line_of_a_long_run_is_gathered_and_complete():
    minutes = [
        minute(f"{datetime(2026, 11, 22, 7, 0) + timedelta(minutes=n):%Y-%m-%d %H:%M}", messages=10)  # noqa: DTZ001
        for n in range(600)
    ]
    line = build_time_line(minutes, ISTANBUL)
    assert line.minutes_per_point == 15
    assert len(line.starts) <= 49
    assert sum(line.delivered) + line.later_count == 6000


def test_time_line_leaves_stragglers_out_but_says_how_many():
    minutes = [minute("2026-11-22 07:00", messages=990), minute("2026-11-24 07:00", "expired", 10)]
    line = build_time_line(minutes, ISTANBUL)
    assert (line.minutes_per_point, line.later_count) == (1, 10)


def test_time_line_without_results_is_empty():
    assert build_time_line([minute("2026-11-22 07:00", "accepted", 10)], ISTANBUL).starts == []


def test_time_line_from_real_roll_ups(cast, campaign):
    move(campaign, range(6), "accepted")
    move(campaign, range(4), "delivered")
    with tenant_scope(cast.butik.pk):
        line = build_time_line(list_run_minutes(campaign.run), ISTANBUL)
    assert sum(line.delivered) == 4


def opt_out(cast, campaign, position, *, source="reply"):
    with tenant_scope(cast.butik.pk):
        message = Message.objects.filter(run=campaign.run).order_by("msisdn")[position]
        record_opt_out(tenant_id=cast.butik.pk, msisdn=message.msisdn, source=source)


def test_opt_outs_are_replies_of_people_who_got_the_message(cast, campaign):
    move(campaign, range(4), "accepted")
    opt_out(cast, campaign, 0)
    opt_out(cast, campaign, 1, source="manual")
    opt_out(cast, campaign, 9)  # never sent to
    with tenant_scope(cast.butik.pk):
        record_opt_out(tenant_id=cast.butik.pk, msisdn="+905559998877", source="reply")
        assert count_opt_outs(campaign.run) == 1


def test_an_opt_out_counts_for_the_newest_campaign_only(cast):
    first, second = launch(cast, 5, name="Bir"), launch(cast, 5, name="İki")
    move(first, range(5), "accepted")
    move(second, range(5), "accepted")
    opt_out(cast, second, 0)
    with tenant_scope(cast.butik.pk):
        assert (count_opt_outs(first.run), count_opt_outs(second.run)) == (0, 1)


def test_month_and_days_add_up_over_campaigns(cast):
    first, second = launch(cast, 5, name="Bir"), launch(cast, 5, name="İki")
    for campaign in (first, second):
        move(campaign, range(5), "accepted")
        move(campaign, range(3), "delivered")
    move(first, [4], "undelivered")
    with tenant_scope(cast.butik.pk):
        month = get_month_totals(cast.butik.pk)
        days = get_daily_results(cast.butik.pk, ISTANBUL)
        average = get_average_rate(first.run)
    assert (month.sent_count, month.used_credits) == (10, 10)
    assert month.delivery_rate == average == pytest.approx(6 / 7)
    assert (days.delivered[-1], days.undelivered[-1], len(days.days)) == (6, 1, 30)
    with tenant_scope(cast.rakip.pk):
        assert get_month_totals(cast.rakip.pk).sent_count == 0
        assert get_daily_results(cast.rakip.pk, ISTANBUL).is_empty


@pytest.mark.parametrize("case", ["prepared long before its start", "paused for months", "over for six days then"])
def test_the_results_of_these_days_are_all_there(cast, campaign, case):
    """However old the run is that brought them: it may be scheduled a year ahead, and paused for as long."""
    move(campaign, range(10), "accepted")
    move(campaign, range(8), "delivered")
    now = timezone.now()
    times = {"created_at": now - timedelta(days=364), "started_at": now - timedelta(hours=1)}
    if case != "prepared long before its start":
        times["started_at"] = now - timedelta(days=90)
    if case == "over for six days then":
        times |= {"completed_at": now - timedelta(days=29 + 6), "state": SendRun.State.COMPLETED}
    with tenant_scope(cast.butik.pk):
        SendRun.objects.filter(pk=campaign.run.pk).update(**times)
        month = get_month_totals(cast.butik.pk)
        assert sum(get_daily_results(cast.butik.pk, ISTANBUL).delivered) == 8
    assert month.sent_count == (10 if case == "prepared long before its start" else 0), "started in the last 30 days"


def test_setup_steps_follow_the_account(cast):
    with tenant_scope(cast.butik.pk):
        assert [step.is_done for step in list_setup_steps(cast.butik.pk)] == [False, False, False]
    launch(cast, 1)
    with tenant_scope(cast.butik.pk):
        assert [step.is_done for step in list_setup_steps(cast.butik.pk)] == [True, True, True]
    with tenant_scope(cast.rakip.pk):
        assert [step.is_done for step in list_setup_steps(cast.rakip.pk)] == [False, False, False]


def test_figures_do_not_touch_the_messages(cast, campaign, django_assert_max_num_queries):
    with tenant_scope(cast.butik.pk), django_assert_max_num_queries(8) as queries:
        figures = get_figures(campaign.run)
        list_reason_rows(campaign.run, figures.totals)
        list_operator_rows(campaign.run)
        get_average_rate(campaign.run)
    assert not [query["sql"] for query in queries if '"messaging_message"' in query["sql"]]
