"""Pictures of the panel for README and for looking at: `./dev screenshots [name …]` runs this on a stack of its own.

The README's pictures go to docs/images, all others (dark, phone, English) to var/screenshots. Names choose pictures:
`composer`, `report-dark`, …; without names all are taken.
"""

import json
import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Page, expect, sync_playwright

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from contacts.demo_files import write_messy_file  # noqa: E402
from tests.e2e.browsing import BROWSER_OPTIONS, PHONE, WIDE, Size, open_watched_page  # noqa: E402
from tests.e2e.marketer import Marketer  # noqa: E402

IMAGES, OTHERS = ROOT / "docs" / "images", ROOT / "var" / "screenshots"
IN_README = {"composer", "report"}
MAIL = "ayse@demo.peyk"
MINUTE_AND_A_BIT = 75_000
TEXT = "Merhaba [İsim|değerli müşterimiz], sonbahar koleksiyonunda %20 indirim sizi bekliyor. Kodunuz: [Kod]"
LIST = "Kasım müşterileri"


@contextmanager
def panel(browser: Browser, size: Size = WIDE, theme: str = "light", session: object = None) -> Iterator[Marketer]:
    address = os.environ["PEYK_ADDRESS"].rstrip("/")
    with open_watched_page(browser, address, size, color_scheme=theme, storage_state=session) as page:
        yield Marketer(page)


def sign_in(browser: Browser) -> object:
    logins = json.loads((Path(os.environ["PEYK_VAR_DIR"]) / "demo.json").read_text())["logins"]
    (password,) = [row["password"] for row in logins if row["email"] == MAIL]
    with panel(browser) as marketer:
        marketer.sign_in(MAIL, password)
        return marketer.page.context.storage_state()


def furnish(marketer: Marketer) -> dict[str, str]:
    """Imports, sends, and leaves things half-way as on a working day; returns the pages of the pictures."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "musteriler_kasim.xlsx"
        write_messy_file(path, 4000, "xlsx", seed=7)
        marketer.upload_list(path)
        marketer.finish_import(LIST)
        marketer.send_campaign("Sadık müşterilere teşekkür", "Sadık müşteriler", TEXT)
        marketer.wait_until_completed(180)
        marketer.send_campaign("Sonbahar indirimi", LIST, TEXT)
        report = marketer.page.url
        marketer.start_campaign("Yılbaşı kampanyası", LIST)
        marketer.choose_kind()
        marketer.write(TEXT)
        composer = marketer.page.url
        write_messy_file(path, 2500, "xlsx", seed=8)
        marketer.upload_list(path)
        mapping = marketer.page.url
    marketer.page.wait_for_timeout(MINUTE_AND_A_BIT)  # a chart of one minute says little
    check = composer.replace("/message/", "/check/")
    return {
        "composer": composer,
        "recipients": composer.replace("/message/", "/recipients/"),
        "check": check,
        "import": mapping,
        "report": report,
        "dashboard": "/",
        "campaigns": "/campaigns/",
        "contacts": "/contacts/",
    }


def take(page: Page, url: str, path: Path) -> None:
    page.goto(url)
    expect(page.get_by_role("heading", level=1)).to_be_visible()
    page.evaluate("document.fonts.ready")
    page.wait_for_timeout(400)
    path.parent.mkdir(parents=True, exist_ok=True)
    is_phone = page.viewport_size is not None and page.viewport_size["width"] == PHONE.width
    page.screenshot(path=path, full_page=is_phone, animations="disabled", caret="hide")
    print(f"{path.relative_to(ROOT)}  {path.stat().st_size // 1024} KB", flush=True)


def main(wanted: list[str]) -> int:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["PEYK_CHROMIUM"], args=BROWSER_OPTIONS)
        session = sign_in(browser)
        with panel(browser, session=session) as marketer:
            pages = furnish(marketer)
        for suffix, size, theme in (
            ("", WIDE, "light"),
            ("-dark", WIDE, "dark"),
            ("-phone", PHONE, "light"),
            ("-phone-dark", PHONE, "dark"),
        ):
            with panel(browser, size, theme, session) as marketer:
                for name, url in pages.items():
                    if not wanted or name + suffix in wanted:
                        folder = IMAGES if name + suffix in IN_README else OTHERS
                        take(marketer.page, url, folder / f"{name}{suffix}.png")
        with panel(browser, session=session) as marketer:
            marketer.page.goto("/")
            marketer.page.locator(".user-button").click()
            marketer.page.get_by_role("button", name="English").click()
            for name in ("composer", "report", "import"):
                if not wanted or f"{name}-en" in wanted:
                    take(marketer.page, pages[name], OTHERS / f"{name}-en.png")
        browser.close()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
