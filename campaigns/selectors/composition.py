"""What a campaign's text becomes for one recipient: fields filled in, opt-out text appended, letters replaced."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import time
from typing import Any, Final, NamedTuple

from django.utils.translation import gettext as _

from accounts.models import Tenant
from contacts.models import ContactField
from messaging.models import SendRun
from smscore import Encoding, Template, compile_template
from smscore.encoding import LIMITS
from smscore.folding import fold_key
from smscore.placeholders import escape
from smscore.segmentation import count_units, cut_text
from smscore.sending_hours import COMMERCIAL_HOURS, SendingWindow
from smscore.transliteration import Level, transliterate

from ..models import Campaign
from .stretch import ROW_FIELDS, ROW_MSISDN, ROW_NAME

MOST_PARTS: Final = 10  # a longer message is refused (issue: bad input)


def get_first_name(name: str) -> str:
    """All but the last word of a full name; a single word is a first name."""
    first, _, last = name.strip().rpartition(" ")
    return first.rstrip() or last


def get_surname(name: str) -> str:
    """The last word of a name of two or more; "" for a single one."""
    first, _, last = name.strip().rpartition(" ")
    return last if first else ""


def _same(text: str) -> str:
    return text


# Fields every contact has, beside the custom ones: what they read from the name, or from the number.
NAME_FIELDS: Final[dict[str, Callable[[str], str]]] = {
    **{fold_key(word): _same for word in ("isim", "ad soyad", "name")},
    **{fold_key(word): get_first_name for word in ("ad", "first name")},
    **{fold_key(word): get_surname for word in ("soyad", "surname")},
}
NUMBER_KEYS: Final = frozenset(fold_key(word) for word in ("numara", "telefon", "msisdn", "number"))

# Dative suffix after a number as it is read aloud: 4609'a (dokuza), 3338'e (sekize), 4606'ya (altıya).
_UNIT_SUFFIXES: Final = {"1": "e", "2": "ye", "3": "e", "4": "e", "5": "e", "6": "ya", "7": "ye", "8": "e", "9": "a"}
_TEN_SUFFIXES: Final = {"2": "ye", "5": "ye", "7": "e", "8": "e"}


Row = Sequence[Any]
"""A row of `stretch.read_stretch`."""


class RowWriter(NamedTuple):
    """`write` makes a row's text (MissingValues as in `Composition.write`); `keys` are the fields it has to read."""

    keys: tuple[str, ...]
    write: Callable[[Row], str]


class Composition(NamedTuple):
    """A campaign's text ready to be rendered per recipient."""

    template: Template
    name_fields: tuple[tuple[str, Callable[[str], str]], ...]  # of this text: key, what it reads from the name
    number_keys: tuple[str, ...]
    without_turkish: bool

    def write(self, msisdn: str, name: str, attributes: Mapping[str, Any]) -> str:
        """The recipient's text. MissingValues if a field has neither value nor fallback."""
        values = self.add_own_values(msisdn, name, attributes)
        text = self.template.fill(values)
        return spell_without_turkish(text) if self.without_turkish else text

    def add_own_values(self, msisdn: str, name: str, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        """The attributes, and what the text's own fields read from the contact itself."""
        if not self.name_fields and not self.number_keys:
            return attributes
        values = dict(attributes)
        for key, read in self.name_fields:
            values[key] = read(name)
        for key in self.number_keys:
            values[key] = msisdn
        return values

    def bind(self) -> "RowWriter":
        """`write` for rows of `stretch.read_stretch`: what a campaign to a million calls."""
        own = dict.fromkeys(self.number_keys, ROW_MSISDN)
        own |= {key: ROW_NAME for key, read in self.name_fields if read is _same}
        derived = [(key, read) for key, read in self.name_fields if read is not _same]
        keys = tuple(sorted(self.template.keys - own.keys() - dict(derived).keys()))
        columns = own | {key: ROW_FIELDS + at for at, key in enumerate(keys)}
        columns |= {key: ROW_FIELDS + len(keys) + at for at, (key, _) in enumerate(derived)}
        fill = self.template.bind(columns)
        write = fill
        if derived:
            readers = tuple(read for _, read in derived)

            def write(row: Row) -> str:
                return fill((*row, *[read(row[ROW_NAME]) for read in readers]))

        if not self.without_turkish:
            return RowWriter(keys, write)
        return RowWriter(keys, lambda row: spell_without_turkish(write(row)))

    def preview(self, msisdn: str, name: str, attributes: Mapping[str, Any]) -> str:
        """As `write`, but a field without a value stays as it was typed: for the eye."""
        text = self.template.preview(self.add_own_values(msisdn, name, attributes))
        return spell_without_turkish(text) if self.without_turkish else text

    def find_missing(self, msisdn: str, name: str, attributes: Mapping[str, Any]) -> tuple[str, ...]:
        """Fields that have neither value nor fallback, as they were typed; () if the message can be sent."""
        return self.template.find_missing(self.add_own_values(msisdn, name, attributes))


def compose(campaign: Campaign, tenant: Tenant) -> Composition:
    """Text and opt-out text of a campaign as one template."""
    text = campaign.text.replace("\r\n", "\n").rstrip()
    footer = get_opt_out_text(campaign, tenant)
    if footer and text:
        text = f"{text}\n{escape(footer)}"
    return make_composition(text, without_turkish=campaign.transliterate)


def make_composition(text: str, *, without_turkish: bool = False) -> Composition:
    """A text compiled for rendering, with how each of its fields is read: from the name, the number, a value."""
    template = compile_template(text)
    keys = sorted(template.keys)
    return Composition(
        template,
        tuple((key, NAME_FIELDS[key]) for key in keys if key in NAME_FIELDS),
        tuple(key for key in keys if key in NUMBER_KEYS),
        without_turkish,
    )


def get_opt_out_text(campaign: Campaign, tenant: Tenant) -> str:
    """The line that tells how to opt out; empty if it is not wanted or the account has no code.

    Every letter of it is plain GSM-7 (ö is, ı and ’ are not): the line never costs a message its encoding.
    """
    if not wants_opt_out_text(campaign) or not (tenant.opt_out_code and tenant.opt_out_number):
        return ""
    number = f"{tenant.opt_out_number}'{dative_suffix(tenant.opt_out_number)}"
    line = f"RET {tenant.opt_out_code} yaz {number} gönder"
    return spell_without_turkish(line) if campaign.transliterate else line


def wants_opt_out_text(campaign: Campaign) -> bool:
    """Commercial messages always name the way out (law 6563 art. 8); others if the user likes."""
    return campaign.append_opt_out or campaign.content_class == SendRun.ContentClass.COMMERCIAL


def spell_without_turkish(text: str) -> str:
    """ç, ğ, ı, ö, ş, ü and their capitals by their nearest Latin letters; everything else as it is."""
    return transliterate(text, Level.NO_TURKISH).text


def dative_suffix(number: str) -> str:
    """The suffix after a written number, by the word that it ends with when read in Turkish."""
    last, before = number[-1:], number[-2:-1]
    if last != "0":
        return _UNIT_SUFFIXES.get(last, "a")
    if before in ("0", ""):
        return "e" if before else "a"  # yüze, bine; sıfıra
    return _TEN_SUFFIXES.get(before, "a")


def count_ucs2_parts(text: str) -> int:
    """Parts a normalised text would have in UCS-2: what the 7-bit tables save is shown against this."""
    single, multi = LIMITS[8][Encoding.UCS2]
    if count_units(text, Encoding.UCS2) <= single:
        return 1 if text else 0
    return len(cut_text(text, Encoding.UCS2, multi)[1])


def find_unknown_fields(template: Template, fields: Iterable[ContactField]) -> tuple[str, ...]:
    """Names in the text that no contact can have, as written, each once."""
    known = NAME_FIELDS.keys() | NUMBER_KEYS | {field.key for field in fields}
    return tuple(dict.fromkeys(field.name for field in template.fields if field.key not in known))


def get_sending_window(campaign: Campaign, tenant: Tenant) -> SendingWindow | None:
    """Hours the campaign keeps to, in the account's zone; None if it may leave at any hour."""
    if campaign.content_class != SendRun.ContentClass.COMMERCIAL or not campaign.respect_sending_hours:
        return None
    return SendingWindow(COMMERCIAL_HOURS.opens, COMMERCIAL_HOURS.closes, zone=tenant.zone)


def get_commercial_hours() -> tuple[time, time]:
    """Local hours between which commercial messages may be sent (specs: turkish-rules)."""
    return COMMERCIAL_HOURS.opens, COMMERCIAL_HOURS.closes


def label_encoding(encoding: str) -> str:
    """The encoding's name as users see it."""
    return {
        Encoding.GSM7: "GSM-7",
        Encoding.GSM7_TR_SINGLE: _("Turkish GSM-7"),
        Encoding.GSM7_TR_LOCKING: _("Turkish GSM-7"),
        Encoding.UCS2: "UCS-2",
    }[Encoding(encoding)]
