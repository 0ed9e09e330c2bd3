"""XML as some providers want it: a few elements written by hand, every value escaped.

What they answer is read by the adapters' own patterns, never by a parser: nothing in it is worth the risk.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from xml.sax.saxutils import escape, quoteattr

from gateways.base import Rejected
from gateways.http.messages import HttpRequest
from gateways.types import Reason

DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>'
_UNWRITABLE = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write_text(text: str) -> str:
    """The text as the content of an element. Raises Rejected for characters that XML cannot carry at all (a form
    feed, which GSM-7 has, is one)."""
    if _UNWRITABLE.search(text):
        raise Rejected("not a character of XML", code="xml", reason=Reason.BAD_CONTENT, spoiled=True)
    return escape(text)


def write_element(name: str, content: str = "", attributes: Mapping[str, str] | None = None) -> str:
    """One element; ``content`` is written already (``write_text``, other elements). Raises Rejected."""
    fields = "".join(f" {key}={quoteattr(_check(value))}" for key, value in (attributes or {}).items())
    return f"<{name}{fields}>{content}</{name}>" if content else f"<{name}{fields}/>"


def write_request(path: str, root: str) -> HttpRequest:
    """A POST of this document."""
    body = (DECLARATION + root).encode()
    return HttpRequest("POST", path, body, {"Content-Type": "text/xml; charset=utf-8"})


def _check(value: str) -> str:
    write_text(value)
    return value
