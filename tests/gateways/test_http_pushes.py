"""Whatever is pushed to us is answered and kept: an adapter raises for none of it."""

import json
from typing import Any

import pytest

from gateways.base import UnsupportedFeature
from gateways.http.events import PushRequest
from gateways.http.gateway import HttpGateway
from gateways.types import DeliveryEvent, InboundMessage, UnreadableEvent
from tests.gateways.contract import GatewayContract
from tests.gateways.coverage import list_contracts

SIGNED: dict[str, dict[str, Any]] = {
    "vonage": {"signature_secret": "gizli"},
    "infobip": {"hmac_header": "X-Signature", "hmac_secret": "gizli"},
}
NAMES = (
    "msisdn",
    "messageId",
    "status",
    "sig",
    "timestamp",
    "results",
    "report",
    "id",
    "mesaj",
    "ceptel",
    "MessageSid",
)
VALUES: tuple[Any, ...] = (None, "\ud800", "\x00", 1e400, 10**300, [], {}, [None], {"a": "\udfff"}, True, "-", "٣")
BODIES = (
    b"",
    b"{",
    b"[" * 100_000,
    b"\xff\xfe\x00",
    b"null",
    b"[[]]",
    b"a=b&a=c&%ff=%00",
    b'{"timestamp": 1e999, "sig": "\\ud800"}',
    b'{"\\ud800": "\\udfff", "timestamp": "nan"}',
    "msisdn=٣&status=İ".encode(),
    *(json.dumps(dict.fromkeys(NAMES, value)).encode() for value in VALUES),
    *(json.dumps([{"type": "inbound", **dict.fromkeys(NAMES, value)}]).encode() for value in VALUES),
)
CALLS = [(kind, body) for kind in ("receipts", "inbound") for body in BODIES]


def push_all(gateway: HttpGateway) -> None:
    for kind, body in CALLS:
        query = (("status", "\ud800"), ("timestamp", "1e400"))
        headers = {"authorization": "Basic \xff", "x-signature": "=\xff", "x-twilio-signature": "\xff"}
        push = PushRequest(kind, "POST", f"https://panel.example.com/gateways/t/{kind}", body, headers, query)
        assert gateway.verify_push(push) in (True, False)
        raws = gateway.split_push(push)
        assert all(isinstance(raw, bytes) for raw in raws)
        events = gateway.read_events(raws)
        assert len(events) == len(raws)
        assert all(isinstance(event, DeliveryEvent | InboundMessage | UnreadableEvent) for event in events)


@pytest.mark.parametrize("contract", list_contracts(), ids=lambda c: c.column or c.slug)
def test_no_body_raises(contract: type[GatewayContract]) -> None:
    push_all(contract().open(9))
    push_all(contract().open(9, **SIGNED.get(contract.slug, {})))


@pytest.mark.parametrize("method", ["md5hash", "sha256"])
def test_a_lone_surrogate_has_no_good_signature(method: str) -> None:
    [vonage] = [c for c in list_contracts() if c.slug == "vonage"]
    gateway = vonage().open(9, signature_secret="gizli", signature_method=method)
    body = json.dumps({"timestamp": "1", "sig": "\ud800", "text": "\ud800"}).encode()
    assert not gateway.verify_push(PushRequest("inbound", "POST", "https://panel.example.com", body))


def test_who_pushes_nothing_keeps_it_all_the_same() -> None:
    [figensoft] = [c for c in list_contracts() if c.slug == "figensoft"]
    gateway = figensoft().open(9)
    push = PushRequest("receipts", "POST", "https://panel.example.com", b"hello")
    with pytest.raises(UnsupportedFeature):
        gateway.read_push(push)
    assert gateway.split_push(push) == [b"strange\nhello"]
