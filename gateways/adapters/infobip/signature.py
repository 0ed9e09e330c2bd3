"""How Infobip proves that a call to us is theirs: Basic or HMAC, as the subscription's security type says."""

from __future__ import annotations

import base64
import hashlib
import hmac

DIGESTS = {"sha1": hashlib.sha1, "sha256": hashlib.sha256, "sha512": hashlib.sha512}


def is_login(header: str, user: str, password: str) -> bool:
    """The Authorization header names this user and password."""
    given = header.removeprefix("Basic ").encode()
    return hmac.compare_digest(given, base64.b64encode(f"{user}:{password}".encode()))


def is_signature(header: str, body: bytes, secret: str, algorithm: str) -> bool:
    """An HMAC of the body, in hex (with or without ``sha256=`` before it) or base64."""
    digest = hmac.new(secret.encode(), body, DIGESTS[algorithm])
    given = header.encode()
    is_hex = hmac.compare_digest(given.rpartition(b"=")[2].lower(), digest.hexdigest().encode())
    return is_hex or hmac.compare_digest(given, base64.b64encode(digest.digest()))
