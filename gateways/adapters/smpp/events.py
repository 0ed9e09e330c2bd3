"""Raw receipts and inbound messages between the socket and their storage (R1)."""

from __future__ import annotations

from collections.abc import Callable

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.codes import ROK, RSYSERR

Answer = Callable[[list[bytes], int], None]
_DATA_SM = pdu.DATA_SM.to_bytes(4, "big")


class RawEvents:
    """Whole PDUs of one chunk, waiting for storage (see ``gateways.base.EventBatch``). The centre gets its
    acknowledgement when ``stored`` is called and not before; of several calls the first counts."""

    __slots__ = ("_answer", "raws")

    def __init__(self, raws: list[bytes], answer: Answer) -> None:
        self.raws = raws
        self._answer: Answer | None = answer

    @property
    def progress(self) -> None:
        """Nobody asked for these."""

    def stored(self) -> None:
        self._settle(ROK)

    def refused(self) -> None:
        self._settle(RSYSERR)

    def _settle(self, status: int) -> None:
        answer, self._answer = self._answer, None
        if answer is not None:
            answer(self.raws, status)


def encode_event_answers(raws: list[bytes], status: int) -> bytes:
    """deliver_sm_resp or data_sm_resp to each of these PDUs, in one piece."""
    deliver = pdu.HEADER.pack(17, pdu.DELIVER_SM_RESP, status, 0)[:12]
    data = pdu.HEADER.pack(17, pdu.DATA_SM_RESP, status, 0)[:12]
    return b"".join([(data if raw[4:8] == _DATA_SM else deliver) + raw[12:16] + b"\x00" for raw in raws])
