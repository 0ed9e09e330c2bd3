"""What a provider tells us outside of answers, on its way to the inbox and back: raw events, pushes, pages."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

from gateways.cleaning import clean

RECEIPT, INBOUND, STRANGE, ANSWER = b"receipt", b"inbound", b"strange", b"answer"


def pack_raw(kind: bytes, payload: bytes) -> bytes:
    """One event as it is stored: its kind in the first line, then what the provider said, octet for octet."""
    return kind + b"\n" + payload


def unpack_raw(raw: bytes) -> tuple[bytes, bytes]:
    kind, _, payload = raw.partition(b"\n")
    return kind, payload


def pack_receipt(row: Any) -> bytes:
    """A receipt that came as a value inside a larger answer."""
    return pack_raw(RECEIPT, _dump(row))


def pack_inbound(row: Any) -> bytes:
    return pack_raw(INBOUND, _dump(row))


def _dump(row: Any) -> bytes:
    return json.dumps(row, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass")


@dataclass(frozen=True, slots=True)
class PulledPage:
    """One answer to a question for events; what is kept of it beside the events is cleaned for storage.

    raws     packed events (``pack_receipt``, ``pack_inbound``), pending receipts as well
    is_last  nothing further to ask in this round
    cursor   where to go on (streams by cursor)
    found    (job, messages; 0 = not known) named by the answer, to be asked about from now on
    """

    raws: list[bytes]
    is_last: bool = True
    cursor: str = ""
    found: tuple[tuple[str, int], ...] = ()

    def __post_init__(self) -> None:
        object.__setattr__(self, "cursor", clean(self.cursor))
        object.__setattr__(self, "found", tuple((clean(job), count) for job, count in self.found))


@dataclass(frozen=True, slots=True)
class PushRequest:
    """A provider's call to us. ``kind``: "receipts" or "inbound", the address it was sent to. ``url`` is whole, as the
    provider called it; header names are in lower case."""

    kind: str
    method: str
    url: str
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    query: tuple[tuple[str, str], ...] = ()

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        try:
            return json.loads(self.body.decode("utf-8-sig"))
        except RecursionError as error:
            raise ValueError("nested too deep") from error

    @property
    def form(self) -> list[tuple[str, str]]:
        """The body as form fields, in order. Raises ValueError."""
        return parse_qsl(self.body.decode("utf-8"), keep_blank_values=True, max_num_fields=2000)
