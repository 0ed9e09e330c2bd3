"""The finder of translatable texts: what it must see and what it must not."""

import polib
import pytest

from devtools import translations
from devtools.messages import Message, bare_texts, python_messages, template_messages


def found(messages):
    return {(message.context, message.text, message.plural) for message in messages}


def test_python_calls_of_every_kind():
    source = (
        "_('One')\ngettext_lazy('Two ' 'halves')\nngettext('%(n)s day', '%(n)s days', n)\n"
        "pgettext('month', 'May')\nnpgettext_lazy('c', 's', 'p', 2)\ntranslation.gettext('Three')\n"
        "_(variable)\nother('No')\n"
    )
    assert found(python_messages(source, "x.py")) == {
        (None, "One", None),
        (None, "Two halves", None),
        (None, "%(n)s day", "%(n)s days"),
        ("month", "May", None),
        ("c", "s", "p"),
        (None, "Three", None),
    }


def test_a_formatted_string_is_an_error():
    with pytest.raises(ValueError, match="formatted string"):
        list(python_messages("_(f'Hello {name}')", "x.py"))


def test_template_tags_of_every_kind():
    source = (
        '{% load i18n %}{% translate "Save" %}{% translate "May" context "month" %}{{ _("Name")|upper }}'
        '{% include "a.html" with label=_("Label") %}'
        "{% blocktranslate trimmed with n=count %}\n  Sent to\n  {{ n }} people\n{% endblocktranslate %}"
        "{% blocktranslate count n=count %}{{ n }} day{% plural %}{{ n }} days{% endblocktranslate %}"
        "{% comment %}{% translate 'Hidden' %}{% endcomment %}Don't _say(\"No\")"
    )
    assert found(template_messages(source, "x.html")) == {
        (None, "Save", None),
        ("month", "May", None),
        (None, "Name", None),
        (None, "Label", None),
        (None, "Sent to %(n)s people", None),
        (None, "%(n)s day", "%(n)s days"),
    }


def test_bare_texts_are_found_in_text_and_attributes():
    source = (
        '<h1>{% translate \'Fine\' %}</h1>\n<p>Not fine</p>\n<input placeholder="Search" value="kept">'
        "<a title=\"{% translate 'Fine' %}\">{{ name }} – 12 SMS</a><code>free text</code><!-- a remark -->"
        "{% blocktranslate %}Fine {{ x }} as well{% endblocktranslate %}"
    )
    assert list(bare_texts(source, "x.html")) == ["x.html:2: 'Not fine'", "x.html:3: 'Search'"]


@pytest.mark.parametrize(
    ("entry", "problem"),
    [
        pytest.param(None, "no Turkish", id="missing"),
        pytest.param(polib.POEntry(msgid="x %(n)s", msgstr=""), "no Turkish", id="empty"),
        pytest.param(polib.POEntry(msgid="x %(n)s", msgstr="y %(n)s", flags=["fuzzy"]), "no Turkish", id="fuzzy"),
        pytest.param(polib.POEntry(msgid="x %(n)s", msgstr="y"), "other placeholders", id="lost placeholder"),
        pytest.param(polib.POEntry(msgid="x %(n)s", msgstr="y %(m)s"), "other placeholders", id="wrong placeholder"),
        pytest.param(polib.POEntry(msgid="x %(n)s", msgstr="y %(n)s"), None, id="good"),
    ],
)
def test_problems_of_one_entry(entry, problem):
    problems = list(translations.describe_problem(Message("x %(n)s", None, None, "x.py:1"), entry))
    assert [problem in text for text in problems] == ([True] if problem else [])


def test_parts_are_compiled_with_the_catalogue(tmp_path, monkeypatch):
    header = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=UTF-8\\n"\n\n'
    catalogue, parts = tmp_path / "django.po", tmp_path / "parts"
    parts.mkdir()
    catalogue.write_text(f'{header}msgid "Save"\nmsgstr "Kaydet"\n')
    (parts / "contacts.po").write_text(f'{header}msgid "Person"\nmsgstr "Kişi"\n\nmsgid "Save"\nmsgstr "Sakla"\n')
    monkeypatch.setattr(translations, "CATALOGUE", catalogue)
    monkeypatch.setattr(translations, "COMPILED", tmp_path / "django.mo")
    monkeypatch.setattr(translations, "PARTS", parts)
    translations.compile_catalogues()
    compiled = {entry.msgid: entry.msgstr for entry in polib.mofile(str(tmp_path / "django.mo"))}
    assert compiled == {"Save": "Kaydet", "Person": "Kişi"}


def test_pruning_leaves_what_the_product_and_its_libraries_say(tmp_path, monkeypatch):
    catalogue = polib.POFile()
    texts = {"Members": "Kullanıcılar", "Incorrect password.": "Parola doğru değil.", "Nobody says so": "Kimse demez"}
    catalogue.extend([polib.POEntry(msgid=text, msgstr=turkish) for text, turkish in texts.items()])
    path = tmp_path / "django.po"
    catalogue.save(str(path))
    monkeypatch.setattr(translations, "CATALOGUE", path)
    assert translations.main(["prune"]) == 0
    assert [entry.msgid for entry in polib.pofile(str(path))] == ["Members", "Incorrect password."]
