"""How Twilio signs its calls to us: HMAC over the address as it was configured and the sorted fields."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Callable, Iterable
from typing import Any
from urllib.parse import urlsplit, urlunsplit

SIGNATURE_HEADER = "x-twilio-signature"
SETTINGS_HEADER = "x-twilio-webhooks-signature-settings"
DEFAULT_PORTS = {"https": 443, "http": 80}


def sign(url: str, fields: Iterable[tuple[str, str]], key: str, digest: Callable[..., Any] = hashlib.sha1) -> str:
    """The signature in base64. A field that repeats counts once a value."""
    text = url + "".join(name + value for name, value in sorted(set(fields)))
    return base64.b64encode(hmac.new(key.encode(), text.encode(), digest).digest()).decode()


def read_settings(header: str) -> dict[str, str]:
    """``key=<id>,algorithm=HMAC_SHA256`` → its pairs."""
    return {name.strip(): value.strip() for name, _, value in (pair.partition("=") for pair in header.split(","))}


def list_spellings(url: str) -> list[str]:
    """The address as it is, and with or without the port: a proxy on the way adds or drops it."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    port = parts.port or DEFAULT_PORTS.get(parts.scheme, 443)
    hosts = dict.fromkeys((parts.netloc, host, f"{host}:{port}"))
    return [urlunsplit(parts._replace(netloc=netloc)) for netloc in hosts]
