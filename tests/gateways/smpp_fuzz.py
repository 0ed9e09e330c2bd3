"""Broken PDUs for the codec: nothing may raise but PduError, and no frame may take long.

Time is CPU time of the thread: what other programs do to the machine is not the codec's fault. A frame that seems
slow is tried again, because a garbage collection may have fallen into it.
"""

import contextlib
import random
import signal
import time
from collections.abc import Iterator
from typing import NamedTuple

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.receipts import EventReader
from gateways.adapters.smpp.settings import SmppSettings
from gateways.simulator.submit import parse_submit
from gateways.types import DeliveryEvent, InboundMessage, UnreadableEvent
from smscore.parts import join_parts

MOST_SECONDS = 0.05
HANG_SECONDS = 30  # of CPU for one chunk of frames: an endless loop must not wait for a person to notice
CHUNK = 10_000
_QUIRKY = EventReader(SmppSettings(receipt_mark="text", receipt_id_source="text", inbound_alphabet="latin1"))
RECEIPT = b"id:0123456789 sub:001 dlvrd:001 submit date:2611221200 done date:2611221201 stat:DELIVRD err:000 text:x"


class FuzzResult(NamedTuple):
    """`slowest` in seconds of CPU."""

    frames: int
    decoded: int
    slowest: float
    slowest_frame: bytes


class Hang(BaseException):
    """A chunk of frames used more CPU than all of them ever need."""


def make_seeds() -> list[bytes]:
    """A valid frame of every kind, and the ones with the most in them."""
    submit: dict[str, pdu.Value] = {
        "source_addr_ton": 5,
        "source_addr": b"PEYK",
        "destination_addr": b"905321112233",
        "esm_class": 0x40,
        "validity_period": b"000002000000000R",
        "registered_delivery": 1,
        "data_coding": 8,
        "short_message": b"\x05\x00\x03\x2a\x02\x01\x00m",
    }
    # A piece of a reply with both elements of a header, and one joined by parameters.
    reply: dict[str, pdu.Value] = {
        "source_addr": b"905321112233",
        "destination_addr": b"4609",
        "esm_class": 0x40,
        "short_message": bytes.fromhex("08240101 0003070201") + b"\x1bs\x1b",
    }
    sar = {pdu.TLV_SAR_REFERENCE: b"\x00\x07", pdu.TLV_SAR_TOTAL: b"\x02", pdu.TLV_SAR_SEQUENCE: b"\x02"}
    receipt: dict[str, pdu.Value] = {"source_addr": b"905321112233", "esm_class": 0x04, "short_message": RECEIPT}
    seeds = [
        pdu.encode(pdu.Pdu(pdu.SUBMIT_SM, 0, 7, submit, {pdu.TLV_PEYK_TOKEN: (2**40).to_bytes(8, "big")})),
        pdu.encode(pdu.Pdu(pdu.DELIVER_SM, 0, 9, reply)),
        pdu.encode(pdu.Pdu(pdu.DELIVER_SM, 0, 9, {**reply, "esm_class": 0, "data_coding": 8}, sar)),
        pdu.encode(pdu.Pdu(pdu.DELIVER_SM, 0, 9, {**receipt, "esm_class": 0})),
        pdu.encode(pdu.Pdu(pdu.DELIVER_SM, 0, 8, receipt, {0x001E: b"0123\x00", 0x0427: b"\x02"})),
    ]
    for command, layout in pdu.LAYOUTS.items():
        fields: dict[str, pdu.Value] = {name: 1 if kind == "int" else b"id:" for name, kind in layout}
        seeds.append(pdu.encode(pdu.Pdu(command, 0, 1, fields)))
    return seeds


def mutations(count: int, seed: int) -> Iterator[bytes]:
    """Frames of every kind with octets changed, cut, doubled; and plain noise."""
    source = random.Random(seed)
    seeds = make_seeds()
    for _ in range(count):
        frame = bytearray(source.choice(seeds))
        for _ in range(source.randint(1, 6)):
            if not frame:
                break
            at = source.randrange(len(frame))
            choice = source.random()
            if choice < 0.6:
                frame[at] = source.randrange(256)
            elif choice < 0.8:
                del frame[at : at + source.randint(1, 8)]
            else:
                frame[at:at] = source.randbytes(source.randint(1, 8))
        if source.random() < 0.7 and len(frame) >= 16:
            frame[0:4] = len(frame).to_bytes(4, "big")  # get past the first check
        yield bytes(frame)


def fuzz(count: int, seed: int) -> FuzzResult:
    """Anything but PduError comes through; so does Hang."""
    reader = EventReader(SmppSettings())
    decoded, slowest, slowest_frame = 0, 0.0, b""
    old_handler = signal.signal(signal.SIGVTALRM, _raise_hang)
    try:
        for number, frame in enumerate(mutations(count, seed)):
            if number % CHUNK == 0:
                signal.setitimer(signal.ITIMER_VIRTUAL, HANG_SECONDS)
            began = time.thread_time()
            decoded += read_everywhere(reader, frame)
            seconds = time.thread_time() - began
            if seconds > slowest:
                slowest, slowest_frame = max(slowest, min(seconds, _time_again(reader, frame))), frame
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, old_handler)
    return FuzzResult(count, decoded, slowest, slowest_frame)


def read_everywhere(reader: EventReader, frame: bytes) -> bool:
    """Give the frame to everything that reads octets from outside; True if it decoded."""
    is_decoded = False
    with contextlib.suppress(pdu.PduError):
        pdu.decode(frame)
        is_decoded = True
    with contextlib.suppress(pdu.PduError):
        parse_submit(frame)
    assert isinstance(reader.read(frame), (DeliveryEvent, InboundMessage, UnreadableEvent))
    event = _QUIRKY.read(frame)
    if isinstance(event, InboundMessage) and event.piece is not None:
        assert 1 <= event.part <= event.parts
        join_parts([event.piece, event.piece])
    return is_decoded


def _time_again(reader: EventReader, frame: bytes) -> float:
    times = []
    for _ in range(3):
        began = time.thread_time()
        read_everywhere(reader, frame)
        times.append(time.thread_time() - began)
    return min(times)


def _raise_hang(*_: object) -> None:
    raise Hang(f"{CHUNK} frames used more than {HANG_SECONDS} s of CPU")
