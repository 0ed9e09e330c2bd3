"""Answers of a slot on their way into the database, where one that cannot be stored must not hold up the others."""

import logging
from collections.abc import Callable, Sequence

from gateways.types import OutcomeKind, Reason, SubmitOutcome

from .database import is_away, log_database_error

log = logging.getLogger(__name__)
MOST_TRIES = 200
"""Transactions of one call: whoever calls has leases to renew as well."""


def write_answers(
    answers: Sequence[SubmitOutcome], write: Callable[[Sequence[SubmitOutcome]], None]
) -> list[SubmitOutcome]:
    """Give `write` all answers at once, in one transaction of its own; returns those to be tried again later.

    If it is not the database that is away, what cannot be stored is looked for in halves and becomes `unknown`: that
    is never sent again, and a receipt still clears it. Never raises.
    """
    waiting = [list(answers)]
    for _ in range(MOST_TRIES):
        if not waiting:
            break
        part = waiting.pop()
        try:
            write(part)
        except Exception as error:
            if is_away(error):
                log_database_error("record outcomes", error)
                waiting.append(part)
                break
            if len(part) > 1:
                middle = len(part) // 2
                waiting += [part[middle:], part[:middle]]
                continue
            log.exception("engine.answer_not_recorded", extra={"count": len(part)})
            bare = [_strip(answer) for answer in part]
            if bare == part:  # nothing left in it that could be wrong: last in the row, and no further one for now
                waiting.insert(0, part)
                break
            waiting.append(bare)
    return [answer for part in reversed(waiting) for answer in part]


def _strip(answer: SubmitOutcome) -> SubmitOutcome:
    return SubmitOutcome(answer.token, OutcomeKind.UNKNOWN, reason=Reason.MALFORMED, late=answer.late)
