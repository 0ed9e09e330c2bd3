"""Hints on a message text before it is sent: what costs parts, what the law or a filter will object to.

Codes with positions, never sentences: the panel words them. Nothing here stops a message by itself.
"""

import re
from collections.abc import Iterable
from enum import StrEnum
from typing import Final, NamedTuple

from smscore.encoding import Encoding, forcing_characters
from smscore.folding import fold_plain
from smscore.normalisation import normalise
from smscore.segmentation import count_parts
from smscore.transliteration import Level, transliterate


class HintCode(StrEnum):
    """What a hint is about; `detail` of the hint holds the words or characters."""

    EMPTY = "empty"
    COMMERCIAL_WORDS = "commercial_words"
    """An informational text reads like advertising; an informational label needs a reason."""
    NO_OPT_OUT = "no_opt_out"
    """A commercial text does not say how to refuse further messages."""
    NO_IDENTITY = "no_identity"
    """A commercial text holds no MERSİS number."""
    TYPOGRAPHY_FORCES_UCS2 = "typography_forces_ucs2"
    """Only replaceable characters (quotes, dashes, ₺ …) keep the text out of a cheaper encoding."""
    EMOJI_FORCES_UCS2 = "emoji_forces_ucs2"
    SHORT_LINK = "short_link"
    """A public link shortener: operators filter these, and they hide who is behind."""
    LINK = "link"
    SHOUTING = "shouting"
    TOO_MANY_PARTS = "too_many_parts"
    INVISIBLE_CHARACTERS = "invisible_characters"
    OPERATOR_CODE = "operator_code"
    """The text ends in an operator code (B038), which the operator appends itself."""


class Severity(StrEnum):
    """How loudly to show it."""

    INFO = "info"
    WARNING = "warning"
    STOP = "stop"


class Hint(NamedTuple):
    """One finding."""

    code: HintCode
    severity: Severity
    detail: tuple[str, ...] = ()


MOST_PARTS: Final = 10

COMMERCIAL_WORDS: Final = (
    "indirim",
    "kampanya",
    "fırsat",
    "hediye",
    "kupon",
    "çekiliş",
    "ücretsiz",
    "bedava",
    "avantaj",
    "outlet",
    "taksit",
    "puan",
    "promosyon",
    "kutlu olsun",
    "kutlarız",
)
SHORTENERS: Final = (
    "bit.ly",
    "tinyurl.com",
    "goo.gl",
    "t.co",
    "ow.ly",
    "is.gd",
    "cutt.ly",
    "rebrand.ly",
    "rb.gy",
    "t.ly",
    "shorturl.at",
    "tiny.cc",
    "kisa.link",
)

_COMMERCIAL: Final = re.compile(
    r"(?<![^\W_])(?:" + "|".join(re.escape(fold_plain(word)) for word in COMMERCIAL_WORDS) + r")[^\W_]*"
)
_PERCENT: Final = re.compile(r"%\s?\d+|\d+\s?%|\byuzde\s+\d+")
_OPT_OUT: Final = re.compile(
    r"(?<![^\W_])(?:ret|red|iptal|cikis|dur|stop|reddet\w*|abonelikten|listeden cik\w*|istemiyorsan\w*)"
    r"(?![^\W_])"
)
_MERSIS: Final = re.compile(r"(?<!\d)\d{16}(?!\d)")
_LINK: Final = re.compile(r"(?:https?://|www\.)[^\s]+|(?<![\w@.])(?:[\w-]+\.)+[a-z]{2,}/[^\s]*", re.IGNORECASE)
_HOST: Final = re.compile(r"^(?:https?://)?(?:www\.)?([^/:?#\s]+)", re.IGNORECASE)
_INVISIBLE: Final = re.compile("[\u00ad\u200b\u200c\u200e\u200f\u2060\ufeff\u202a-\u202e\u2066-\u2069]")
_OPERATOR_CODE: Final = re.compile(r"\sB\d{3}\s*$")


def check_text(
    text: str,
    *,
    commercial: bool,
    national: bool = True,
    most_parts: int = MOST_PARTS,
    shorteners: Iterable[str] = SHORTENERS,
) -> tuple[Hint, ...]:
    """Return the hints on a text (placeholders may still be in it), the most severe first."""
    text = normalise(text)
    if not text.strip():
        return (Hint(HintCode.EMPTY, Severity.STOP),)
    hints = [*_check_law(text, commercial), *_check_cost(text, national, most_parts)]
    hints += _check_links(text, frozenset(shorteners))
    if _INVISIBLE.search(text):
        hints.append(Hint(HintCode.INVISIBLE_CHARACTERS, Severity.WARNING))
    letters = [char for char in text if char.isalpha()]
    if len(letters) >= 30 and sum(char.isupper() for char in letters) > 0.8 * len(letters):
        hints.append(Hint(HintCode.SHOUTING, Severity.INFO))
    if match := _OPERATOR_CODE.search(text):
        hints.append(Hint(HintCode.OPERATOR_CODE, Severity.WARNING, (match[0].strip(),)))
    order = [Severity.STOP, Severity.WARNING, Severity.INFO]
    return tuple(sorted(hints, key=lambda hint: order.index(hint.severity)))


def find_commercial_words(text: str) -> tuple[str, ...]:
    """Words and percentages of a text that advertise, folded, each once."""
    folded = fold_plain(text)
    found = [match[0] for match in _COMMERCIAL.finditer(folded)]
    found += [match[0] for match in _PERCENT.finditer(folded)]
    return tuple(dict.fromkeys(found))


def has_opt_out(text: str) -> bool:
    """Whether a text seems to tell how to refuse further messages."""
    return bool(_OPT_OUT.search(fold_plain(text)))


def _check_law(text: str, commercial: bool) -> list[Hint]:
    if not commercial:
        words = find_commercial_words(text)
        return [Hint(HintCode.COMMERCIAL_WORDS, Severity.WARNING, words)] if words else []
    hints = []
    if not has_opt_out(text):
        hints.append(Hint(HintCode.NO_OPT_OUT, Severity.STOP))
    if not _MERSIS.search(text):
        hints.append(Hint(HintCode.NO_IDENTITY, Severity.WARNING))
    return hints


def _check_cost(text: str, national: bool, most_parts: int) -> list[Hint]:
    encoding, parts, _ = count_parts(text, national=national)
    hints = []
    if parts > most_parts:
        hints.append(Hint(HintCode.TOO_MANY_PARTS, Severity.STOP, (str(parts),)))
    if encoding is not Encoding.UCS2:
        return hints
    # A level that keeps the spelling: accents may go, Turkish letters stay.
    cheaper = transliterate(text, Level.ACCENTS)
    if count_parts(cheaper.text, national=national)[0] is not Encoding.UCS2:
        chars = tuple(dict.fromkeys(item.original for item in cheaper.replacements))
        hints.append(Hint(HintCode.TYPOGRAPHY_FORCES_UCS2, Severity.WARNING, chars))
    emoji = tuple(item.char for item in forcing_characters(text) if ord(item.char) > 0xFFFF)
    if emoji:
        hints.append(Hint(HintCode.EMOJI_FORCES_UCS2, Severity.INFO, emoji))
    return hints


def _check_links(text: str, shorteners: frozenset[str]) -> list[Hint]:
    links = _LINK.findall(text)
    hosts = [match[1].lower() for link in links if (match := _HOST.match(link))]
    short = tuple(host for host in dict.fromkeys(hosts) if host in shorteners)
    hints = [Hint(HintCode.LINK, Severity.INFO, tuple(links))] if links else []
    return hints + ([Hint(HintCode.SHORT_LINK, Severity.WARNING, short)] if short else [])
