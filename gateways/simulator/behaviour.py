"""The script applied: what to answer a submit, and how its message ends. Drawn from one seeded source."""

from __future__ import annotations

import random
import re
from collections import defaultdict
from typing import NamedTuple

from gateways.simulator.journal import NO_ANSWER
from gateways.simulator.script import Failure, Script

THROTTLED = 0x58
QUEUE_FULL = 0x14
RANDOM_ERRORS = (b"001", b"006", b"013", b"032", b"034")


class Verdict(NamedTuple):
    """``status`` NO_ANSWER: taken, never answered. ``delay``: seconds until the answer leaves."""

    status: int
    delay: float


class Behaviour:
    def __init__(self, script: Script) -> None:
        self.script = script
        self.is_plain = script.is_plain
        self._random = random.Random(script.seed)  # noqa: S311 - a script, not a secret
        self._refusals = [(re.compile(r.pattern), r.status, r.ratio) for r in script.refusals]
        self._failures: dict[bytes, Failure] = {f.ending.encode(): f for f in script.failures}
        self._ending_lengths = sorted({len(ending) for ending in self._failures}, reverse=True)
        self._seconds: dict[str, tuple[int, int]] = defaultdict(lambda: (0, 0))
        self.always_delivers = not self._failures and not script.failure_ratio
        self.disturbs_receipts = bool(
            script.early_receipt_ratio
            or script.late_receipt_ratio
            or script.double_receipt_ratio
            or script.lost_receipt_ratio
            or script.stray_receipt_ratio
        )

    def chance(self, ratio: float) -> bool:
        return ratio > 0 and self._random.random() < ratio

    def draw_seconds(self, span: tuple[float, float]) -> float:
        """Seconds out of a pair of milliseconds."""
        least, most = span
        return (least if least == most else self._random.uniform(least, most)) / 1000

    def judge(self, account: str, msisdn: bytes, now: float) -> Verdict:
        """What to answer a submit of this account to this number."""
        script = self.script
        delay = self.draw_seconds(script.answer_delay)
        if script.rate_limit and self._is_over_rate(account, now):
            return Verdict(THROTTLED, delay)
        if self.chance(script.throttle_ratio):
            return Verdict(THROTTLED, delay)
        if self.chance(script.queue_full_ratio):
            return Verdict(QUEUE_FULL, delay)
        for pattern, status, ratio in self._refusals:
            if pattern.search(msisdn.decode("latin-1")) and (ratio >= 1 or self.chance(ratio)):
                return Verdict(status, delay)
        if self.chance(script.lost_answer_ratio):
            return Verdict(NO_ANSWER, 0.0)
        if self.chance(script.slow_answer_ratio):
            delay = self.draw_seconds(script.slow_answer_delay)
        return Verdict(0, delay)

    def judge_call(self, account: str, messages: int, now: float) -> Verdict:
        """What to answer a call with several messages of an HTTP provider: the same fate for all of them."""
        script = self.script
        if script.rate_limit and self._is_over_rate(account, now, messages):
            return Verdict(THROTTLED, 0.0)
        if self.chance(script.throttle_ratio):
            return Verdict(THROTTLED, 0.0)
        if self.chance(script.queue_full_ratio):
            return Verdict(QUEUE_FULL, 0.0)
        return Verdict(NO_ANSWER if self.chance(script.lost_answer_ratio) else 0, 0.0)

    def refuses(self, msisdn: bytes) -> bool:
        number = msisdn.decode("latin-1")
        return any(p.search(number) and (r >= 1 or self.chance(r)) for p, _, r in self._refusals)

    def _is_over_rate(self, account: str, now: float, messages: int = 1) -> bool:
        second, count = self._seconds[account]
        if int(now) != second:
            second, count = int(now), 0
        self._seconds[account] = (second, count + messages)
        return count >= self.script.rate_limit

    def ending_of(self, msisdn: bytes) -> tuple[bytes, bytes]:
        """(receipt word, error code) of a message to this number."""
        for length in self._ending_lengths:
            failure = self._failures.get(msisdn[-length:])
            if failure is not None and (failure.ratio >= 1 or self.chance(failure.ratio)):
                return failure.state.encode(), failure.error.encode()
        if self.chance(self.script.failure_ratio):
            return b"UNDELIV", self._random.choice(RANDOM_ERRORS)
        return b"DELIVRD", b"000"
