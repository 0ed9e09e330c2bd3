"""Octets of parts: the vectors of sms-encoding §4 and §10, and decode(encode(x)) == x."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smscore import Encoding, segment
from smscore.encoding import USER_DATA_OCTETS, capacity, count_header_octets
from smscore.parts import (
    EncodedPart,
    TooManyParts,
    decode_part,
    encode_message,
    encode_segmentation,
    join_parts,
    pack_part,
    unpack_part,
)
from smscore.segmentation import cut_text
from smscore.udh import MalformedHeader, build_header, parse_header

GSM7, SINGLE, LOCKING, UCS2 = Encoding

# §10: text, encoding, concatenation, TP-UDL, TP-UD, short_message.
VECTORS = {
    "plain": ("Merhaba", GSM7, None, 7, "CDB21C1D168701", "4D657268616261"),
    "extension": ("10€", GSM7, None, 4, "31D8A60C", "31301B65"),
    "turkish single": ("Ağaç", SINGLE, None, 11, "03240101086ECEE1CD18", "03240101411B67611B63"),
    "turkish locking": ("Ağaç", LOCKING, None, 9, "032501010832C260", "03250101410C6160"),
    "part 1 of 2": ("Merhaba", GSM7, 0x2A, 14, "0500032A02019A65393A2C0E03", "0500032A02014D657268616261"),
    "turkish part 1 of 2": (
        "şeker", SINGLE, 0x2A, 17, "0824010100032A020160332FAFCB72", "0824010100032A02011B73656B6572",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("text", "encoding", "reference", "length", "packed", "short"), VECTORS.values(), ids=VECTORS)
def test_vectors(text, encoding, reference, length, packed, short):
    concat = {} if reference is None else {"reference": reference, "total": 2, "sequence": 1}
    header = build_header(encoding, **concat)
    part = EncodedPart(header + cut_text(text, encoding, limit=160)[0], 0, 0x40 if header else 0)
    if reference is None:
        assert encode_message(text, encoding) == [part]
    assert part.short_message.hex().upper() == short
    assert pack_part(part) == (length, bytes.fromhex(packed))
    assert unpack_part(bytes.fromhex(packed), length, data_coding=0, has_header=bool(header)) == part
    assert decode_part(*part).text == text


# §4: shift tables, reference bits, header octets, septets left, UCS-2 units left.
HEADERS = {
    "none": (0, 0, 0, 160, 70),
    "concat 8": (0, 8, 6, 153, 67),
    "concat 16": (0, 16, 7, 152, 66),
    "one table": (1, 0, 4, 155, None),
    "one table, concat 8": (1, 8, 9, 149, None),
    "one table, concat 16": (1, 16, 10, 148, None),
    "two tables": (2, 0, 7, 152, None),
    "two tables, concat 8": (2, 8, 12, 146, None),
    "two tables, concat 16": (2, 16, 13, 145, None),
}


@pytest.mark.parametrize(("tables", "bits", "octets", "septets", "units"), HEADERS.values(), ids=HEADERS)
def test_header_budget(tables, bits, octets, septets, units):
    assert count_header_octets(shift_tables=tables, reference_bits=bits) == octets
    assert capacity(GSM7, octets) == septets
    if units is not None:
        assert capacity(UCS2, octets) == units


def test_long_message_as_smpp_sends_it():
    parts = encode_segmentation(segment("a" * 152 + "[" + "b" * 151), reference=0x1FF)
    assert [len(part.short_message) for part in parts] == [6 + 152, 6 + 153]
    assert parts[1].short_message.startswith(bytes.fromhex("050003FF02021B3C"))
    assert {(part.data_coding, part.esm_class) for part in parts} == {(0, 0x40)}


def test_ucs2_and_wide_reference():
    parts = encode_segmentation(segment("ğ₺" * 40, reference_bits=16), reference=0x1234)
    assert [part.short_message[:7].hex() for part in parts] == ["06080412340201", "06080412340202"]
    assert [len(part.short_message) for part in parts] == [7 + 132, 7 + 28]
    assert {(part.data_coding, part.esm_class) for part in parts} == {(8, 0x40)}
    assert encode_message("₺", UCS2) == [EncodedPart(b"\x20\xba", 8, 0)]


@pytest.mark.parametrize("char", ["\U0001f400", "\U0001f3ff"], ids=["dc00", "dfff"])
def test_no_surrogate_pair_is_cut(char):
    parts = encode_message("a" * 66 + char * 4, UCS2)
    assert [len(part.short_message) for part in parts] == [6 + 132, 6 + 16]


def test_no_part_of_nothing_and_no_256th():
    assert encode_message("", GSM7) == []
    assert len(encode_message("a" * 39_015, GSM7)) == 255
    with pytest.raises(TooManyParts):
        encode_message("a" * 39_016, GSM7)
    with pytest.raises(UnicodeEncodeError):
        encode_message("😀", SINGLE)


@settings(max_examples=150, deadline=None)
@given(
    st.text(st.sampled_from("abcşğıİŞĞç€[öÇ\f @") | st.characters(), max_size=500),
    st.booleans(), st.booleans(), st.sampled_from([8, 16]), st.integers(0, 70_000), st.randoms(),
)  # fmt: skip
def test_decode_undoes_encode(text, national, locking, bits, reference, source):
    result = segment(text, national=national, locking=locking, reference_bits=bits)
    parts = encode_segmentation(result, reference)
    assert len(parts) == result.parts
    decoded = [decode_part(*part) for part in parts]
    assert tuple(part.text for part in decoded) == result.texts
    for number, part in enumerate(decoded, 1):
        assert (part.header.total, part.header.sequence) == (len(parts), number)
        assert part.header.reference == (reference % 2**bits if len(parts) > 1 else None)
    shuffled = decoded + decoded[:1]
    source.shuffle(shuffled)
    assert join_parts(shuffled) == result.text
    for part in parts:
        length, user_data = pack_part(part)
        assert len(user_data) <= USER_DATA_OCTETS
        again = unpack_part(user_data, length, data_coding=part.data_coding, has_header=bool(part.esm_class))
        assert again == part


def test_pairs_cut_by_others_are_joined():
    first, second = ("050003010201" + "d83d", "050003010202" + "de00")
    parts = [decode_part(bytes.fromhex(octets), 8, 0x40) for octets in (first, second)]
    assert join_parts(parts) == "😀"
    assert parts[0].text == "\ufffd"
    escaped = [decode_part(bytes.fromhex(octets), 0, 0x40) for octets in ("0500030102011b", "05000301020265")]
    assert join_parts(escaped) == "€"


READ = {
    "latin-1": (b"\xfe\xe7", 3, "þç"),
    "ascii": (b"a@", 1, "a@"),
    "flash gsm": (b"\x00", 0x10, "@"),
    "flash ucs2": (b"\x20\xba", 0x18, "₺"),
    "odd octet of ucs2": (b"\x00a\x00", 8, "a\ufffd"),
    "unknown coding reads as gsm": (b"\x00", 0xF1, "@"),
}


@pytest.mark.parametrize(("octets", "coding", "text"), READ.values(), ids=READ)
def test_reading_what_others_send(octets, coding, text):
    assert decode_part(octets, coding).text == text


def test_header_elements_in_any_order_last_counts():
    header, rest = parse_header(bytes.fromhex("0C0804ABCD0302050411223344") + b"x")
    assert (header.reference, header.reference_bits, header.total, header.sequence) == (0xABCD, 16, 3, 2)
    assert header.others == ((5, bytes.fromhex("11223344")),)
    assert rest == b"x"
    twice, _ = parse_header(bytes.fromhex("06240103240101"))
    assert twice.single_shift == 1


def test_senseless_concatenation_is_ignored():
    for octets in ("050003010203", "050003010200", "050003010000"):
        header, _ = parse_header(bytes.fromhex(octets))
        assert (header.total, header.sequence, header.reference) == (1, 1, None)


@pytest.mark.parametrize("octets", ["", "05", "0500030102", "020003", "0100", "0300ff01"])
def test_malformed_header(octets):
    with pytest.raises(MalformedHeader):
        decode_part(bytes.fromhex(octets), 0, 0x40)


@settings(max_examples=200)
@given(st.binary(max_size=160), st.integers(0, 255), st.integers(0, 255))
def test_any_octets_are_read_or_refused(octets, coding, esm_class):
    try:
        part = decode_part(octets, coding, esm_class)
    except MalformedHeader:
        return
    part.text.encode()


def test_short_user_data_is_refused():
    with pytest.raises(ValueError, match="shorter"):
        unpack_part(b"\x01", 7, data_coding=0, has_header=False)
    with pytest.raises(ValueError, match="shorter"):
        unpack_part(b"\x01", 7, data_coding=8, has_header=False)
    with pytest.raises(ValueError, match="cannot be expressed"):
        build_header(GSM7, total=2, sequence=3)
