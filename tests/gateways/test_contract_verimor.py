"""Verimor against its double. ``payloads/verimor.json``: pushes as in its sheet."""

import json
from pathlib import Path
from typing import Any

import pytest

from gateways.base import BadSettings
from gateways.http.events import RECEIPT, STRANGE, PushRequest, unpack_raw
from gateways.simulator.http_server import Reply
from gateways.simulator.providers.verimor import FORBIDDEN
from gateways.types import DeliveryEvent, DeliveryState, InboundMessage, OutcomeKind, Reason
from tests.gateways.contract import GatewayContract
from tests.gateways.contract_stage import EMOJI, TURKISH, number_of
from tests.gateways.wire_cases import run

PAYLOADS: dict[str, Any] = json.loads((Path(__file__).parent / "payloads" / "verimor.json").read_text("utf-8"))
A, D, U, X = DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.UNDELIVERED, DeliveryState.UNKNOWN


def refuse(word: str) -> Reply:
    return Reply.text(word, 400)


class TestVerimor(GatewayContract):
    slug = "verimor"
    login = ("908500000000", "cok-gizli-sifre")
    settings = {"username": "908500000000", "password": "cok-gizli-sifre"}
    not_applicable = {"job_ids": "every message carries an id of ours, named in its receipt"}
    marks = {"duplicates": "unverified"}
    refused = (refuse("INVALID_SOURCE_ADDRESS"), "INVALID_SOURCE_ADDRESS")
    throttled = (Reply.text("", 429), 0.0)
    strange_code = (refuse("YENI_BIR_HATA"), "YENI_BIR_HATA")

    # -- sending -----------------------------------------------------------------------------------------

    def test_request(self) -> None:
        gateway = self.open(9)
        same = [self.message(n, "Merhaba", validity_seconds=5400 + n) for n in (1, 2)]
        again = self.message(1, "Merhaba")._replace(token=9)
        body = json.loads(gateway.write_request([*same, self.message(3), again]).body)
        assert body["messages"] == [
            {"msg": "Merhaba", "dest": "905320000001,905320000002", "id": "peyk-1,peyk-2"},
            {"msg": "Merhaba 3", "dest": "905320000003", "id": "peyk-3"},
            {"msg": "Merhaba", "dest": "905320000001", "id": "peyk-9"},
        ]
        assert (body["source_addr"], body["valid_for"], body["datacoding"]) == (self.sender, "01:31", "0")
        assert body["is_commercial"] is False and "iys_recipient_type" not in body and "send_at" not in body
        body = json.loads(gateway.write_request([self.message(1, TURKISH, content_class="commercial")]).body)
        assert (body["datacoding"], body["is_commercial"], body["iys_recipient_type"]) == ("1", True, "BIREYSEL")
        assert "valid_for" not in body
        long = json.loads(gateway.write_request([self.message(1, EMOJI, validity_seconds=900_000)]).body)
        assert (long["datacoding"], long["valid_for"]) == ("2", "48:00")

    def test_turkish_tables_are_not_used_abroad(self) -> None:
        gateway = self.open(9)
        abroad = self.message(2, TURKISH)._replace(msisdn="+4915112345678")
        assert gateway.group_key(abroad) != gateway.group_key(self.message(1, TURKISH))
        assert json.loads(gateway.write_request([abroad]).body)["datacoding"] == "2"

    def test_settings(self) -> None:
        with pytest.raises(BadSettings, match="iys_recipient_type"):
            self.open(9, iys_recipient_type="HEPSI")
        with pytest.raises(BadSettings, match="password"):
            self.open(9, password="")
        assert self.open(9).batch_size == 1000, "it can be asked for our own ids"
        assert self.open(9, batch_size=90_000).batch_size == 50_000

    @pytest.mark.parametrize("bad", ["number", "text", "long", "forbidden"])
    def test_one_bad_message_does_not_spoil_the_call(self, bad: str) -> None:
        texts = {"text": "", "long": "a" * 1072, "forbidden": f"Bu {FORBIDDEN} var"}

        async def scenario() -> None:
            async with self.stage(refusals=[{"pattern": "3$", "status": 11}] if bad == "number" else []) as stage:
                calls = [self.message(n) for n in range(8)]
                calls[3] = calls[3]._replace(text=texts.get(bad, calls[3].text))
                outcomes = await stage.submit(*calls)
                kinds = {o.token: o.kind for o in outcomes}
                assert kinds.pop(3) is OutcomeKind.REJECTED
                assert set(kinds.values()) == {OutcomeKind.ACCEPTED}
                assert len(stage.centre.phones.list_messages("")) == 7, "nobody twice"

        run(scenario())

    def test_address_not_on_their_list(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.configure({"is_address_allowed": False})
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason, outcome.code) == (OutcomeKind.DEFERRED, Reason.LOGIN, "401")

        run(scenario())

    @pytest.mark.parametrize(
        ("reply", "kind", "reason", "code"),
        [
            (refuse("INSUFFICIENT_CREDITS"), OutcomeKind.DEFERRED, Reason.NO_BALANCE, "INSUFFICIENT_CREDITS"),
            (refuse("MUKERRER_RAPORLAMA"), OutcomeKind.REJECTED, Reason.REFUSED, "MUKERRER_RAPORLAMA"),
            (refuse("NO_AHS_BRAND_ERROR\n"), OutcomeKind.REJECTED, Reason.REFUSED, "NO_AHS_BRAND_ERROR"),
            (Reply.text("", 413), OutcomeKind.REJECTED, Reason.OTHER, "413"),
            (Reply.text("INVALID_PERIOD", 200), OutcomeKind.UNKNOWN, Reason.MALFORMED, "200"),
            (Reply.text("20212", 201), OutcomeKind.UNKNOWN, Reason.MALFORMED, "201"),
            (Reply.text("20212 20213", 200), OutcomeKind.UNKNOWN, Reason.MALFORMED, "200"),
            (Reply.text("<html>", 400), OutcomeKind.UNKNOWN, Reason.MALFORMED, "400"),
            (Reply.text("<html>", 404), OutcomeKind.UNKNOWN, Reason.MALFORMED, "404"),
            (Reply.text("20212\n"), OutcomeKind.ACCEPTED, Reason.NONE, ""),
        ],
    )
    def test_answers(self, reply: Reply, kind: OutcomeKind, reason: Reason, code: str) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(reply)
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason, outcome.code) == (kind, reason, code)
                if kind is OutcomeKind.ACCEPTED:
                    assert (outcome.provider_message_id, outcome.job) == ("20212:peyk-1", "20212")

        run(scenario())

    # -- receipts ----------------------------------------------------------------------------------------

    def test_push_rows(self) -> None:
        """Receipts, a message from a handset, and what nobody knows; a receipt without an id of ours names nobody."""
        gateway = self.open(9)
        body = json.dumps(PAYLOADS["outbound"]).encode()
        raws = gateway.split_push(PushRequest("receipts", "POST", "http://x/", body))
        delivered, full, foreign, inbound, _ = gateway.read_events(raws)
        assert delivered[:5] == ("20212:peyk-1", number_of(1), D, Reason.NONE, "DELIVERED")
        assert full[:5] == ("20212:peyk-2", number_of(2), U, Reason.HANDSET_FULL, "NOT_DELIVERED/256")
        assert foreign[:3] == ("20213:905320000003", "", D)
        tokens = [event.token for event in (delivered, full, foreign) if isinstance(event, DeliveryEvent)]
        assert tokens == [1, 2, 0], "a lost answer's message is found by our own name of it"
        assert isinstance(inbound, InboundMessage) and inbound[:3] == (number_of(1), "4609", "RET ÖRNEK")
        assert unpack_raw(raws[4])[0] == STRANGE
        [iys] = gateway.split_push(PushRequest("receipts", "POST", "http://x/", json.dumps(PAYLOADS["iys"]).encode()))
        assert unpack_raw(iys)[0] == STRANGE, "kept"
        mixed = json.dumps(["?", {"type": "?", "x": "\ud83c"}, {"type": ["?"]}, PAYLOADS["outbound"][0]]).encode()
        raws = gateway.split_push(PushRequest("receipts", "POST", "http://x/", mixed))
        assert [unpack_raw(raw)[0] for raw in raws] == [STRANGE, STRANGE, STRANGE, RECEIPT], "one does not spoil all"

    @pytest.mark.parametrize(
        ("status", "error", "state", "reason"),
        [
            ("SENDING", "0", A, Reason.NONE),
            ("SENT", "0", A, Reason.NONE),
            ("NOT_DELIVERED", "0", U, Reason.OTHER),
            ("NOT_DELIVERED", "2050", U, Reason.BLOCKED_BY_RECIPIENT),
            ("NOT_DELIVERED", "31337", U, Reason.OTHER),
            ("EXPIRED", "6", U, Reason.EXPIRED),
            ("DOUBLE_SEND_ERROR", "0", U, Reason.REFUSED),
            ("NOT_ALLOWED_BY_IYS", "0", U, Reason.NO_CONSENT),
            ("BAMBASKA", "0", X, Reason.NONE),
        ],
    )
    def test_statuses(self, status: str, error: str, state: DeliveryState, reason: Reason) -> None:
        row = {**PAYLOADS["outbound"][0], "status": status, "gsm_error": error}
        raw = b"receipt\n" + json.dumps(row).encode()
        [event] = self.open(9).read_events([raw])
        assert isinstance(event, DeliveryEvent)
        assert (event.state, event.reason) == (state, reason)
        assert event.code == (status if error == "0" else f"{status}/{error}")
        [trusting] = self.open(9, sent_is_delivered=True).read_events([raw])
        assert isinstance(trusting, DeliveryEvent) and trusting.state is (D if status == "SENT" else state)

    def test_pages(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                outcomes = await stage.submit(*(self.message(n, "Merhaba") for n in range(250)))
                stage.double.counts.clear()
                events = await self.pull(stage, outcomes)
                assert {e.provider_message_id for e in events} == {o.provider_message_id for o in outcomes}
                assert (len(events), stage.double.counts["calls"]) == (250, 3)
                [sent] = stage.double.campaigns.values()  # type: ignore[attr-defined]
                assert len(sent["messages"]) == 1, "one text, told once"
                first = await stage.gateway.pull_jobs([outcomes[0].job], 0)
                await stage.gateway.pull_jobs(["?peyk-nothing"], 0)
                second = await stage.gateway.pull_jobs([outcomes[0].job], 1)
                assert len({*first.raws, *second.raws}) == 200, "whoever was asked about in between"

        run(scenario())

    def test_what_a_lost_answer_was_about_is_found_by_our_id(self) -> None:
        """Also where the call went out in halves: each half has a name of its own."""

        async def scenario() -> None:
            bad = [{"pattern": "3$", "status": 11}]
            async with self.stage(lost_answer_ratio=1.0, hangs=False, refusals=bad) as stage:
                outcomes = await stage.submit(*(self.message(n) for n in range(4)))
                unknown = [o for o in outcomes if o.kind is OutcomeKind.UNKNOWN]
                assert [o.token for o in unknown] == [0, 1, 2]
                jobs = list(dict.fromkeys(o.job for o in unknown))
                assert len(jobs) == 2
                events = [e for job in jobs for e in await self.pull(stage, [unknown[0]._replace(job=job)])]
                assert {e.msisdn for e in events} == {number_of(n) for n in range(3)}
                assert {e.client_reference for e in events} == {"0", "1", "2"}
                page = await stage.gateway.pull_jobs(["?peyk-nothing"], 0)
                assert page.raws == [] and page.is_last

        run(scenario())

    def test_a_campaign_of_another_account_stops_no_poll(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                [outcome] = await stage.submit(self.message())
                stage.double.jobs[outcome.job][0].account = "908501111111"
                assert (await stage.gateway.pull_jobs([outcome.job], 0)).raws == []

        run(scenario())

    def test_inbound_pages(self) -> None:
        """A full page is continued after its last id, then by time again."""

        async def scenario() -> None:
            async with self.stage() as stage:
                for n in range(130):
                    stage.double.receive(number_of(n), "4609", "RET")
                first = await stage.gateway.pull_inbound("")
                assert not first.is_last and "#" in first.cursor
                second = await stage.gateway.pull_inbound(first.cursor)
                assert second.is_last and second.cursor == first.cursor.partition("#")[0]
                assert len({*first.raws, *second.raws}) == 130
                third = await stage.gateway.pull_inbound(second.cursor)
                assert len(third.raws) == 100, "an overlap: doubles do no harm, gaps do"

        run(scenario())

    def test_senders(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.configure({"headers": ["ORNEKFIRMA", "ORNEK2"]})
                assert await stage.gateway.list_senders() == ["ORNEKFIRMA", "ORNEK2"]  # type: ignore[attr-defined]
                [outcome] = await stage.submit(self.message()._replace(sender="BASKASI"))
                assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECTED, Reason.BAD_SENDER)

        run(scenario())
