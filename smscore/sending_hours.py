"""When messages may leave: a daily window in a time zone, on some days of the week."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

EVERY_DAY: Final = frozenset(range(7))


@dataclass(frozen=True)
class SendingWindow:
    """From `opens` to `closes` local time, on the weekdays in `days` (Monday 0) but for dates in `holidays`.

    `closes` itself is outside. A window that closes before it opens spans midnight and belongs to the day
    it opens on; one that closes when it opens lasts 24 hours. ValueError without any day.
    """

    opens: time
    closes: time
    days: frozenset[int] = EVERY_DAY
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Istanbul"))
    holidays: frozenset[date] = frozenset()

    def __post_init__(self) -> None:
        if not self.days or not self.days <= EVERY_DAY:
            raise ValueError("a sending window needs days of the week, 0 to 6")
        if self.opens.tzinfo or self.closes.tzinfo:
            raise ValueError("opens and closes are local times without a zone")

    def is_open(self, now: datetime) -> bool:
        """Whether a message may leave at this moment (aware)."""
        return self.closes_at(now) is not None

    def closes_at(self, now: datetime) -> datetime | None:
        """End (UTC) of the window that `now` (aware) lies in.

        None if it lies in none. Windows that touch are one.
        """
        moment = _as_utc(now)
        end: datetime | None = None
        today = now.astimezone(self.zone).date()
        for offset in range(-1, 8):
            start, stop = self._bounds(today + timedelta(days=offset))
            if start <= (end or moment) < stop and self._is_sending_day(today + timedelta(days=offset)):
                end = stop
            elif start > (end or moment):
                break
        return end

    def next_open(self, now: datetime) -> datetime:
        """Return `now` if it is open, else when it opens next.

        UTC. ValueError if holidays leave no day in a year.
        """
        moment = _as_utc(now)
        if self.is_open(now):
            return moment
        today = now.astimezone(self.zone).date()
        for offset in range(-1, 367):
            day = today + timedelta(days=offset)
            start, _ = self._bounds(day)
            if start > moment and self._is_sending_day(day):
                return start
        raise ValueError("the sending window does not open within a year")

    def count_open(self, start: datetime, end: datetime) -> timedelta:
        """How much of the time from `start` to `end` (aware) is open; nothing if `end` comes first."""
        at, stop, total = self.next_open(start), _as_utc(end), timedelta()
        while at < stop:
            closes = min(self.closes_at(at) or stop, stop)
            total += closes - at
            at = self.next_open(closes)
        return total

    def add_open(self, start: datetime, span: timedelta) -> datetime:
        """The moment (UTC) at which so much open time has gone by since `start` (aware)."""
        at = self.next_open(start)
        while (closes := self.closes_at(at)) is not None and closes - at < span:
            span -= closes - at
            at = self.next_open(closes)
        return at + span

    def _is_sending_day(self, day: date) -> bool:
        return day.weekday() in self.days and day not in self.holidays

    def _bounds(self, day: date) -> tuple[datetime, datetime]:
        """Start and end in UTC of the window that opens on `day`; clock changes in between are respected."""
        last = day if self.closes > self.opens else day + timedelta(days=1)
        start = datetime.combine(day, self.opens, self.zone)
        stop = datetime.combine(last, self.closes, self.zone)
        return start.astimezone(UTC), stop.astimezone(UTC)


COMMERCIAL_HOURS: Final = SendingWindow(time(9), time(20))
"""Our default for commercial traffic.

No hours are fixed by law, guides advise about 08–21 (turkish-rules §9).
"""


def _as_utc(now: datetime) -> datetime:
    if now.tzinfo is None:
        raise ValueError("a moment needs a time zone")
    return now.astimezone(UTC)
