"""Cut a text into the parts that are sent and billed: by packing, never by formula.

Greedy fill is exact here: the order is fixed and a character is one or two units wide. Neither an escape
pair nor a surrogate pair is ever split; the character moves to the next part and leaves one unit empty.
"""

import re
import unicodedata
from codecs import charmap_encode, utf_16_be_decode, utf_16_be_encode
from functools import lru_cache
from typing import Final, NamedTuple

from smscore import septets
from smscore.alphabet import DEFAULT_ALPHABET, ESC, EXTENSION_TABLE
from smscore.encoding import LIMITS, Encoding
from smscore.normalisation import normalise
from smscore.septets import ESCAPE_MARK

# Locals of the module, not attributes of the enum: this file is called a million times per campaign.
_GSM7 = Encoding.GSM7
_SINGLE = Encoding.GSM7_TR_SINGLE
_LOCKING = Encoding.GSM7_TR_LOCKING
_UCS2 = Encoding.UCS2

# ASCII characters of the default alphabet; CR stays out, so that CR LF is noticed.
_EVERYDAY: Final = bytes(ord(char) for char in DEFAULT_ALPHABET if char.isascii() and char not in "\r\x1b")
_ONE_SEPTET: Final = bytes(range(1, 128))
_NOT_ASTRAL: Final = bytes(range(0xF0))  # UTF-8 writes characters above the BMP, and only them, from 0xF0 on
_EXTENSION_BYTES: Final = bytes(septets.SINGLE.escaped_bytes[char] for char in EXTENSION_TABLE)
_CHARMAP: Final = septets.SINGLE.charmap
_LONGEST_CACHED: Final = 256

# Outside these blocks are the characters that can join the one before them (combining marks, Hangul
# vowels), and CR, which may begin a CR LF. Without such, the foreign characters are in normal form only if
# the whole text is.
_MAY_NOT_BE_NORMAL: Final = re.compile(
    "[^\\x00-\\x0c\\x0e-\\u02ff\\u0370-\\u0482\\u048a-\\u052f"
    "\\u2000-\\u20cf\\u2100-\\u2bff\\ufe0f\\U0001f000-\\U0001faff]"
).search


class Segmentation(NamedTuple):
    """A text and its parts."""

    text: str
    """The normalised text that `units` and `texts` speak of, and that is to be sent."""
    encoding: Encoding
    parts: int
    """How many messages are sent and billed; 0 for an empty text, which must not be sent."""
    units: int
    """Septets (GSM-7) or UTF-16 code units (UCS-2) of the text, without headers."""
    texts: tuple[str, ...]
    limit: int
    """Units that fit into each of these parts: the single limit for one part, the smaller one for several."""
    reference_bits: int

    @property
    def units_left(self) -> int:
        """Units that still fit into the last part."""
        if self.parts <= 1:
            return self.limit - self.units
        return self.limit - count_units(self.texts[-1], self.encoding)


# Skips the Python-level constructor of the named tuple, a third of the time of a short text.
_new = tuple.__new__


def segment(text: str, *, national: bool = True, locking: bool = False, reference_bits: int = 8) -> Segmentation:
    """Choose the encoding of `text` and cut it into parts.

    `national`: the route carries the Turkish tables. `locking`: it asked for the locking table (opt-in,
    because a phone or gateway that drops the header shows garbage). `reference_bits`: 8 or 16, of the
    concatenation header.
    """
    text, encoding, units = _measure(text, national, locking)
    limit, multi = LIMITS[reference_bits][encoding]
    if units <= limit:
        if not units:
            return Segmentation("", encoding, 0, 0, (), limit, reference_bits)
        return _new(Segmentation, (text, encoding, 1, units, (text,), limit, reference_bits))
    if units == len(text):
        texts = tuple([text[start : start + multi] for start in range(0, units, multi)])
    elif encoding is _UCS2:
        texts = _split_utf16(text, units, multi)
    else:
        texts = _split_septets(text, units, encoding, multi)
    return _new(Segmentation, (text, encoding, len(texts), units, texts, multi, reference_bits))


def count_parts(
    text: str, *, national: bool = True, locking: bool = False, reference_bits: int = 8
) -> tuple[Encoding, int, int]:
    """Return (encoding, parts, units) as `segment` would, without building the parts."""
    text, encoding, units = _measure(text, national, locking)
    return encoding, _count_parts(text, encoding, units, reference_bits), units


def prepare_text(
    text: str, *, national: bool = True, locking: bool = False, reference_bits: int = 8
) -> tuple[str, Encoding, int]:
    """Return (normalised text, encoding, parts) as `segment` would: all that a campaign stores of a message."""
    text, encoding, units = _measure(text, national, locking)
    return text, encoding, _count_parts(text, encoding, units, reference_bits)


def count_encoded_parts(text: str, encoding: Encoding, *, reference_bits: int = 8) -> int:
    """Parts of a normalised text whose encoding is decided. UnicodeEncodeError if the encoding cannot write it."""
    return _count_parts(text, encoding, count_units(text, encoding), reference_bits)


def _count_parts(text: str, encoding: Encoding, units: int, reference_bits: int) -> int:
    limit, multi = LIMITS[reference_bits][encoding]
    if units <= limit:
        return 1 if units else 0
    parts = -(-units // multi)
    # Every part but the last may leave one unit empty. Where that cannot add a part, the quotient is exact.
    if units == len(text) or units + parts - 1 <= parts * multi:
        return parts
    return len(cut_text(text, encoding, multi)[1])


def count_units(text: str, encoding: Encoding) -> int:
    """Septets or UTF-16 code units of a normalised text.

    UnicodeEncodeError if the encoding cannot write it.
    """
    if encoding is _UCS2:
        return len(utf_16_be_encode(text)[0]) // 2
    return len(_table(encoding).encode(text))


def cut_text(text: str, encoding: Encoding, limit: int) -> tuple[bytes, list[int]]:
    """Encode a normalised text and say where its parts end.

    Returns (octets, ends): septets one an octet, or UTF-16BE; `ends` are octet offsets, the last is the
    length.
    """
    if encoding is _UCS2:
        body = utf_16_be_encode(text)[0]
        return body, _cut_utf16(body, limit)
    body = _table(encoding).encode(text)
    return body, _cut_septets(body, limit)


def _measure(text: str, national: bool, locking: bool) -> tuple[str, Encoding, int]:
    """Return (normalised text, encoding, units)."""
    try:
        foreign = text.encode().translate(None, _EVERYDAY)
    except UnicodeEncodeError:  # a lone surrogate
        return _measure(normalise(text), national, locking)
    if not foreign:
        return text, _GSM7, len(text)
    encoding, extra = _judge_cached(foreign) if len(foreign) <= _LONGEST_CACHED else _judge(foreign)
    if encoding is None:
        normal = normalise(text)
        if normal != text:
            return _measure(normal, national, locking)
        encoding, extra = _judge_normal(foreign)
    if encoding is _SINGLE:
        if not national:
            return text, _UCS2, len(text)  # every character of the table is in the BMP
        if locking:
            try:
                return text, _LOCKING, len(septets.LOCKING.encode(text))
            except UnicodeEncodeError:
                pass
    return text, encoding, len(text) + extra


def _judge(foreign: bytes) -> tuple[Encoding | None, int]:
    """Judge a text by its characters other than everyday ASCII, given in UTF-8 and in order.

    Returns (encoding, units beyond one a character); the encoding is None if only the whole text can tell,
    because it may not be in normal form.
    """
    chars = foreign.decode()
    if _MAY_NOT_BE_NORMAL(chars) or not unicodedata.is_normalized("NFC", chars):
        return None, 0
    return _judge_normal(foreign)


def _judge_normal(foreign: bytes) -> tuple[Encoding, int]:
    # "?" stands for every character outside the tables; it is everyday ASCII itself, so it cannot be meant.
    marked = charmap_encode(foreign.decode(), "replace", _CHARMAP)[0]
    escaped = marked.translate(None, _ONE_SEPTET)
    if b"?" in marked or 0 in escaped:
        return _UCS2, len(foreign.translate(None, _NOT_ASTRAL))
    if escaped.translate(None, _EXTENSION_BYTES):
        return _SINGLE, len(escaped)
    return _GSM7, len(escaped)


# A campaign's messages differ in a name or two, so their foreign characters come in few sequences.
_judge_cached = lru_cache(maxsize=8192)(_judge)


def _table(encoding: Encoding) -> septets.SeptetTable:
    return septets.LOCKING if encoding is _LOCKING else septets.SINGLE


def _cut_septets(body: bytes, limit: int) -> list[int]:
    ends = []
    start, total = 0, len(body)
    while total - start > limit:
        start += limit
        if body[start - 1] == ESC:
            start -= 1
        ends.append(start)
    ends.append(total)
    return ends


def _cut_utf16(body: bytes, limit: int) -> list[int]:
    ends = []
    start, total, octets = 0, len(body), 2 * limit
    while total - start > octets:
        start += octets
        if 0xDC <= body[start] <= 0xDF:  # the second half of a surrogate pair would open the next part
            start -= 2
        ends.append(start)
    ends.append(total)
    return ends


def _split_septets(text: str, units: int, encoding: Encoding, limit: int) -> tuple[str, ...]:
    table = _table(encoding)
    texts = []
    position = 0
    while units > limit:
        window = text[position : position + limit]
        wide = table.widen(window)
        end = limit - 1 if wide[limit - 1] == ESCAPE_MARK else limit
        taken = end - wide.count(ESCAPE_MARK, 0, end)
        texts.append(window[:taken])
        position += taken
        units -= end
    texts.append(text[position:])
    return tuple(texts)


def _split_utf16(text: str, units: int, limit: int) -> tuple[str, ...]:
    texts = []
    position = 0
    while units > limit:
        part = text[position : position + limit]
        body = utf_16_be_encode(part)[0]
        end = 2 * limit
        if len(body) > end:
            if 0xDC <= body[end] <= 0xDF:  # the second half of a surrogate pair
                end -= 2
            part = utf_16_be_decode(body[:end])[0]
        texts.append(part)
        position += len(part)
        units -= end // 2
    texts.append(text[position:])
    return tuple(texts)
