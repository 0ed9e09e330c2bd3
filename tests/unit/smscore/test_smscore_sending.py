"""Sending hours, pacing, and the states of a message."""

import math
import random
from collections import deque
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smscore.pacing import AdaptivePace, TokenBucket, split_rate
from smscore.reasons import RECEIPT_STATE_NUMBERS, RECEIPT_WORDS, FailureReason, read_receipt_word
from smscore.sending_hours import COMMERCIAL_HOURS, SendingWindow
from smscore.status import (
    ALLOWED_MOVES,
    CREDITS,
    GROUP_OF,
    RANK,
    TERMINAL_STATES,
    MessageState,
    can_move,
)

ISTANBUL = ZoneInfo("Europe/Istanbul")


def at(text: str, zone=ISTANBUL) -> datetime:
    """A moment; 2026-11-23 is a Monday."""
    return datetime.fromisoformat(text).replace(tzinfo=zone)


WORKDAYS = frozenset(range(5))
NIGHT = SendingWindow(time(22), time(6), days=frozenset({4}))
HOURS = {
    "before": (COMMERCIAL_HOURS, "2026-11-23T08:59:59", "2026-11-23T09:00", None),
    "opens": (COMMERCIAL_HOURS, "2026-11-23T09:00", "2026-11-23T09:00", "2026-11-23T20:00"),
    "inside": (COMMERCIAL_HOURS, "2026-11-23T19:59:59", "2026-11-23T19:59:59", "2026-11-23T20:00"),
    "closes": (COMMERCIAL_HOURS, "2026-11-23T20:00", "2026-11-24T09:00", None),
    "weekend": (
        SendingWindow(time(9), time(18), days=WORKDAYS), "2026-11-20T18:00", "2026-11-23T09:00", None,
    ),
    "holiday": (
        SendingWindow(time(9), time(18), holidays=frozenset({date(2026, 11, 23)})),
        "2026-11-23T10:00", "2026-11-24T09:00", None,
    ),
    "night, before midnight": (NIGHT, "2026-11-20T23:00", "2026-11-20T23:00", "2026-11-21T06:00"),
    "night, after midnight": (NIGHT, "2026-11-21T05:59", "2026-11-21T05:59", "2026-11-21T06:00"),
    "night, other day": (NIGHT, "2026-11-22T01:00", "2026-11-27T22:00", None),
    "all day": (
        SendingWindow(time(0), time(0), days=frozenset({0})),
        "2026-11-23T23:59", "2026-11-23T23:59", "2026-11-24T00:00",
    ),
    "two days that touch": (
        SendingWindow(time(0), time(0), days=frozenset({0, 1})),
        "2026-11-23T12:00", "2026-11-23T12:00", "2026-11-25T00:00",
    ),
}  # fmt: skip


OPEN_TIME = {
    "within a day": (COMMERCIAL_HOURS, "2026-11-23T10:00", 2, "2026-11-23T12:00"),
    "from a closed hour": (COMMERCIAL_HOURS, "2026-11-23T21:00", 2, "2026-11-24T11:00"),
    "to the end of a day": (COMMERCIAL_HOURS, "2026-11-23T10:00", 10, "2026-11-23T20:00"),
    "over a night": (COMMERCIAL_HOURS, "2026-11-23T10:00", 24, "2026-11-25T12:00"),
    "over a weekend": (SendingWindow(time(9), time(18), days=WORKDAYS), "2026-11-20T17:00", 2, "2026-11-23T10:00"),
    "over midnight": (NIGHT, "2026-11-20T23:00", 8, "2026-11-27T23:00"),
    "all day": (SendingWindow(time(0), time(0)), "2026-11-23T10:00", 48, "2026-11-25T10:00"),
    "clocks change": (
        SendingWindow(time(0), time(4), zone=ZoneInfo("Europe/Berlin")), "2026-10-25T00:00", 5, "2026-10-25T04:00",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("window", "start", "hours", "end"), OPEN_TIME.values(), ids=OPEN_TIME)
def test_open_time_is_added_and_counted(window, start, hours, end):
    begins, ends = at(start, window.zone), at(end, window.zone)
    assert window.add_open(begins, timedelta(hours=hours)) == ends
    assert window.count_open(begins, ends) == timedelta(hours=hours)
    assert window.count_open(ends, begins) == timedelta()


@pytest.mark.parametrize(("window", "now", "opens", "closes"), HOURS.values(), ids=HOURS)
def test_sending_hours(window, now, opens, closes):
    assert window.next_open(at(now)) == at(opens)
    assert window.closes_at(at(now)) == (at(closes) if closes else None)
    assert window.is_open(at(now)) == (closes is not None)
    assert window.is_open(at(now).astimezone(UTC)) == (closes is not None)


def test_sending_hours_over_a_clock_change():
    berlin = ZoneInfo("Europe/Berlin")
    window = SendingWindow(time(1), time(5), zone=berlin)
    assert window.next_open(at("2026-03-29T00:00", berlin)) == datetime(2026, 3, 29, 0, tzinfo=UTC)
    assert window.closes_at(at("2026-03-29T01:30", berlin)) == datetime(2026, 3, 29, 3, tzinfo=UTC)


@settings(max_examples=100, deadline=None)
@given(
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.times().map(lambda t: t.replace(second=0, microsecond=0)),
    st.frozensets(st.integers(0, 6), min_size=1),
    st.datetimes(datetime(2020, 1, 1), datetime(2030, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
)
def test_next_open_is_open_and_the_first_such_moment(opens, closes, days, now):
    window = SendingWindow(opens, closes, days=days)
    moment = window.next_open(now)
    assert moment >= now
    assert window.is_open(moment)
    if moment > now:
        assert not window.is_open(now)
        assert not window.is_open(moment - timedelta(minutes=1)) or moment - timedelta(minutes=1) < now
        assert not window.is_open(now + (moment - now) / 2)
    end = window.closes_at(moment)
    assert end is None or end > moment


def test_sending_hours_refuse_nonsense():
    with pytest.raises(ValueError, match="days"):
        SendingWindow(time(9), time(10), days=frozenset())
    with pytest.raises(ValueError, match="zone"):
        SendingWindow(time(9, tzinfo=UTC), time(10))
    with pytest.raises(ValueError, match="time zone"):
        COMMERCIAL_HOURS.is_open(datetime(2026, 1, 1))  # noqa: DTZ001
    closed = frozenset(date(2026, 11, 1) + timedelta(days=offset) for offset in range(500))
    with pytest.raises(ValueError, match="within a year"):
        SendingWindow(time(9), time(10), holidays=closed).next_open(at("2026-11-23T12:00"))


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self):
        return self.now


@settings(max_examples=100, deadline=None)
@given(st.floats(0.5, 5000), st.lists(st.tuples(st.floats(0, 0.4), st.integers(1, 600)), max_size=60))
def test_no_second_sees_more_than_the_rate_allows(rate, steps):
    clock = Clock()
    bucket = TokenBucket(rate, clock=clock)
    sent = []
    for wait, wanted in steps:
        clock.now += wait
        sent.append((clock.now, bucket.take(wanted)))
    for start, _ in sent:
        in_window = sum(count for moment, count in sent if start <= moment < start + 1)
        assert in_window <= rate * 1.05 + 1 + 1e-6


def test_bucket_gives_the_full_rate_over_time():
    clock = Clock()
    bucket = TokenBucket(100, clock=clock)
    total = 0
    for _ in range(1000):
        clock.now += 0.01
        total += bucket.take(50)
    assert 1000 <= total <= 1005
    assert bucket.seconds_until() == pytest.approx(0.01)
    bucket.give_back(1)
    assert bucket.seconds_until() == 0
    clock.now -= 50  # a clock that goes back gives nothing away
    assert bucket.take(50) <= 1


class Centre:
    """Takes up to `limit` a second of its own clock, and of the rest throttles a share by chance; answers come late."""

    def __init__(self, clock, *, limit=10**9, chance=0.0, delay=0.05):
        self.clock, self.limit, self.chance, self.delay = clock, limit, chance, delay
        self.random = random.Random(4)
        self.second, self.count, self.taken, self.throttled = 0, 0, 0, 0
        self.answers = deque()

    def submit(self):
        if int(self.clock.now) != self.second:
            self.second, self.count = int(self.clock.now), 0
        self.count += 1
        is_refused = self.count > self.limit or self.random.random() < self.chance
        self.throttled += is_refused
        self.taken += not is_refused
        self.answers.append((self.clock.now + self.delay, is_refused))

    def answer(self, pace):
        ready = [a for a in self.answers if a[0] <= self.clock.now]
        for _ in ready:
            self.answers.popleft()
        if ready:
            pace.record_answers(len(ready), sum(r for _, r in ready), unanswered=len(self.answers))


def drive(pace, centre, seconds):
    """Send as much as the pace allows; what was taken and throttled a second."""
    before = centre.taken, centre.throttled
    for _ in range(seconds * 100):
        centre.clock.now += 0.01
        centre.answer(pace)
        for _ in range(pace.take(10**6)):
            centre.submit()
    return (centre.taken - before[0]) / seconds, (centre.throttled - before[1]) / seconds


@pytest.mark.parametrize("delay", [0.01, 0.5, 2.5])
@pytest.mark.parametrize("rate", [20, 1000])
def test_chance_throttling_does_not_bring_the_rate_down(rate, delay):
    clock = Clock()
    pace = AdaptivePace(rate, clock=clock)
    taken, _ = drive(pace, Centre(clock, chance=0.1, delay=delay), 300)
    assert taken > 0.75 * rate


@pytest.mark.parametrize("delay", [0.01, 0.5, 2.5])
@pytest.mark.parametrize(("rate", "limit"), [(1000, 500), (1000, 900), (1000, 100), (100, 50)])
def test_a_hard_limit_is_found_and_kept(rate, limit, delay):
    clock = Clock()
    pace, centre = AdaptivePace(rate, clock=clock), Centre(clock, limit=limit, delay=delay)
    drive(pace, centre, 20)
    taken, throttled = drive(pace, centre, 120)
    assert taken > 0.9 * limit
    assert throttled < 0.2 * taken
    centre.limit = 10**9
    drive(pace, centre, 80)
    assert pace.bucket.rate == rate


def test_total_throttling_and_its_end():
    clock = Clock()
    pace, centre = AdaptivePace(1000, clock=clock), Centre(clock, limit=0)
    drive(pace, centre, 60)
    assert pace.bucket.rate == 10
    centre.limit = 10**9
    drive(pace, centre, 60)
    assert pace.bucket.rate == 1000


def test_one_cut_for_what_was_on_its_way():
    clock = Clock()
    pace = AdaptivePace(100, clock=clock)
    clock.now += 1
    pace.record_answers(100, 50, unanswered=200)
    assert pace.bucket.rate == 48.5
    clock.now += 1.5
    pace.record_answers(200, 200, unanswered=10)
    clock.now += 1.5
    pace.record_answers(100, 0, unanswered=10)
    assert pace.bucket.rate == 48.5
    with pytest.raises(ValueError, match="above zero"):
        TokenBucket(0)


@given(st.integers(1, 30_000), st.integers(1, 40))
def test_the_slots_of_a_connection_share_its_rate(rate, slots):
    """S9: in any second the buckets of all slots together hand out no more than the connection may send."""
    rates = split_rate(rate, slots)
    assert sum(rates) == rate and min(rates) >= 1 and len(rates) == min(rate, slots)
    most = 0
    for own in rates:
        bucket = TokenBucket(own)
        most += math.ceil(bucket.capacity + own) - 1  # of whole tokens, in less than a second
    assert most <= rate * 1.05


S = MessageState
# reliability.md §3, word for word.
MOVES = {
    "queued": "claimed suppressed cancelled failed",
    "claimed": "submitting queued suppressed cancelled failed",
    "submitting": "accepted queued rejected unknown",
    "accepted": "delivered undelivered expired",
    "unknown": "accepted delivered undelivered unconfirmed queued rejected",
    "expired": "delivered",
    "unconfirmed": "delivered",
    "undelivered": "delivered",
}


@pytest.mark.parametrize("before", MessageState)
@pytest.mark.parametrize("after", MessageState)
def test_moves(before, after):
    allowed = after.value in MOVES.get(before.value, "").split()
    assert can_move(before, after) == can_move(before.value, after.value) == allowed


# reliability.md §3: credits, terminal.
STATES = {
    "queued": ("reserved", False), "claimed": ("reserved", False),
    "submitting": ("reserved", False), "accepted": ("captured", False),
    "unknown": ("reserved", False), "delivered": ("captured", True),
    "undelivered": ("captured", True), "expired": ("captured", True),
    "rejected": ("released", True), "failed": ("released", True),
    "suppressed": ("released", True), "cancelled": ("released", True),
    "unconfirmed": ("released", True),
}  # fmt: skip


@pytest.mark.parametrize(("state", "facts"), STATES.items(), ids=STATES)
def test_states(state, facts):
    state = MessageState(state)
    assert (CREDITS[state], state in TERMINAL_STATES) == facts
    assert state in GROUP_OF


def test_every_state_is_in_the_tables():
    assert set(STATES) == {state.value for state in MessageState} == set(ALLOWED_MOVES) == set(RANK)
    assert RANK[S.DELIVERED] > RANK[S.EXPIRED] > RANK[S.ACCEPTED] > RANK[S.UNKNOWN] > RANK[S.SUBMITTING]


RECEIPTS = {
    "DELIVRD": (S.DELIVERED, None),
    "UNDELIV": (S.UNDELIVERED, FailureReason.OTHER),
    "DELETED": (S.UNDELIVERED, FailureReason.DELETED),
    "EXPIRED": (S.UNDELIVERED, FailureReason.EXPIRED),
    "REJECTD": (S.UNDELIVERED, FailureReason.REFUSED),
    "ENROUTE": (None, None),
    "ACCEPTD": (None, None),
    "UNKNOWN": (None, None),
    " delivrd ": (S.DELIVERED, None),
    "BLAH": (None, None),
    "": (None, None),
}


@pytest.mark.parametrize(("word", "meaning"), RECEIPTS.items(), ids=RECEIPTS)
def test_receipt_words(word, meaning):
    assert read_receipt_word(word) == meaning


def test_receipt_state_numbers_are_known_words():
    assert set(RECEIPT_STATE_NUMBERS.values()) <= set(RECEIPT_WORDS)
    assert RECEIPT_STATE_NUMBERS[2] == "DELIVRD"
