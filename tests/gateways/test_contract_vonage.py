"""Vonage SMS API against its double. ``payloads/vonage.json``: bodies as in its sheet; the signatures are the SDK's."""

import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from gateways.adapters.vonage.signature import sign
from gateways.base import BadSettings
from gateways.http.events import PushRequest
from gateways.simulator.http_server import Reply
from gateways.types import DeliveryEvent, DeliveryState, InboundMessage, OutcomeKind, Reason
from tests.gateways.contract import GatewayContract
from tests.gateways.contract_stage import TURKISH, Stage
from tests.gateways.wire_cases import run

PAYLOADS: dict[str, Any] = json.loads((Path(__file__).parent / "payloads" / "vonage.json").read_text("utf-8"))
SECRET = "vonage-sig-demo"
AT = 1_795_342_500
SHA256 = "a68f9b36bdbd8f234b8fc456d79f1accae3991f7680c992deb5dde9bc54429bb"
HMAC_MD5 = "a17802adcee87f10d397941bcee27473"


def push_of(fields: dict[str, str], form: str = "json", kind: str = "receipts") -> PushRequest:
    if form == "query":
        return PushRequest(kind, "GET", "https://x/", query=tuple(fields.items()))
    body = json.dumps(fields) if form == "json" else urlencode(fields)
    return PushRequest(kind, "POST", "https://x/", body.encode())


class TestVonage(GatewayContract):
    slug = "vonage"
    login = ("abcd1234", "cok-gizli-sir")
    settings = {"api_key": "abcd1234", "api_secret": "cok-gizli-sir", "signature_secret": SECRET}
    not_applicable = {
        "pull": "their API has no call for it; receipts are pushed",
        "job_ids": "each part of a message has an id of its own",
    }
    marks = {"inbound": "official", "balance": "official"}
    refused = (Reply.json(PAYLOADS["sender"]), "15")
    charges = [(1, "0.0333"), (1, "0.0333")]
    throttled = (Reply.json(PAYLOADS["too_fast"]), 0.25)
    strange_code = (Reply.json(PAYLOADS["strange"]), "77")

    @asynccontextmanager
    async def stage(self, *, settings: dict[str, Any] | None = None, **script: Any) -> AsyncIterator[Stage]:
        async with super().stage(settings=settings, **script) as stage:
            stage.double.configure({"signature_secret": SECRET})
            yield stage

    def make_pushes_provable(self, push: PushRequest) -> PushRequest | None:
        return replace(push, body=push.body.replace(b"90532", b"90533"))

    # -- sending -----------------------------------------------------------------------------------------

    def test_request(self) -> None:
        gateway = self.open(9, push_url="https://panel.example.test/gateways/t1")
        request = gateway.write_request([self.message(1, "Merhaba", validity_seconds=5)])
        assert dict(parse_qsl(request.body.decode())) == {
            "from": "ORNEKFIRMA",
            "to": "905320000001",
            "text": "Merhaba",
            "type": "text",
            "status-report-req": "true",
            "client-ref": "1",
            "ttl": "20000",
            "callback": "https://panel.example.test/gateways/t1/receipts",
        }
        gateway = self.open(9, push_url="https://panel.example.test/gateways/" + "0" * 64)
        fields = dict(parse_qsl(gateway.write_request([self.message(1, TURKISH)]).body.decode()))
        assert fields["type"] == "unicode"
        assert "callback" not in fields, "longer than they take: the account's setting names it"

    def test_letters_a_text_message_cannot_carry(self) -> None:
        """The double is as rough as they are: the adapter has to ask for unicode."""

        async def scenario() -> None:
            async with self.stage() as stage:
                await stage.submit(self.message(1, "Işık")._replace(encoding="gsm7"))
                [shown] = stage.centre.phones.list_messages("")
                assert shown["text"] == "I??k"

        run(scenario())

    def test_every_part_has_an_id_and_a_receipt(self) -> None:
        async def scenario() -> None:
            async with self.stage(receipt_delay=[30, 30]) as stage:
                outcomes = []

                async def act() -> None:
                    outcomes.extend(await stage.submit(self.message(1, "x" * 400)))

                pushes = await self.collect_pushes(stage, "receipts", act, 3)
                events = [e for p in pushes for e in stage.gateway.read_events(stage.gateway.split_push(p))]
                assert len(outcomes[0].part_ids) == 3
                assert {e.provider_message_id for e in events} == set(outcomes[0].part_ids)  # type: ignore[union-attr]
                assert {e.token for e in events} == {outcomes[0].token}, "each names its message"  # type: ignore[union-attr]

        run(scenario())

    def test_taken_in_part(self) -> None:
        """Neither may it be sent again nor can the rest follow alone."""

        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.configure({"takes_parts": 1})
                [outcome] = await stage.submit(self.message(1, "x" * 400))
                assert (outcome.kind, outcome.reason) == (OutcomeKind.UNKNOWN, Reason.PARTIAL)
                assert outcome.code == "9" and "Partner quota" in outcome.evidence

        run(scenario())

    @pytest.mark.parametrize(
        ("status", "kind", "reason"),
        [
            ("4", OutcomeKind.DEFERRED, Reason.LOGIN),
            ("8", OutcomeKind.DEFERRED, Reason.LOGIN),
            ("5", OutcomeKind.DEFERRED, Reason.SYSTEM),
            ("9", OutcomeKind.DEFERRED, Reason.NO_BALANCE),
            ("6", OutcomeKind.REJECTED, Reason.NO_ROUTE),
            ("33", OutcomeKind.REJECTED, Reason.UNKNOWN_SUBSCRIBER),
        ],
    )
    def test_statuses_in_a_200(self, status: str, kind: OutcomeKind, reason: Reason) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(Reply.json({"message-count": "1", "messages": [{"status": status}]}))
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason) == (kind, reason)

        run(scenario())

    def test_no_parts_prove_nothing(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(Reply.json({"message-count": "0", "messages": []}))
                [outcome] = await stage.submit(self.message())
                assert outcome.kind is OutcomeKind.UNKNOWN

        run(scenario())

    # -- calls to us -------------------------------------------------------------------------------------

    def test_signatures_as_in_the_sheet(self) -> None:
        fields = PAYLOADS["receipt"]
        assert sign(fields, SECRET, "sha256") == SHA256
        assert sign(fields, SECRET, "md5") == HMAC_MD5
        assert sign({"a": "1&2=3", "sig": "x"}, SECRET, "md5hash") == sign({"a": "1_2_3"}, SECRET, "md5hash")

    @pytest.mark.parametrize("form", ["json", "form", "query"])
    def test_signed_in_each_shape(self, form: str, monkeypatch: pytest.MonkeyPatch) -> None:
        gateway = self.open(9)
        fields = PAYLOADS["receipt"]
        monkeypatch.setattr(time, "time", lambda: AT + 3600.0)
        push = push_of({**fields, "sig": SHA256.upper()}, form)
        assert gateway.verify_push(push), "they call again for a day"
        [event] = gateway.read_events(gateway.split_push(push))
        assert event == DeliveryEvent(
            "0A0000001234ABCD", "+905550000001", DeliveryState.DELIVERED, code="delivered", occurred_at="2611221015",
            billed_parts=1,
        )  # fmt: skip
        for wrong in ({"sig": SHA256, "status": "failed"}, {"sig": ""}, {"sig": "ü"}, {"timestamp": "x"}, {}):
            assert not gateway.verify_push(push_of(fields | wrong, form))
        monkeypatch.setattr(time, "time", lambda: AT + 100_000.0)
        assert not gateway.verify_push(push), "too old"

    def test_without_a_signature_secret_the_address_has_to_do(self) -> None:
        assert self.open(9, signature_secret="").verify_push(push_of(PAYLOADS["receipt"]))

    @pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'{"timestamp": null, "sig": 5}'])
    def test_what_cannot_be_read_is_not_signed(self, body: bytes) -> None:
        assert not self.open(9).verify_push(PushRequest("receipts", "POST", "https://x/", body))

    def test_receipts(self) -> None:
        gateway = self.open(9)

        def read(**fields: str) -> DeliveryEvent:
            push = push_of(PAYLOADS["receipt"] | {name.replace("_", "-"): value for name, value in fields.items()})
            [event] = gateway.read_events(gateway.split_push(push))
            assert isinstance(event, DeliveryEvent)
            return event

        assert read(status="buffered").state is DeliveryState.ACCEPTED
        assert read(status="unknown").state is DeliveryState.UNKNOWN
        failed = read(status="failed", err_code="2", client_ref="m1")
        assert (failed.reason, failed.code, failed.client_reference) == (Reason.ABSENT_SUBSCRIBER, "failed/2", "m1")

    def test_a_part_of_a_long_reply(self) -> None:
        gateway = self.open(9)
        [event] = gateway.read_events(gateway.split_push(push_of(PAYLOADS["inbound_part"], kind="inbound")))
        assert event == InboundMessage(
            "+905320000007", "8503000000", "ilk ", 108, 1, 2, "0B00000017CC3C10", "2026-11-22 10:15:00"
        )

    @pytest.mark.parametrize("settings", [{"api_key": ""}, {"api_secret": ""}, {"signature_method": "crc"}])
    def test_settings_that_cannot_work(self, settings: dict[str, Any]) -> None:
        with pytest.raises(BadSettings):
            self.open(9, **settings)
