"""Numbers as providers write them, and ids of providers that number jobs instead of messages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from gateways.base import Rejected
from gateways.types import OutboundMessage, Reason

_NOT_DIGITS = re.compile(r"[^0-9]+")
ID_LIMIT = 80


def write_national(msisdn: str) -> str:
    """``+905321234567`` → ``5321234567``. Raises Rejected for a number that is not Turkish."""
    if len(msisdn) != 13 or not msisdn.startswith("+90"):
        raise Rejected("not a Turkish number", code="number", reason=Reason.BAD_ADDRESS, spoiled=True)
    return msisdn[3:]


def write_digits(msisdn: str) -> str:
    """``+905321234567`` → ``905321234567``."""
    return msisdn.lstrip("+")


def read_msisdn(value: Any) -> str:
    """E.164 out of whatever a Turkish provider wrote: ``5…``, ``05…``, ``90…``, ``0090…``, ``+90 5xx …``, a JSON
    number. Empty for what has no digits."""
    text = str(value if value is not None else "")
    digits = _NOT_DIGITS.sub("", text)
    if text.lstrip().startswith("+") or digits.startswith("00"):
        return read_international(digits)
    if digits.startswith("0") and len(digits) == 11:
        digits = digits[1:]
    if len(digits) == 10:
        digits = "90" + digits
    return "+" + digits if digits else ""


def read_international(value: Any) -> str:
    """E.164 out of a number with its country code: ``45 12 34 56 78``, ``+45…``, ``0045…``, a JSON number. Ten digits
    are nothing special: many countries have such numbers. Empty for what has no digits."""
    digits = _NOT_DIGITS.sub("", str(value if value is not None else ""))
    digits = digits.removeprefix("00")
    return "+" + digits if digits else ""


def write_job_id(job: str, msisdn: str) -> str:
    """The stored id of a message whose provider names only the job: the same from its answer and from its receipt."""
    number = msisdn.lstrip("+")
    return f"{job[: ID_LIMIT - 1 - len(number)]}:{number}"


def share_texts(messages: Iterable[OutboundMessage]) -> list[list[OutboundMessage]]:
    """Messages with the same text together, for providers that take one text with many numbers; no number twice in
    one group, because ids and receipts are told apart by place or number."""
    groups: dict[tuple[str, int], list[OutboundMessage]] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for message in messages:
        groups.setdefault((message.text, seen[message.text, message.msisdn]), []).append(message)
        seen[message.text, message.msisdn] += 1
    return list(groups.values())
