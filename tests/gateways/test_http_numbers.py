"""Numbers that providers write: with their country code, or as at home in Turkey."""

import json
from typing import Any

import pytest

from gateways.http.events import pack_inbound, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.numbers import read_international, read_msisdn
from gateways.registry import get_gateway_class
from gateways.types import DeliveryEvent, InboundMessage

DANE = "4512345678"
"""Ten digits, country code and all."""
LOGINS: dict[str, dict[str, Any]] = {
    "infobip": {"base_url": "https://x.example.com", "api_key": "k"},
    "vonage": {"api_key": "k", "api_secret": "s"},
    "twilio": {"account_sid": "AC1", "auth_token": "t"},
    "figensoft": {"username": "u", "password": "p", "prefixes": ["90", "45"]},
    "generic": {
        "base_url": "https://x.example.com",
        "receipt": {"source": "json", "id": "id", "number": "to", "status": "st", "statuses": {"1": "delivered"}},
    },
}
RECEIPTS: dict[str, dict[str, Any]] = {
    "infobip": {"messageId": "1", "to": DANE, "status": {"groupName": "DELIVERED", "name": "DELIVERED_TO_HANDSET"}},
    "vonage": {"messageId": "1", "msisdn": DANE, "status": "delivered"},
    "twilio": {"sid": "SM1", "To": f"+{DANE}", "status": "delivered"},
    "figensoft": {"MessageId": "1", "Receiver": DANE, "SmsStatus": "400"},
    "generic": {"by": "push", "row": {"id": "1", "to": DANE, "st": "1"}},
}
INBOUND: dict[str, dict[str, Any]] = {
    "infobip": {"messageId": "1", "from": DANE, "to": "4609", "text": "STOP"},
    "vonage": {"messageId": "1", "msisdn": DANE, "to": "4609", "text": "STOP"},
    "twilio": {"MessageSid": "SM1", "From": f"+{DANE}", "To": "4609", "Body": "STOP"},
}


def open_gateway(slug: str, **changes: Any) -> HttpGateway:
    gateway = get_gateway_class(slug).from_settings({**LOGINS[slug], **changes})
    assert isinstance(gateway, HttpGateway)
    return gateway


@pytest.mark.parametrize("slug", LOGINS)
def test_a_number_from_abroad_stays_abroad(slug: str) -> None:
    [event] = open_gateway(slug).read_events([pack_receipt(RECEIPTS[slug])])
    assert isinstance(event, DeliveryEvent) and event.msisdn == f"+{DANE}"
    if slug in INBOUND:
        [message] = open_gateway(slug).read_events([pack_inbound(INBOUND[slug])])
        assert isinstance(message, InboundMessage) and message.msisdn == f"+{DANE}"


@pytest.mark.parametrize(
    ("slug", "changes"),
    [
        ("figensoft", {"prefixes": ["90"]}),
        ("generic", {"number_format": "national"}),
        ("generic", {"receipt_numbers": "national"}),
    ],
)
def test_at_home_ten_digits_are_turkish(slug: str, changes: dict[str, Any]) -> None:
    row = json.loads(json.dumps(RECEIPTS[slug]).replace(DANE, "5321234567"))
    [event] = open_gateway(slug, **changes).read_events([pack_receipt(row)])
    assert isinstance(event, DeliveryEvent) and event.msisdn == "+905321234567"


@pytest.mark.parametrize(
    ("slug", "settings", "prefixes"),
    [
        ("netgsm", {}, ("+90",)),
        ("infobip", {}, ()),
        ("smpp", {}, ()),
        ("figensoft", {}, ("+90",)),
        ("figensoft", {"prefixes": ["90", "45"]}, ("+90", "+45")),
        ("generic", {}, ()),
        ("generic", {"number_format": "national"}, ("+90",)),
    ],
)
def test_which_numbers_an_account_carries(slug: str, settings: dict[str, Any], prefixes: tuple[str, ...]) -> None:
    assert get_gateway_class(slug).list_prefixes(settings) == prefixes


@pytest.mark.parametrize(
    ("written", "national", "international"),
    [
        ("5321234567", "+905321234567", "+5321234567"),
        ("905321234567", "+905321234567", "+905321234567"),
        ("+45 12 34 56 78", "+4512345678", "+4512345678"),
        ("004512345678", "+4512345678", "+4512345678"),
        ("0532 123 45 67", "+905321234567", "+05321234567"),
        (4512345678, "+904512345678", "+4512345678"),
        (None, "", ""),
        ("-", "", ""),
    ],
)
def test_reading(written: Any, national: str, international: str) -> None:
    assert (read_msisdn(written), read_international(written)) == (national, international)
