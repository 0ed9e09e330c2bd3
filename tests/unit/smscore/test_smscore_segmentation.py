"""Encoding choice, limits and cutting against sms-encoding §1, §4–§7 and turkish-rules §12."""

import pytest
import smsutil
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smscore import Encoding, alphabet, count_parts, forcing_characters, normalise, prepare_text, segment
from smscore.encoding import LIMITS
from smscore.segmentation import count_units

GSM7, SINGLE, LOCKING, UCS2 = Encoding
TURKISH_TEXT = st.text(st.sampled_from("abcşğıİŞĞç€[]{öüÇ @\n\fèø"), max_size=700)
# 🐉 and 🏿 have the lowest and highest second halves of a surrogate pair in use.
MIXED_TEXT = st.text(st.sampled_from("aş€[😀🐉🏿̧₺\r\n\x00`é中"), max_size=400)

# §1 and §4: single, then each of several with an 8-bit and a 16-bit reference.
LIMIT_ROWS = {
    "gsm7": (GSM7, 160, 153, 152),
    "turkish single shift": (SINGLE, 155, 149, 148),
    "turkish locking shift": (LOCKING, 155, 149, 148),
    "ucs2": (UCS2, 70, 67, 66),
}


@pytest.mark.parametrize(("encoding", "single", "multi8", "multi16"), LIMIT_ROWS.values(), ids=LIMIT_ROWS)
def test_limits(encoding, single, multi8, multi16):
    assert LIMITS[8][encoding] == (single, multi8)
    assert LIMITS[16][encoding] == (single, multi16)


ENCODINGS = {
    "ascii": ("Merhaba", GSM7),
    "only ö ü Ö Ü Ç": ("ÇÖÜöü", GSM7),
    "extension": ("^{}\\[~]|€\f", GSM7),
    "small ç": ("çok", SINGLE),
    "all seven": ("şğıİŞĞç", SINGLE),
    "Çağrı": ("Çağrı", SINGLE),
    "circumflex": ("kâr", UCS2),
    "lira": ("100 ₺", UCS2),
    "backtick": ("`", UCS2),
    "curly quote": ("Ali’nin", UCS2),
    "nbsp": ("a\xa0b", UCS2),
    "tab": ("a\tb", UCS2),
    "escape character": ("a\x1bb", UCS2),
    "NUL": ("a\x00b", UCS2),
    "NUL and ş": ("ş\x00", UCS2),
    "emoji": ("😀", UCS2),
    "decomposed ş": ("s\u0327eker", SINGLE),
    "decomposed ö": ("o\u0308", GSM7),
    "ohm sign": ("\u2126", GSM7),
    "angstrom sign": ("\u212b", GSM7),
    "greek capital of the alphabet": ("Ω", GSM7),
    "lone surrogate": ("a\ud83d", UCS2),
}


@pytest.mark.parametrize(("text", "encoding"), ENCODINGS.values(), ids=ENCODINGS)
def test_encoding(text, encoding):
    assert segment(text).encoding is encoding
    assert segment(text).encoding == encoding.value


# §6, §12 and §2; text, encoding, units, parts' units.
PARTS = {
    "160 a": ("a" * 160, GSM7, 160, [160]),
    "161 a": ("a" * 161, GSM7, 161, [153, 8]),
    "159 a and €": ("a" * 159 + "€", GSM7, 161, [153, 8]),
    "80 €": ("€" * 80, GSM7, 160, [160]),
    "153 €": ("€" * 153, GSM7, 306, [152, 152, 2]),
    "escape pair at the cut": ("a" * 152 + "[" + "b" * 151, GSM7, 305, [152, 153]),
    "one more b": ("a" * 152 + "[" + "b" * 152, GSM7, 306, [152, 153, 1]),
    "66 a emoji 66 b": ("a" * 66 + "😀" + "b" * 66, UCS2, 134, [66, 67, 1]),
    "lowest second half at the cut": ("a" * 66 + "\U0001f400" + "b" * 66, UCS2, 134, [66, 67, 1]),
    "highest second half at the cut": ("a" * 66 + "\U0001f3ff" + "b" * 66, UCS2, 134, [66, 67, 1]),
    "35 emoji": ("😀" * 35, UCS2, 70, [70]),
    "36 emoji": ("😀" * 36, UCS2, 72, [66, 6]),
    "77 ş": ("ş" * 77, SINGLE, 154, [154]),
    "78 ş": ("ş" * 78, SINGLE, 156, [148, 8]),
    "148 ş": ("ş" * 148, SINGLE, 296, [148, 148]),
    "149 ş": ("ş" * 149, SINGLE, 298, [148, 148, 2]),
    "70 units": ("₺" * 70, UCS2, 70, [70]),
    "71 units": ("₺" * 71, UCS2, 71, [67, 4]),
    "browser line ends": ("a\r\nb\r\n", GSM7, 4, [4]),
    "doubled CR": ("a\r\r\nb", GSM7, 3, [3]),
    "lone CR stays": ("a\rb", GSM7, 3, [3]),
    "CR LF in a UCS-2 text": ("₺\r\n", UCS2, 2, [2]),
    "€ [ in UCS-2 cost one": ("€[]{}₺", UCS2, 6, [6]),
    "flag": ("🇹🇷", UCS2, 4, [4]),
    "heart with selector": ("❤️", UCS2, 2, [2]),
    "skin tone": ("👍🏽", UCS2, 4, [4]),
    "family": ("👨‍👩‍👧‍👦", UCS2, 11, [11]),
    "keycap": ("1️⃣", UCS2, 3, [3]),
    "empty": ("", GSM7, 0, []),
}


@pytest.mark.parametrize(("text", "encoding", "units", "part_units"), PARTS.values(), ids=PARTS)
def test_parts(text, encoding, units, part_units):
    result = segment(text)
    assert (result.encoding, result.units, result.parts) == (encoding, units, len(part_units))
    assert [count_units(part, encoding) for part in result.texts] == part_units
    assert result.units_left == result.limit - (part_units or [0])[-1]
    assert count_parts(text) == (encoding, len(part_units), units)


# §9 and turkish-rules §12: the ladders providers publish.
LADDERS = [
    ("a", GSM7, {}, [160, 306, 459, 612, 765, 918, 1071]),
    ("ş", LOCKING, {"locking": True}, [155, 298, 447, 596, 745, 894, 1043]),
    ("₺", UCS2, {}, [70, 134, 201, 268, 335, 402, 469]),
]


@pytest.mark.parametrize(("char", "encoding", "options", "ladder"), LADDERS, ids=["gsm", "turkish", "unicode"])
def test_ladders(char, encoding, options, ladder):
    for parts, most in enumerate(ladder, 1):
        assert count_parts(char * most, **options)[:2] == (encoding, parts)
        assert count_parts(char * (most + 1), **options)[:2] == (encoding, parts + 1)


def test_longest_messages_of_the_specification():
    assert segment("a" * 39_015).parts == 255
    assert segment("₺" * 17_085).parts == 255


CHOICES = {
    "no national tables": ("Ağaç", {"national": False}, UCS2, 4),
    "no national tables, none needed": ("Agac", {"national": False}, GSM7, 4),
    "locking costs one a letter": ("Ağaç €", {"locking": True}, LOCKING, 6),
    "locking cannot write è": ("şè", {"locking": True}, SINGLE, 3),
    "locking not needed": ("ö€", {"locking": True}, GSM7, 3),
    "locking with extension": ("ş[", {"locking": True}, LOCKING, 3),
    "locking without national": ("ş", {"locking": True, "national": False}, UCS2, 1),
}


@pytest.mark.parametrize(("text", "options", "encoding", "units"), CHOICES.values(), ids=CHOICES)
def test_choice(text, options, encoding, units):
    assert count_parts(text, **options) == (encoding, 1, units)


def test_forcing_characters_tell_place_and_price():
    found = forcing_characters("Şok 5₺ Şu \U0001f600")
    assert [(item.char, item.positions, item.encoding) for item in found] == [
        ("Ş", (0, 7), SINGLE),
        ("₺", (5,), UCS2),
        ("😀", (10,), UCS2),
    ]
    assert forcing_characters("Ş", national=False)[0].encoding is UCS2
    assert forcing_characters("ÇÖÜ €") == ()


def count_greedily(text: str, encoding: Encoding, single: int, multi: int) -> int:
    """The slow and obvious way, character by character."""
    widths = [count_units(char, encoding) for char in text]
    if sum(widths) <= single:
        return 1 if widths else 0
    # Fewest parts for a fixed order: best[i] parts hold the first i characters.
    best = [0] + [len(widths)] * len(widths)
    for end in range(1, len(widths) + 1):
        room, start = multi, end
        while start and widths[start - 1] <= room:
            start -= 1
            room -= widths[start]
            best[end] = min(best[end], best[start] + 1)
    return best[-1]


CHARACTERS = {
    Encoding.GSM7: alphabet.GSM7_CHARACTERS,
    Encoding.GSM7_TR_SINGLE: alphabet.TURKISH_SINGLE_CHARACTERS,
    Encoding.GSM7_TR_LOCKING: alphabet.TURKISH_LOCKING_CHARACTERS,
}


def choose_encoding(text, *, national=True, locking=False):
    """By the rule, of a normalised text: GSM-7, else the locking table if it was asked for, else the single shift."""
    tables = [Encoding.GSM7_TR_LOCKING] * locking + [Encoding.GSM7_TR_SINGLE]
    candidates = [Encoding.GSM7, *(tables if national else [])]
    return next((one for one in candidates if frozenset(text) <= CHARACTERS[one]), Encoding.UCS2)


@settings(max_examples=60, deadline=None)
@given(TURKISH_TEXT | MIXED_TEXT, st.booleans(), st.booleans(), st.sampled_from([8, 16]))
@example("a" * 152 + "[" + "b" * 152, True, False, 8)
def test_segmentation_is_optimal_and_loses_nothing(text, national, locking, bits):
    result = segment(text, national=national, locking=locking, reference_bits=bits)
    limits = LIMITS[bits][result.encoding]
    assert "".join(result.texts) == result.text == normalise(text)
    assert result.encoding is choose_encoding(result.text, national=national, locking=locking)
    assert result.parts == len(result.texts) == count_greedily(result.text, result.encoding, *limits)
    units = [count_units(part, result.encoding) for part in result.texts]
    assert sum(units) == result.units == count_units(result.text, result.encoding)
    assert all(0 < used <= result.limit for used in units)
    assert result.units_left == result.limit - (units or [0])[-1]
    options = {"national": national, "locking": locking, "reference_bits": bits}
    assert count_parts(text, **options) == (result.encoding, result.parts, result.units)
    assert prepare_text(text, **options) == (result.text, result.encoding, result.parts)


@settings(max_examples=150, deadline=None)
@given(st.text(st.characters(), max_size=40))
@example("\ud83d\ude00\r\r\n")
@example("a\u0307\u0327")
def test_any_text_is_counted(text):
    result = segment(text)
    assert "".join(result.texts) == result.text == normalise(text) == normalise(result.text)
    assert result.encoding is choose_encoding(result.text)
    assert count_parts(text) == (result.encoding, result.parts, result.units)
    assert prepare_text(text) == (result.text, result.encoding, result.parts)


@settings(max_examples=100, deadline=None)
@given(st.text(st.sampled_from("abc €[]{}öÇ\n中₺😀"), min_size=1, max_size=500))
def test_smsutil_agrees_without_turkish_letters(text):
    assert segment(text, national=False).parts == len(smsutil.split(text).parts)


def test_single_shift_never_needs_more_parts_than_ucs2():
    for length in range(1, 500):
        turkish, plain = segment("ş" * length), segment("ş" * length, national=False)
        assert turkish.parts <= plain.parts
