"""Encryption of credentials at rest: AES-256-GCM, key id in front, bound to the row by `context`.

Stored form: `<key id>:<urlsafe base64 of nonce + ciphertext>`. Rotation: put a new key first in ENCRYPTION_KEYS,
keep the old ones behind it until `manage.py rotate_secrets` has encrypted every row anew.
"""

import base64
import hashlib
import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.conf import settings


class DecryptionError(Exception):
    """The stored value was written with a key that is not configured, or belongs to another row."""


def _keys() -> dict[str, bytes]:
    secrets = settings.ENCRYPTION_KEYS or [settings.SECRET_KEY]
    derived = [hashlib.sha256(b"peyk credentials " + secret.encode()).digest() for secret in secrets]
    return {hashlib.sha256(key).hexdigest()[:8]: key for key in derived}


def encrypt(plaintext: str, *, context: str) -> str:
    """Seal a text with the newest key (AES-256-GCM), bound to `context`: elsewhere it does not open."""
    key_id, key = next(iter(_keys().items()))
    nonce = os.urandom(12)
    sealed = nonce + AESGCM(key).encrypt(nonce, plaintext.encode(), context.encode())
    return f"{key_id}:{base64.urlsafe_b64encode(sealed).decode()}"


def decrypt(stored: str, *, context: str) -> str:
    """The text that `encrypt` sealed for the same context, by any configured key. Raises DecryptionError."""
    key_id, _, payload = stored.partition(":")
    key = _keys().get(key_id)
    if key is None:
        raise DecryptionError("no configured key opens this value")
    sealed = base64.urlsafe_b64decode(payload)
    try:
        return AESGCM(key).decrypt(sealed[:12], sealed[12:], context.encode()).decode()
    except InvalidTag as error:
        raise DecryptionError("the value was altered or moved to another row") from error


def is_current(stored: str) -> bool:
    """Whether the value was written with the newest key."""
    return stored.partition(":")[0] == next(iter(_keys()))
