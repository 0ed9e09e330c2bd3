"""axe finds nothing on the main pages, light and dark, wide and narrow; nothing scrolls sideways on a phone."""

from collections.abc import Callable, Iterable

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from .browsing import PHONE, WIDE, Size
from .marketer import Marketer
from .showroom import Showroom

# What axe cannot decide without a person ("incomplete") is left to people; its rules of taste count.
EVERYTHING = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
RUN = "tags => axe.run({runOnly: tags, resultTypes: ['violations']}).then(found => found.violations)"
HAS_AXE = "typeof axe !== 'undefined'"
# Colours fade from one theme to the other, and what inherits a fading colour fades after it.
SETTLE = """async () => {
  const isFading = () => document.getAnimations().some(one => one instanceof CSSTransition);
  for (let n = 0; n < 20 && isFading(); n++) await new Promise(done => setTimeout(done, 50));
}"""
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
TABLES_CUT = (
    "[...document.querySelectorAll('.table-responsive')].filter(one => one.scrollWidth > one.clientWidth + 1).length"
)
SCROLLS_BY_NATURE = ("import mapping", PHONE)  # the file's own columns side by side

MAIN = {
    *("dashboard", "contacts", "import mapping", "recipients", "message", "schedule", "check", "campaigns", "report"),
    *("suppression", "credits", "members", "simulator", "profile"),
}


def list_faults(page: Page, where: str, rules: list[str]) -> list[str]:
    """One line per fault: where, rule, element, what axe says."""
    if not page.evaluate(HAS_AXE):
        page.evaluate(AXE_SCRIPT)
    faults = []
    for violation in page.evaluate(RUN, rules):
        for node in violation["nodes"]:
            words = [check["message"] for check in [*node["any"], *node["all"], *node["none"]]]
            faults.append(f"{where}: {violation['id']}: {' '.join(map(str, node['target']))}: {' / '.join(words)}")
    return faults


def look_at(page: Page, name: str, sizes: Iterable[Size] = (WIDE, PHONE), *, is_main: bool = True) -> list[str]:
    """Both themes (the page follows the device) in the given sizes, without loading the page again.

    Themes differ in colours only, so the second look at a size is at contrast alone. Pages beside the main ones are
    built of the same parts: light when wide and dark on a phone must do.
    """
    faults = []
    for size in sizes:
        page.set_viewport_size({"width": size.width, "height": size.height})
        looks = {"light": EVERYTHING, "dark": ["color-contrast"]}
        if not is_main:
            looks = {"light": EVERYTHING} if size == WIDE else {"dark": EVERYTHING}
        for theme, rules in looks.items():
            page.emulate_media(color_scheme=theme)
            expect(page.locator("html")).to_have_attribute("data-bs-theme", theme)
            page.evaluate(SETTLE)
            faults += list_faults(page, f"{name}, {theme}, {size.width} px", rules)
        overflow = page.evaluate(OVERFLOW)
        if overflow > 0:
            faults.append(f"{name}, {size.width} px: scrolls sideways by {overflow} px")
        if page.evaluate(TABLES_CUT) and (name, size) != SCROLLS_BY_NATURE:
            faults.append(f"{name}, {size.width} px: a table is cut")
    return faults


def test_axe_is_awake(page: Page):
    """The two nets of this file catch something."""
    page.goto("/auth/login/")
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<button></button><svg width=\"2000\"></svg>')"
    )
    faults = "\n".join(look_at(page, "broken"))
    assert "button-name" in faults
    assert "390 px: scrolls sideways" in faults


def test_main_pages(ayse: Marketer, showroom: Showroom):
    faults = []
    for name, path in showroom.pages.items():
        ayse.page.goto(path)
        faults += look_at(ayse.page, name, is_main=name in MAIN)
    assert not faults, "\n".join(faults)


def test_sign_in_page(page: Page):
    page.goto("/auth/login/")
    faults = look_at(page, "sign-in")
    page.get_by_role("button", name="Giriş yap", exact=True).click()
    faults += look_at(page, "sign-in refused")
    assert not faults, "\n".join(faults)


def test_open_dialogs_and_menus(ayse: Marketer, showroom: Showroom):
    page = ayse.page
    faults = []
    for size in (WIDE, PHONE):
        page.set_viewport_size({"width": size.width, "height": size.height})
        page.goto(showroom.draft)
        ayse.press("Test gönder")
        faults += look_at(page, "test dialog", [size])
        page.goto(showroom.check)
        ayse.launch_button.click()
        faults += look_at(page, "launch dialog", [size])
        page.goto("/")
        page.locator(".user-button").click()
        faults += look_at(page, "user menu", [size])
    page.reload()
    page.locator(".topbar-menu").click()
    expect(page.locator("#sidebar")).to_have_attribute("role", "dialog")
    faults += look_at(page, "menu on a phone", [PHONE])
    assert not faults, "\n".join(faults)


def test_empty_account(sign_in: Callable[..., Marketer]):
    """Empty states teach, and are pages like any other."""
    page = sign_in("can@demo.peyk").page
    faults = []
    for path in ("/", "/contacts/", "/campaigns/", "/reports/", "/suppression/", "/inbox/", "/credits/"):
        page.goto(path)
        faults += look_at(page, f"empty {path}", is_main=path == "/")
    assert not faults, "\n".join(faults)
