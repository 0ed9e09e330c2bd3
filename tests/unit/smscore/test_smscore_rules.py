"""Keywords, senders, billing profiles and hints."""

import random

import pytest

from smscore.billing_profile import BillingProfile, estimate_parts
from smscore.encoding import Encoding, list_beyond_turkish, needs_unicode
from smscore.keywords import match_opt_out
from smscore.lint import HintCode, Severity, check_text, find_commercial_words, has_opt_out
from smscore.sender import SenderProblem, check_sender, fold_sender, suggest_sender

OPT_OUTS = {
    "RET": "RET", "ret": "RET", "Ret.": "RET", " RET MARKAM ": "RET", "İPTAL": "İPTAL",
    "IPTAL": "İPTAL", "iptal": "İPTAL", "Iptal": "İPTAL", "ıptal": "İPTAL",
    "iptal edin lütfen": "İPTAL", "DUR!": "DUR", "dur": "DUR", "STOP": "STOP", "«stop»": "STOP",
    "ÇIKIŞ": "ÇIKIŞ", "CIKIS": "ÇIKIŞ", "çikiş": "ÇIKIŞ", "cıkış": "ÇIKIŞ",
    "Abonelikten çık": "ABONELİKTEN ÇIK", "RETRO": None, "DURUM": None, "durma": None,
    "siparişim nerede": None, "": None, "!!!": None, "teşekkürler, iptal": None, "RET_MARKA": "RET",
}  # fmt: skip


@pytest.mark.parametrize(("text", "keyword"), OPT_OUTS.items(), ids=ascii)
def test_opt_out(text, keyword):
    assert match_opt_out(text) == keyword


def test_own_keywords():
    assert match_opt_out("Listeden Çıkar beni", ["çık", "LİSTEDEN ÇIKAR", ""]) == "LİSTEDEN ÇIKAR"
    assert match_opt_out("RET", ["HAYIR"]) is None
    assert match_opt_out("x" * 100_000 + " RET") is None


P = SenderProblem
SENDERS = {
    "MARKA": (), "Peyk SMS 24": (), "ABC": (), "AB": (P.TOO_SHORT,), "": (P.TOO_SHORT,),
    "ONIKIHARFLIX": (P.TOO_LONG,), "ÇİÇEK": (P.TURKISH_LETTER,), "MÜZİK": (P.TURKISH_LETTER,),
    "A&B": (P.BAD_CHARACTER,), "MARKA.A": (P.BAD_CHARACTER,), " MARKA": (P.OUTER_SPACE,),
    "MAR  KA": (P.DOUBLE_SPACE,), "MARKA.COM": (P.BAD_CHARACTER, P.DOMAIN_NAME), "8503338": (P.NUMERIC,),
    "مرحبا": (P.BAD_CHARACTER,), "   ": (P.OUTER_SPACE,),
}  # fmt: skip


@pytest.mark.parametrize(("sender", "problems"), SENDERS.items(), ids=ascii)
def test_sender(sender, problems):
    assert check_sender(sender) == problems


def test_sender_with_vendor_punctuation():
    assert check_sender("A.B-C*D", vendor_punctuation=True) == ()
    assert check_sender("...", vendor_punctuation=True) == (P.NO_LETTER,)
    assert check_sender("marka.com.tr"[:11], vendor_punctuation=True) == (P.DOMAIN_NAME,)


def test_suggested_and_folded_senders():
    assert suggest_sender("Çiçek Dünyası A.Ş.") == "CICEK DUNYA"
    assert fold_sender("BANKA1") == fold_sender("Banka l") == fold_sender("BANKAI")
    assert fold_sender("G00GLE") == fold_sender("google")
    assert fold_sender("MARKA") != fold_sender("MARKET")


# sms-encoding §9: published limits less the operator's code.
SUFFIX_LADDERS = {
    "plain": ("a", BillingProfile(suffix_units=5), [155, 301, 454, 607]),
    "turkish, a letter once": (
        "ş",
        BillingProfile(suffix_units=5, turkish_letter_cost=1),
        [150, 293, 442, 591],
    ),
    "ucs2": ("₺", BillingProfile(suffix_units=5), [65, 129, 196, 263]),
    "verimor turkish": ("ş", BillingProfile(turkish_letter_cost=1), [155, 298, 447, 596, 745, 894, 1043]),
}


@pytest.mark.parametrize(("char", "profile", "ladder"), SUFFIX_LADDERS.values(), ids=SUFFIX_LADDERS)
def test_billing_ladders(char, profile, ladder):
    for parts, most in enumerate(ladder, 1):
        assert estimate_parts(char * most, profile).parts == parts
        assert estimate_parts(char * (most + 1), profile).parts == parts + 1


def test_billing_profile_details():
    assert estimate_parts("ş€", BillingProfile(turkish_letter_cost=1)) == (
        Encoding.GSM7_TR_SINGLE,
        1,
        3,
        True,
    )
    assert estimate_parts("ş", BillingProfile(national=False)).encoding is Encoding.UCS2
    assert estimate_parts("a" * 1072, BillingProfile(most_parts=7)).fits is False
    assert estimate_parts("", BillingProfile(suffix_units=5)).parts == 0
    assert estimate_parts("ş" * 78) == (Encoding.GSM7_TR_SINGLE, 2, 156, True)


def test_a_provider_whose_turkish_mode_is_wider():
    wide = BillingProfile(widens_turkish=True)
    for letter in "öüÖÜÇ":
        text = letter + "a" * 154
        assert estimate_parts(text, wide) == (Encoding.GSM7_TR_SINGLE, 1, 155, True)
        assert estimate_parts(text + "aaa", wide).parts == 2
        assert estimate_parts(text + "aaa").parts == 1
        assert estimate_parts(text + "aaa", BillingProfile(widens_turkish=True, national=False)).parts == 1
    assert estimate_parts("o\u0308" + "a" * 157, wide).parts == 2, "however it is written"
    assert estimate_parts("a" * 160, wide).parts == 1
    assert estimate_parts("é" * 160, wide).parts == 1
    assert estimate_parts("ş" + "ö" * 154, wide).parts == 2


def test_the_quick_way_counts_as_the_slow_one():
    """Where a character costs what it does anyway, parts are counted without looking at each."""
    rng = random.Random(7)
    for _ in range(3000):
        text = "".join(rng.choices("abcş😀", weights=[50, 50, 50, rng.choice([0, 1, 40]), rng.choice([0, 1])], k=620))
        text = text[: rng.randrange(620)]
        quick, slow = BillingProfile(suffix_units=5), BillingProfile(suffix_units=5, extension_cost=1)
        assert estimate_parts(text, quick) == estimate_parts(text, slow), text


H = HintCode
GOOD = "Yeni sezon mağazalarda. Mersis 0123456789012345 Ret: RET MARKA yaz 3338"
HINTS = {
    "good commercial text": (GOOD, True, set()),
    "no way out": ("Yeni sezon. Mersis 0123456789012345", True, {H.NO_OPT_OUT}),
    "no identity": ("Yeni sezon. Ret: RET yaz 3338", True, {H.NO_IDENTITY}),
    "information that advertises": ("Siparişiniz yolda, %20 indirim", False, {H.COMMERCIAL_WORDS}),
    "information": ("Siparişiniz kargoya verildi.", False, set()),
    "kind words": ("Doğum gününüz KUTLU OLSUN", False, {H.COMMERCIAL_WORDS}),
    "curly quote": ("Ali’nin kâğıdı", False, {H.TYPOGRAPHY_FORCES_UCS2}),
    "emoji": ("Merhaba 😀", False, {H.EMOJI_FORCES_UCS2}),
    "link": ("Bkz. https://ornek.example/a", False, {H.LINK}),
    "shortened link": ("Bkz. bit.ly/abc", False, {H.LINK, H.SHORT_LINK}),
    "shouting": ("DEĞERLİ MÜŞTERİMİZ SİPARİŞİNİZ HAZIRDIR", False, {H.SHOUTING}),
    "too long": ("a" * 1600, False, {H.TOO_MANY_PARTS}),
    "invisible": ("a\u200bb", False, {H.INVISIBLE_CHARACTERS, H.TYPOGRAPHY_FORCES_UCS2}),
    "operator code": ("Kodunuz 1234 B038", False, {H.OPERATOR_CODE}),
    "empty": (" \n", True, {H.EMPTY}),
}


@pytest.mark.parametrize(("text", "commercial", "codes"), HINTS.values(), ids=HINTS)
def test_hints(text, commercial, codes):
    hints = check_text(text, commercial=commercial)
    assert {hint.code for hint in hints} == codes
    order = [Severity.STOP, Severity.WARNING, Severity.INFO]
    assert [order.index(hint.severity) for hint in hints] == sorted(order.index(hint.severity) for hint in hints)


@pytest.mark.parametrize(
    ("text", "beyond"),
    [
        ("Merhaba {€}", ()),
        ("Işıl'ın ÇAĞRISI", ()),
        ("Is\u0327il", ()),  # ş in two characters
        ("Kâğıt 🍰 “ok” 🍰", ("â", "🍰", "“", "”")),
        ("a\u00a0b", ("\u00a0",)),
        ("", ()),
    ],
)
def test_characters_beyond_gsm7_and_turkish(text, beyond):
    assert needs_unicode(text) == bool(beyond)
    assert list_beyond_turkish(text) == beyond


def test_hint_details():
    assert find_commercial_words("İNDİRİM, %50 fırsatı; indirim yüzde 10") == (
        "indirim",
        "firsati",
        "%50",
        "yuzde 10",
    )
    assert find_commercial_words("Puantaj 3") == ("puantaj",)
    hint = check_text("Ali’nin – 5₺", commercial=False)[0]
    assert (hint.code, hint.detail) == (H.TYPOGRAPHY_FORCES_UCS2, ("’", "–", "₺"))
    assert has_opt_out("Sms almak istemiyorsanız RET yazın")
    assert not has_opt_out("Durum: hazır")
