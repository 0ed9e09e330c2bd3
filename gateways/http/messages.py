"""A request and an answer as values. Neither shows a secret when it is printed."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self
from urllib.parse import urlencode

from gateways.base import EVIDENCE_LIMIT

Pairs = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """One call. ``path`` is relative to the account's base URL and starts with ``/``; ``query`` is added to it."""

    method: str
    path: str
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    query: Pairs = field(default=(), repr=False)

    @classmethod
    def get(cls, path: str, query: Pairs = (), headers: Mapping[str, str] | None = None) -> Self:
        return cls("GET", path, query=query, headers=headers or {})

    @classmethod
    def json(cls, path: str, value: Any, headers: Mapping[str, str] | None = None, *, method: str = "POST") -> Self:
        body = json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        return cls(method, path, body, {"Content-Type": "application/json; charset=utf-8", **(headers or {})})

    @classmethod
    def form(cls, path: str, fields: Pairs, headers: Mapping[str, str] | None = None) -> Self:
        body = urlencode(fields if isinstance(fields, Mapping) else list(fields), errors="replace").encode()
        return cls("POST", path, body, {"Content-Type": "application/x-www-form-urlencoded", **(headers or {})})

    def with_headers(self, headers: Mapping[str, str]) -> Self:
        return replace(self, headers={**self.headers, **headers})


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """A complete answer, whatever its status. Header names are in lower case; the content type is no promise."""

    status: int
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    scrub: Callable[[str], str] = str

    @property
    def text(self) -> str:
        return self.body.decode("utf-8-sig", "replace")

    def json(self) -> Any:
        """The body as JSON. Raises ValueError."""
        try:
            return json.loads(self.body.decode("utf-8-sig"))
        except RecursionError as error:
            raise ValueError("nested too deep") from error

    def object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises ValueError."""
        value = self.json()
        if not isinstance(value, dict):
            raise ValueError("an object is expected")
        return value

    @property
    def evidence(self) -> str:
        """Status, content type and the beginning of the body, without secrets."""
        kind = self.headers.get("content-type", "")[:80]
        shown = self.body[: 4 * EVIDENCE_LIMIT].decode("utf-8", "replace").replace("\x00", "\ufffd")
        return self.scrub(f"HTTP {self.status} {kind}\n{shown}")[:EVIDENCE_LIMIT]

    def __repr__(self) -> str:
        return self.evidence
