"""An account with something on every page, made once per run through the panel."""

from dataclasses import dataclass
from pathlib import Path

from openpyxl import Workbook

from .marketer import Marketer

LIST = "Vitrin"
TEXT = "Merhaba [İsim|değerli müşterimiz], yeni sezon mağazalarımızda."


@dataclass(frozen=True)
class Showroom:
    """Addresses of objects that pages need, as paths."""

    report: str
    draft: str  # the composer's message step
    check: str  # with the audience prepared
    mapping: str  # an import whose columns wait to be matched

    @property
    def pages(self) -> dict[str, str]:
        """Every main page of the panel: name → path."""
        campaign = self.draft.removesuffix("message/")
        return {
            "dashboard": "/",
            "contacts": "/contacts/",
            "lists": "/contacts/lists/",
            "imports": "/contacts/imports/",
            "import upload": "/contacts/imports/new/",
            "import mapping": self.mapping,
            "campaigns": "/campaigns/",
            "recipients": f"{campaign}recipients/",
            "message": self.draft,
            "schedule": f"{campaign}schedule/",
            "check": self.check,
            "templates": "/campaigns/templates/",
            "report": self.report,
            "reports": "/reports/",
            "suppression": "/suppression/",
            "inbox": "/inbox/",
            "senders": "/gateways/senders/",
            "credits": "/credits/",
            "sub-accounts": "/credits/sub-accounts/",
            "members": "/account/members/",
            "settings": "/account/settings/",
            "profile": "/account/profile/",
            "simulator": "/gateways/simulator/",
        }


def furnish(marketer: Marketer, folder: Path) -> Showroom:
    """Imports a list, sends a campaign to it, leaves a draft, a prepared audience and an import half way."""
    path = folder / "vitrin.xlsx"
    write_workbook(path)
    marketer.upload_list(path)
    marketer.finish_import(LIST)
    marketer.send_campaign("Vitrin", LIST, TEXT)
    marketer.wait_until_completed()
    report = read_path(marketer)
    marketer.start_campaign("Vitrin, hazır", LIST)
    marketer.choose_kind()
    marketer.write(TEXT)
    marketer.go_to_check()
    check = read_path(marketer)
    marketer.start_campaign("Vitrin, yarım", "Müşteriler")
    marketer.choose_kind()
    marketer.write(TEXT + " 🎉")  # so that the characters that cost are shown, too
    draft = read_path(marketer)
    marketer.upload_list(path)
    return Showroom(report, draft, check, read_path(marketer))


def write_workbook(path: Path) -> None:
    """Endings 13, 39 and 52 are failed by the demo's operator, each for a reason of its own."""
    book = Workbook()
    sheet = book.active
    sheet.title = "Liste1"
    sheet.append(["Cep Tel", "Ad Soyad", "Şehir", "Son Sipariş", "Tutar", "Kod"])
    for number in (1010, 1011, 1013, 1039, 1052, 1060):
        sheet.append(
            [f"0543 600 {number // 100} {number % 100}", "Gülşah İnan", "Muğla", "12.10.2026", 1240.5, f"SNB-{number}"]
        )
    sheet.append(["0212 555 10 20", "Ali Çınar", "İzmir"])
    book.save(path)


def read_path(marketer: Marketer) -> str:
    return "/" + marketer.page.url.split("/", 3)[3].split("?")[0]
