"""One client's connection to the simulated centre: binds, submits in bulk, acknowledgements."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

from gateways.adapters.smpp import pdu
from gateways.simulator.journal import NO_ANSWER
from gateways.simulator.receipts import Receipt, format_id
from gateways.simulator.submit import Submit, parse_submit

if TYPE_CHECKING:
    from gateways.simulator.centre import Centre

_pack = pdu.HEADER.pack
_read_header = pdu.HEADER.unpack_from
_RECEIVING = (pdu.BIND_RECEIVER, pdu.BIND_TRANSCEIVER)
_BINDS = (*_RECEIVING, pdu.BIND_TRANSMITTER)
_RETRYABLE = frozenset({0x08, 0x14, 0x58, 0x64})
GARBAGE = b"\xff\xff\xff\xff\x00\x00garbage\x00" * 8
RINVBNDSTS, RALYBND, RINVPASWD, RINVSYSID = 0x04, 0x05, 0x0E, 0x0F


class _Stop(Exception):
    """The rest of the chunk is not looked at: the link was cut by the script."""


class Connection(asyncio.Protocol):
    def __init__(self, centre: Centre) -> None:
        self._centre = centre
        self.number = centre.next_link()
        self.account = ""
        self.is_open = False
        self.unanswered = 0
        self.unacknowledged: dict[int, Receipt] = {}
        self._mode = 0
        self._sequence = 0
        self._tail = b""
        self._transport: asyncio.Transport | None = None

    # -- life ----------------------------------------------------------------------------------------------

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self.is_open = True
        self._centre.connections.add(self)
        self.script_changed()

    def connection_lost(self, exc: Exception | None) -> None:
        """Receipts without an acknowledgement wait for the account's next receiving bind."""
        self.is_open = False
        centre = self._centre
        centre.connections.discard(self)
        self._leave()

    def _leave(self) -> None:
        if not self.account:
            return
        box = self._centre.outbox(self.account)
        if self in box.receivers:
            box.receivers.remove(self)
        box.waiting.extendleft(reversed(self.unacknowledged.values()))
        self.unacknowledged = {}
        self._mode = 0
        self._centre.flush_outbox(self.account)

    def script_changed(self) -> None:
        if self._transport is None or self._transport.is_closing():
            return
        if self._centre.script.is_half_open:
            self._transport.pause_reading()
        else:
            self._transport.resume_reading()

    def cut(self) -> None:
        """End the connection without a word."""
        self.is_open = False
        if self._transport is not None:
            self._transport.abort()

    def pause_writing(self) -> None:
        # A client that does not read its answers is not read from either.
        if self._transport is not None:
            self._transport.pause_reading()

    def resume_writing(self) -> None:
        self.script_changed()

    def write(self, octets: bytes) -> None:
        if self._transport is not None and self.is_open:
            self._transport.write(octets)

    def next_sequence(self) -> int:
        self._sequence = self._sequence % pdu.MAX_SEQUENCE + 1
        return self._sequence

    # -- receiving -----------------------------------------------------------------------------------------

    def data_received(self, data: bytes) -> None:
        if self._tail:
            data = self._tail + data
        answers: list[bytes] = []
        at, end = 0, len(data)
        acknowledged = 0
        early = False
        now, wall = self._centre.loop.time(), time.time()
        try:
            while end - at >= 16:
                length, command, status, sequence = _read_header(data, at)
                pdu.check_length(length)
                stop = at + length
                if stop > end:
                    break
                if command == pdu.SUBMIT_SM:
                    early |= self._take_submit(data[at:stop], sequence, answers, now, wall)
                elif command == pdu.DELIVER_SM_RESP:
                    acknowledged += self._take_acknowledgement(sequence, status, wall)
                else:
                    self._take_other(command, sequence, data[at:stop], answers)
                at = stop
        except pdu.PduError as error:
            answers.append(_pack(16, pdu.GENERIC_NACK, error.status, 0))
            self.write(b"".join(answers))
            self._centre.journal.flush()
            self.cut()
            return
        except _Stop:
            self._forget_answers(answers, wall)
            self._centre.journal.flush()
            self.cut()
            return
        self._tail = data[at:]
        self._centre.journal.flush()
        if early:
            self._centre.flush_outbox(self.account)
        if answers:
            self.write(b"".join(answers))
        if acknowledged:
            self._centre.flush_outbox(self.account)

    def _take_submit(self, frame: bytes, sequence: int, answers: list[bytes], now: float, wall: float) -> bool:
        """Journal and answer one submit. True if a receipt is to leave before the answer."""
        centre = self._centre
        try:
            submit = parse_submit(frame)
        except pdu.PduError as error:
            answers.append(pdu.response(pdu.SUBMIT_SM, error.status, sequence))
            return False
        if self._mode not in (pdu.BIND_TRANSCEIVER, pdu.BIND_TRANSMITTER):
            answers.append(pdu.response(pdu.SUBMIT_SM, RINVBNDSTS, sequence))
            return False
        status, delay = 0, 0.0
        if not centre.behaviour.is_plain:
            status, delay = centre.behaviour.judge(self.account, submit.msisdn, now)
        if status and status != NO_ANSWER:
            centre.journal.record_submit(wall, self.number, 0, status, frame)
            octets = pdu.response(pdu.SUBMIT_SM, status, sequence)
            message_id, early = 0, False
        else:
            message_id = centre.next_message_id()
            centre.journal.record_submit(wall, self.number, message_id, status, frame)
            early = self._accept(submit, message_id, frame, now, wall)
            number = format_id(message_id, centre.script.id_format)
            octets = _pack(17 + len(number), pdu.SUBMIT_SM_RESP, 0, sequence) + number + b"\x00"
        self._count_down(message_id, wall)
        if status == NO_ANSWER:
            self.unanswered += 1
        elif delay:
            self.unanswered += 1
            centre.delay_answer(now + delay, (self, message_id, octets))
        else:
            answers.append(octets)
        waiting = self.unanswered + len(answers)
        if waiting > centre.most_unanswered:
            centre.most_unanswered = waiting
        return early

    def _accept(self, submit: Submit, message_id: int, frame: bytes, now: float, wall: float) -> bool:
        centre = self._centre
        centre.journal.remember(submit.identity)
        word, error = (b"DELIVRD", b"000")
        if not centre.behaviour.always_delivers:
            word, error = centre.behaviour.ending_of(submit.msisdn)
        if word == b"DELIVRD":
            centre.arrive(self.account, submit.msisdn, message_id, wall, frame)
        wants = submit.registered_delivery & 3
        if not wants or not centre.script.receipts or (wants == 2 and word == b"DELIVRD"):
            return False
        centre.words[word] += 1
        receipt = Receipt(message_id, self.account, submit.sender, submit.msisdn, word, error, wall)
        return centre.schedule_receipt(receipt, now)

    def _count_down(self, message_id: int, wall: float) -> None:
        """Cuts and garbage that the script asks for at this submit. Raises _Stop."""
        centre = self._centre
        if centre.until_cut and centre.cuts_left:
            centre.until_cut -= 1
            if not centre.until_cut:
                centre.cuts_left -= 1
                centre.until_cut = centre.script.cut_after
                centre.counts["cuts"] += 1
                if message_id:
                    centre.journal.record_never_answered(wall, self.number, message_id)
                raise _Stop
        if centre.until_garbage:
            centre.until_garbage -= 1
            if not centre.until_garbage:
                self.write(GARBAGE)

    def _forget_answers(self, answers: list[bytes], wall: float) -> None:
        """Journal that these answers never left."""
        base = 10 if self._centre.script.id_format == "dec" else 16
        for octets in answers:
            _, command, status, _ = _read_header(octets)
            if command == pdu.SUBMIT_SM_RESP and status == 0:
                self._centre.journal.record_never_answered(wall, self.number, int(octets[16:-1], base))

    def _take_acknowledgement(self, sequence: int, status: int, wall: float) -> int:
        receipt = self.unacknowledged.pop(sequence, None)
        if receipt is None:
            return 0
        centre = self._centre
        if status == 0:
            centre.counts["receipts_acknowledged"] += 1
        else:
            centre.counts["receipts_refused"] += 1
            if status in _RETRYABLE:
                centre.retry_receipt(receipt)
        if receipt.message_id:
            centre.journal.record_receipt_answer(wall, self.number, receipt.message_id, status)
        return 1

    def _take_other(self, command: int, sequence: int, frame: bytes, answers: list[bytes]) -> None:
        if command == pdu.ENQUIRE_LINK:
            answers.append(pdu.response(command, 0, sequence))
        elif command in _BINDS:
            self._bind(command, sequence, frame)
        elif command == pdu.UNBIND:
            answers.append(pdu.response(command, 0, sequence))
            self._leave()
            if self._transport is not None:
                self._centre.loop.call_soon(self._transport.close)
        elif command == pdu.QUERY_SM:
            message_id = pdu.decode(frame).octets("message_id")
            answers.append(pdu.response(command, 0, sequence, message_id + b"\x00\x00\x07\x00"))
        elif not command & pdu.RESPONSE:
            answers.append(_pack(16, pdu.GENERIC_NACK, 0x03, sequence))

    def _bind(self, command: int, sequence: int, frame: bytes) -> None:
        centre = self._centre
        try:
            request = pdu.decode(frame)
            status = centre.script.bind_status or self._check_login(request)
        except pdu.PduError as error:
            request, status = pdu.Pdu(command), error.status
        body = b"" if status else b"PEYK\x00" + pdu.encode_tlv(pdu.TLV_SC_INTERFACE_VERSION, b"\x34")
        # Written at once, so that the answer is on the wire before any receipt that waits.
        self.write(pdu.response(command, status, sequence, body))
        if status:
            if self._transport is not None:
                centre.loop.call_later(0.05, self._transport.close)
            return
        self.account = request.octets("system_id").decode("latin-1")
        self._mode = command
        centre.counts["binds"] += 1
        if command in _RECEIVING:
            centre.outbox(self.account).receivers.append(self)
            centre.loop.call_soon(centre.flush_outbox, self.account)

    def _check_login(self, request: pdu.Pdu) -> int:
        if self._mode:
            return RALYBND
        accounts = self._centre.script.accounts
        if not accounts:
            return 0
        secret = accounts.get(request.octets("system_id").decode("latin-1"))
        if secret is None:
            return RINVSYSID
        return 0 if secret.encode() == request.octets("password") else RINVPASWD
