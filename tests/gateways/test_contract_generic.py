"""A provider that is set up instead of programmed, in the shape of two very different ones."""

import asyncio
from typing import Any

import pytest

from gateways.adapters.generic.gateway import GenericGateway
from gateways.base import BadSettings
from gateways.forms.connection import list_providers
from gateways.simulator.http_server import Reply
from gateways.simulator.providers.generic import JSON_SHAPE, TEXT_SHAPE, refuse
from gateways.types import DeliveryEvent, OutcomeKind, Reason
from tests.gateways.contract import GatewayContract
from tests.gateways.contract_stage import number_of
from tests.gateways.wire_cases import run


class TestGenericJson(GatewayContract):
    slug = "generic"
    column = "generic (JSON)"
    login = ("any", "cok-gizli-anahtar")
    settings = {**JSON_SHAPE, "password": "cok-gizli-anahtar"}
    not_applicable = {
        "inbound": "the settings cover sending and receipts only",
        "job_ids": "this provider names every message",
    }
    mark = "client"
    refused = (refuse("SENDER", 400), "SENDER")
    charges = [(2, "0.0240")]
    throttled = (refuse("RATE", 400), 3.0)
    strange_code = (refuse("E-17", 400), "E-17")

    def test_a_row_is_refused_by_itself(self) -> None:
        async def scenario() -> None:
            async with self.stage(refusals=[{"pattern": "2$", "status": 11}]) as stage:
                outcomes = await stage.submit(*(self.message(n) for n in (1, 2, 3)))
                kinds = [OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.ACCEPTED]
                assert [o.kind for o in outcomes] == kinds
                assert (outcomes[1].code, outcomes[1].reason) == ("14", Reason.BAD_ADDRESS)
                assert len({o.job for o in outcomes if o.job}) == 1, "asked about together"

        run(scenario())

    def test_fewer_rows_than_messages_prove_nothing(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(Reply.json({"items": [{"id": "m-1", "result": 0}]}, 202))
                outcomes = await stage.submit(self.message(1), self.message(2))
                assert {o.kind for o in outcomes} == {OutcomeKind.UNKNOWN}

        run(scenario())


class TestGenericText(GatewayContract):
    slug = "generic"
    column = "generic (text)"
    login = ("bayi1", "cok-gizli-sifre")
    settings = {**TEXT_SHAPE, "password": "cok-gizli-sifre"}
    not_applicable = {
        "inbound": "the settings cover sending and receipts only",
        "job_ids": "one message a call here; the case of many is tested beside it",
    }
    mark = "client"
    refused = (Reply.text("ERR 40"), "40")
    throttled = (Reply.text("ERR 80"), 0.0)
    strange_code = (Reply.text("ERR 977"), "977")

    def test_one_text_to_many_numbers_has_one_id(self) -> None:
        """Stored by call and number, the same from answer, report and push."""
        send = {**TEXT_SHAPE["send"], "method": "POST", "kind": "form", "batch": 10, "one_text": True}
        send |= {"body": TEXT_SHAPE["send"]["body"].replace("[number]", "[messages]"), "item": "[number]"}

        async def scenario() -> None:
            async with self.stage(settings={"send": send}, receipt_delay=[30, 30]) as stage:
                assert not stage.gateway.capabilities.mixed_texts
                assert not stage.gateway.capabilities.id_per_message
                sent: list[Any] = []

                async def act() -> None:
                    sent.extend(await stage.submit(*(self.message(n, "Merhaba") for n in (1, 2, 3))))

                pushes = await self.collect_pushes(stage, "receipts", act, 3)
                await asyncio.sleep(0.05)
                events = await self.pull(stage, sent)
                pushed = [e for p in pushes for e in stage.gateway.read_events(stage.gateway.split_push(p))]
                told = {e.provider_message_id for e in pushed if isinstance(e, DeliveryEvent)}
                assert {e.provider_message_id for e in events} == told == {o.provider_message_id for o in sent}
                assert all(o.provider_message_id.endswith(number_of(o.token)[1:]) for o in sent)
                assert {stage.gateway.find_job(e, [sent[0].job]) for e in events} == {sent[0].job}

        run(scenario())

    def test_one_bad_number_does_not_spoil_the_call(self) -> None:
        send = {**TEXT_SHAPE["send"], "method": "POST", "kind": "form", "batch": 10, "one_text": True}
        send |= {"body": TEXT_SHAPE["send"]["body"].replace("[number]", "[messages]"), "item": "[number]"}

        async def scenario() -> None:
            async with self.stage(settings={"send": send}, refusals=[{"pattern": "3$", "status": 11}]) as stage:
                outcomes = await stage.submit(*(self.message(n, "Merhaba") for n in range(6)))
                assert [o.token for o in outcomes if o.kind is OutcomeKind.REJECTED] == [3]
                assert len(stage.centre.phones.list_messages("")) == 5, "nobody twice"

        run(scenario())


def test_without_settings_it_leads_nowhere() -> None:
    """A new account validates, and sends nothing to anybody."""
    gateway = GenericGateway.from_settings({"password": "x"})
    assert gateway.settings.base_url.endswith(".invalid")
    with pytest.raises(BadSettings):
        GenericGateway.from_settings({"password": "x", "no_such_setting": 1})
    assert "generic" not in dict(list_providers()), "staff set it up, in the admin"
