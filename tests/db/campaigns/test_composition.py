"""Texts as recipients get them: fields, the way out, letters; and the problems of a draft."""

import pytest

from campaigns.models import Campaign
from campaigns.selectors.checks import count_shortest_parts
from campaigns.selectors.composition import (
    compose,
    count_ucs2_parts,
    dative_suffix,
    get_first_name,
    get_surname,
    make_composition,
)
from campaigns.selectors.live import list_culprits
from smscore import compile_template, forcing_characters, segment


@pytest.mark.parametrize(
    ("number", "suffix"),
    [
        ("4609", "a"),
        ("3338", "e"),
        ("4606", "ya"),
        ("4607", "ye"),
        ("4601", "e"),
        ("5520", "ye"),
        ("5530", "a"),
        ("5570", "e"),
        ("5500", "e"),
        ("3390", "a"),
        ("5", "e"),
    ],
)
def test_dative_suffix_follows_the_number_as_it_is_read(number, suffix):
    assert dative_suffix(number) == suffix


@pytest.mark.parametrize(
    ("name", "first", "last"),
    [
        ("Zeynep Öztürk", "Zeynep", "Öztürk"),
        ("Ahmet Mehmet Yılmaz", "Ahmet Mehmet", "Yılmaz"),
        ("Zeynep", "Zeynep", ""),
        ("  Ali  Can ", "Ali", "Can"),
        ("", "", ""),
    ],
)
def test_first_name_and_surname(name, first, last):
    assert (get_first_name(name), get_surname(name)) == (first, last)


def test_every_way_to_write_the_fields_that_everybody_has():
    composition = make_composition("[İsim]/[isim]/[AD SOYAD]/[Ad]/[Soyad]/[Telefon]/[Numara]/[Kod]")
    text = composition.write("+905321234567", "Zeynep Öztürk", {"kod": "X1"})
    full = "Zeynep Öztürk"
    assert text == f"{full}/{full}/{full}/Zeynep/Öztürk/+905321234567/+905321234567/X1"


def test_values_are_never_read_as_text_with_fields():
    composition = make_composition("Merhaba [İsim], [Kod]")
    assert composition.write("+905321234567", "[Kod]", {"kod": "[İsim]"}) == "Merhaba [Kod], [İsim]"


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("changes", "footer"),
    [
        ({"text": "Şimdi"}, "RET AYSEBUTIK yaz 4609'a gönder"),
        ({"text": "Simdi"}, "RET AYSEBUTIK yaz 4609'a gönder"),  # all of it plain GSM-7: it makes no message Turkish
        ({"text": "Şimdi", "transliterate": True}, "RET AYSEBUTIK yaz 4609'a gönder"),
        ({"text": "Şimdi", "append_opt_out": False}, "RET AYSEBUTIK yaz 4609'a gönder"),  # commercial: always
        ({"text": "Şimdi", "append_opt_out": False, "content_class": "informational"}, ""),
    ],
)
def test_the_way_out(shop, changes, footer):
    campaign = Campaign(**{"content_class": "commercial", **changes})
    text = compose(campaign, shop.cast.butik).write("+905321234567", "", {})
    assert text.partition("\n")[2] == footer
    assert "’" not in text


def test_shortest_parts_count_before_anybody_is_known():
    assert count_shortest_parts(compile_template("[Kod]" * 200), False) == 2
    assert count_shortest_parts(compile_template("ş" * 1600), False) > 10


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("", 0),
        ("a" * 70, 1),
        ("a" * 71, 2),
        ("ş" * 134, 2),
        ("ş" * 135, 3),
        ("😀" * 35, 1),
        ("😀" * 36, 2),
        ("😀" * 67, 3),
    ],
)
def test_parts_in_ucs2(text, parts):
    assert count_ucs2_parts(text) == parts


def test_culprits_are_named_with_a_way_out():
    culprits = {c.char: c for c in list_culprits("“Fırsat” – 50₺ 🎉 şimdi")}
    assert culprits["“"].replacement == '"'
    assert culprits["–"].replacement == "-"
    assert culprits["🎉"].replacement == ""
    assert not culprits["ş"].forces_ucs2 and culprits["ş"].replacement is None
    text = "“Fırsat” – 50₺ 🎉 şimdi"
    for culprit in culprits.values():
        if culprit.forces_ucs2:
            text = text.replace(culprit.char, culprit.replacement)
    assert segment(text).encoding == "gsm7-tr-single"
    assert not [c for c in forcing_characters(text) if c.encoding == "ucs2"]
