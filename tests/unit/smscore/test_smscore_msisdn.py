"""Numbers as Turks and spreadsheets write them (turkish-rules §13), and agreement with `phonenumbers`."""

import re
from decimal import Decimal

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smscore import (
    InvalidMsisdn,
    Msisdn,
    RejectReason,
    mask_msisdn,
    normalise_msisdn,
    operator_of,
    parse_msisdn,
)
from smscore.msisdn import Operator, format_msisdn, split_msisdns

R = RejectReason
ONE = "+905320000001"

TO_ONE = [
    "0532 000 00 01", "532 000 0001", "905320000001", "+90 532 000 00 01", "0090 532 000 0001", "5320000001",
    "+90 (0) 532 000 00 01", "+90 0532 000 00 01", "(0532) 000 00 01", "0(532)0000001", "0532-000-00-01",
    "0532.000.00.01", "0532/000 00 01", "0 532 000 0001", "90 532 000 00 01", "+905320000001", "'05320000001",
    "  05320000001\n", "0532\xa0000\u200900\u202f01", "\u202a+905320000001\u202c", "\ufeff05320000001",
    "0532–000–00–01", "٠٥٣٢٠٠٠٠٠٠١", "０５３２0000001", "＋９０5320000001", "5320000001.0", "905320000001,0",
    "905320000001.00", "9.05320000001E+11", "5,320000001E+09", "905,320,000,001", "905.320.000.001",
    "+90 532 0 0 0 0 0 0 1", "05-32-00-00-00-1", "+90 (0532) 0000001", "0 (532) 000-00-01",
]  # fmt: skip
ACCEPTED = dict.fromkeys(TO_ONE, ONE) | {
    "+49 1512 3456789": "+4915123456789",
    "0049 1512 3456789": "+4915123456789",
    "+1 (212) 555-2368": "+12125552368",
    "+994 50 123 45 67": "+994501234567",
}


@pytest.mark.parametrize(("raw", "expected"), ACCEPTED.items(), ids=ascii)
def test_accepted(raw, expected):
    assert normalise_msisdn(raw) == parse_msisdn(raw) == expected


@pytest.mark.parametrize(
    "raw", [905320000001, 5320000001, 5320000001.0, 905320000001.0, Decimal("5320000001")], ids=repr
)
def test_accepted_as_number(raw):
    assert parse_msisdn(raw) == ONE


REFUSED = {
    "empty": ("", R.EMPTY),
    "blank": (" \t\xa0", R.EMPTY),
    "dash": ("-", R.EMPTY),
    "none": (None, R.EMPTY),
    "letters": ("yok", R.NOT_A_NUMBER),
    "letter O": ("O532 000 00 01", R.NOT_A_NUMBER),
    "letter O inside": ("0532 OOO 00 01", R.NOT_A_NUMBER),
    "with a label": ("Tel: 0532 000 00 01", R.NOT_A_NUMBER),
    "mail address": ("a@example.com", R.NOT_A_NUMBER),
    "bool": (True, R.NOT_A_NUMBER),
    "nan": (float("nan"), R.NOT_A_NUMBER),
    "decimal nan": (Decimal("NaN"), R.NOT_A_NUMBER),
    "infinite": (float("inf"), R.NOT_A_NUMBER),
    "huge decimal": (Decimal("1E+999999"), R.NOT_A_NUMBER),
    "huge int": (10**5000, R.NOT_A_NUMBER),
    "negative": (-5320000001, R.NOT_A_NUMBER),
    "list": (["0532"], R.NOT_A_NUMBER),
    "scientific": ("9,05E+11", R.DAMAGED_BY_SPREADSHEET),
    "scientific with point": ("9.05E+11", R.DAMAGED_BY_SPREADSHEET),
    "scientific, ten digits": ("5,32E+09", R.DAMAGED_BY_SPREADSHEET),
    "scientific, one digit lost": ("9.0532000000E+11", R.DAMAGED_BY_SPREADSHEET),
    "scientific, bare": ("9E11", R.DAMAGED_BY_SPREADSHEET),
    "hashes": ("#######", R.DAMAGED_BY_SPREADSHEET),
    "fraction": (532000000.5, R.DAMAGED_BY_SPREADSHEET),
    "fraction as text": ("532000000.1", R.DAMAGED_BY_SPREADSHEET),
    "nine digits as float": ("532000000.0", R.TOO_SHORT),
    "landline": ("0212 555 00 00", R.LANDLINE),
    "landline with code": ("+90 312 555 00 00", R.LANDLINE),
    "foreign landline": ("+49 30 123456", R.LANDLINE),
    "444": ("444 0 555", R.SPECIAL_NUMBER),
    "0850": ("0850 123 45 67", R.SPECIAL_NUMBER),
    "0800": ("0 800 123 45 67", R.SPECIAL_NUMBER),
    "0900": ("0900 123 45 67", R.SPECIAL_NUMBER),
    "short code": ("3338", R.TOO_SHORT),
    "nine digits": ("532 000 000", R.TOO_SHORT),
    "ten digits with 0": ("0532 000 000", R.TOO_SHORT),
    "eleven digits": ("532 000 00 012", R.TOO_LONG),
    "twelve with 0": ("0532 000 00 012", R.TOO_LONG),
    "one too many after 90": ("90 532 000 00 012", R.TOO_LONG),
    "unknown area": ("0632 000 00 01", R.INVALID),
    "unknown country": ("+999 532 000 00 01", R.UNKNOWN_COUNTRY),
    "0 too many, or Cuba": ("00535 123 45 67", R.AMBIGUOUS),
    "0 twice, in brackets": ("0 (0535) 123 45 67", R.AMBIGUOUS),
    "two with slash": ("05320000001/05330000001", R.SEVERAL_NUMBERS),
    "two with comma": ("0532 000 00 01, 0533 000 00 01", R.SEVERAL_NUMBERS),
    "two with semicolon": ("05320000001;05330000001", R.SEVERAL_NUMBERS),
    "two on two lines": ("05320000001\n05330000001", R.SEVERAL_NUMBERS),
    "two with a space": ("05320000001 05330000001", R.SEVERAL_NUMBERS),
    "two with plus": ("+905320000001+905330000001", R.SEVERAL_NUMBERS),
    "two with ve": ("05320000001 ve 05330000001", R.SEVERAL_NUMBERS),
    "very long": ("5" * 5000, R.NOT_A_NUMBER),
}


@pytest.mark.parametrize(("raw", "reason"), REFUSED.values(), ids=REFUSED)
def test_refused(raw, reason):
    assert normalise_msisdn(raw) is reason
    with pytest.raises(InvalidMsisdn) as caught:
        parse_msisdn(raw)
    assert caught.value.reason is reason


def test_the_refusal_does_not_repeat_the_number():
    with pytest.raises(InvalidMsisdn) as caught:
        parse_msisdn("0212 555 12 34")
    assert "5" not in str(caught.value)


def test_split_only_if_every_number_is_valid():
    assert split_msisdns("0532 000 00 01 / 0533 000 00 01") == (ONE, "+905330000001")
    assert split_msisdns("05320000001, +90 532 000 00 01") == (ONE,)
    assert split_msisdns("0532 000 00 01 / 0212 555 00 00") == ()
    assert split_msisdns("0532 000 00 01") == (ONE,)
    assert split_msisdns("") == split_msisdns(None) == ()


def write_number(prefix, block, digits, separators, tail):
    first, second, third, fourth = separators
    return f"{prefix}{first}{block}{second}{digits[:3]}{third}{digits[3:5]}{fourth}{digits[5:]}{tail}"


TYPED = st.builds(
    write_number,
    st.sampled_from(["", "0", "90", "+90", "0090", "+90 ", "0 ", "+90-", "90 "]),
    st.integers(500, 599),
    st.integers(0, 9_999_999).map("{:07}".format),
    st.tuples(*[st.sampled_from(["", " ", "-", "  ", "\xa0"])] * 4),
    st.sampled_from(["", " ", "\n"]),
)


@settings(max_examples=400)
@given(TYPED)
def test_turkish_mobiles_equal_phonenumbers(raw):
    number = phonenumbers.parse(raw, "TR")
    expected = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    assert phonenumbers.is_possible_number(number)
    assert normalise_msisdn(raw) == expected


@settings(max_examples=400)
@given(st.text(st.sampled_from("0123459+ ()-./"), max_size=16) | st.integers(0, 10**13).map(str))
def test_whatever_the_library_calls_a_turkish_mobile_is_taken_and_nothing_else(raw):
    """For digits and separators the two differ only in unallocated blocks, damage and doubt."""
    result = normalise_msisdn(raw)
    try:
        number = phonenumbers.parse(raw, "TR")
    except phonenumbers.NumberParseException:
        number = None
    if isinstance(result, str):
        assert phonenumbers.is_possible_number(phonenumbers.parse(result))
        assert parse_msisdn(result) == result
    elif number and phonenumbers.is_valid_number(number) and number.country_code == 90:
        is_mobile = phonenumbers.number_type(number) == phonenumbers.PhoneNumberType.MOBILE
        assert not is_mobile or result in (R.DAMAGED_BY_SPREADSHEET, R.SEVERAL_NUMBERS, R.NOT_A_NUMBER)


@settings(max_examples=200)
@given(st.text(max_size=30) | st.floats() | st.integers() | st.decimals())
def test_anything_is_a_number_or_a_reason(raw):
    result = normalise_msisdn(raw)
    assert isinstance(result, RejectReason) or re.fullmatch(r"\+[0-9]{8,15}", result)


def test_other_default_region():
    assert parse_msisdn("0151 23456789", "DE") == "+4915123456789"
    assert parse_msisdn("+90 532 000 00 01", "DE") == ONE
    assert normalise_msisdn("0532 000 00 01", "DE") is not ONE


def test_msisdn_answers():
    number = parse_msisdn("0532 000 00 01")
    assert isinstance(number, Msisdn)
    assert (number.is_turkish, number.region, number.digits) == (True, "TR", "905320000001")
    assert (type(number.e164), number.e164) == (str, ONE)
    german = parse_msisdn("+4915123456789")
    assert (german.is_turkish, german.region) == (False, "DE")


OPERATORS = {
    "+905320000001": Operator.TURKCELL,
    "+905420000001": Operator.VODAFONE,
    "+905520000001": Operator.TURK_TELEKOM,
    "+905050000001": Operator.TURK_TELEKOM,
    "+905010000001": Operator.TURK_TELEKOM,
    "+905160000001": Operator.OTHER,
    "+905610000001": Operator.OTHER,
    "+4915123456789": Operator.OTHER,
}


@pytest.mark.parametrize(("msisdn", "operator"), OPERATORS.items())
def test_operator_hint(msisdn, operator):
    assert operator_of(msisdn) is operator


def test_for_the_eye():
    assert mask_msisdn(ONE) == "*********0001"
    assert mask_msisdn("3338") == "****"
    assert format_msisdn(ONE) == "0532 000 00 01"
    assert format_msisdn("+4915123456789") == "+49 1512 3456789"
    assert format_msisdn("MARKA") == "MARKA"
