from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from gateways.routing.rules import NO_STEP, Step


class MessageRow(NamedTuple):
    """One rendered, segmented and priced recipient, as `write_messages` takes it.

    contact_id  None for numbers that are nobody's contact (test sends)
    msisdn      E.164 with "+"
    encoding    smscore.Encoding value
    price       credits for the whole message, all parts; frozen here (M7)
    operator    hint by prefix (smscore.operator_of), "" if unknown
    """

    contact_id: int | None
    msisdn: str
    text: str
    encoding: str
    parts: int
    price: Decimal
    operator: str = ""


class MessageKind(NamedTuple):
    """What messages have in common by the thousand; fields as in `MessageRow`."""

    gateway_account_id: int
    encoding: str
    parts: int
    price: Decimal
    operator: str
    step: Step = NO_STEP  # why this connection

    @property
    def batch_key(self) -> tuple[int, str, Step]:
        """What all messages of a batch have in common."""
        return self.gateway_account_id, self.encoding, self.step


Recipient = tuple[str, int | None, str]
"""msisdn, contact id, text"""

MessageGroups = Mapping[MessageKind, Sequence[Recipient]]
"""Messages by kind, as `write_message_groups` takes them."""


@dataclass(frozen=True, slots=True)
class WrittenMessages:
    """What was added to a run. `by_parts`: parts → messages. `repeats`: not added, their numbers were there before."""

    count: int
    parts: int
    credits: Decimal
    by_parts: dict[int, int] = field(default_factory=dict, compare=False)
    repeats: list[Recipient] = field(default_factory=list, compare=False)
