"""Replacement of dear characters (sms-encoding §11)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smscore import Encoding, segment
from smscore.transliteration import Level, Replacement, transliterate

TYPOGRAPHY = {
    "single quotes": ("‘’‛‚ʼ´`′", "'" * 8),
    "double quotes": ("“”„‟«»″", '"' * 7),
    "dashes": ("‐‑‒–—―−•·", "-" * 9),
    "ellipsis": ("a…", "a..."),
    "spaces": ("a\xa0b\u2003c\u202fd\u3000e\tf", "a b c d e f"),
    "line ends": ("a\r\nb\rc\x85d\u2028e", "a\nb\nc\nd\ne"),
    "invisible": ("a\u200bb\u200c\u2060\ufeff\xad\u200e\u202a\u2069c", "abc"),
    "full width": ("ＡＢＣ！１", "ABC!1"),
    "symbols": ("™©®×½¼¾№", "TM(c)(r)x1/21/43/4No"),
    "lira before a number": ("₺50", "TL50"),
    "lira after a number": ("50₺ ve 50 ₺", "50 TL ve 50 TL"),
    "degree of temperature": ("25 °C", "25 C"),
    "degree of an angle": ("90°", "90 derece"),
    "joiner outside emoji": ("a\u200db\ufe0f", "ab"),
    "joiner inside emoji stays": ("👨‍👩‍👧 ❤️ 1️⃣", "👨‍👩‍👧 ❤️ 1️⃣"),
    "cyrillic letters in a Latin word": ("kаmpаnyа", "kampanya"),
    "greek capital in a Latin word": ("ΑLIŞ", "ALIŞ"),
    "a Cyrillic word stays": ("сорок", "сорок"),
    "a Cyrillic word with other letters stays": ("рубль", "рубль"),
    "emoji stays": ("😀", "😀"),
    "Turkish and circumflex stay": ("şğıİ kâr", "şğıİ kâr"),
    "plain text stays": ("Merhaba ^{}", "Merhaba ^{}"),
}


@pytest.mark.parametrize(("text", "expected"), TYPOGRAPHY.values(), ids=TYPOGRAPHY)
def test_typography(text, expected):
    assert transliterate(text).text == expected


LETTERS = {
    "the seven": ("ş Ş ğ Ğ ı İ ç", "ş Ş ğ Ğ ı İ ç", "s S g G i I c"),
    "the others of Turkish stay": ("ö ü Ö Ü Ç", "ö ü Ö Ü Ç", "ö ü Ö Ü Ç"),
    "circumflex": ("â î û Â Î Û", "a i u A I U", "a i u A I U"),
    "foreign accents": ("á ã ê ë í ï ó ô õ ú", "a a e e i i o o o u", "a a e e i i o o o u"),
    "accents of the alphabet stay": ("à è é ì ò ù ñ Ñ ä å æ ø ß Ä Å Æ É Ø", None, None),
    "central Europe": ("š Č ł đ œ", "s C l d oe", "s C l d oe"),
}


@pytest.mark.parametrize(("text", "accents", "plain"), LETTERS.values(), ids=LETTERS)
def test_letters(text, accents, plain):
    assert transliterate(text, Level.TYPOGRAPHY).text == text
    assert transliterate(text, Level.ACCENTS).text == (accents or text)
    assert transliterate(text, Level.NO_TURKISH).text == (plain or text)


def test_replacements_are_reported_with_their_places():
    result = transliterate("“Şok” 5₺", Level.NO_TURKISH)
    assert result.text == '"Sok" 5 TL'
    assert result.replacements == (
        Replacement(0, "“", '"'),
        Replacement(1, "Ş", "S"),
        Replacement(4, "”", '"'),
        Replacement(7, "₺", " TL"),
    )
    assert transliterate("Merhaba").replacements == ()


def test_no_turkish_letters_means_gsm7():
    text = "Pijamalı hasta yağız şoföre çabucak güvendi, İĞÜŞÖÇ – “tırnak” ve kâğıt…"
    assert segment(text).encoding is Encoding.UCS2
    assert segment(transliterate(text).text).encoding is Encoding.UCS2
    assert segment(transliterate(text, Level.ACCENTS).text).encoding is Encoding.GSM7_TR_SINGLE
    assert segment(transliterate(text, Level.NO_TURKISH).text).encoding is Encoding.GSM7


@settings(max_examples=200)
@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=30), st.sampled_from(Level))
def test_twice_is_once_and_the_report_explains_the_result(text, level):
    result = transliterate(text, level)
    again = transliterate(result.text, level).text
    assert transliterate(again, level).text == again
    rebuilt = list(segment(text).text)
    for item in result.replacements:
        assert rebuilt[item.position] == item.original
        rebuilt[item.position] = item.replacement
    assert "".join(rebuilt) == result.text
