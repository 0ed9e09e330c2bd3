"""Infobip SMS API v3 against its double. ``payloads/infobip.json``: bodies as in its sheet."""

import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from gateways.base import BadSettings
from gateways.http.events import PushRequest, pack_receipt
from gateways.simulator.http_server import Reply
from gateways.types import DeliveryEvent, DeliveryState, OutcomeKind, Reason
from tests.gateways.contract import GatewayContract
from tests.gateways.contract_stage import TURKISH, Stage, number_of
from tests.gateways.wire_cases import run

PAYLOADS: dict[str, Any] = json.loads((Path(__file__).parent / "payloads" / "infobip.json").read_text("utf-8"))
SIGNATURE = {"hmac_header": "X-Signature", "hmac_secret": "imza-anahtari"}


class TestInfobip(GatewayContract):
    slug = "infobip"
    login = ("infobip", "cok-gizli-anahtar")
    settings = {"api_key": "cok-gizli-anahtar", **SIGNATURE}
    not_applicable = {
        "job_ids": "each message has an id, ours",
    }
    marks = {"balance": "client", "pull": "client", "inbound": "official", "charges": "unverified"}
    refused = (Reply.json(PAYLOADS["refused_one"]), "REJECTED_NETWORK")
    charges = [(2, "0.0090")]
    throttled = (Reply.json(PAYLOADS["too_fast"], 429), 0.0)
    strange_code = (Reply.json(PAYLOADS["strange_one"]), "POSTPONED_STRANGE")

    @asynccontextmanager
    async def stage(self, *, settings: dict[str, Any] | None = None, **script: Any) -> AsyncIterator[Stage]:
        async with super().stage(settings=settings, **script) as stage:
            stage.double.configure(SIGNATURE)
            yield stage

    def make_pushes_provable(self, push: PushRequest) -> PushRequest | None:
        return replace(push, body=push.body.replace(b"90532", b"90533"))

    def test_request(self) -> None:
        gateway = self.open(9, push_url="https://panel.example.test/gateways/t1", entity_id="e", iys_brand_code=123456)
        messages = [
            self.message(1, "Merhaba", content_class="commercial", validity_seconds=5000),
            self.message(2, TURKISH),
            self.message(3, "ok 🍰"),
        ]
        first, second, third = json.loads(gateway.write_request(messages).body)["messages"]
        assert first == {
            "sender": "ORNEKFIRMA",
            "destinations": [{"to": "905320000001", "messageId": "peyk-1"}],
            "content": {"text": "Merhaba", "transliteration": "NONE"},
            "options": {
                "regional": {"turkeyIys": {"recipientType": "BIREYSEL", "brandCode": 123456}},
                "validityPeriod": {"amount": 2, "timeUnit": "HOURS"},
                "platform": {"entityId": "e"},
            },
            "webhooks": {
                "delivery": {"url": "https://panel.example.test/gateways/t1/receipts"},
                "contentType": "application/json",
            },
        }
        assert second["content"]["language"] == {"languageCode": "TR"}
        assert "regional" not in second["options"] and "language" not in third["content"]

    def test_refused_ones_among_taken_ones(self) -> None:
        async def scenario() -> None:
            async with self.stage(refusals=[{"pattern": "[24]$", "status": 11}]) as stage:
                outcomes = await stage.submit(*(self.message(n) for n in range(6)))
                kinds = [o.kind for o in outcomes]
                assert [n for n, kind in enumerate(kinds) if kind is OutcomeKind.REJECTED] == [2, 4]
                assert kinds.count(OutcomeKind.ACCEPTED) == 4
                assert stage.double.counts["calls"] == 1, "nothing had to be tried again"

        run(scenario())

    def test_one_bad_number_does_not_spoil_the_call(self) -> None:
        """A violation refuses the whole call: it is tried again in halves."""

        async def scenario() -> None:
            async with self.stage() as stage:
                bad = self.message(2)._replace(msisdn="+90x")
                outcomes = await stage.submit(self.message(0), self.message(1), bad, self.message(3))
                assert [o.kind is OutcomeKind.REJECTED for o in outcomes] == [False, False, True, False]
                assert (outcomes[2].code, outcomes[2].reason) == ("E400", Reason.BAD_CONTENT)
                assert len(stage.centre.phones.list_messages("")) == 3, "nobody twice"

        run(scenario())

    @pytest.mark.parametrize("name", ["REJECTED_NOT_ENOUGH_CREDITS", "REJECTED_PREPAID_PACKAGE_EXPIRED"])
    def test_a_dry_account_keeps_its_messages(self, name: str) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                refusal = json.dumps(PAYLOADS["refused_one"]).replace("REJECTED_NETWORK", name)
                stage.double.canned.append(Reply.json(json.loads(refusal)))
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason, outcome.code) == (OutcomeKind.DEFERRED, Reason.NO_BALANCE, name)
                assert outcome.retry_after_seconds == 300.0

        run(scenario())

    @pytest.mark.parametrize(("body", "status"), [("login", 401), ("login", 400)])
    def test_login_in_the_older_style(self, body: str, status: int) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(Reply.json(PAYLOADS[body], status))
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason) == (OutcomeKind.DEFERRED, Reason.LOGIN)

        run(scenario())

    def test_a_message_the_answer_does_not_name(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(Reply.json(PAYLOADS["taken"]))
                outcomes = await stage.submit(self.message(1), self.message(2))
                assert [o.kind for o in outcomes] == [OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN]
                assert (outcomes[0].job, outcomes[1].code) == ("b_01J", "missing")

        run(scenario())

    def test_reports_as_in_the_sheet(self) -> None:
        gateway = self.open(9)
        push = PushRequest("receipts", "POST", "https://x/", json.dumps(PAYLOADS["reports"]).encode())
        assert gateway.read_events(gateway.split_push(push)) == [
            DeliveryEvent(
                "m_01J0001", "+905550000001", DeliveryState.DELIVERED, code="DELIVERED_TO_HANDSET",
                occurred_at="2026-11-22T10:15:04.120+0000", job_id="b_01J",
                billed_parts=1, price="0.0045",
            )
        ]  # fmt: skip
        strange = json.loads(json.dumps(PAYLOADS["reports"]).replace('"DELIVERED"', '"SEEN"'))
        push = replace(push, body=json.dumps(strange).encode())
        [event] = gateway.read_events(gateway.split_push(push))
        assert isinstance(event, DeliveryEvent) and event.state is DeliveryState.UNKNOWN

    def test_a_message_of_another_installation_is_none_of_ours(self) -> None:
        row = {**PAYLOADS["reports"]["results"][0], "messageId": "peyk-7"}
        for prefix, token in (("peyk-", 7), ("bayi-", 0)):
            [event] = self.open(9, id_prefix=prefix).read_events([pack_receipt(row)])
            assert isinstance(event, DeliveryEvent)
            assert (event.provider_message_id, event.token) == ("peyk-7", token)

    def test_basic_webhooks(self) -> None:
        gateway = self.open(9, webhook_user="peyk", webhook_password="hook", hmac_header="", hmac_secret="")
        push = PushRequest("receipts", "POST", "https://x/", b"{}", {"authorization": "Basic cGV5azpob29r"})
        assert gateway.verify_push(push)
        for header in ("Basic eA==", "", "Basic \xff"):
            assert not gateway.verify_push(replace(push, headers={"authorization": header}))

    def test_signatures_in_hex(self) -> None:
        gateway = self.open(9)
        body = b'{"results": []}'
        right = hmac.new(SIGNATURE["hmac_secret"].encode(), body, hashlib.sha256).hexdigest()
        push = PushRequest("receipts", "POST", "https://x/", body)
        for header in (right, f"sha256={right}", right.upper()):
            assert gateway.verify_push(replace(push, headers={"x-signature": header}))
        for header in ("", right[:-1], "ü"):
            assert not gateway.verify_push(replace(push, headers={"x-signature": header}))

    def test_what_a_lost_answer_was_about_is_found_in_the_logs(self) -> None:
        async def scenario() -> None:
            async with self.stage(lost_answer_ratio=1.0, hangs=False) as stage:
                await stage.submit(self.message(1), self.message(2))
                job = stage.gateway.write_unknown_job([self.message(1)], time.time())
                page = await stage.gateway.pull_jobs([job], 0)
                events = stage.gateway.read_events(page.raws)
                assert {e.msisdn for e in events} == {number_of(1), number_of(2)}  # type: ignore[union-attr]
                assert {e.provider_message_id for e in events} == {"peyk-1", "peyk-2"}  # type: ignore[union-attr]
                assert {e.token for e in events} == {1, 2}, "which of several to one number"  # type: ignore[union-attr]
                earlier = stage.gateway.write_unknown_job([self.message(1)], time.time() - 3600)
                assert (await stage.gateway.pull_jobs([earlier], 0)).raws == []

        run(scenario())

    @pytest.mark.parametrize(
        "settings",
        [
            {"hmac_secret": ""},
            {"hmac_algorithm": "crc"},
            {"iys_recipient_type": "X"},
            {"api_key": ""},
            {"api_key": "şifre"},
            {"base_url": ""},
        ],
    )
    def test_settings_that_cannot_work(self, settings: dict[str, Any]) -> None:
        with pytest.raises(BadSettings):
            self.open(9, **settings)
