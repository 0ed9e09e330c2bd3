"""Texts that show whether two ends of a wire understand each other: every alphabet, every edge of a part."""

from __future__ import annotations

from typing import NamedTuple

from gateways.types import OutboundMessage
from smscore.alphabet import DEFAULT_ALPHABET, EXTENSION_TABLE
from smscore.parts import encode_message

NUMBER = "905321112233"


class PeerText(NamedTuple):
    text: str
    encoding: str
    parts: int  # with 8-bit references


TEXTS = {
    "plain": PeerText("Merhaba {[€]}", "gsm7", 1),
    "every-septet": PeerText(DEFAULT_ALPHABET.replace("\x1b", "") + "".join(EXTENSION_TABLE), "gsm7", 1),
    "long-gsm7": PeerText("Bu uzun bir mesaj, numaralara sigmaz. " * 20, "gsm7", 5),
    # 152 + 2 septets: the escape pair may not be cut at 153.
    "escape-at-border": PeerText("a" * 152 + "[" + "b" * 151, "gsm7", 2),
    "all-escapes": PeerText("€" * 153, "gsm7", 3),
    "turkish": PeerText("Ağaç, şeker, çiğ köfte, İstanbul", "gsm7-tr-single", 1),
    "long-turkish": PeerText("Bu uzun mesaj üç parçadan oluşur, şaşırtıcı değil. " * 6, "gsm7-tr-single", 3),
    "turkish-at-border": PeerText("a" * 148 + "ş" + "b" * 147, "gsm7-tr-single", 2),
    "turkish-locking": PeerText("Ağaç, şeker, çiğ köfte, İstanbul için € 5", "gsm7-tr-locking", 1),
    "long-locking": PeerText("Bu uzun mesaj üç parçadan oluşur, şaşırtıcı değil. " * 6, "gsm7-tr-locking", 3),
    "ucs2": PeerText("Привет 😀 ₺", "ucs2", 1),
    "emoji-at-border": PeerText("ж" * 66 + "😀" + "ж" * 66, "ucs2", 3),
    "long-ucs2": PeerText("😀 emoji ve âîû " * 15, "ucs2", 4),
    # Every octet value, in both places of a UCS-2 unit (but for surrogates and U+0000).
    "every-low-octet": PeerText("".join(chr(0x4E00 + n) for n in range(256)), "ucs2", 4),
    "every-high-octet": PeerText("".join(chr(n << 8 | 0x41) for n in range(256) if not 0xD8 <= n <= 0xDF), "ucs2", 4),
}


def make_message(name: str, token: int = 1, msisdn: str = f"+{NUMBER}", *, wide: bool = False) -> OutboundMessage:
    """The text as a message of the engine. `wide`: counted with 16-bit references."""
    text, encoding, parts = TEXTS[name]
    if wide:
        parts = len(encode_message(text, encoding, reference=1, reference_bits=16))
    return OutboundMessage(token, msisdn, "PEYK", text, encoding, parts, 3600, 0x1100 + token)
