"""The ``sig`` of Vonage's calls: a digest over the sorted fields."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping

METHODS = ("md5hash", "md5", "sha1", "sha256", "sha512")


def sign(fields: Mapping[str, str], secret: str, method: str) -> str:
    """In lower-case hex. ``md5hash`` is a plain MD5 of text and secret, the others are HMACs."""
    text = "".join(f"&{name}={_clean(fields[name])}" for name in sorted(fields) if name != "sig")
    if method == "md5hash":
        return hashlib.md5(f"{text}{secret}".encode(errors="replace")).hexdigest()  # noqa: S324 - the provider's choice
    return hmac.new(secret.encode(), text.encode(errors="replace"), method).hexdigest()


def _clean(value: str) -> str:
    return value.replace("&", "_").replace("=", "_")
