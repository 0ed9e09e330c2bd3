"""What the simulated handsets show: the last message parts, joined and decoded when somebody looks."""

from __future__ import annotations

from collections import deque
from typing import Any, NamedTuple

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.receipts import get_concatenation
from gateways.adapters.smpp.userdata import read_user_data
from smscore.parts import DecodedPart, join_parts


class Arrival(NamedTuple):
    at: float
    message_id: int
    account: str
    msisdn: bytes
    frame: bytes


class Phones:
    """The last ``most`` message parts of all phones together; older ones are forgotten."""

    def __init__(self, most: int) -> None:
        self._arrivals: deque[Arrival] = deque(maxlen=max(1, most))
        self.add = self._arrivals.append

    def resize(self, most: int) -> None:
        if most != self._arrivals.maxlen:
            self._arrivals = deque(self._arrivals, maxlen=max(1, most))
            self.add = self._arrivals.append

    def list_messages(self, number: str, limit: int = 50) -> list[dict[str, Any]]:
        """Newest first: messages of one phone, or of all if ``number`` is empty. Times are epoch seconds."""
        wanted = number.lstrip("+").encode("ascii", "replace")
        messages: dict[tuple[object, ...], _Assembly] = {}
        for arrival in reversed(self._arrivals):
            if wanted and arrival.msisdn != wanted:
                continue
            assembly = _Assembly(arrival)
            known = messages.get(assembly.key)
            if known is not None and not known.is_whole:
                known.parts.update({p: d for p, d in assembly.parts.items() if p not in known.parts})
                continue
            if known is not None:
                # The same reference again after a whole message: another message, keep both.
                messages[(*assembly.key, arrival.message_id)] = assembly
            else:
                messages[assembly.key] = assembly
            if len(messages) > limit:
                messages.popitem()
                break
        return [assembly.to_json() for assembly in messages.values()]

    def find_account(self, number: str) -> str | None:
        """The account that wrote to this phone last."""
        wanted = number.lstrip("+").encode("ascii", "replace")
        for arrival in reversed(self._arrivals):
            if arrival.msisdn == wanted:
                return arrival.account
        return None


class _Assembly:
    def __init__(self, arrival: Arrival) -> None:
        message = pdu.decode(arrival.frame)
        data = read_user_data(message.text_octets, message.number("data_coding"), message.number("esm_class"))
        reference, part, self.total = get_concatenation(data.header, message.tlvs)
        self.arrival = arrival
        self.sender = message.octets("source_addr").decode("latin-1")
        self.data_coding = message.number("data_coding")
        if data.header.total == 1 and self.total > 1:
            data = data._replace(header=data.header._replace(sequence=part, total=self.total))
        self.parts: dict[int, DecodedPart] = {part: data}
        is_single = self.total == 1
        self.key: tuple[object, ...] = (
            (arrival.message_id,) if is_single else (arrival.msisdn, self.sender, reference, self.total)
        )

    @property
    def is_whole(self) -> bool:
        return len(self.parts) == self.total

    def to_json(self) -> dict[str, Any]:
        header = next(iter(self.parts.values())).header
        return {
            "at": self.arrival.at,
            "id": str(self.arrival.message_id),
            "to": "+" + self.arrival.msisdn.decode("latin-1"),
            "from": self.sender,
            "account": self.arrival.account,
            "text": join_parts(self.parts.values()),
            "parts": self.total,
            "arrived_parts": len(self.parts),
            "data_coding": self.data_coding,
            "turkish_table": bool(header.single_shift or header.locking_shift),
        }
