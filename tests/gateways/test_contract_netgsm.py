"""Netgsm REST v2 against its double. Payloads as in its sheet."""

import hashlib
import json
import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from gateways.base import OutcomeUnknown
from gateways.http.events import pack_inbound
from gateways.simulator.http_server import Reply
from gateways.simulator.providers.netgsm import ZONE
from gateways.types import OutcomeKind, Reason
from tests.gateways.contract import GatewayContract
from tests.gateways.contract_stage import EMOJI, TURKISH, number_of
from tests.gateways.wire_cases import run


def refuse(code: str) -> Reply:
    return Reply.json({"code": code, "jobid": None, "description": "refused"}, 406)


class TestNetgsm(GatewayContract):
    slug = "netgsm"
    login = ("8503000000", "cok-gizli-sifre")
    settings = {"username": "8503000000", "password": "cok-gizli-sifre"}
    not_applicable = {
        "ucs2": "no encoding for it found in writing: refused before anything is sent",
        "push": "the webhook's payload is not documented; receipts are pulled",
    }
    marks = {"pull": "unverified", "inbound": "unverified", "charges": "unverified"}
    refused = (refuse("40"), "40")
    throttled = (refuse("80"), 0.0)
    strange_code = (refuse("777"), "777")

    def test_one_bad_number_does_not_spoil_the_call(self) -> None:
        async def scenario() -> None:
            async with self.stage(refusals=[{"pattern": "3$", "status": 11}]) as stage:
                outcomes = await stage.submit(*(self.message(n) for n in range(8)))
                kinds: dict[int, Any] = {o.token: o.kind for o in outcomes}
                assert kinds.pop(3) is OutcomeKind.REJECTED
                assert set(kinds.values()) == {OutcomeKind.ACCEPTED}
                assert len(stage.centre.phones.list_messages("")) == 7, "nobody twice"

        run(scenario())

    def test_a_foreign_number_is_refused_alone(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                foreign = self.message(2)._replace(msisdn="+4915112345678")
                outcomes = await stage.submit(self.message(1), foreign, self.message(3))
                assert [o.kind for o in outcomes] == [
                    OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.ACCEPTED
                ]  # fmt: skip
                assert outcomes[1].reason is Reason.BAD_ADDRESS

        run(scenario())

    def test_what_a_lost_answer_was_about_is_found_by_dates(self) -> None:
        """The report by dates names job and numbers; matching adopts the message by its number."""

        async def scenario() -> None:
            async with self.stage(lost_answer_ratio=1.0, hangs=False) as stage:
                await stage.submit(self.message(1), self.message(2))
                job = stage.gateway.write_unknown_job([self.message(1)], time.time())
                page = await stage.gateway.pull_jobs([job], 0)
                events = stage.gateway.read_events(page.raws)
                assert {e.msisdn for e in events} == {number_of(1), number_of(2)}  # type: ignore[union-attr]

        run(scenario())

    def test_turkish_counted_as_ucs2_goes_all_the_same(self) -> None:
        """A rule without Turkish tables counts such a text as UCS-2; the letters are no others."""
        gateway = self.open(9)
        turkish, cake = self.message(1, TURKISH)._replace(encoding="ucs2"), self.message(2, EMOJI)
        assert json.loads(gateway.write_request([turkish]).body)["encoding"] == "TR"
        assert gateway.group_key(turkish) != gateway.group_key(cake)

    def test_pages(self) -> None:
        async def scenario() -> None:
            async with self.stage(settings={"receipt_rows_per_query": 2}) as stage:
                outcomes = await stage.submit(*(self.message(n) for n in range(5)))
                events = await self.pull(stage, outcomes)
                assert {e.provider_message_id for e in events} == {o.provider_message_id for o in outcomes}

        run(scenario())

    def test_replies_of_the_last_weeks_are_read_after_a_long_stop(self) -> None:
        """They take thirty days; a question about more looks at nothing, which is not "nothing there"."""

        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.receive(number_of(1), "8503000000", "RET")
                cursor = (datetime.now(ZONE) - timedelta(days=45)).astimezone(UTC).isoformat()
                page = await stage.gateway.pull_inbound(cursor)
                assert len(page.raws) == 1
                stage.double.canned.append(refuse("60"))
                with pytest.raises(OutcomeUnknown, match="unknown code"):
                    await stage.gateway.pull_inbound(page.cursor)
                stage.double.canned.append(refuse("40"))
                assert (await stage.gateway.pull_inbound(page.cursor)).raws == []

        run(scenario())

    def test_the_inbox_is_asked_from_shortly_before_the_last_time(self) -> None:
        """In their time of day: the cursor is in UTC."""

        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.receive(number_of(1), "8503000000", "RET")
                hour_ago = datetime.now(ZONE) - timedelta(hours=1)
                stage.double.inbox[0]["datetime"] = f"{hour_ago:%d.%m.%Y %H:%M:%S}"  # type: ignore[attr-defined]
                for minutes, found in ((55, 1), (40, 0)):
                    cursor = (datetime.now(UTC) - timedelta(minutes=minutes)).isoformat()
                    assert len((await stage.gateway.pull_inbound(cursor)).raws) == found

        run(scenario())

    def test_a_reply_that_is_pushed_and_pulled_is_one(self) -> None:
        """However its numbers are written; the id of the usual spelling is the one that inboxes hold already."""
        gateway = self.open(9)
        pulled = {"sender": "5320000001", "receiver": "8503000000", "message": "RET", "datetime": "25.11.2026 11:02:44"}
        spellings = [
            ("05320000001", "08503000000"), ("905320000001", "908503000000"), ("+90 532 000 00 01", "0850 300 00 00")
        ]  # fmt: skip
        pushed = [
            {"sender": sender, "receiver": receiver, "message": "RET", "datetime": "2026-11-25 11:02:44.053"}
            for sender, receiver in spellings
        ]
        raws = [pack_inbound(row) for row in (pulled, *pushed)]
        [number] = {event.provider_message_id for event in gateway.read_events(raws)}  # type: ignore[union-attr]
        told = "\x1f".join(["5320000001", "8503000000", "RET", "20261125110244"])
        assert number == hashlib.sha256(told.encode()).hexdigest()[:32]
        others = [{**pulled, "receiver": "3338"}, {**pulled, "sender": "5320000002"}, {**pulled, "message": "İPTAL"}]
        ids = {event.provider_message_id for event in gateway.read_events([pack_inbound(row) for row in others])}  # type: ignore[union-attr]
        assert len(ids) == 3 and number not in ids
