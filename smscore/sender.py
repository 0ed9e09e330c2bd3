"""Rules for sender IDs, the headers that handsets show instead of a number (turkish-rules §7)."""

import re
import unicodedata
from enum import StrEnum
from typing import Final

from smscore.transliteration import Level, transliterate

SHORTEST: Final = 3
LONGEST: Final = 11

_ALLOWED: Final = re.compile(r"[A-Za-z0-9 ]")
_SOME_VENDORS: Final = ".-*"
_TURKISH_LETTERS: Final = frozenset("çğıöşüÇĞİÖŞÜâîûÂÎÛ")
_DOMAIN: Final = re.compile(r"(?:^|[\s.])www\b|\.(?:com|net|org|info|biz|gov|edu|io|co|tr)\b", re.IGNORECASE)


class SenderProblem(StrEnum):
    """What is wrong with a sender ID.

    All but `numeric` refuse it; operators overwrite or drop numeric ones.
    """

    TOO_SHORT = "too_short"
    TOO_LONG = "too_long"
    TURKISH_LETTER = "turkish_letter"
    BAD_CHARACTER = "bad_character"
    OUTER_SPACE = "outer_space"
    DOUBLE_SPACE = "double_space"
    DOMAIN_NAME = "domain_name"
    NO_LETTER = "no_letter"
    NUMERIC = "numeric"


def check_sender(sender: str, *, vendor_punctuation: bool = False) -> tuple[SenderProblem, ...]:
    """Return every problem of a sender ID, none if it may be applied for.

    3 to 11 ASCII letters, digits and inner spaces; `. - *` only with a vendor that takes them. Web
    addresses were cancelled as senders in 2018. The ID is stored and sent exactly as approved, so nothing
    is corrected here.
    """
    problems = []
    if len(sender) < SHORTEST:
        problems.append(SenderProblem.TOO_SHORT)
    if len(sender) > LONGEST:
        problems.append(SenderProblem.TOO_LONG)
    foreign = {char for char in sender if not _is_allowed(char, vendor_punctuation)}
    if foreign & _TURKISH_LETTERS:
        problems.append(SenderProblem.TURKISH_LETTER)
    if foreign - _TURKISH_LETTERS:
        problems.append(SenderProblem.BAD_CHARACTER)
    if sender != sender.strip():
        problems.append(SenderProblem.OUTER_SPACE)
    if "  " in sender.strip():
        problems.append(SenderProblem.DOUBLE_SPACE)
    if _DOMAIN.search(sender):
        problems.append(SenderProblem.DOMAIN_NAME)
    if sender.strip() and not any(char.isalpha() for char in sender):
        digits = any(char.isdigit() for char in sender)
        problems.append(SenderProblem.NUMERIC if digits else SenderProblem.NO_LETTER)
    return tuple(problems)


def suggest_sender(name: str) -> str:
    """Make a sender ID out of a firm's name.

    "Çiçek Dünyası A.Ş." to "CICEK DUNYA". May be too short to be valid.
    """
    plain = transliterate(name, Level.NO_TURKISH).text
    decomposed = unicodedata.normalize("NFKD", plain)
    kept = "".join(char if _ALLOWED.fullmatch(char) else "" for char in decomposed)
    return " ".join(kept.upper().split())[:LONGEST].strip()


def fold_sender(sender: str) -> str:
    """The form in which senders look alike: case, spaces and punctuation off, 0 as O, 1 and L as I, 5 as S.

    For refusing a header that passes itself off as somebody else's (BANKA1 for BANKAL). Two that fold alike
    are not necessarily the same firm; a person decides.
    """
    plain = transliterate(sender, Level.NO_TURKISH).text
    ascii_only = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode().upper()
    return re.sub("[^A-Z0-9]", "", ascii_only.translate(_LOOK_ALIKES))


_LOOK_ALIKES: Final = str.maketrans("01L582$@", "OIISBZSA")


def _is_allowed(char: str, vendor_punctuation: bool) -> bool:
    return bool(_ALLOWED.fullmatch(char)) or (vendor_punctuation and char in _SOME_VENDORS)
