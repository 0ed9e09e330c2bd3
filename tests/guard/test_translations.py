"""No text reaches a user untranslated: every source text (English) has its Turkish, and none goes around gettext."""

from devtools import translations


def test_every_text_has_its_turkish():
    assert translations.check() == []


def test_texts_call_choices_by_their_names():
    """A message that tells people to choose something names it as the choice itself does, and as the glossary does."""
    turkish = {entry.msgid: entry.msgstr for entry in translations.read_catalogue()}
    assert turkish["Do not import"] == "İçe aktarılmasın"  # "İçe aktarma" is the noun
    advice = next(text for msgid, text in turkish.items() if "Choose “Do not import”" in msgid)
    assert f"“{turkish['Do not import']}”" in advice
    assert {turkish[text].split()[0] for text in ("Add opt-out text", "Opt-out text is added: “%(footer)s”")} == {"Ret"}
