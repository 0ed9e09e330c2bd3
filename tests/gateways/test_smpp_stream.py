"""Both ends of the wire fed with broken streams: nothing raises, nothing is invented, nothing is lost."""

import asyncio
import random

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.session import SmppSession
from gateways.adapters.smpp.settings import SmppSettings
from gateways.simulator.centre import Centre
from gateways.simulator.connection import Connection
from gateways.simulator.script import Script
from gateways.types import OutcomeKind
from tests.gateways.smpp_frames import split_frames
from tests.gateways.wire_cases import Recorder, messages, run


class FakeTransport(asyncio.Transport):
    """Keeps what is written; ends when it is told to."""

    def __init__(self, protocol: asyncio.Protocol) -> None:
        super().__init__()
        self.protocol = protocol
        self.written: list[bytes] = []
        self.is_closed = False

    def write(self, data: bytes) -> None:  # type: ignore[override]
        self.written.append(data)

    def get_write_buffer_size(self) -> int:
        return 0

    def is_closing(self) -> bool:
        return self.is_closed

    def pause_reading(self) -> None:
        return None

    def resume_reading(self) -> None:
        return None

    def close(self) -> None:
        self.is_closed = True

    abort = close


def broken_stream(source: random.Random, frames: list[bytes]) -> list[bytes]:
    """Frames in a row, some octets changed, delivered in pieces of any size."""
    octets = bytearray(b"".join(source.choice(frames) for _ in range(source.randint(1, 12))))
    for _ in range(source.randint(0, 4)):
        octets[source.randrange(len(octets))] = source.randrange(256)
    pieces = []
    while octets:
        size = source.randint(1, 400)
        pieces.append(bytes(octets[:size]))
        del octets[:size]
    return pieces


def answer_frames() -> list[bytes]:
    frames = [pdu.response(pdu.SUBMIT_SM, 0, n, b"id%d\x00" % n) for n in range(2, 12)]
    frames += [pdu.response(pdu.SUBMIT_SM, status, 5) for status in (0x58, 0x0B, 0x1234)]
    frames += [pdu.HEADER.pack(16, pdu.GENERIC_NACK, 3, 4), pdu.HEADER.pack(16, pdu.UNBIND, 0, 4)]
    frames += [pdu.HEADER.pack(16, pdu.ENQUIRE_LINK, 0, 4), pdu.HEADER.pack(16, 0x99, 0, 4)]
    frames += [pdu.encode(pdu.Pdu(pdu.DELIVER_SM, 0, 3, {"short_message": b"id:1 stat:DELIVRD"}))]
    return frames


def test_session_survives_any_stream() -> None:
    frames = answer_frames()

    async def scenario() -> None:
        for seed in range(3000):
            source = random.Random(seed)
            listener = Recorder()
            session = SmppSession(SmppSettings(tps=0, window_size=6), listener)
            transport = FakeTransport(session)
            session.connection_made(transport)
            session._state = "connecting"
            session._window.next_sequence()
            session.data_received(pdu.response(pdu.BIND_TRANSCEIVER, 0, 1, b"x\x00"))
            session.submit_many(messages(10))
            for piece in broken_stream(source, frames):
                if not transport.is_closed:
                    session.data_received(piece)
            session.connection_lost(None)
            await asyncio.sleep(0)
            first = [o.token for o in listener.outcomes if not o.late]
            assert sorted(first) == list(range(10)), f"one outcome each, seed {seed}"
            written = split_frames(b"".join(transport.written))
            sent = sum(1 for frame in written if pdu.HEADER.unpack_from(frame)[1] == pdu.SUBMIT_SM)
            assert 10 - sent == len(listener.tokens(OutcomeKind.NOT_SENT)), f"seed {seed}"

    run(scenario())


def test_centre_survives_any_stream() -> None:
    submit = {"source_addr": b"PEYK", "destination_addr": b"905321112233", "short_message": b"a"}
    bind = {"system_id": b"x"}
    frames = [pdu.encode(pdu.Pdu(pdu.SUBMIT_SM, 0, n, {**submit, "registered_delivery": 1})) for n in range(5)]
    frames += [pdu.encode(pdu.Pdu(pdu.BIND_TRANSCEIVER, 0, 9, bind)), pdu.encode(pdu.Pdu(pdu.ENQUIRE_LINK))]
    frames += [pdu.response(pdu.DELIVER_SM, status, n, b"\x00") for n in range(4) for status in (0, 8)]
    frames += [pdu.encode(pdu.Pdu(pdu.QUERY_SM, 0, 3, {"message_id": b"7"})), pdu.HEADER.pack(16, 0x99, 0, 4)]

    async def scenario() -> None:
        centre = Centre(Script(answer_delay=(0, 1), throttle_ratio=0.1))
        for seed in range(3000):
            source = random.Random(seed)
            connection = Connection(centre)
            transport = FakeTransport(connection)
            connection.connection_made(transport)
            for piece in [frames[5], *broken_stream(source, frames)]:
                if not transport.is_closed:
                    connection.data_received(piece)
            connection.connection_lost(None)
            split_frames(b"".join(transport.written))
        assert centre.journal.submits > 1000
        await centre.stop()

    run(scenario())
