from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple


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


@dataclass(frozen=True, slots=True)
class WrittenMessages:
    """What `write_messages` added; numbers that the run had already are not counted again."""

    count: int
    parts: int
    credits: Decimal
