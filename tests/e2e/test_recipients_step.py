"""The composer's lists as the browser sends them."""

from playwright.sync_api import expect

from .marketer import Marketer
from .showroom import LIST, Showroom


def test_only_lists_that_are_used_are_posted(ayse: Marketer, showroom: Showroom):
    """An account may have thousands: what is sent on the way out of the page has room for a few hundred."""
    page = ayse.page
    page.goto("/campaigns/new/")
    page.locator("#id_name").fill("Vitrin, listeler")
    ayse.press("Alıcıları seç")
    rows = page.locator("#lists tbody tr")
    expect(rows.nth(1)).to_be_visible()
    row = rows.filter(has=page.get_by_role("cell", name=LIST, exact=True))
    with page.expect_request(lambda request: request.url.endswith("/recipients/save/")) as saved:
        row.locator("label.segmented-include").click()
    fields = (saved.value.post_data or "").split("&")
    assert [field.split("=")[1] for field in fields if field.startswith("list-")] == ["include"]
    ayse.press("Devam: Mesaj")
    expect(page.locator("#id_text")).to_be_visible()
    page.go_back()
    expect(row.locator("input[value=include]")).to_be_checked()
