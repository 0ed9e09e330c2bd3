"""No text reaches a user untranslated: every source text (English) has its Turkish, and none goes around gettext."""

from devtools import translations


def test_every_text_has_its_turkish():
    assert translations.check() == []
