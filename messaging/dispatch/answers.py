"""Answers of a slot on their way into the database, where one that cannot be stored must not hold up the others."""

import logging
import time
from collections.abc import Callable, Sequence

from gateways.types import OutcomeKind, Reason, SubmitOutcome
from messaging.services.outcomes import Answer

from .database import is_away, log_database_error

log = logging.getLogger(__name__)
MOST_TRIES = 200
"""Transactions of one call: whoever calls has leases to renew as well."""
MOST_DOUBTFUL = 3
"""So many that cannot be stored, and none that can: it is the database, not they."""
LEAST_SECONDS, MOST_SECONDS = 0.2, 5.0
SOFT_REASONS = {OutcomeKind.REJECTED: Reason.OTHER, OutcomeKind.UNKNOWN: Reason.MALFORMED}

Write = Callable[[Sequence[Answer]], None]


def write_answers(answers: Sequence[Answer], write: Write) -> list[Answer]:
    """Give `write` all answers at once, in one transaction of its own; returns those to be tried again later.

    If it is not the database that is away, what cannot be stored is looked for in halves. Such an answer loses the
    provider's words; if it still cannot be stored while others like it can, it becomes `unknown`: that is never sent
    again, and a receipt still clears it. What says nothing against one answer (a table that is missing) leaves all as
    they are. Never raises.
    """
    return _Round(answers, write).run()


class _Round:
    def __init__(self, answers: Sequence[Answer], write: Write) -> None:
        self._write = write
        self._waiting = [list(answers)]
        self._doubtful: list[Answer] = []  # without the provider's words they cannot be stored either
        self._stored: set[tuple[object, ...]] = set()
        self._tries = MOST_TRIES

    def run(self) -> list[Answer]:
        while self._waiting and self._store(self._waiting.pop()):
            pass
        self._strip_doubtful()
        if self._doubtful:
            log.error("engine.answers_kept", extra={"count": len(self._doubtful) + sum(map(len, self._waiting))})
        return [*(answer for part in reversed(self._waiting) for answer in part), *self._doubtful]

    def _store(self, part: list[Answer]) -> bool:
        """Whether to go on."""
        error = self._try(part)
        if error is None:
            self._stored.update(map(_shape, part))
        elif self._is_hopeless(error):
            self._waiting.append(part)
            return False
        elif len(part) > 1:
            middle = len(part) // 2
            self._waiting += [part[middle:], part[:middle]]
        elif part:
            return self._store_alone(part[0], error)
        else:  # `write` had something of its own to write
            log.error("engine.answer_not_recorded", exc_info=error)
        return True

    def _store_alone(self, answer: Answer, error: Exception) -> bool:
        log.error("engine.answer_not_recorded", exc_info=error)
        soft = _soften(answer)
        if soft != answer:
            soft_error = self._try([soft])
            if soft_error is None:
                self._stored.add(_shape(soft))
                return True
            if self._is_hopeless(soft_error):
                self._waiting.append([answer])
                return False
        self._doubtful.append(answer)
        self._waiting.reverse()  # next the largest part that was not tried: are there any that can be stored?
        return len(self._doubtful) < MOST_DOUBTFUL or self._is_stored_otherwise(answer)

    def _strip_doubtful(self) -> None:
        for answer in [answer for answer in self._doubtful if self._is_stored_otherwise(answer)]:
            error = self._try([_strip(answer)])
            if error is None:
                self._doubtful.remove(answer)
            elif self._is_hopeless(error):
                return

    def _try(self, part: list[Answer]) -> Exception | None:
        if not self._tries:
            return TimeoutError()
        self._tries -= 1
        try:
            self._write(part)
        except Exception as error:
            return error
        return None

    def _is_hopeless(self, error: Exception) -> bool:
        if is_away(error):
            self._tries = 0
            log_database_error("record outcomes", error)
        return not self._tries

    def _is_stored_otherwise(self, answer: Answer) -> bool:
        return _shape(answer) in self._stored


def _shape(answer: Answer) -> tuple[object, ...]:
    """What decides which way it goes into the database."""
    outcome, _ = answer
    return outcome.kind, outcome.late, bool(outcome.job), len(outcome.part_ids) > 1


def _soften(answer: Answer) -> Answer:
    """Without the provider's words. A refusal for now keeps its reason, which says whether it uses a retry."""
    outcome, batch_id = answer
    reason = SOFT_REASONS.get(outcome.kind, outcome.reason)
    return outcome._replace(code="", reason=reason, evidence=""), batch_id


def _strip(answer: Answer) -> Answer:
    outcome, batch_id = answer
    bare = SubmitOutcome(outcome.token, OutcomeKind.UNKNOWN, reason=Reason.MALFORMED, late=outcome.late)
    return bare, batch_id


class Patience:
    """Ever longer waits while nothing at all can be written down."""

    def __init__(self) -> None:
        self._seconds = self._until = 0.0

    def note(self, *, tried: int, left: int) -> None:
        is_stuck = 0 < tried == left
        self._seconds = min(MOST_SECONDS, max(LEAST_SECONDS, self._seconds * 2)) if is_stuck else 0.0
        self._until = time.monotonic() + self._seconds

    @property
    def is_over(self) -> bool:
        return time.monotonic() >= self._until
