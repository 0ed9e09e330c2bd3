"""Mutlucell against its double. ``payloads/mutlucell.json``: answers as in its sheet and as clients met them."""

import json
import xml.etree.ElementTree as ET
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateways.base import BadSettings, LoginRefused, OutcomeUnknown
from gateways.simulator.http_server import Reply
from gateways.simulator.providers.mutlucell import ZONE
from gateways.types import DeliveryEvent, DeliveryState, OutcomeKind, Reason, UnreadableEvent
from tests.gateways.contract import GatewayContract
from tests.gateways.contract_stage import EMOJI, TURKISH, Stage, number_of
from tests.gateways.wire_cases import run

PAYLOADS: dict[str, str] = json.loads((Path(__file__).parent / "payloads" / "mutlucell.json").read_text("utf-8"))
A, D, U, X = DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.UNDELIVERED, DeliveryState.UNKNOWN
PATIENT = {"first_report_seconds": 60.0, "report_gap_seconds": 900.0}


class TestMutlucell(GatewayContract):
    slug = "mutlucell"
    login = ("kullanici", "cok-gizli-sifre")
    settings = {
        "username": "kullanici",
        "password": "cok-gizli-sifre",
        "report_first_seconds": 0.0,
        "report_gap_seconds": 0.0,
    }
    not_applicable = {
        "ucs2": "no charset for it found in writing: refused before it is sent, unless the account names one",
        "push": "no push found in any source; receipts are pulled",
        "inbound": "how their inbox reads is not found in writing",
        "charges": "a report's lines hold number and status only",
    }
    marks = {
        "turkish": "official",
        "unknown_code": "unverified",
        "balance": "client",
        "throttle": "official",
        "duplicates": "unverified",
    }
    refused = (Reply.text("21"), "21")
    throttled = (Reply.text("25"), 30.0)
    strange_code = (Reply.text("77"), "77")

    @asynccontextmanager
    async def stage(self, *, settings: dict[str, Any] | None = None, **script: Any) -> AsyncIterator[Stage]:
        """In a hurry: their limits on asking have tests of their own."""
        async with super().stage(settings=settings, **script) as stage:
            stage.double.configure({"first_report_seconds": 0.0, "report_gap_seconds": 0.0})
            yield stage

    # -- sending -----------------------------------------------------------------------------------------

    def test_request(self) -> None:
        gateway = self.open(9, password='gizli<&">')
        nasty = self.message(3, 'Ali & Veli <b>"x"</b>', validity_seconds=3600)
        same = [self.message(n, "Merhaba", validity_seconds=3600) for n in (1, 2)]
        request = gateway.write_request([*same, nasty])
        root = ET.fromstring(request.body)
        assert (request.path, root.tag, root.get("ka")) == ("/sndblkex", "smspack", "kullanici")
        assert (root.get("pwd"), root.get("org"), root.get("charset")) == ('gizli<&">', self.sender, None)
        until = datetime.strptime(root.get("bitis", ""), "%Y-%m-%d %H:%M").replace(tzinfo=ZONE)
        assert timedelta(minutes=59, seconds=59) <= until - datetime.now(ZONE) <= timedelta(minutes=61)
        found = [(m.findtext("metin"), m.findtext("nums")) for m in root.findall("mesaj")]
        assert found == [("Merhaba", "905320000001,905320000002"), (nasty.text, "905320000003")]
        turkish = ET.fromstring(gateway.write_request([self.message(1, TURKISH)]).body)
        assert turkish.get("charset") == "turkish" and turkish.get("bitis") is None and turkish.get("tarih") is None

    def test_what_an_account_can_add(self) -> None:
        gateway = self.open(9, commercial_attributes={"iys": "1"}, unicode_charset="unicode", sets_end_date=False)
        emoji = self.message(1, EMOJI, content_class="commercial", validity_seconds=3600)
        root = ET.fromstring(gateway.write_request([emoji]).body)
        assert (root.get("iys"), root.get("charset"), root.get("bitis")) == ("1", "unicode", None)
        assert ET.fromstring(gateway.write_request([self.message()]).body).get("iys") is None

    @pytest.mark.parametrize(
        "changes",
        [
            {"commercial_attributes": {"pwd": "x"}},
            {"commercial_attributes": {"a b": "x"}},
            {"commercial_attributes": {"iys": 1}},
            {"receipt_polls": [30.0, 1200.0], "report_first_seconds": 60.0},
            {"receipt_polls": [120.0, 600.0], "report_gap_seconds": 900.0},
            {"receipt_polls": [120.0], "report_gap_seconds": 900.0},
            {"password": ""},
        ],
    )
    def test_settings(self, changes: dict[str, Any]) -> None:
        with pytest.raises(BadSettings, match=next(iter(changes))):
            self.open(9, **changes)

    def test_batch_is_careful(self) -> None:
        assert self.open(9).batch_size == 200, "nothing tells what became of a call without an answer"
        assert self.open(9, batch_size=5000).batch_size == 1000

    @pytest.mark.parametrize("bad", ["empty", "character", "foreign"])
    def test_one_bad_message_does_not_spoil_the_call(self, bad: str) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                calls = [self.message(n) for n in range(8)]
                calls[3] = calls[3]._replace(text={"empty": "", "character": "a\fb"}.get(bad, "Merhaba"))
                if bad == "foreign":
                    calls[3] = calls[3]._replace(msisdn="+4915112345678")
                outcomes = await stage.submit(*calls)
                kinds = {o.token: o.kind for o in outcomes}
                assert kinds.pop(3) is OutcomeKind.REJECTED
                assert set(kinds.values()) == {OutcomeKind.ACCEPTED}
                assert len(stage.centre.phones.list_messages("")) == 7, "nobody twice"

        run(scenario())

    def test_a_bad_number_is_taken_and_reported_as_faulty(self) -> None:
        async def scenario() -> None:
            async with self.stage(refusals=[{"pattern": "3$", "status": 11}]) as stage:
                outcomes = await stage.submit(*(self.message(n) for n in range(5)))
                assert {o.kind for o in outcomes} == {OutcomeKind.ACCEPTED}
                events = {e.msisdn: e for e in await self.pull(stage, outcomes)}
                bad = events.pop(number_of(3))
                assert (bad.state, bad.code) == (U, "13")
                assert {e.state for e in events.values()} == {D}

        run(scenario())

    @pytest.mark.parametrize(
        ("reply", "kind", "reason", "code"),
        [
            (Reply.text(PAYLOADS["accepted"]), OutcomeKind.ACCEPTED, Reason.NONE, ""),
            (Reply.text(PAYLOADS["accepted_line"]), OutcomeKind.ACCEPTED, Reason.NONE, ""),
            (Reply.text(PAYLOADS["accepted_free"]), OutcomeKind.ACCEPTED, Reason.NONE, ""),
            (Reply.text(PAYLOADS["accepted"], 202), OutcomeKind.UNKNOWN, Reason.MALFORMED, "202"),
            (Reply.text(PAYLOADS["accepted"], 500), OutcomeKind.UNKNOWN, Reason.SYSTEM, "500"),
            (Reply.text("$88096496"), OutcomeKind.UNKNOWN, Reason.MALFORMED, "ValueError"),
            (Reply.text("20"), OutcomeKind.REJECTED, Reason.OTHER, "20"),
            (Reply.text("22\n"), OutcomeKind.DEFERRED, Reason.NO_BALANCE, "22"),
            (Reply.text("23"), OutcomeKind.DEFERRED, Reason.LOGIN, "23"),
            (Reply.text("24"), OutcomeKind.DEFERRED, Reason.THROTTLED, "24"),
            (Reply.text("30"), OutcomeKind.DEFERRED, Reason.LOGIN, "30"),
        ],
    )
    def test_answers(self, reply: Reply, kind: OutcomeKind, reason: Reason, code: str) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(reply)
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason, outcome.code) == (kind, reason, code)
                if kind is OutcomeKind.ACCEPTED:
                    assert (outcome.provider_message_id, outcome.job) == ("88096496:905320000001", "88096496")

        run(scenario())

    # -- receipts ----------------------------------------------------------------------------------------

    def test_report_lines(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(Reply.text(PAYLOADS["report"]))
                page = await stage.gateway.pull_jobs(["88096496"], 0)
                events = [e for e in stage.gateway.read_events(page.raws) if isinstance(e, DeliveryEvent)]
                assert [(e.state, e.reason) for e in events] == [
                    (D, Reason.NONE), (U, Reason.UNKNOWN_SUBSCRIBER), (A, Reason.NONE), (X, Reason.NONE),
                    (X, Reason.NONE), (U, Reason.HANDSET_FULL),
                ]  # fmt: skip
                assert events[0][:2] == ("88096496:905320000001", number_of(1)) and page.is_last
                stage.double.canned.append(Reply.text(PAYLOADS["report_odd"]))
                odd = stage.gateway.read_events((await stage.gateway.pull_jobs(["88096497"], 0)).raws)
                assert isinstance(odd[0], DeliveryEvent) and isinstance(odd[1], UnreadableEvent), "kept"
                for text, error in (("<html>", OutcomeUnknown), ("23", LoginRefused)):
                    stage.double.canned.append(Reply.text(text))
                    with pytest.raises(error):
                        await stage.gateway.pull_jobs(["88096498"], 0)
                stage.double.canned.append(Reply.text(""))
                assert (await stage.gateway.pull_jobs(["88096499"], 0)).raws == []

        run(scenario())

    def test_who_asks_too_early_or_too_often_is_blocked(self) -> None:
        """The double blocks; the adapter never gives it a reason to, even where the answer to a question got lost."""

        async def scenario() -> None:
            for limits, after in (({"first_report_seconds": 60.0}, 0), ({"report_gap_seconds": 900.0}, 1)):
                async with self.stage() as stage:
                    [outcome] = await stage.submit(self.message())
                    stage.double.configure(limits)
                    for _ in range(after):
                        await self.pull(stage, [outcome])
                    with pytest.raises(LoginRefused):
                        await self.pull(stage, [outcome])
                    [refused] = await stage.submit(self.message(2))
                    assert refused.code == "30"
            async with self.stage(settings={"report_gap_seconds": 900.0}) as stage:
                [outcome] = await stage.submit(self.message())
                stage.double.configure(PATIENT | {"first_report_seconds": 0.0})
                stage.double.canned.append(Reply.text("<html>", 502))
                with pytest.raises(OutcomeUnknown):
                    await self.pull(stage, [outcome])
                calls = stage.double.counts["calls"]
                again = await stage.gateway.pull_jobs([outcome.job], 0)
                assert (again.raws, again.is_last) == ([], True), "put off to the next of receipt_polls"
                assert stage.double.counts["calls"] == calls

        run(scenario())

    def test_polls_keep_to_the_limits_by_themselves(self) -> None:
        """The usual ages of a question are allowed by what they allow (settings that are not are refused)."""
        gateway = self.open(9, report_first_seconds=60.0, report_gap_seconds=900.0)
        assert len(gateway.settings.receipt_polls) > 3

    # -- account -----------------------------------------------------------------------------------------

    def test_account(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(Reply.text(PAYLOADS["credit"]))
                assert await stage.gateway.get_balance() == "1986.0"
                stage.double.canned.append(Reply.text(PAYLOADS["senders"]))
                assert await stage.gateway.list_senders() == ["ORNEKFIRMA", "ORNEK2"]  # type: ignore[attr-defined]
                stage.double.configure({"headers": ["ORNEKFIRMA"]})
                assert await stage.gateway.list_senders() == ["ORNEKFIRMA"]  # type: ignore[attr-defined]
                stage.double.configure({"balance": 0.5})
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason) == (OutcomeKind.DEFERRED, Reason.NO_BALANCE)

        run(scenario())
