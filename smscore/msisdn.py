"""Mobile numbers as people and spreadsheets write them, to E.164 (turkish-rules §13).

Turkish mobiles go through one regular expression; everything else through `phonenumbers`. A Turkish number
is taken if its national part is 5 and nine digits, allocated block or not: blocks are opened faster than
tables are updated. Nothing is guessed: damaged, doubled or ambiguous input is refused with a reason.
"""

import re
from enum import Enum
from typing import Final

import phonenumbers
from phonenumbers import PhoneNumberType

from smscore import phone_cell
from smscore.phone_cell import RejectReason

__all__ = [
    "InvalidMsisdn",
    "Msisdn",
    "Operator",
    "RejectReason",
    "format_msisdn",
    "mask_msisdn",
    "normalise_msisdn",
    "operator_of",
    "parse_msisdn",
    "split_msisdns",
]

# 905…, +905…, 00905…, 05…, 5… and the 0 that people leave in after the country code.
_TURKISH: Final = re.compile(r"(?:(?:\+|00)?90)?0?(5[0-9]{9})").fullmatch
_TURKISH_TYPED: Final = re.compile(
    r"(?:(?:\+|00)?90[ .-]?)?(?:0|\(0\)|\(0(?=5[0-9]{2}\)))?[ .-]?"
    r"\(?(5[0-9]{2})\)?[ ./-]?([0-9]{3})[ .-]?([0-9]{2})[ .-]?([0-9]{2})"
).fullmatch
_E164_TURKISH: Final = re.compile(r"\+905[0-9]{9}").fullmatch

_MOBILE_TYPES: Final = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
_TURKISH_LANDLINE: Final = re.compile("[234][0-9]{9}").fullmatch
_TURKISH_SPECIAL: Final = re.compile("444[0-9]{4}|8[0-9]{9}|8[0-9]{11,12}|900[0-9]{7}").fullmatch


class InvalidMsisdn(ValueError):
    """The input is no number an SMS can be sent to.

    `reason` says why. The input itself is not in the message.
    """

    def __init__(self, reason: RejectReason) -> None:
        super().__init__(reason.value)
        self.reason = reason


class Msisdn(str):
    """An E.164 number with its `+`; a plain string with a few questions it can answer."""

    __slots__ = ()

    @property
    def e164(self) -> str:
        """The number as a plain string."""
        return str.__str__(self)

    @property
    def is_turkish(self) -> bool:
        return self.startswith("+90")

    @property
    def region(self) -> str:
        """Two-letter country code; `ZZ` where a calling code belongs to no country."""
        if self.is_turkish:
            return "TR"
        return phonenumbers.region_code_for_number(phonenumbers.parse(self)) or "ZZ"

    @property
    def digits(self) -> str:
        """Without the `+`, as SMPP and several providers want it."""
        return self[1:]


class Operator(Enum):
    """Whose block a Turkish number was born in. A hint only: numbers have been portable since 2008."""

    TURKCELL = "turkcell"
    VODAFONE = "vodafone"
    TURK_TELEKOM = "turktelekom"
    OTHER = "other"


def parse_msisdn(raw: object, default_region: str = "TR") -> Msisdn:
    """Return the mobile number that a cell or form field holds; InvalidMsisdn with a reason otherwise.

    `raw` may be text, int or float (a spreadsheet's number). Numbers without country code belong to
    `default_region`.
    """
    result = normalise_msisdn(raw, default_region)
    if isinstance(result, RejectReason):
        raise InvalidMsisdn(result)
    return Msisdn(result)


def normalise_msisdn(raw: object, default_region: str = "TR") -> str | RejectReason:
    """Like `parse_msisdn` without exceptions and objects, for loops over millions.

    E.164 or the reason against it.
    """
    if type(raw) is str and default_region == "TR":
        match = _TURKISH(raw)
        if match:
            return "+90" + match[1]
        match = _TURKISH_TYPED(raw)
        if match:
            return "+90" + match[1] + match[2] + match[3] + match[4]
    cleaned = phone_cell.clean(raw)
    if isinstance(cleaned, RejectReason):
        return cleaned
    if default_region == "TR":
        match = _TURKISH(cleaned)
        if match:
            return "+90" + match[1]
    elif cleaned.startswith(("+90", "0090")) and (match := _TURKISH(cleaned)):
        return "+90" + match[1]
    return _normalise_slowly(cleaned, default_region)


def split_msisdns(raw: object, default_region: str = "TR") -> tuple[str, ...]:
    """Return the numbers of a cell that holds several; empty unless every one of them is valid."""
    results = [normalise_msisdn(piece, default_region) for piece in phone_cell.split(raw)]
    numbers = [result for result in results if isinstance(result, str)]
    return tuple(dict.fromkeys(numbers)) if len(numbers) == len(results) else ()


def operator_of(msisdn: str) -> Operator:
    """Guess the operator of an E.164 number from its block."""
    if not msisdn.startswith("+905"):
        return Operator.OTHER
    return _OPERATOR_BY_BLOCK.get(msisdn[3:6]) or _OPERATOR_BY_BLOCK.get(msisdn[3:5], Operator.OTHER)


_OPERATOR_BY_BLOCK: Final = {
    "501": Operator.TURK_TELEKOM,
    "505": Operator.TURK_TELEKOM,
    "506": Operator.TURK_TELEKOM,
    "507": Operator.TURK_TELEKOM,
    "53": Operator.TURKCELL,
    "54": Operator.VODAFONE,
    "55": Operator.TURK_TELEKOM,
}


def mask_msisdn(msisdn: str) -> str:
    """Hide all but the last four digits, for logs and for people without the permission to see numbers."""
    return "*" * max(len(msisdn) - 4, 0) + msisdn[-4:] if len(msisdn) > 7 else "*" * len(msisdn)


def format_msisdn(msisdn: str) -> str:
    """Write an E.164 number for the eye: `0532 123 45 67`, other countries internationally."""
    if _E164_TURKISH(msisdn):
        return f"0{msisdn[3:6]} {msisdn[6:9]} {msisdn[9:11]} {msisdn[11:]}"
    try:
        number = phonenumbers.parse(msisdn)
    except phonenumbers.NumberParseException:
        return msisdn
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def _normalise_slowly(cleaned: str, region: str) -> str | RejectReason:
    """`cleaned` is ASCII digits with an optional leading plus, and no Turkish mobile."""
    if region == "TR":
        reason = _explain_turkish(cleaned)
        if reason:
            return reason
    try:
        number = phonenumbers.parse(cleaned, region)
    except phonenumbers.NumberParseException as error:
        return _PARSE_REASONS.get(error.error_type, RejectReason.NOT_A_NUMBER)
    if number.country_code == 90:
        national = phonenumbers.national_significant_number(number)
        return _explain_turkish_national(national)
    possible = phonenumbers.is_possible_number_with_reason(number)
    if possible in _LENGTH_REASONS:
        return _LENGTH_REASONS[possible]
    kind = phonenumbers.number_type(number)
    if kind in _MOBILE_TYPES:
        return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if kind == PhoneNumberType.FIXED_LINE:
        return RejectReason.LANDLINE
    return RejectReason.INVALID if kind == PhoneNumberType.UNKNOWN else RejectReason.SPECIAL_NUMBER


_PARSE_REASONS: Final = {
    phonenumbers.NumberParseException.INVALID_COUNTRY_CODE: RejectReason.UNKNOWN_COUNTRY,
    phonenumbers.NumberParseException.TOO_SHORT_AFTER_IDD: RejectReason.TOO_SHORT,
    phonenumbers.NumberParseException.TOO_SHORT_NSN: RejectReason.TOO_SHORT,
    phonenumbers.NumberParseException.TOO_LONG: RejectReason.TOO_LONG,
}
_LENGTH_REASONS: Final = {
    phonenumbers.ValidationResult.TOO_SHORT: RejectReason.TOO_SHORT,
    phonenumbers.ValidationResult.TOO_LONG: RejectReason.TOO_LONG,
    phonenumbers.ValidationResult.INVALID_COUNTRY_CODE: RejectReason.UNKNOWN_COUNTRY,
    phonenumbers.ValidationResult.IS_POSSIBLE_LOCAL_ONLY: RejectReason.TOO_SHORT,
    phonenumbers.ValidationResult.INVALID_LENGTH: RejectReason.INVALID,
}


def _explain_turkish(cleaned: str) -> RejectReason | None:
    """Why a number that must be Turkish is refused; None if it is written with another country's code."""
    for prefix in ("+90", "0090"):
        if cleaned.startswith(prefix):
            return _explain_turkish_national(cleaned[len(prefix) :])
    if cleaned.startswith("+"):
        return None
    if cleaned.startswith("00"):
        # 00535 123 45 67 is a mobile with a 0 too many, or a Cuban one: the sender has to say which.
        return RejectReason.AMBIGUOUS if re.fullmatch("005[0-9]{9}", cleaned) else None
    if cleaned.startswith("90") and len(cleaned) >= 12:
        return _explain_turkish_national(cleaned[2:])
    return _explain_turkish_national(cleaned)


def _explain_turkish_national(digits: str) -> RejectReason:
    """Why these digits, with or without trunk 0, are no Turkish mobile."""
    if digits.startswith("0"):
        digits = digits[1:]
    if _TURKISH_SPECIAL(digits):
        return RejectReason.SPECIAL_NUMBER
    if _TURKISH_LANDLINE(digits):
        return RejectReason.LANDLINE
    if len(digits) < 10:
        return RejectReason.TOO_SHORT
    return RejectReason.TOO_LONG if len(digits) > 10 else RejectReason.INVALID
