"""The browser's Back button brings whole pages: lists that were filtered by HTMX included."""

import re

import pytest
from playwright.sync_api import Page, expect

from .marketer import Marketer
from .showroom import Showroom

LISTS = [("/campaigns/", "#campaigns", "Vitrin, hazır"), ("/contacts/", "#contacts", "Gülşah İnan")]


def expect_whole(page: Page) -> None:
    """The panel's frame around the page; a part of a page alone has none."""
    expect(page.locator(".shell")).to_have_count(1)
    expect(page.get_by_role("heading", level=1)).to_be_visible()


def filter_by(page: Page, text: str) -> None:
    page.locator("#id_q").fill(text)
    expect(page).to_have_url(re.compile(r"\?q="))


@pytest.mark.parametrize(("path", "part", "name"), LISTS)
def test_back_undoes_a_filter(ayse: Marketer, showroom: Showroom, path: str, part: str, name: str):
    page = ayse.page
    page.goto(path)
    rows = page.locator(f"{part} tbody tr")
    count = rows.count()
    filter_by(page, "böyle bir şey yok")
    expect(rows).to_have_count(0)
    page.go_back()
    expect(page).to_have_url(re.compile(f"{path}$"))
    expect_whole(page)
    expect(rows).to_have_count(count)
    page.go_forward()
    expect(page).to_have_url(re.compile(r"\?q="))
    expect(rows).to_have_count(0)
    expect_whole(page)


@pytest.mark.parametrize(("path", "part", "name"), LISTS)
def test_back_leads_to_the_filtered_list(ayse: Marketer, showroom: Showroom, path: str, part: str, name: str):
    page = ayse.page
    page.goto(path)
    filter_by(page, name)
    page.locator(part).get_by_role("link", name=name).first.click()
    expect(page.get_by_role("heading", level=1)).to_contain_text(name)
    page.go_back()
    expect(page).to_have_url(re.compile(r"\?q="))
    expect_whole(page)
    expect(page.locator("#id_q")).to_have_value(name)
