"""Headers under which tables keep telephone numbers, Turkish and English."""

import re
from typing import Final

from smscore.folding import fold_plain

# Folded (`fold_header`), punctuation as spaces. The number in front ranks columns that compete.
_WORDS: Final = {
    1: "cep|cep tel|cep telefon|cep telefonu|cep telefon no|cep telefonu no|cep telefon numarasi|cep no|cep numarasi|"
    "ceptel|cep tel no|cep tel 1|gsm|gsm no|gsm numarasi|gsm number|gsm 1|mobil|mobil no|mobil telefon|mobile|"
    "mobile phone|mobile no|mobile number|msisdn|cell|cell phone|cellphone|sms no|sms numarasi|sms number",
    2: "telefon|telefon no|telefon numarasi|telefon 1|telefonu|tel|tel no|tel numarasi|tel 1|phone|phone number|"
    "phone no|phone 1|telephone|whatsapp|whatsapp no|musteri telefon|musteri telefonu|customer phone|contact number",
    3: "numara|no|number|numaralar|numbers|alici|recipient|destination|iletisim|iletisim no|iletisim numarasi|contact",
}
VAGUE_RANK: Final = 3
_RANKS: Final = {word: rank for rank, words in _WORDS.items() for word in words.split("|")}
_PUNCTUATION: Final = re.compile(r"[^\w]+|_+")
_DIGITS: Final = "0123456789"


def fold_header(header: str) -> str:
    return _PUNCTUATION.sub(" ", fold_plain(header)).strip()


def rank_phone_header(header: str) -> int | None:
    """1 for the best; VAGUE_RANK for [No], which may well be a running number; None for anything else."""
    return _RANKS.get(fold_header(header))


def is_phone_header(header: str) -> bool:
    """Whether it speaks of telephones beyond doubt: [Telefon], and [Ev telefonu], [2. GSM] and [Telefon2] too."""
    folded = fold_header(header)
    words = [word.strip(_DIGITS) for word in folded.split()]
    return any(_RANKS.get(word, VAGUE_RANK) < VAGUE_RANK for word in (folded, *words))
