"""What a provider will bill for a text, which is not always what the standard says (sms-encoding §9).

The segmenter is exact and decides what is sent. Providers publish ladders of their own: some count a
Turkish letter once, some take the operator's code (` B038`, five units at the end) out of the room, some
end at seven parts. The result is an estimate and is to be shown as one.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from smscore.alphabet import EXTENSION_TABLE, TURKISH_LETTERS
from smscore.encoding import LIMITS, Encoding, Limits
from smscore.segmentation import Segmentation, count_parts, segment

WRITABLE_TURKISH: Final = frozenset("öüÖÜÇ")
"""Turkish letters that the plain mode can write as well."""


@dataclass(frozen=True)
class BillingProfile:
    """How a gateway account counts. The default counts as the standard does, without the operator's code."""

    national: bool = True
    """Has a Turkish mode; otherwise Turkish letters make a text UCS-2."""
    widens_turkish: bool = False
    """Any Turkish letter brings a text into the Turkish mode, also those of WRITABLE_TURKISH (VatanSMS)."""
    turkish_letter_cost: int = 2
    """1 where the ladder is that of the locking shift (Verimor, Infobip), 2 by the single shift."""
    extension_cost: int = 2
    suffix_units: int = 0
    """Units kept for the operator's code: 0 or 5, once a message."""
    most_parts: int = 255

    @property
    def has_usual_widths(self) -> bool:
        """Characters are as wide as those that are sent."""
        return self.turkish_letter_cost == 2 and self.extension_cost == 2

    def find_capacity(self, encoding: Encoding, parts: int) -> int:
        """Units of text that fit into so many parts, before the operator's code."""
        limits = LIMITS[8][encoding]
        return (limits.multi * parts if parts > 1 else limits.single) - self.suffix_units


class BilledParts(NamedTuple):
    """An estimate; `encoding` is the mode that is billed, `fits` false if the provider would refuse so many parts."""

    encoding: Encoding
    parts: int
    units: int
    fits: bool


STANDARD: Final = BillingProfile()


def estimate_parts(text: str, profile: BillingProfile = STANDARD) -> BilledParts:
    """Estimate what a provider bills for `text`; 0 parts for an empty one."""
    if profile == STANDARD:
        encoding, parts, units = count_parts(text)
        return BilledParts(encoding, parts, units, parts <= profile.most_parts)
    segmentation = segment(text, national=profile.national)
    encoding, units = _find_mode(segmentation, profile), segmentation.units
    limits = LIMITS[8][encoding]
    quick = _count_quickly(units, profile.suffix_units, limits) if profile.has_usual_widths else None
    if quick is not None:
        parts = quick
    else:
        widths = [_width(char, encoding, profile) for char in segmentation.text]
        units, parts = sum(widths), _count_packed(widths, profile.suffix_units, limits)
    return BilledParts(encoding, parts, units, parts <= profile.most_parts)


def _find_mode(segmentation: Segmentation, profile: BillingProfile) -> Encoding:
    widens = profile.widens_turkish and profile.national and segmentation.encoding is Encoding.GSM7
    if widens and not WRITABLE_TURKISH.isdisjoint(segmentation.text):
        return Encoding.GSM7_TR_SINGLE
    return segmentation.encoding


def _count_quickly(units: int, suffix: int, limits: Limits) -> int | None:
    """Parts without looking at the characters; None where a wide one at the end of a part may make one more."""
    if not units:
        return 0
    units += suffix
    if units <= limits.single:
        return 1
    parts = -(-units // limits.multi)
    return parts if units + parts - 1 <= parts * limits.multi else None


def _width(char: str, encoding: Encoding, profile: BillingProfile) -> int:
    if encoding is Encoding.UCS2:
        return 2 if ord(char) > 0xFFFF else 1
    if char in TURKISH_LETTERS:
        return profile.turkish_letter_cost
    return profile.extension_cost if char in EXTENSION_TABLE else 1


def _count_packed(widths: list[int], suffix: int, limits: Limits) -> int:
    if not widths:
        return 0
    widths = widths + [1] * suffix
    if sum(widths) <= limits.single:
        return 1
    parts, used = 1, 0
    for width in widths:
        if used + width > limits.multi:
            parts, used = parts + 1, 0
        used += width
    return parts
