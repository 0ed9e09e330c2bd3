"""How the simulated operator behaves: one frozen value, from JSON, changeable while it runs."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

ID_FORMATS = ("dec", "hex", "HEX")


class BadScript(ValueError):
    """The script's field cannot work; the message names it."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Submits to matching numbers get this status. ``pattern`` is a regular expression over the digits."""

    pattern: str
    status: int
    ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class Failure:
    """Messages to numbers with this ending end so: receipt word and operator's error code."""

    ending: str
    state: str = "UNDELIV"
    error: str = "001"
    ratio: float = 1.0


@dataclass(frozen=True, slots=True)
class Script:
    """Ratios are 0..1, times are milliseconds, ``(least, most)`` pairs are drawn from evenly.

    accounts               system_id → password; empty: everybody may bind
    bind_status            answer every bind with this status (0: let in)
    answer_delay           from submit to its answer
    rate_limit             submits a second per account; above it 0x58. 0: no limit
    throttle_ratio / queue_full_ratio   share of submits answered 0x58 / 0x14
    lost_answer_ratio      taken, but never answered
    slow_answer_ratio      answered after ``slow_answer_delay`` instead
    receipt_delay          from answer to receipt; a wide pair puts receipts out of order
    early_receipt_ratio    receipt leaves before the answer
    late_receipt_ratio     receipt leaves after ``late_receipt_delay``
    double_receipt_ratio, lost_receipt_ratio, stray_receipt_ratio (a receipt for an id nobody knows)
    id_format              of ids in answers; ``receipt_id_format`` in receipts: dec, hex or HEX
    receipt_parameter_id_format   of ids in the parameter receipted_message_id where it differs; empty: the same
    receipt_form           text, tlv or both
    receipts_marked        False: receipts without the receipt bits of esm_class, as some operators send them
    receipt_window         unacknowledged deliver_sm per bind; refused ones come again after ``receipt_retry``
    failures               by ending; then ``failure_ratio`` of the rest ends as UNDELIV with a drawn error
    cut_after              the link is cut in the middle of a burst after so many submits; 0: never.
                           Each cut re-arms ``cuts`` times.
    garbage_after          a burst of garbage octets after so many submits, once; 0: never
    hangs                  an HTTP answer that is lost keeps its caller waiting instead of cutting the connection
    is_half_open           reads nothing more, answers nothing, keeps connections open
    phone_messages         how many last message parts the phones keep, together
    """

    seed: int = 1
    accounts: Mapping[str, str] = field(default_factory=dict)
    bind_status: int = 0
    answer_delay: tuple[float, float] = (0.0, 0.0)
    rate_limit: int = 0
    throttle_ratio: float = 0.0
    queue_full_ratio: float = 0.0
    refusals: tuple[Refusal, ...] = ()
    lost_answer_ratio: float = 0.0
    slow_answer_ratio: float = 0.0
    slow_answer_delay: tuple[float, float] = (5_000.0, 10_000.0)
    receipts: bool = True
    receipt_delay: tuple[float, float] = (20.0, 200.0)
    early_receipt_ratio: float = 0.0
    late_receipt_ratio: float = 0.0
    late_receipt_delay: tuple[float, float] = (5_000.0, 10_000.0)
    double_receipt_ratio: float = 0.0
    lost_receipt_ratio: float = 0.0
    stray_receipt_ratio: float = 0.0
    id_format: str = "dec"
    receipt_id_format: str = "dec"
    receipt_parameter_id_format: str = ""
    receipt_form: str = "both"
    receipts_marked: bool = True
    receipt_window: int = 1_000
    receipt_retry: float = 1_000.0
    failures: tuple[Failure, ...] = ()
    failure_ratio: float = 0.0
    cut_after: int = 0
    cuts: int = 1
    garbage_after: int = 0
    hangs: bool = True
    is_half_open: bool = False
    phone_messages: int = 50_000

    @classmethod
    def load(cls, path: Path) -> Self:
        return cls().changed(json.loads(path.read_text("utf-8")))

    def changed(self, values: Any) -> Self:
        """A copy with these fields set, from JSON values. Raises BadScript."""
        if not isinstance(values, dict):
            raise BadScript("an object is expected")
        known = {f.name: f for f in fields(self)}
        ready: dict[str, Any] = {}
        for name, value in values.items():
            if name not in known:
                raise BadScript(f"unknown field: {name}")
            try:
                ready[name] = _convert(name, getattr(type(self)(), name), value)
            except (TypeError, ValueError, re.error) as error:
                raise BadScript(f"{name}: {error}") from error
        return replace(self, **ready)

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "accounts": sorted(self.accounts)}

    @property
    def is_plain(self) -> bool:
        """Every submit is taken and answered at once: the centre may take its short path."""
        return not (
            self.rate_limit
            or self.throttle_ratio
            or self.queue_full_ratio
            or self.refusals
            or self.lost_answer_ratio
            or self.slow_answer_ratio
            or self.answer_delay[1]
        )


def _convert(name: str, default: Any, value: Any) -> Any:
    if name == "refusals":
        refusals = tuple(Refusal(**item) for item in value)
        for refusal in refusals:
            re.compile(refusal.pattern)
        return refusals
    if name == "failures":
        return tuple(Failure(**item) for item in value)
    if name == "accounts":
        return {str(key): str(secret) for key, secret in dict(value).items()}
    if name in ("id_format", "receipt_id_format") and value not in ID_FORMATS:
        raise ValueError(f"one of {', '.join(ID_FORMATS)}")
    if name == "receipt_parameter_id_format" and value not in ("", *ID_FORMATS):
        raise ValueError(f"empty, or one of {', '.join(ID_FORMATS)}")
    if name == "receipt_form" and value not in ("text", "tlv", "both"):
        raise ValueError("one of text, tlv, both")
    if isinstance(default, bool):
        if not isinstance(value, bool):
            raise TypeError("true or false")
        return value
    if isinstance(default, tuple):
        least, most = (float(v) for v in value)
        if not 0 <= least <= most:
            raise ValueError("[least, most]")
        return least, most
    if isinstance(default, (int, float)):
        if isinstance(value, bool) or not isinstance(value, (int, float)) or value < 0:
            raise TypeError("a number, 0 or more")
        if name.endswith("_ratio") and value > 1:
            raise ValueError("0..1")
        return type(default)(value)
    if not isinstance(value, str):
        raise TypeError("a text")
    return value
