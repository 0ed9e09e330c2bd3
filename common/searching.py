"""Texts looked for as Turks type them: İstanbul by istanbul, ISTANBUL and ıstanbul, Şahin by sahin."""

import re

from django.db.models import Q
from django.db.models.functions import Lower
from django.db.models.lookups import Regex

# What people leave out when they type in a hurry; İ and ı besides, which no lower() gets right for everybody.
_VARIANTS = {"c": "cç", "g": "gğ", "i": "iıİ", "ı": "ıiI", "o": "oö", "s": "sş", "u": "uü"}
_UPPER = str.maketrans("abcçdefgğhıijklmnoöpqrsştuüvwxyz", "ABCÇDEFGĞHIİJKLMNOÖPQRSŞTUÜVWXYZ")


def contains_words(field: str, query: str) -> Q:
    """A filter: what `query` says stands somewhere in the text. A trigram index on the lower text serves it."""
    return Q(Regex(Lower(field), build_pattern(query)))


def build_pattern(query: str) -> str:
    """A regular expression for lower text, also where the database lowers İ and I in its own way."""
    pieces = []
    for char in query:
        if char.isspace():
            pieces.append(" ")
            continue
        lower = {"I": "ı", "İ": "i"}.get(char) or char.lower()
        if not lower.isalpha():
            pieces.append(re.escape(char))
            continue
        variants = _VARIANTS.get(lower, lower)
        letters = dict.fromkeys(variants + variants.translate(_UPPER))
        pieces.append("[" + "".join(letters) + "]" if len(letters) > 1 else variants)
    return "".join(pieces)
