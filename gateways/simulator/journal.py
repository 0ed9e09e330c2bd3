"""What the centre saw, for the checker: an append-only binary file and a compact index in memory.

Record: one header (``_HEAD``) and, for submits, the whole PDU as it came. The file is written with one
``write`` per chunk read from a socket and BEFORE the answers of that chunk leave, so every submit that was
answered is in the file even if the simulator is killed (the operating system keeps it; there is no fsync,
so a power cut may lose the end). Reading stops at a record cut short.
"""

from __future__ import annotations

import os
from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from struct import Struct
from typing import NamedTuple

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.receipts import get_concatenation
from gateways.adapters.smpp.userdata import read_user_data

# kind, wall time, link number, message id (0: none given), status answered, octets of PDU that follow
_HEAD = Struct(">cdIQII")
SUBMIT = b"S"
NEVER_ANSWERED = b"N"  # cut before its answer left
RECEIPT_ANSWERED = b"R"
NO_ANSWER = 0xFFFFFFFF


class JournalEntry(NamedTuple):
    """One submit_sm. ``status`` None: taken, but no answer ever left. ``token``: ours, if it was carried."""

    at: float
    link: int
    msisdn: str
    sender: str
    text: str
    reference: int
    part: int
    parts: int
    token: int | None
    message_id: int
    status: int | None

    @property
    def identity(self) -> tuple[object, ...]:
        """The same message part submitted twice has the same identity."""
        if self.token is not None:
            return (self.token, self.part)
        return (self.msisdn, self.sender, self.text, self.part)


class Journal:
    """Writer and index. Without a path only the index is kept."""

    def __init__(self, path: Path | None) -> None:
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600) if path else -1
        self._records: list[bytes] = []
        self._identities = array("q")
        self.statuses: Counter[int] = Counter()
        self.submits = 0
        self.never_answered = 0

    def record_submit(self, at: float, link: int, message_id: int, status: int, frame: bytes) -> None:
        self.submits += 1
        if status:
            self.statuses[status] += 1
        if self._file >= 0:
            self._records.append(_HEAD.pack(SUBMIT, at, link, message_id, status, len(frame)))
            self._records.append(frame)

    def count_refused(self, status: int, count: int) -> None:
        """Messages of a call that was refused as a whole: figures only, nothing of them was looked at."""
        self.submits += count
        self.statuses[status] += count

    def remember(self, identity: int) -> None:
        """Index a submit that was not refused."""
        self._identities.append(identity)

    def record_never_answered(self, at: float, link: int, message_id: int) -> None:
        self.never_answered += 1
        if self._file >= 0:
            self._records.append(_HEAD.pack(NEVER_ANSWERED, at, link, message_id, NO_ANSWER, 0))

    def record_receipt_answer(self, at: float, link: int, message_id: int, status: int) -> None:
        if self._file >= 0:
            self._records.append(_HEAD.pack(RECEIPT_ANSWERED, at, link, message_id, status, 0))

    def flush(self) -> None:
        """Hand everything recorded to the operating system."""
        if self._records:
            octets = memoryview(b"".join(self._records))
            self._records.clear()
            while octets:
                octets = octets[os.write(self._file, octets) :]

    def count_duplicates(self) -> int:
        """Submits of a part that had been taken before. Takes time and memory in proportion to the index."""
        return len(self._identities) - len(set(self._identities))

    def close(self) -> None:
        self.flush()
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def read_journal(path: Path) -> Iterator[JournalEntry]:
    """Every submit of a journal file, in order of arrival."""
    cut = {number for kind, _, _, number, _, _ in _read_records(path) if kind == NEVER_ANSWERED}
    for kind, at, link, number, status, frame in _read_records(path):
        if kind == SUBMIT:
            is_silent = status == NO_ANSWER or number in cut
            yield _entry(at, link, number, None if is_silent else status, frame)


def read_receipt_answers(path: Path) -> Iterator[tuple[float, int, int]]:
    """(time, message id, status) of every deliver_sm_resp to a receipt."""
    for kind, at, _, number, status, _ in _read_records(path):
        if kind == RECEIPT_ANSWERED:
            yield at, number, status


def find_duplicates(entries: Iterable[JournalEntry]) -> list[tuple[JournalEntry, JournalEntry]]:
    """Pairs (earlier, later) that break S1: the earlier submit of the part was not definitely refused.

    A refusal counts as definite here when its answer left; a client that did not get it must not repeat
    either, but cannot be told apart at this end.
    """
    taken: dict[tuple[object, ...], JournalEntry] = {}
    pairs = []
    for entry in entries:
        earlier = taken.get(entry.identity)
        if earlier is not None:
            pairs.append((earlier, entry))
        if not entry.status:  # accepted, or never answered
            taken[entry.identity] = entry
    return pairs


def _read_records(path: Path) -> Iterator[tuple[bytes, float, int, int, int, bytes]]:
    with path.open("rb") as file:
        while len(head := file.read(_HEAD.size)) == _HEAD.size:
            kind, at, link, number, status, size = _HEAD.unpack(head)
            frame = file.read(size)
            if len(frame) < size:
                return
            yield kind, at, link, number, status, frame


def _entry(at: float, link: int, number: int, status: int | None, frame: bytes) -> JournalEntry:
    message = pdu.decode(frame)
    data = read_user_data(message.text_octets, message.number("data_coding"), message.number("esm_class"))
    reference, part, parts = get_concatenation(data.header, message.tlvs)
    token = message.tlvs.get(pdu.TLV_PEYK_TOKEN)
    return JournalEntry(
        at,
        link,
        message.octets("destination_addr").decode("latin-1"),
        message.octets("source_addr").decode("latin-1"),
        data.text,
        reference,
        part,
        parts,
        int.from_bytes(token, "big") if token else None,
        number,
        status,
    )
