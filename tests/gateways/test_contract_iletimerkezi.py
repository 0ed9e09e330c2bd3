"""İleti Merkezi against its double. ``payloads/iletimerkezi.json``: answers as in its sheet."""

import json
import time
import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from gateways.base import BadSettings
from gateways.http.events import PushRequest
from gateways.simulator.http_server import Reply
from gateways.types import DeliveryEvent, DeliveryState, OutcomeKind, Reason
from tests.gateways.contract import GatewayContract
from tests.gateways.contract_stage import TURKISH, number_of
from tests.gateways.wire_cases import run

PAYLOADS: dict[str, Any] = json.loads((Path(__file__).parent / "payloads" / "iletimerkezi.json").read_text("utf-8"))
A, D, U, X = DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.UNDELIVERED, DeliveryState.UNKNOWN


def refuse(code: int, status: int = 200) -> Reply:
    body = f"<response><status><code>{code}</code><message>Olmadı</message></status></response>"
    return Reply.text(body, status, "application/xml")


class TestIletimerkezi(GatewayContract):
    slug = "iletimerkezi"
    login = ("api-anahtari", "cok-gizli-hash")
    settings = {"key": "api-anahtari", "hash": "cok-gizli-hash"}
    not_applicable = {
        "inbound": "no inbox found in their documentation",
        "charges": "neither reports nor the webhook name parts or a price",
    }
    marks = {
        "throttle": "unverified",
        "turkish": "unverified",
        "ucs2": "unverified",
        "duplicates": "unverified",
    }
    refused = (refuse(450), "450")
    throttled = (Reply(429, b"", {"Retry-After": "2"}), 2.0)
    strange_code = (refuse(777), "777")

    # -- sending -----------------------------------------------------------------------------------------

    def test_request(self) -> None:
        gateway = self.open(9)
        nasty = self.message(3, 'Ali & Veli <b>"x"</b> ]]>')
        request = gateway.write_request([self.message(1, "Merhaba"), self.message(2, "Merhaba"), nasty])
        root = ET.fromstring(request.body)
        assert (request.path, root.tag) == ("/send-sms", "request")
        assert root.findtext("authentication/key") == "api-anahtari"
        assert (root.findtext("order/sender"), root.findtext("order/iys")) == (self.sender, "0")
        assert root.find("order/iysList") is None and root.find("order/sendDateTime") is None
        first, second = root.findall("order/message")
        assert first.findtext("text") == "Merhaba"
        assert [n.text for n in first.findall("receipents/number")] == ["5320000001", "5320000002"]
        assert second.findtext("text") == nasty.text
        commercial = ET.fromstring(gateway.write_request([self.message(1, content_class="commercial")]).body)
        assert (commercial.findtext("order/iys"), commercial.findtext("order/iysList")) == ("1", "BIREYSEL")

    def test_settings(self) -> None:
        with pytest.raises(BadSettings, match="iys_list"):
            self.open(9, iys_list="HEPSI")
        with pytest.raises(BadSettings, match="hash"):
            self.open(9, hash="")
        assert self.open(9).batch_size == 1000

    @pytest.mark.parametrize("bad", ["number", "empty", "long", "character", "foreign"])
    def test_one_bad_message_does_not_spoil_the_call(self, bad: str) -> None:
        texts = {"empty": "", "long": "ş" * 1044, "character": "sayfa\fsonu"}

        async def scenario() -> None:
            async with self.stage(refusals=[{"pattern": "3$", "status": 11}] if bad == "number" else []) as stage:
                calls = [self.message(n) for n in range(8)]
                calls[3] = calls[3]._replace(text=texts.get(bad, calls[3].text))
                if bad == "foreign":
                    calls[3] = calls[3]._replace(msisdn="+4915112345678")
                outcomes = await stage.submit(*calls)
                kinds = {o.token: o.kind for o in outcomes}
                assert kinds.pop(3) is OutcomeKind.REJECTED
                assert set(kinds.values()) == {OutcomeKind.ACCEPTED}
                assert len(stage.centre.phones.list_messages("")) == 7, "nobody twice"

        run(scenario())

    def test_the_same_order_again_is_refused_as_a_whole(self) -> None:
        """In halves it would be another order to them, and everybody would get it twice."""

        async def scenario() -> None:
            async with self.stage() as stage:
                calls = [self.message(n) for n in range(4)]
                await stage.submit(*calls)
                again = await stage.submit(*calls)
                assert {(o.kind, o.reason, o.code) for o in again} == {(OutcomeKind.REJECTED, Reason.REFUSED, "451")}
                assert len(stage.centre.phones.list_messages("")) == 4
                assert stage.double.counts["calls"] == 2

        run(scenario())

    @pytest.mark.parametrize(
        ("reply", "kind", "reason", "code"),
        [
            (Reply.text(PAYLOADS["accepted"]), OutcomeKind.ACCEPTED, Reason.NONE, ""),
            (Reply.text(PAYLOADS["accepted"], 500), OutcomeKind.UNKNOWN, Reason.MALFORMED, "500"),
            (Reply.text(PAYLOADS["accepted_without_order"]), OutcomeKind.UNKNOWN, Reason.MALFORMED, "ValueError"),
            (Reply.text(PAYLOADS["unreadable"], 400), OutcomeKind.REJECTED, Reason.OTHER, "400"),
            (refuse(401, 401), OutcomeKind.DEFERRED, Reason.LOGIN, "401"),
            (Reply.text("", 401), OutcomeKind.DEFERRED, Reason.LOGIN, "401"),
            (refuse(402, 402), OutcomeKind.DEFERRED, Reason.NO_BALANCE, "402"),
            (refuse(452, 452), OutcomeKind.REJECTED, Reason.BAD_ADDRESS, "452"),
            (refuse(469), OutcomeKind.REJECTED, Reason.REFUSED, "469"),
            (refuse(503, 503), OutcomeKind.UNKNOWN, Reason.SYSTEM, "503"),
            (Reply.text("<html>", 503), OutcomeKind.UNKNOWN, Reason.SYSTEM, "503"),
        ],
    )
    def test_answers(self, reply: Reply, kind: OutcomeKind, reason: Reason, code: str) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(reply)
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason, outcome.code) == (kind, reason, code)
                if kind is OutcomeKind.ACCEPTED:
                    assert (outcome.provider_message_id, outcome.job) == ("12323232:905320000001", "12323232")

        run(scenario())

    def test_out_of_service_is_tried_again_only_where_the_account_says_so(self) -> None:
        async def scenario() -> None:
            async with self.stage(settings={"retries_server_error": True}, queue_full_ratio=1.0) as stage:
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason) == (OutcomeKind.DEFERRED, Reason.SYSTEM)
                assert not stage.centre.phones.list_messages("")

        run(scenario())

    def test_whether_or_not_the_status_says_it_too(self) -> None:
        async def scenario() -> None:
            for mirrors in (True, False):
                async with self.stage() as stage:
                    stage.double.configure({"mirrors_status": mirrors, "headers": ["ORNEKFIRMA"]})
                    [outcome] = await stage.submit(self.message()._replace(sender="Ornekfirma"))
                    assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECTED, Reason.BAD_SENDER), "case counts"

        run(scenario())

    # -- receipts ----------------------------------------------------------------------------------------

    def test_report_rows(self) -> None:
        async def scenario() -> None:
            for trusts in (True, False):
                async with self.stage(settings={"sent_is_delivered": trusts}) as stage:
                    stage.double.canned.append(Reply.json(PAYLOADS["report"]))
                    page = await stage.gateway.pull_jobs(["428"], 0)
                    events = stage.gateway.read_events(page.raws)
                    assert all(isinstance(e, DeliveryEvent) for e in events) and page.is_last
                    assert [e.state for e in events] == [A, D if trusts else A, U, X]  # type: ignore[union-attr]
                    assert events[1].provider_message_id == "428:905320000002"  # type: ignore[union-attr]
                    stage.double.canned.append(Reply.json(PAYLOADS["report_failed"]))
                    [failed] = stage.gateway.read_events((await stage.gateway.pull_jobs(["428"], 0)).raws)
                    assert failed[:5] == ("428:905320000001", number_of(1), U, Reason.OTHER, "115")
                    stage.double.canned.append(Reply.json(PAYLOADS["too_early"], 456))
                    early = await stage.gateway.pull_jobs(["428"], 0)
                    assert early.raws == [] and early.is_last, "not an error"

        run(scenario())

    def test_webhook(self) -> None:
        """Its text is not kept, and a message that was only accepted is still on its way."""
        gateway = self.open(9)
        body = json.dumps(PAYLOADS["webhook"]).encode()
        [raw] = gateway.split_push(PushRequest("receipts", "POST", "http://x/", body))
        assert b"Webhook test" not in raw
        [event] = gateway.read_events([raw])
        assert event[:3] == ("104525848:905320000001", number_of(1), A)

    def test_pages(self) -> None:
        async def scenario() -> None:
            async with self.stage(settings={"receipt_rows_per_query": 2}) as stage:
                outcomes = await stage.submit(*(self.message(n) for n in range(5)))
                events = await self.pull(stage, outcomes)
                assert {e.provider_message_id for e in events} == {o.provider_message_id for o in outcomes}

        run(scenario())

    def test_what_a_lost_answer_was_about_is_found_by_its_time(self) -> None:
        """The list of orders tells when, whose and how many; larger orders and other senders are not ours."""

        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.configure({"orders_per_page": 2})
                await stage.submit(*(self.message(n) for n in range(20, 30)))
                await stage.submit(self.message(9)._replace(sender="BASKASI"))
                stage.centre.apply_script(stage.centre.script.changed({"lost_answer_ratio": 1.0, "hangs": False}))
                [outcome, _] = await stage.submit(self.message(1), self.message(2))
                assert outcome.kind is OutcomeKind.UNKNOWN and outcome.job.startswith("?")
                found: list[tuple[str, int]] = []
                for number in range(5):
                    page = await stage.gateway.pull_jobs([outcome.job], number)
                    found += page.found
                    if page.is_last:
                        break
                assert found == [(list(stage.double.jobs)[-1], 0)]
                events = stage.gateway.read_events((await stage.gateway.pull_jobs([found[0][0]], 0)).raws)
                assert {e.msisdn for e in events} == {number_of(1), number_of(2)}  # type: ignore[union-attr]
            assert self.open(9, searches_by_date=False).write_unknown_job([self.message()], time.time()) == ""

        run(scenario())

    # -- account -----------------------------------------------------------------------------------------

    def test_account(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                assert await stage.gateway.get_balance() == "10000000"
                stage.double.canned.append(Reply.json(PAYLOADS["balance_texts"]))
                assert await stage.gateway.get_balance() == "125.50"
                assert await stage.gateway.list_senders() == ["ORNEKFIRMA"]  # type: ignore[attr-defined]
                [outcome] = await stage.submit(self.message(1, TURKISH, content_class="commercial"))
                stage.double.configure({"iys_refusals": ["5320000001"]})
                [event] = await self.pull(stage, [outcome])
                assert event.state is U

        run(scenario())
