"""Receipts and replies on their way to an account's receiving binds: windows, retries, order."""

from __future__ import annotations

import time
from collections import deque
from typing import NamedTuple, Protocol

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.codes import MESSAGE_STATES
from gateways.simulator.script import Script

_STATE_NUMBERS = {word.encode(): bytes((number,)) for number, word in MESSAGE_STATES.items()}
_pack = pdu.HEADER.pack


class Receipt(NamedTuple):
    """A due deliver_sm: of a message (``message_id``) or a ready body (an MO, ``body``)."""

    message_id: int
    account: str
    sender: bytes  # with its ton and npi before it
    msisdn: bytes
    word: bytes
    error: bytes
    submitted_at: float
    body: bytes = b""


class Receiver(Protocol):
    """A bound link that may be sent deliver_sm."""

    unacknowledged: dict[int, Receipt]

    def next_sequence(self) -> int: ...

    def write(self, octets: bytes) -> None: ...


def format_id(message_id: int, form: str) -> bytes:
    if form == "dec":
        return b"%d" % message_id
    return b"%x" % message_id if form == "hex" else b"%X" % message_id


class ReceiptWriter:
    """Bodies of receipt deliver_sm in the form the script asks for; dates are made once a minute."""

    def __init__(self, script: Script) -> None:
        self._has_text = script.receipt_form != "tlv"
        self._has_tlvs = script.receipt_form != "text"
        self._form = script.receipt_id_format
        self._parameter_form = script.receipt_parameter_id_format or script.receipt_id_format
        self._flags = b"\x00\x04\x00\x00" if script.receipts_marked else b"\x00\x00\x00\x00"
        self._dates: dict[int, bytes] = {}

    def write(self, receipt: Receipt, now: float) -> bytes:
        if receipt.body:
            return receipt.body
        number = format_id(receipt.message_id, self._form)
        text = tlvs = b""
        if self._has_text:
            text = b"id:%b sub:001 dlvrd:%b submit date:%b done date:%b stat:%b err:%b text:" % (
                number,
                b"001" if receipt.word == b"DELIVRD" else b"000",
                self._date(receipt.submitted_at),
                self._date(now),
                receipt.word,
                receipt.error,
            )
        if self._has_tlvs:
            state = _STATE_NUMBERS.get(receipt.word, b"\x07")
            if self._parameter_form != self._form:
                number = format_id(receipt.message_id, self._parameter_form)
            tlvs = b"\x00\x1e" + (len(number) + 1).to_bytes(2, "big") + number + b"\x00\x04\x27\x00\x01" + state
        return b"".join(
            (
                b"\x00\x01\x01",
                receipt.msisdn,
                b"\x00",
                receipt.sender,
                self._flags,
                b"\x00\x00\x00\x00\x00\x00",
                bytes((len(text),)),
                text,
                tlvs,
            )
        )

    def _date(self, at: float) -> bytes:
        minute = int(at) // 60
        date = self._dates.get(minute)
        if date is None:
            if len(self._dates) > 1000:
                self._dates.clear()
            date = self._dates[minute] = time.strftime("%y%m%d%H%M", time.localtime(at)).encode()
        return date


class Outbox:
    """What waits for one account's receiving links. Nothing is dropped while an account is away."""

    def __init__(self) -> None:
        self.waiting: deque[Receipt] = deque()
        self.receivers: list[Receiver] = []

    def flush(self, writer: ReceiptWriter, window: int, now: float) -> int:
        """Write what the windows allow, one write a link. Returns how many left."""
        sent = 0
        waiting = self.waiting
        for receiver in self.receivers:
            room = window - len(receiver.unacknowledged)
            if room <= 0 or not waiting:
                continue
            octets: list[bytes] = []
            for _ in range(min(room, len(waiting))):
                receipt = waiting.popleft()
                sequence = receiver.next_sequence()
                body = writer.write(receipt, now)
                receiver.unacknowledged[sequence] = receipt
                octets.append(_pack(16 + len(body), pdu.DELIVER_SM, 0, sequence))
                octets.append(body)
                sent += 1
            receiver.write(b"".join(octets))
        if len(self.receivers) > 1:
            self.receivers.append(self.receivers.pop(0))
        return sent
