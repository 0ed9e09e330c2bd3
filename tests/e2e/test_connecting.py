"""A contract of one's own, as its owner connects it: test, sender ID, staff's approval, a campaign over it."""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from gateways.simulator.journal import read_journal

from .conftest import RunningPeyk
from .marketer import Marketer

USER, PASSWORD = "8503000000", "dogru-parola"
CONNECTION, SENDER = "Netgsm, ajans", "ORNEKFIRMA"  # what the double lists as the contract's sender ID
NUMBERS = [f"+905327020{n}" for n in (140, 141, 142)]


@pytest.fixture
def strict_provider(peyk: RunningPeyk) -> Iterator[None]:
    """Lets in who has the right password, as a provider does; the demo's lets in everybody."""
    peyk.script_operator(accounts={"peyk": "peyk", USER: PASSWORD})
    yield
    peyk.script_operator(accounts={})


def test_an_owner_connects_netgsm_and_sends_over_it(
    peyk: RunningPeyk, sign_in: Callable[..., Marketer], page: Page, tmp_path: Path, strict_provider: None
):
    owner = sign_in("deniz@demo.peyk")
    connect_with_a_wrong_password(owner)
    correct_it(owner)
    apply_for_the_sender_id(owner, tmp_path)
    approve_as_staff(Marketer(page), peyk.logins["admin@demo.peyk"])
    send_over_it(owner, tmp_path)
    ask_why_it_went_there(owner)
    sent = [entry for entry in read_journal(peyk.journal) if f"+{entry.msisdn}" in NUMBERS]
    assert sorted(f"+{entry.msisdn}" for entry in sent) == NUMBERS
    assert {entry.sender for entry in sent} == {SENDER}
    peyk.run_checker()


def connect_with_a_wrong_password(owner: Marketer) -> None:
    page = owner.page
    page.goto("/gateways/connections/")
    page.get_by_role("main").get_by_role("link", name="Bağlantı ekle").click()
    page.get_by_role("link", name="Netgsm").click()
    page.get_by_label("Bağlantının adı").fill(CONNECTION)
    expect(page.get_by_label("Bu demonun operatör simülatörüne bağlan")).to_be_checked()
    page.locator("#id_set_username").fill(USER)
    page.locator("#id_set_password").fill("yanlis")
    page.get_by_label("Bu bağlantıdan gönder").select_option("+90")
    owner.press("Kaydet ve test et")
    expect(page.locator("#check")).to_contain_text("Sağlayıcı girişi reddetti.")
    expect(page.locator("#check")).to_contain_text("Kullanıcı adını ve parolayı kontrol edin.")


def correct_it(owner: Marketer) -> None:
    page = owner.page
    page.get_by_role("link", name="Ayarları düzelt").click()
    page.locator("#id_set_password").fill(PASSWORD)
    owner.press("Kaydet ve test et")
    check = page.locator("#check")
    expect(check).to_contain_text("Bağlanıldı ve giriş yapıldı.")
    expect(check).to_contain_text("57.860")
    expect(check).to_contain_text(USER)


def apply_for_the_sender_id(owner: Marketer, folder: Path) -> None:
    page, paper = owner.page, folder / "ticaret-sicili.pdf"
    paper.write_bytes(b"%PDF-1.7\n%%EOF\n")
    page.locator("#check").get_by_role("link", name=SENDER).click()
    expect(page.get_by_label("Başlık*")).to_have_value(SENDER)
    page.locator("input[type=file]").set_input_files(paper)
    owner.press("Başvur")
    page.get_by_role("link", name=SENDER).click()
    expect(page.get_by_role("main")).to_contain_text("Bizim onayımız bekleniyor.")
    expect(page.get_by_role("main")).to_contain_text(paper.name)


def approve_as_staff(staff: Marketer, password: str) -> None:
    page = staff.page
    page.goto("/admin/gateways/senderid/")
    page.get_by_label("E-posta").fill("admin@demo.peyk")
    page.locator("input[type=password]").fill(password)
    staff.press("Giriş yap")
    page.goto("/admin/gateways/senderid/?status__exact=requested")
    page.get_by_role("link", name=SENDER).click()
    expect(page.get_by_role("link", name="ticaret-sicili.pdf")).to_be_visible()
    staff.press("Bekleyen bağlantılarla birlikte onayla")
    expect(page.locator(".messagelist")).to_contain_text("1 başlık değişti.")


def send_over_it(owner: Marketer, folder: Path) -> None:
    path = folder / "ajans.csv"
    path.write_text("Numara\n" + "\n".join(NUMBERS) + "\n")
    owner.upload_list(path)
    owner.finish_import("Ajans listesi")
    owner.start_campaign("Netgsm ile", "Ajans listesi")
    owner.choose_kind(SENDER, "informational")
    owner.write("Yarınki toplantımız 14.00'te.")
    owner.go_to_check()
    assert owner.read_funnel() == {"Listelerde": len(NUMBERS), "Gönderilecek": len(NUMBERS)}
    owner.launch()
    owner.wait_until_completed()
    assert owner.read_legend()["İletildi"] == len(NUMBERS)


def ask_why_it_went_there(owner: Marketer) -> None:
    page = owner.page
    page.reload()
    page.locator("#recipients tbody tr a").first.click()
    page.get_by_role("link", name="Neden bu yoldan gitti?").click()
    expect(page.get_by_role("main")).to_contain_text(re.compile(rf"{CONNECTION}\s*Seçildi"))
