"""The codec: round trips, borders, garbage, and the same octets as two codecs nobody here wrote."""

import pytest
import smpp34
import smpplib.smpp
from hypothesis import given
from hypothesis import strategies as st
from smpplib.client import SimpleSequenceGenerator

from gateways.adapters.smpp import pdu

from .smpp_fuzz import MOST_SECONDS, fuzz

SUBMIT = pdu.Pdu(
    pdu.SUBMIT_SM,
    sequence=7,
    fields={
        "service_type": b"WAP",
        "source_addr_ton": 5,
        "source_addr_npi": 0,
        "source_addr": b"PEYK",
        "dest_addr_ton": 1,
        "dest_addr_npi": 1,
        "destination_addr": b"905321112233",
        "esm_class": 0x40,
        "protocol_id": 0,
        "priority_flag": 0,
        "schedule_delivery_time": b"",
        "validity_period": b"000002000000000R",
        "registered_delivery": 1,
        "replace_if_present_flag": 0,
        "data_coding": 8,
        "sm_default_msg_id": 0,
        "short_message": b"\x05\x00\x03\x2a\x02\x01\x00m",
    },
    tlvs={pdu.TLV_PEYK_TOKEN: (2**40).to_bytes(8, "big")},
)


def field_values(kind: int | str) -> st.SearchStrategy[pdu.Value]:
    if kind == "int":
        return st.integers(0, 255)
    if kind == "sm":
        return st.binary(max_size=254)
    assert isinstance(kind, int)
    return st.binary(max_size=kind - 1).map(lambda octets: octets.replace(b"\x00", b"x"))


@st.composite
def any_pdu(draw: st.DrawFn) -> pdu.Pdu:
    command = draw(st.sampled_from(sorted(pdu.LAYOUTS)))
    layout = pdu.LAYOUTS[command]
    fields = {name: draw(field_values(kind)) for name, kind in layout}
    takes_tlvs = command not in pdu._NO_TLVS and fields
    tlvs = draw(st.dictionaries(st.integers(0, 0xFFFF), st.binary(max_size=40), max_size=4)) if takes_tlvs else {}
    status, sequence = draw(st.integers(0, 2**32 - 1)), draw(st.integers(1, pdu.MAX_SEQUENCE))
    return pdu.Pdu(command, status, sequence, fields, tlvs)


@given(any_pdu())
def test_decode_undoes_encode(original: pdu.Pdu) -> None:
    assert pdu.decode(pdu.encode(original)) == original


@pytest.mark.parametrize(
    ("name", "frame", "fatal"),
    [
        ("empty", b"", True),
        ("half a header", b"\x00\x00\x00\x10\x00\x00", True),
        ("length 15", pdu.HEADER.pack(15, pdu.UNBIND, 0, 1)[:15], True),
        ("length too big", pdu.HEADER.pack(0x7FFFFFFF, pdu.UNBIND, 0, 1), True),
        ("length of another", pdu.HEADER.pack(17, pdu.UNBIND, 0, 1), True),
        ("unknown command", pdu.HEADER.pack(16, 0x99, 0, 1), False),
        ("octets after enquire_link", pdu.HEADER.pack(17, pdu.ENQUIRE_LINK, 0, 1) + b"x", False),
        ("submit without a body", pdu.HEADER.pack(16, pdu.SUBMIT_SM, 0, 1), False),
        ("string without an end", pdu.HEADER.pack(22, pdu.SUBMIT_SM, 0, 1) + b"abcdef", False),
        ("message id of 65 octets", pdu.HEADER.pack(82, pdu.SUBMIT_SM_RESP, 0, 1) + b"x" * 65 + b"\0", False),
        ("half a parameter", pdu.HEADER.pack(20, pdu.SUBMIT_SM_RESP, 0, 1) + b"\0\x00\x1e\x00", False),
        ("parameter past the end", pdu.HEADER.pack(22, pdu.SUBMIT_SM_RESP, 0, 1) + b"\0\x00\x1e\x00\x09x", False),
    ],
)
def test_broken_pdu_raises(name: str, frame: bytes, fatal: bool) -> None:
    with pytest.raises(pdu.PduError) as caught:
        pdu.decode(frame)
    assert caught.value.fatal is fatal, name


def test_sm_length_past_the_end_raises() -> None:
    frame = bytearray(pdu.encode(pdu.Pdu(pdu.SUBMIT_SM, fields={**SUBMIT.fields})))
    frame[-len(SUBMIT.octets("short_message")) - 1] = 255
    with pytest.raises(pdu.PduError, match="sm_length"):
        pdu.decode(bytes(frame))


@pytest.mark.parametrize(
    "fields",
    [{"short_message": b"x" * 255}, {"source_addr": b"x" * 21}, {"source_addr": b"a\x00b"}, {"esm_class": 256}],
)
def test_what_does_not_fit_is_not_encoded(fields: dict[str, pdu.Value]) -> None:
    with pytest.raises(pdu.PduError):
        pdu.encode(pdu.Pdu(pdu.SUBMIT_SM, fields=fields))


def test_refusal_without_a_body_is_well_formed() -> None:
    decoded = pdu.decode(pdu.HEADER.pack(16, pdu.SUBMIT_SM_RESP, 0x58, 3))
    assert (decoded.status, decoded.fields) == (0x58, {})


# -- codecs nobody here wrote --------------------------------------------------------------------------------


def test_smpplib_reads_our_submit() -> None:
    frame = pdu.encode(SUBMIT)
    theirs = smpplib.smpp.parse_pdu(frame, client=SimpleSequenceGenerator(), allow_unknown_opt_params=True)
    assert theirs.command == "submit_sm"
    assert theirs.sequence == 7
    assert theirs.source_addr == b"PEYK"
    assert theirs.destination_addr == b"905321112233"
    assert (theirs.esm_class, theirs.data_coding, theirs.registered_delivery) == (0x40, 8, 1)
    assert theirs.validity_period == b"000002000000000R"
    assert theirs.short_message == SUBMIT.octets("short_message")


def test_we_read_smpplib_submit_with_parameters() -> None:
    theirs = smpplib.smpp.make_pdu(
        "submit_sm",
        client=SimpleSequenceGenerator(),
        source_addr="PEYK",
        destination_addr="905321112233",
        message_payload=b"long text",
        user_message_reference=513,
    )
    ours = pdu.decode(theirs.generate())
    assert ours.octets("destination_addr") == b"905321112233"
    assert ours.tlvs == {pdu.TLV_MESSAGE_PAYLOAD: b"long text", pdu.TLV_USER_MESSAGE_REFERENCE: b"\x02\x01"}
    assert ours.sequence == theirs.sequence


@given(
    st.binary(max_size=254),
    st.text("ABCxyz019", min_size=1, max_size=11),
    st.integers(0, 255),
    st.dictionaries(st.integers(0x1400, 0x3FFF), st.binary(max_size=20), max_size=3),
)
def test_same_octets_as_smpp34(text: bytes, sender: str, coding: int, tlvs: dict[int, bytes]) -> None:
    theirs = smpp34.SubmitSm(
        sender,
        "905321112233",
        text,
        source_addr_ton=5,
        source_addr_npi=0,
        dest_addr_ton=1,
        dest_addr_npi=1,
        data_coding=coding,
        registered_delivery=1,
        tlvs=[smpp34.Tlv(tag, value) for tag, value in tlvs.items()],
        sequence_number=5,
    )
    ours = pdu.Pdu(
        pdu.SUBMIT_SM,
        sequence=5,
        fields={
            "source_addr_ton": 5,
            "source_addr": sender.encode(),
            "dest_addr_ton": 1,
            "dest_addr_npi": 1,
            "destination_addr": b"905321112233",
            "registered_delivery": 1,
            "data_coding": coding,
            "short_message": text,
        },
        tlvs=tlvs,
    )
    assert pdu.encode(ours) == theirs.encode()
    back = smpp34.decode(pdu.encode(ours))
    assert isinstance(back, smpp34.SubmitSm)
    assert back.short_message == text


# -- garbage (./dev fuzz smpp does the same for longer) --------------------------------------------------------


def test_fuzz_never_crashes_or_hangs() -> None:
    result = fuzz(200_000, seed=20261122)
    assert result.decoded > 1000, "the fuzzer gets past the first checks"
    assert result.slowest < MOST_SECONDS, result.slowest_frame.hex()
