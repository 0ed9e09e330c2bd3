"""Secrets never reach a log, an error or the evidence, in whatever spelling a provider sends them back."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from urllib.parse import quote, quote_plus
from xml.sax.saxutils import escape, quoteattr

MASK = "***"
SHORTEST = 4
"""Shorter secrets would blank out half of every answer; no provider gives such keys."""


class Scrubber:
    """Replaces each secret, plain, URL-quoted, JSON- or XML-escaped or as (part of) base64, by ``***``."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings: set[str] = set()
        for secret in secrets:
            if len(secret) >= SHORTEST:
                spellings |= _spell(secret)
        self._spellings = sorted(spellings, key=len, reverse=True)

    def __call__(self, text: str) -> str:
        for spelling in self._spellings:
            if spelling in text:
                text = text.replace(spelling, MASK)
        return text


def _spell(secret: str) -> set[str]:
    octets = secret.encode()
    return {
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        json.dumps(secret)[1:-1],
        json.dumps(secret, ensure_ascii=False)[1:-1],
        escape(secret),
        quoteattr(secret)[1:-1],
        base64.b64encode(octets).decode(),
        base64.urlsafe_b64encode(octets).decode(),
    }
