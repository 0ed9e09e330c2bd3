"""Netgsm REST v2 against its double. Payloads as in its sheet."""

import json
import time
from typing import Any

from gateways.simulator.http_server import Reply
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
