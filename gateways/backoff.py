"""Waits before a provider is tried again (reliability.md, section 5), the same for every kind of link.

Connection lost or unreachable: 1, 2, 4 ... 60 s, each +-20 %. Login refused: 60 s doubling to 10 min, and after five
refusals in a row nobody tries any more (a wrong password must not lock the account).
"""

from __future__ import annotations

import random

LOST_FIRST, LOST_MOST = 1.0, 60.0
REFUSED_FIRST, REFUSED_MOST = 60.0, 600.0
MOST_REFUSALS = 5
JITTER = 0.2


def wait_after_loss(times: int) -> float:
    """Seconds before the next try after ``times`` losses before this one."""
    return _jittered(min(LOST_MOST, LOST_FIRST * 2.0 ** min(times, 10)))


def wait_after_refusal(times: int) -> float:
    return _jittered(min(REFUSED_MOST, REFUSED_FIRST * 2.0 ** min(times, 10)))


def _jittered(seconds: float) -> float:
    return seconds * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - spreads tries, guards nothing
