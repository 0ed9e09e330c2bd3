"""Pages that are watched: what a person would not see (errors, refusals, foreign requests) fails the test."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

BROWSER_OPTIONS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]
PATIENCE_MS = 20_000  # two processors shared with the whole stack
expect.set_options(timeout=PATIENCE_MS)


class Size(NamedTuple):
    width: int
    height: int


WIDE = Size(1440, 1000)
PHONE = Size(390, 844)


class Watch:
    """Collects what goes wrong on a page. `forgive` names texts that the test provokes."""

    def __init__(self, page: Page, address: str) -> None:
        self.problems: list[str] = []
        self.forgiven: list[str] = []
        self._host = urlsplit(address).netloc
        page.on("console", self._on_console)
        page.on("pageerror", lambda error: self.problems.append(f"JavaScript: {error}"))
        page.on("request", lambda request: self._check_host(request.url))
        page.on("response", lambda answer: self._check_status(answer.status, answer.url))

    def _on_console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning"):
            self.problems.append(f"console {message.type}: {message.text} ({message.location.get('url', '')})")

    def _check_host(self, url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("data", "blob", "about") and parts.netloc != self._host:
            self.problems.append(f"request to another host: {url}")

    def _check_status(self, status: int, url: str) -> None:
        if status >= 500:
            self.problems.append(f"answer {status}: {url}")

    def forgive(self, *texts: str) -> None:
        self.forgiven += texts

    def list_unforgiven(self) -> list[str]:
        return [problem for problem in self.problems if not any(text in problem for text in self.forgiven)]


@contextmanager
def open_watched_page(browser: Browser, address: str, size: Size, **options: Any) -> Iterator[Page]:
    """A page in a fresh profile, as a person in Turkey has it; raises at the end if something went wrong on it.

    `options` go to `browser.new_context`. The page's `watch` attribute is its Watch.
    """
    context = browser.new_context(
        base_url=address,
        viewport={"width": size.width, "height": size.height},
        locale="tr-TR",
        timezone_id="Europe/Istanbul",
        reduced_motion="reduce",
        **options,
    )
    context.set_default_timeout(PATIENCE_MS)
    page = context.new_page()
    watch = Watch(page, address)
    page.watch = watch  # type: ignore[attr-defined]
    try:
        yield page
    finally:
        context.close()
    assert not watch.list_unforgiven(), "\n".join(watch.list_unforgiven())
