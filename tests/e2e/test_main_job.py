"""The main job as a marketer does it: from a spreadsheet to a report, and a phone that says RET."""

import csv
import re
from collections import Counter
from datetime import date
from pathlib import Path

from openpyxl import Workbook, load_workbook
from playwright.sync_api import Locator, expect

from gateways.simulator.journal import read_journal

from .conftest import RunningPeyk
from .marketer import Marketer

HEADER = ["Cep Tel", "Ad Soyad", "İl", "Son Sipariş", "Tutar"]
CUSTOMERS = 24
LANDLINE, DAMAGED = "0212 555 10 20", "9,05E+11"
PREFIX = "+90532700"
LIST = "Kasım müşterileri"
TEXT = "Merhaba [İsim|değerli müşterimiz], sonbahar alışverişinizde %20 indirim sizi bekliyor."


def number_of(row: int) -> str:
    """Endings from 40 on, of which the demo's operator fails 52 only."""
    return f"{PREFIX}{1040 + row}"


def write_workbook(path: Path) -> None:
    """A list as shops keep it: spellings mixed, one name missing, a landline, a repeat and a number Excel has eaten."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Müşteriler"
    sheet.append(HEADER)
    for row in range(CUSTOMERS):
        name = "" if row == 1 else f"Çağrı Işık {chr(65 + row)}"
        phone = number_of(row).replace("+90", "0") if row % 2 else int(number_of(row)[3:])
        sheet.append([phone, name, "Muğla", date(2026, 10, 1), 149.9])
    sheet.append([LANDLINE, "Ali Çınar", "İzmir", None, 10])
    sheet.append([number_of(0).replace("+90", "0 "), "Çağrı Işık A", "Muğla", None, 20])
    sheet.append([DAMAGED, "Ülkü İnan", "Iğdır", None, 30])
    book.save(path)


def test_a_marketer_does_the_main_job(peyk: RunningPeyk, ayse: Marketer, tmp_path: Path):
    import_the_list(ayse, tmp_path)
    compose(ayse)
    ayse.go_to_check()
    assert ayse.read_funnel() == {"Listelerde": CUSTOMERS, "Gönderilecek": CUSTOMERS}
    ayse.launch()
    read_the_report(ayse)
    check_the_exports(ayse)
    say_ret(ayse, number_of(3))
    leave_out_who_said_ret(ayse)
    count_submits(peyk)
    peyk.run_checker()


def import_the_list(ayse: Marketer, folder: Path) -> None:
    path = folder / "müşteriler.xlsx"
    write_workbook(path)
    ayse.upload_list(path)
    preview = ayse.page.locator("#preview")
    expect(preview).to_contain_text(f"{CUSTOMERS} geçerli numara")
    expect(preview).to_contain_text("1 yinelenen")
    expect(preview).to_contain_text("2 geçersiz")
    expect(preview.locator("select").first).to_have_value("msisdn")
    expect(preview.locator("tbody")).to_contain_text(number_of(0))
    ayse.finish_import(LIST)
    assert ayse.read_stat("Yeni kişi") == str(CUSTOMERS)
    assert ayse.read_stat("Dosyada yinelenen") == "1"
    assert ayse.read_stat("Alınmayan") == "2"


def compose(ayse: Marketer) -> None:
    page = ayse.page
    ayse.start_campaign("Kasım indirimi", LIST)
    ayse.choose_kind()
    encoding = page.locator("[data-encoding]")
    ayse.write("Merhaba, %20 indirim sizi bekliyor.")
    # The opt-out text that is appended has no Turkish letters either.
    expect(encoding).to_have_text("GSM-7")
    page.get_by_label("Metin", exact=True).fill("Merhaba ")
    page.get_by_role("group", name="Ekle").get_by_role("button", name="İsim", exact=True).click()
    expect(page.locator("#id_text")).to_have_value("Merhaba [İsim|değerli müşterimiz]")
    ayse.write(TEXT)
    expect(encoding).to_have_text("Türkçe GSM-7")
    ayse.write(TEXT + " 🎉")
    expect(encoding).to_have_text("UCS-2")
    expect(page.locator("mark.culprit")).to_have_text("🎉")
    page.get_by_role("button", name="Çıkar", exact=True).click()
    expect(encoding).to_have_text("Türkçe GSM-7")
    expect(page.locator("#id_text")).not_to_have_value(re.compile("🎉"))
    leaf_through_recipients(ayse)
    leaf_twice_in_one_breath(ayse)
    send_a_test(ayse)


def leaf_through_recipients(ayse: Marketer) -> None:
    bubble = ayse.page.locator("[data-preview]")
    expect(bubble).to_contain_text("Merhaba Çağrı Işık A,")
    ayse.press("Sonraki alıcı")
    expect(bubble).to_contain_text("Merhaba değerli müşterimiz,")
    ayse.press("Sonraki alıcı")
    expect(bubble).to_contain_text("Merhaba Çağrı Işık C,")
    ayse.press("Önceki alıcı")
    expect(bubble).to_contain_text("Merhaba değerli müşterimiz,")
    ayse.press("Önceki alıcı")
    expect(bubble).to_contain_text("Merhaba Çağrı Işık A,")
    expect(bubble).to_contain_text("AYSEBUTIK")


def send_a_test(ayse: Marketer) -> None:
    ayse.press("Test gönder")
    dialog = ayse.page.locator("#test-dialog")
    dialog.get_by_label("Numaranız").fill(f"{PREFIX}9940")
    dialog.get_by_role("button", name="Testi gönder").click()
    expect(dialog.locator("#test-result")).to_contain_text("yola çıktı")
    dialog.get_by_role("button", name="Kapat").click()


def leaf_twice_in_one_breath(ayse: Marketer) -> None:
    """Two clicks in one breath move by two recipients, and the button keeps the keyboard."""
    who, position = ayse.page.locator(".phone-who"), ayse.page.locator("#preview-position")
    first = who.inner_text()
    following = ayse.page.get_by_role("button", name="Sonraki alıcı")
    following.evaluate("button => { button.focus(); button.click(); button.click(); }")
    expect(position).to_have_value("3")
    expect(who).not_to_have_text(first)
    expect(ayse.page.locator("[data-preview]")).to_contain_text("Merhaba Çağrı Işık C,")
    expect(following).to_be_focused()
    ayse.page.get_by_role("button", name="Önceki alıcı").evaluate("button => { button.click(); button.click(); }")
    expect(who).to_have_text(first)


def read_the_report(ayse: Marketer) -> None:
    """It moves by itself: the page is not loaded again."""
    ayse.wait_until_completed()
    expect(ayse.page.locator("#report-live")).to_contain_text(f"{CUSTOMERS} / {CUSTOMERS}")
    counted = ayse.read_legend()
    assert sum(counted.values()) == CUSTOMERS
    assert counted["İletildi"] == CUSTOMERS - 1  # …52 is out of reach
    expect(ayse.page.locator("#report-live .bar-list")).to_have_count(1)
    ayse.page.goto("/reports/")
    ayse.page.get_by_role("link", name="Kasım indirimi").first.click()
    expect(ayse.page.locator("#recipients tbody tr")).to_have_count(CUSTOMERS)


def check_the_exports(ayse: Marketer) -> None:
    with open(ayse.download("CSV").path(), encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file, delimiter=";"))
    assert {row["Numara"] for row in rows} == {number_of(row)[1:] for row in range(CUSTOMERS)}
    assert Counter(row["Durum"] for row in rows) == {"İletildi": CUSTOMERS - 1, "İletilmedi": 1}
    (nameless,) = [row for row in rows if row["Numara"] == number_of(1)[1:]]
    assert nameless["Mesaj"].startswith("Merhaba değerli müşterimiz,")
    with open(ayse.download("XLSX").path(), "rb") as file:
        table = list(load_workbook(file).active.iter_rows(values_only=True))
    assert len(table) == CUSTOMERS + 1
    assert {str(row[0]) for row in table[1:]} == {number_of(row) for row in range(CUSTOMERS)}


def say_ret(ayse: Marketer, number: str) -> None:
    page = ayse.page
    page.goto(f"/gateways/simulator/?number={number.replace('+', '%2B')}")
    expect(page.locator("#phone-screen")).to_contain_text("Merhaba Çağrı Işık D,")
    page.get_by_role("button", name="RET", exact=True).click()
    expect(page.locator("#toasts")).to_contain_text("yanıt")
    entry = page.get_by_role("main").get_by_text(re.compile(f"{number[3:6]} {number[6:9]} 10 43"))
    for _ in range(20):
        page.goto(f"/suppression/?q={number[3:]}")
        if entry.count():
            break
        page.wait_for_timeout(250)
    expect(entry.first).to_be_visible()


def leave_out_who_said_ret(ayse: Marketer) -> None:
    ayse.start_campaign("Aralık indirimi", LIST)
    ayse.choose_kind()
    ayse.write(TEXT)
    ayse.go_to_check()
    assert ayse.read_funnel() == {"Listelerde": CUSTOMERS, "Kara listede": 1, "Gönderilecek": CUSTOMERS - 1}
    double_click_launch(ayse)
    ayse.wait_until_completed()
    expect(ayse.page.locator("#report-live")).to_contain_text(f"{CUSTOMERS - 1} / {CUSTOMERS - 1}")


def double_click_launch(ayse: Marketer) -> None:
    """Impatient people click everything twice."""
    ayse.launch_button.dblclick()
    yes: Locator = ayse.page.locator("#confirm-dialog").get_by_role("button", name="Şimdi gönder")
    yes.dblclick()
    expect(ayse.page.locator("#report-live")).to_be_visible()


def count_submits(peyk: RunningPeyk) -> None:
    """What reached the operator: two campaigns, and the one who said RET only in the first."""
    taken = Counter(f"+{entry.msisdn}" for entry in read_journal(peyk.journal) if entry.part == 1)
    expected = {number_of(row): 2 for row in range(CUSTOMERS)} | {number_of(3): 1}
    assert {number: taken[number] for number in expected} == expected
    assert taken[f"{PREFIX}9940"] == 1


def test_a_running_campaign_pauses_goes_on_and_is_cancelled(peyk: RunningPeyk, ayse: Marketer):
    """The demo's connection sends 40 a second, so its list of some 400 takes ten seconds."""
    page = ayse.page
    ayse.send_campaign("Duraklatılan", "Müşteriler", TEXT)
    state = page.locator("#report-state")
    expect(page.get_by_role("button", name="Duraklat", exact=True)).to_be_visible()
    ayse.press("Duraklat")
    expect(state).to_have_text("Duraklatıldı")
    page.wait_for_timeout(1500)  # what was on the wire is answered
    page.reload()
    sent_when_paused = count_sent(ayse)
    page.wait_for_timeout(1500)
    page.reload()
    assert count_sent(ayse) == sent_when_paused
    ayse.press("Sürdür")
    expect(state).to_have_text("Gönderiliyor")
    expect(page.locator("#report-live strong").first).not_to_have_text(re.compile(f"^{sent_when_paused} /"))
    ayse.press("Gönderimi iptal et")
    page.locator("#confirm-dialog").get_by_role("button", name="Kampanyayı iptal et").click()
    expect(state).to_have_text("İptal edildi", timeout=30_000)
    counted = ayse.read_legend()
    total = read_total(ayse)
    assert 0 < count_sent(ayse) < total
    assert counted["Sırada"] == 0
    assert sum(counted.values()) == total
    peyk.run_checker()


def count_sent(ayse: Marketer) -> int:
    return int(ayse.page.locator("#report-live p strong").first.inner_text().split(" / ")[0])


def read_total(ayse: Marketer) -> int:
    return int(ayse.page.locator("#report-live p strong").first.inner_text().split(" / ")[1])
