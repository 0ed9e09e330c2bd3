"""What a marketer does in the panel, step by step, in the panel's Turkish."""

import re
from pathlib import Path

from playwright.sync_api import Download, Locator, Page, expect

SAVED = re.compile(r"/(recipients|message|schedule)/save/$")


class Marketer:
    """A signed-in person in front of the panel. Methods say what they do; each leaves the page they end on open."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def sign_in(self, email: str, password: str) -> None:
        self.page.goto("/auth/login/")
        self.page.get_by_label("E-posta").fill(email)
        self.page.locator("input[type=password]").fill(password)
        self.page.get_by_role("button", name="Giriş yap").click()
        expect(self.page.get_by_role("heading", level=1)).to_have_text("Genel bakış")

    def press(self, name: str, *, exact: bool = True) -> None:
        self.page.get_by_role("button", name=name, exact=exact).click()

    def upload_list(self, path: Path) -> None:
        """Ends on the page where columns are matched."""
        self.page.goto("/contacts/imports/new/")
        self.page.locator("#id_file").set_input_files(path)
        self.press("Yükle ve devam et")
        expect(self.page.locator("#mapping-form")).to_be_visible()

    def finish_import(self, list_name: str) -> None:
        """Ends on the import's own page, with its result."""
        self.page.locator("#id_list_name").fill(list_name)
        self.page.locator("button[form=mapping-form]").click()
        expect(self.page.get_by_role("link", name="Kişileri göster")).to_be_visible()

    def start_campaign(self, name: str, list_name: str) -> None:
        """Ends on the message step."""
        self.page.goto("/campaigns/new/")
        self.page.locator("#id_name").fill(name)
        self.press("Alıcıları seç")
        row = self.page.locator("#lists tbody tr").filter(has=self.page.get_by_role("cell", name=list_name, exact=True))
        row.locator("label.segmented-include").click()
        self.press("Devam: Mesaj")
        expect(self.page.locator("#id_text")).to_be_visible()

    def write(self, text: str) -> None:
        """Types the message and waits until the draft is kept and the counter knows it."""
        with self.page.expect_response(lambda answer: bool(SAVED.search(answer.url))):
            self.page.locator("#id_text").fill(text)

    def choose_kind(self, sender: str = "AYSEBUTIK", kind: str = "commercial") -> None:
        with self.page.expect_response(lambda answer: bool(SAVED.search(answer.url))):
            self.page.locator("#id_sender").select_option(label=sender)
            self.page.locator("#id_content_class").select_option(kind)

    def go_to_check(self) -> None:
        """From the message step; any hour of the day will do. Ends with the audience prepared."""
        self.press("Devam: Zamanlama")
        self.page.get_by_label("Ticari mesajlar yalnızca").uncheck()
        self.press("Devam: Kontrol")
        expect(self.launch_button).to_be_enabled()

    @property
    def launch_button(self) -> Locator:
        return self.page.locator(".btn-launch")

    def launch(self) -> None:
        """Ends on the report."""
        self.launch_button.click()
        self.page.locator("#confirm-dialog").get_by_role("button", name="Şimdi gönder").click()
        expect(self.page.locator("#report-live")).to_be_visible()

    def send_campaign(self, name: str, list_name: str, text: str) -> None:
        """From nothing to the report of a running campaign."""
        self.start_campaign(name, list_name)
        self.choose_kind()
        self.write(text)
        self.go_to_check()
        self.launch()

    def wait_until_completed(self, seconds: float = 60) -> None:
        expect(self.page.locator("#report-state")).to_have_text("Tamamlandı", timeout=seconds * 1000)

    def read_funnel(self) -> dict[str, int]:
        """The check step's audience: label → count, without reasons that left nobody out."""
        rows = self.page.locator("table.funnel tr").all()
        counts = {row.locator("th").inner_text(): int(row.locator(".funnel-count").inner_text()) for row in rows}
        return {label.removeprefix("− "): count for label, count in counts.items() if count}

    def read_stat(self, label: str) -> str:
        stats = self.page.locator(".stat").filter(has=self.page.get_by_text(label, exact=True))
        return stats.locator(".stat-value").inner_text()

    def read_legend(self) -> dict[str, int]:
        """The report's progress bar: state → messages."""
        texts = self.page.locator("#report-live .chart-legend").first.locator("li").all_inner_texts()
        return {label: int(number) for label, number in (text.rsplit(" ", 1) for text in texts)}

    def download(self, kind: str) -> Download:
        self.page.get_by_role("button", name="Dışa aktar").click()
        with self.page.expect_download() as started:
            self.page.get_by_role("link", name=kind).click()
        return started.value
