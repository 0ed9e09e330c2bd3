"""Twilio against its double. ``payloads/twilio.json``: bodies as in its sheet; the signatures are the SDK's."""

import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest

from gateways.base import BadSettings
from gateways.http.events import PushRequest
from gateways.simulator.http_server import Reply
from gateways.types import DeliveryEvent, DeliveryState, OutboundMessage, OutcomeKind, Reason
from tests.gateways.contract import GatewayContract
from tests.gateways.contract_stage import number_of
from tests.gateways.wire_cases import run

PAYLOADS: dict[str, Any] = json.loads((Path(__file__).parent / "payloads" / "twilio.json").read_text("utf-8"))
ACCOUNT = "AC00000000000000000000000000000001"
HOOK = "https://panel.example.test/hooks/twilio/t1"
SHA1 = "MrPqGDSbCeUIg1ox0EyeUzZPFJk="
SHA256 = "K/SWKPUgZqeUmyEsq+OPUrZVHXfziX9M11utgXE96QI="


def callback(signature: str, url: str = HOOK, **headers: str) -> PushRequest:
    body = urlencode(PAYLOADS["callback"]).encode()
    names = {name.replace("_", "-"): value for name, value in headers.items()}
    return PushRequest("receipts", "POST", url, body, {"x-twilio-signature": signature, **names})


class TestTwilio(GatewayContract):
    slug = "twilio"
    login = (ACCOUNT, "twilio-token-demo")
    settings = {"account_sid": ACCOUNT, "auth_token": "twilio-token-demo"}
    not_applicable = {"job_ids": "each message has an id of its own"}
    marks = {"throttle": "unverified", "balance": "client", "inbound": "unverified"}
    refused = (Reply.json(PAYLOADS["refused"], 400), "21211")
    charges = [(2, "-0.09000")]
    throttled = (Reply.json(PAYLOADS["too_fast"], 429), 0.0)
    strange_code = (Reply.json(PAYLOADS["strange"], 400), "29999")

    def make_pushes_provable(self, push: PushRequest) -> PushRequest | None:
        return replace(push, body=push.body + b"&MessageStatus=read")

    # -- sending -----------------------------------------------------------------------------------------

    def test_request(self) -> None:
        gateway = self.open(9, push_url="https://panel.example.test/gateways/t1", callback_options="rc=5&rp=all")
        request = gateway.write_request([self.message(1, "Merhaba", validity_seconds=90_000)])
        assert request.path == f"/2010-04-01/Accounts/{ACCOUNT}/Messages.json"
        assert dict(parse_qsl(request.body.decode())) == {
            "To": "+905320000001",
            "From": "ORNEKFIRMA",
            "Body": "Merhaba",
            "SmartEncoded": "false",
            "ValidityPeriod": "36000",
            "StatusCallback": "https://panel.example.test/gateways/t1/receipts#rc=5&rp=all",
        }
        gateway = self.open(9, push_url="https://a_b.example/t1", messaging_service_sid="MG1")
        fields = dict(parse_qsl(gateway.write_request([self.message(1)]).body.decode()))
        assert fields["MessagingServiceSid"] == "MG1"
        assert not {"From", "StatusCallback", "ValidityPeriod"} & set(fields), "no host name with an underscore"

    def test_an_api_key_logs_in_instead_of_the_token(self) -> None:
        key = {"auth_token": "", "api_key_sid": "SK1", "api_key_secret": "anahtar-sirri"}

        async def scenario() -> None:
            async with self.stage(accounts={"SK1": "anahtar-sirri"}, settings=key) as stage:
                [outcome] = await stage.submit(self.message())
                assert outcome.kind is OutcomeKind.ACCEPTED
                assert stage.gateway.verify_push(callback("")), "nothing to check with: the address has to do"

        run(scenario())

    @pytest.mark.parametrize(
        ("to", "kind", "reason"),
        [
            ("+15005550001", OutcomeKind.REJECTED, Reason.BAD_ADDRESS),
            ("+15005550002", OutcomeKind.REJECTED, Reason.NO_ROUTE),
            ("+15005550003", OutcomeKind.REJECTED, Reason.NO_ROUTE),
            ("+15005550004", OutcomeKind.REJECTED, Reason.BLOCKED_BY_RECIPIENT),
            ("+15005550009", OutcomeKind.REJECTED, Reason.BAD_ADDRESS),
        ],
    )
    def test_magic_numbers(self, to: str, kind: OutcomeKind, reason: Reason) -> None:
        self._expect(self.message()._replace(msisdn=to), kind, reason)

    @pytest.mark.parametrize(
        ("sender", "kind", "reason"),
        [
            ("+15005550001", OutcomeKind.REJECTED, Reason.BAD_SENDER),
            ("+15005550007", OutcomeKind.REJECTED, Reason.BAD_SENDER),
            ("+15005550008", OutcomeKind.DEFERRED, Reason.QUEUE_FULL),
            ("ONIKI HARFLI", OutcomeKind.REJECTED, Reason.BAD_SENDER),
        ],
    )
    def test_magic_senders(self, sender: str, kind: OutcomeKind, reason: Reason) -> None:
        self._expect(self.message()._replace(sender=sender), kind, reason)

    def test_a_text_longer_than_they_take(self) -> None:
        self._expect(self.message(1, "x" * 1601), OutcomeKind.REJECTED, Reason.BAD_CONTENT)

    def _expect(self, message: OutboundMessage, kind: OutcomeKind, reason: Reason) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                [outcome] = await stage.submit(message)
                assert (outcome.kind, outcome.reason) == (kind, reason)
                assert not stage.centre.phones.list_messages("")

        run(scenario())

    @pytest.mark.parametrize(
        "reply",
        [Reply.json({"sid": "AC1"}, 201), Reply.json({"code": 1, "status": 500}, 400), Reply.json({"x": 1}, 400)],
    )
    def test_what_is_not_their_word_proves_nothing(self, reply: Reply) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(reply)
                [outcome] = await stage.submit(self.message())
                assert outcome.kind is OutcomeKind.UNKNOWN

        run(scenario())

    # -- what a lost answer was about --------------------------------------------------------------------

    def test_a_lost_call_is_found_by_number_time_and_text(self) -> None:
        async def scenario() -> None:
            async with self.stage(lost_answer_ratio=1.0, hangs=False) as stage:
                await stage.submit(self.message(1, "aranan"))
                await stage.submit(self.message(1, "başka"))
                await stage.submit(self.message(2, "aranan"))
                job = stage.gateway.write_unknown_job([self.message(1, "aranan")], time.time())
                page = await stage.gateway.pull_jobs([job], 0)
                [event] = stage.gateway.read_events(page.raws)
                assert isinstance(event, DeliveryEvent)
                assert (event.msisdn, event.state) == (number_of(1), DeliveryState.DELIVERED)
                assert page.found == ((event.provider_message_id, 1),)
                assert "aranan" not in str(page.raws), "texts stay where they are"
                earlier = stage.gateway.write_unknown_job([self.message(1, "aranan")], time.time() - 3600)
                assert (await stage.gateway.pull_jobs([earlier], 0)).raws == []

        run(scenario())

    # -- callbacks ---------------------------------------------------------------------------------------

    def test_signature(self) -> None:
        gateway = self.open(9)
        assert gateway.verify_push(callback(SHA1))
        assert gateway.verify_push(callback(SHA1, HOOK.replace(".test/", ".test:443/")))
        for wrong in (callback(""), callback(SHA256), callback("ü"), callback(SHA1, HOOK + "?x=1")):
            assert not gateway.verify_push(wrong)
        assert not gateway.verify_push(replace(callback(SHA1), body=b"\xff"))

    def test_signature_of_the_address_they_were_told(self) -> None:
        """Behind a proxy that speaks plain HTTP to us the address looks different from inside."""
        gateway = self.open(9, push_url="https://panel.example.test/hooks/twilio")
        push = replace(callback(SHA1, "http://10.0.0.1:8000/hooks/twilio/t1"), kind="t1")
        assert gateway.verify_push(push)

    def test_signature_with_a_shared_key(self) -> None:
        header = {"x_twilio_webhooks_signature_settings": "key=CR1,algorithm=HMAC_SHA256"}
        gateway = self.open(9, signing_key_id="CR1", signing_key_secret="twilio-token-demo", auth_token="other")
        assert gateway.verify_push(callback(SHA256, **header))
        assert not gateway.verify_push(callback(SHA1, **header))
        assert not gateway.verify_push(callback(SHA256))

    def test_callbacks_out_of_order(self) -> None:
        """``sent`` after ``delivered`` moves nothing; a status that is not in the table is kept."""
        gateway = self.open(9)

        def read(**fields: str) -> DeliveryEvent:
            body = urlencode(PAYLOADS["callback"] | fields).encode()
            [event] = gateway.read_events(gateway.split_push(PushRequest("receipts", "POST", HOOK, body)))
            assert isinstance(event, DeliveryEvent)
            return event

        assert read() == DeliveryEvent(
            "SM00000000000000000000000000000001", "+905550000001", DeliveryState.DELIVERED, code="delivered",
            job_id="SM00000000000000000000000000000001",
        )  # fmt: skip
        assert read(MessageStatus="sent").state is DeliveryState.ACCEPTED
        assert read(MessageStatus="teleported").state is DeliveryState.UNKNOWN
        failed = read(MessageStatus="undelivered", ErrorCode="30036")
        assert (failed.state, failed.reason, failed.code) == (
            DeliveryState.UNDELIVERED, Reason.EXPIRED, "undelivered/30036"
        )  # fmt: skip
        assert read(MessageStatus="failed", ErrorCode="39999").reason is Reason.REFUSED

    def test_sent_may_come_last(self) -> None:
        async def scenario() -> None:
            async with self.stage(receipt_delay=[30, 30]) as stage:
                stage.double.configure({"tells_sent": True})
                pushes = await self.collect_pushes(stage, "receipts", lambda: stage.submit(self.message()), 2)
                events = [e for p in pushes for e in stage.gateway.read_events(stage.gateway.split_push(p))]
                assert {e.state for e in events if isinstance(e, DeliveryEvent)} == {
                    DeliveryState.DELIVERED, DeliveryState.ACCEPTED
                }  # fmt: skip

        run(scenario())

    # -- account -----------------------------------------------------------------------------------------

    def test_a_subaccount_has_no_balance(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.configure({"is_subaccount": True})
                assert (await stage.gateway.check()).ok

        run(scenario())

    @pytest.mark.parametrize(
        "settings",
        [{"account_sid": ""}, {"auth_token": ""}, {"api_key_sid": "SK1"}, {"signing_key_id": "CR1"}],
    )
    def test_settings_that_cannot_work(self, settings: dict[str, Any]) -> None:
        with pytest.raises(BadSettings):
            self.open(9, **settings)
