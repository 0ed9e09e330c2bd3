"""Placeholders: what is one, how names are compared, what a missing value does."""

import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smscore import MissingValues, compile_template, render
from smscore.folding import fold_key, fold_plain, upper_turkish
from smscore.normalisation import normalise
from smscore.placeholders import escape

RENDERED = {
    "value": ("Sayın [İsim],", {"İsim": "Ayşe"}, "Sayın Ayşe,"),
    "value without fallback used": ("[İsim|dost]", {"isim": "Ayşe"}, "Ayşe"),
    "fallback": ("[İsim|değerli müşterimiz]", {}, "değerli müşterimiz"),
    "fallback for None": ("[İsim|dost]", {"İsim": None}, "dost"),
    "fallback for blank": ("[İsim|dost]", {"İsim": " \t"}, "dost"),
    "empty fallback": ("a[İsim|]b", {}, "ab"),
    "number": ("[Tutar] TL", {"tutar": 0}, "0 TL"),
    "upper case name": ("[İSİM]", {"isim": "x"}, "x"),
    "name typed without dots": ("[Isim]", {"İSİM": "x"}, "x"),
    "spaces around the name": ("[ Ad  Soyad ]", {"ad soyad": "x"}, "x"),
    "name with punctuation": ("[son_ödeme.t-1]", {"SON_ÖDEME.T-1": "x"}, "x"),
    "twice": ("[a][A]", {"a": "x"}, "xx"),
    "doubled bracket": ("[[İsim]", {"isim": "x"}, "[İsim]"),
    "three brackets": ("[[[İsim]", {"isim": "x"}, "[x"),
    "digit first": ("[1] [%50] [_a]", {"1": "x"}, "[1] [%50] [_a]"),
    "empty brackets": ("[] [ ] [|a]", {}, "[] [ ] [|a]"),
    "never closed": ("[İsim", {"isim": "x"}, "[İsim"),
    "closing alone": ("a] b]]", {}, "a] b]]"),
    "line break inside": ("[a\nb]", {"a\nb": "x"}, "[a\nb]"),
    "format signs": ("{0} {isim} %s [a]", {"a": "{b}"}, "{0} {isim} %s {b}"),
    "value that looks like a field": ("[a] [b]", {"a": "[b]", "b": "[a|x]"}, "[b] [a|x]"),
    "value with doubled bracket": ("[a]", {"a": "[["}, "[["),
    "second bar belongs to the fallback": ("[a|x|y]", {}, "x|y"),
    "decomposed letters": (
        unicodedata.normalize("NFD", "[Şehir] [Ad] [İsim|gül]"),
        {"Şehir": "a", "ad": "b"},
        "a b gül",
    ),
    "nothing": ("", {}, ""),
}


@pytest.mark.parametrize(("text", "values", "expected"), RENDERED.values(), ids=RENDERED)
def test_render(text, values, expected):
    template = compile_template(text)
    assert render(text, values) == template.render(values) == template.preview(values) == expected
    assert template.find_missing(values) == ()


@pytest.mark.parametrize(("text", "values", "expected"), RENDERED.values(), ids=RENDERED)
def test_a_row_is_filled_like_a_mapping(text, values, expected):
    folded = {fold_key(name): None if value is None else str(value) for name, value in values.items()}
    fill_row = compile_template(text).bind({name: column for column, name in enumerate(folded)})
    assert fill_row(tuple(folded.values())) == expected


def test_a_row_without_a_value_says_which():
    fill_row = compile_template("[İsim] [Tutar] [isim] [Kod|x] %d").bind({"isim": 0, "kod": 1})
    with pytest.raises(MissingValues) as caught:
        fill_row((" ", "1"))
    assert caught.value.fields == ("İsim", "Tutar")


def test_missing_values_are_named_once_as_written():
    template = compile_template("[İsim] [Tutar] [isim] [Kod|x]")
    assert template.find_missing({"tutar": "1"}) == ("İsim",)
    with pytest.raises(MissingValues) as caught:
        template.render({"KOD": "1", "isim": " "})
    assert caught.value.fields == ("İsim", "Tutar")


def test_preview_leaves_what_is_missing():
    assert compile_template("[İsim] [Tutar|0] [Kod]").preview({"kod": 7}) == "[İsim] 0 7"
    assert compile_template("[A|x] [a]").preview({}) == "x [a]"


def test_decomposed_names_are_fields():
    template = compile_template(unicodedata.normalize("NFD", "[Şehir] [Ad] [İsim]"))
    assert [field.name for field in template.fields] == ["Şehir", "Ad", "İsim"]


def test_fields():
    fields = compile_template("Sayın [ İsim |dost], [Soyad]").fields
    assert [(field.name, field.key, field.fallback) for field in fields] == [
        ("İsim", "isim", "dost"),
        ("Soyad", "soyad", None),
    ]
    assert compile_template("[A] [a] [b|]").keys == {"a", "b"}


def test_a_name_has_at_most_60_characters():
    name = "a" * 60
    assert render(f"[{name}]", {name: "x"}) == "x"
    assert render(f"[{name}a]", {name + "a": "x"}) == f"[{name}a]"


ANY_TEXT = st.text(st.sampled_from("[]|abİ ı1\n") | st.characters(exclude_categories=["Cs"]), max_size=40)


@settings(max_examples=200)
@given(ANY_TEXT, ANY_TEXT, ANY_TEXT)
def test_values_are_never_read_again(before, value, after):
    expected = value if value.strip() else "yok"
    assert render(escape(before) + "[a|yok]" + escape(after), {"A": value}) == normalise(before) + expected + normalise(
        after
    )


@settings(max_examples=200)
@given(ANY_TEXT)
def test_escaped_text_renders_to_itself_and_anything_compiles(text):
    assert render(escape(text), {}) == normalise(text)
    template = compile_template(text)
    filled = template.render({field.name: "v" for field in template.fields})
    assert not template.fields or "v" in filled


@pytest.mark.parametrize("name", ["İSİM", "isim", "Isim", "ısım", "İsim", "  isim ", "I\u0307sim"])
def test_fold_key_knows_one_name(name):
    assert fold_key(name) == "isim"


def test_folding_keeps_letters_apart_only_in_names():
    assert fold_key("Şehir") != fold_key("Sehir")
    assert fold_plain("ŞEHİR  çığ") == fold_plain("sehir cig") == "sehir cig"
    assert fold_key("a" * 70 + "İ") == "a" * 70 + "i"


def test_turkish_case():
    assert upper_turkish("dış iş ığdır") == "DIŞ İŞ IĞDIR"
