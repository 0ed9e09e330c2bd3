"""What the demo accounts hold: made-up people, texts and lists. The numbers belong to nobody we know; they reach only
the operator simulator."""

import csv
import random
from io import BytesIO, TextIOWrapper
from typing import Final, NamedTuple

PASSWORD: Final = "peyk-demo-2026"  # noqa: S105 - known to everybody; seed_demo refuses to run in production
SEED: Final = 20261122


class Login(NamedTuple):
    email: str
    full_name: str
    about: str  # shown beside the password


LOGINS: Final = (
    Login("ayse@demo.peyk", "Ayşe Kaya", "Ayşe Butik, sahibi"),
    Login("burak@demo.peyk", "Burak Demir", "Ayşe Butik, editör"),
    Login("deniz@demo.peyk", "Deniz Aydın", "Dijital Ajans, sahibi; alt hesaplara geçebilir"),
    Login("can@demo.peyk", "Can Yıldız", "Can Market, yeni ve boş hesap"),
    Login("admin@demo.peyk", "Platform Yöneticisi", "platform yönetimi (/admin/)"),
)

CUSTOMER_LIST: Final = "Müşteriler"
LOYAL_LIST: Final = "Sadık müşteriler"
STAFF_LIST: Final = "Çalışanlar"
FIELDS: Final = (("Kod", "text"), ("Şehir", "text"), ("Tutar", "number"))

TEMPLATES: Final = (
    ("Sipariş yolda", "Merhaba [İsim|değerli müşterimiz], siparişiniz kargoya verildi. Ayşe Butik"),
    ("İndirim kodu", "[İsim|Merhaba], %20 indirim kodunuz: [Kod]. Mağazalarımızda ve sitemizde geçerli."),
    ("Doğum günü", "İyi ki doğdunuz, [İsim|değerli müşterimiz]! Bugüne özel hediyeniz mağazada sizi bekliyor."),
)
CAMPAIGN_NAME: Final = "Sonbahar indirimi"
CAMPAIGN_TEXT: Final = (
    "[İsim|Değerli müşterimiz], sonbahar koleksiyonu geldi! [Kod] koduyla bu hafta sonu %20 indirim. "
    "[Şehir|Size en yakın] mağazamıza bekleriz."
)

_FIRST = (
    "Ayşe Fatma Emine Hatice Zeynep Elif Meryem Şerife Zehra Sultan Hanife Merve Havva Özlem Büşra Gül Çiğdem İrem "
    "Nazlı Şule Mehmet Mustafa Ahmet Ali Hüseyin Hasan İbrahim İsmail Osman Yusuf Murat Ömer Ramazan Halil Süleyman "
    "Abdullah Uğur Çağrı Tuğba Işıl Oğuz Gökçe Barış Volkan Ümit Şükran"
)
_LAST = (
    "Yılmaz Kaya Demir Çelik Şahin Yıldız Yıldırım Öztürk Aydın Özdemir Arslan Doğan Kılıç Aslan Çetin Kara Koç Kurt "
    "Özkan Şimşek Polat Öz Güneş Işık Erdoğan Yalçın Tekin Bulut Ünal Gül Avcı Taş Aksoy Güler Ateş"
)
_CITIES = ("İstanbul", "Ankara", "İzmir", "Bursa", "Antalya", "Adana", "Şanlıurfa", "Eskişehir", "Muğla", "Iğdır")
_BLOCKS = ("532", "533", "535", "542", "544", "545", "505", "506", "552", "555")


def write_customer_file(rows: int, seed: int = SEED) -> BytesIO:
    """A list as a shop keeps it: CSV in UTF-8, semicolons, with a few repeats, blanks and numbers that cannot be."""
    chance = random.Random(seed)  # noqa: S311 - made-up people, not secrets
    buffer = BytesIO()
    text = TextIOWrapper(buffer, encoding="utf-8-sig", newline="", write_through=True)
    writer = csv.writer(text, delimiter=";")
    writer.writerow(["Telefon", "İsim", "Soyad", "Kod", "Şehir", "Tutar"])
    numbers = [f"0{chance.choice(_BLOCKS)} {chance.randrange(10**7):07d}" for _ in range(rows)]
    for n in range(rows):
        city = chance.choice(_CITIES) if n % 12 else ""
        amount = f"{chance.randrange(90, 4200)},{chance.randrange(100):02d}"
        names = [chance.choice(_FIRST.split()), chance.choice(_LAST.split())]
        writer.writerow([_spoil(numbers, n), *names, f"SNB-{1000 + n}", city, amount])
    text.detach()
    buffer.seek(0)
    return buffer


def _spoil(numbers: list[str], n: int) -> str:
    """The number of a row, or what people leave there instead."""
    if n % 97 == 50:
        return numbers[n - 10]
    if n % 131 == 60:
        return "0212 555 12 12"
    return "5,32E+09" if n % 151 == 70 else numbers[n]
