"""No page mixes languages: its texts are looked up in the catalogue, in both directions. Switches are remembered."""

import re
from collections.abc import Callable, Iterable

import pytest
from playwright.sync_api import Page, expect

from devtools.translations import read_catalogue

from .marketer import Marketer
from .showroom import Showroom

# What people read or hear: text and the attributes that carry text. Language names are the same everywhere.
COLLECT = """() => {
  const found = new Set();
  const walker = document.createTreeWalker(document.documentElement, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement;
    if (!element.closest("script, style, textarea, [lang]:not(html)")) found.add(walker.currentNode.data);
  }
  for (const name of ["aria-label", "title", "placeholder", "alt", "data-confirm", "data-confirm-label"])
    for (const element of document.querySelectorAll(`[${name}]`)) found.add(element.getAttribute(name));
  return [...found].map(text => text.replace(/\\s+/g, " ").trim()).filter(Boolean);
}"""
PLACEHOLDER = re.compile(r"%\\\(\w+\\\)[sd]|%%")
# Names of lists, columns and languages, some of which are words of the interface, too.
OWN_WORDS = {"Müşteriler", "Çalışanlar", "Ad Soyad", "Türkçe", "English"}


def compile_texts(texts: Iterable[str]) -> re.Pattern[str]:
    """Matches any of the texts as a whole; placeholders match anything."""
    plain = {re.sub(r"\s+", " ", text).strip() for text in texts}
    patterns = [PLACEHOLDER.sub(".+", re.escape(text)) for text in plain if re.search(r"[^\W\d_]{2}", text)]
    return re.compile("|".join(f"(?:{pattern})" for pattern in patterns))


def list_texts() -> tuple[set[str], set[str]]:
    """(English, Turkish) texts that belong to one language only."""
    english: set[str] = set()
    turkish: set[str] = set()
    for entry in read_catalogue():
        english |= {entry.msgid, entry.msgid_plural}
        turkish |= {entry.msgstr, *entry.msgstr_plural.values()}
    # A text of nothing but placeholders and signs says nothing about its language.
    spoken = {text for text in english ^ turkish if len(re.sub(r"%\(\w+\)[sd]|[\W\d]", "", text)) > 3}
    return (english & spoken) - turkish, (turkish & spoken) - english


@pytest.fixture(scope="module")
def foreign() -> dict[str, re.Pattern[str]]:
    """By the page's language: what must not be on it."""
    english, turkish = list_texts()
    return {"tr": compile_texts(english), "en": compile_texts(turkish)}


def list_foreign(page: Page, pattern: re.Pattern[str]) -> list[str]:
    return [text for text in page.evaluate(COLLECT) if text not in OWN_WORDS and pattern.fullmatch(text)]


def choose(page: Page, name: str, value: str) -> None:
    page.locator(".user-button").click()
    page.locator(f".user-menu button[name={name}][value={value}]").click()
    attribute = "lang" if name == "language" else "data-theme"
    expect(page.locator("html")).to_have_attribute(attribute, value)


@pytest.mark.parametrize("language", ["tr", "en"])
def test_pages_speak_one_language(
    ayse: Marketer, showroom: Showroom, foreign: dict[str, re.Pattern[str]], language: str
):
    page = ayse.page
    page.goto("/")
    choose(page, "language", language)
    faults = []
    for name, path in showroom.pages.items():
        page.goto(path)
        faults += [f"{name}: {text!r}" for text in list_foreign(page, foreign[language])]
    choose(page, "language", "tr")
    assert not faults, "\n".join(faults)


def test_the_detector_sees_a_foreign_text(page: Page, foreign: dict[str, re.Pattern[str]]):
    page.goto("/auth/login/")
    assert list_foreign(page, foreign["tr"]) == []
    assert "Giriş yap" in list_foreign(page, foreign["en"])


def test_visitors_keep_their_language(page: Page):
    page.goto("/auth/login/")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Sign in")
    page.goto("/auth/password/reset/")
    expect(page.locator("html")).to_have_attribute("lang", "en")


def test_language_and_theme_go_with_the_person(sign_in: Callable[..., Marketer]):
    """Also to another browser: the profile keeps them."""
    page = sign_in("burak@demo.peyk").page
    page.goto("/")
    choose(page, "language", "en")
    choose(page, "theme", "dark")
    elsewhere = sign_in("burak@demo.peyk").page
    elsewhere.goto("/contacts/")
    expect(elsewhere.locator("html")).to_have_attribute("lang", "en")
    expect(elsewhere.locator("html")).to_have_attribute("data-bs-theme", "dark")
    choose(elsewhere, "theme", "auto")
    choose(elsewhere, "language", "tr")
    page.goto("/")
    expect(page.get_by_role("heading", level=1)).to_have_text("Genel bakış")
