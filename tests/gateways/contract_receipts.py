"""The contract's cases of what comes back: receipts pulled and pushed, charges, messages from handsets."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any, ClassVar

from gateways.http.events import PushRequest
from gateways.simulator.providers.base import Double
from gateways.types import DeliveryEvent, DeliveryState, InboundMessage, SubmitOutcome
from tests.gateways.contract_stage import Stage, StagedContract, number_of
from tests.gateways.wire_cases import run


class ReceiptCases(StagedContract):
    """What an adapter makes of receipts and inbound messages."""

    FAILURES: ClassVar[list[dict[str, Any]]] = [{"ending": "2", "state": "UNDELIV", "error": "006"}]

    def _check_receipts(self, events: Sequence[DeliveryEvent], outcomes: Sequence[SubmitOutcome]) -> None:
        """Each message's receipt names it by its stored id and its number."""
        ids = {i: o.token for o in outcomes for i in (o.part_ids or (o.provider_message_id,))}
        told = {ids[e.provider_message_id]: e for e in events if e.provider_message_id in ids}
        assert sorted(told) == [1, 2, 3]
        for token, event in told.items():
            assert event.msisdn in ("", number_of(token))
            wanted = DeliveryState.UNDELIVERED if token == 2 else DeliveryState.DELIVERED
            assert event.state is wanted
            assert bool(event.reason) == (token == 2)

    async def _submit_three(self, stage: Stage) -> list[SubmitOutcome]:
        three = [self.message(n) for n in (1, 2, 3)]
        size = min(3, stage.gateway.batch_size)
        return [o for at in range(0, 3, size) for o in await stage.submit(*three[at : at + size])]

    def test_pull(self) -> None:
        if self.lacks("pull"):
            return

        async def scenario() -> None:
            async with self.stage(failures=self.FAILURES) as stage:
                outcomes = await self._submit_three(stage)
                await asyncio.sleep(0.05)
                self._check_receipts(await self.pull(stage, outcomes), outcomes)
            async with self.stage(receipt_delay=[60_000, 60_000]) as stage:
                outcomes = await self._submit_three(stage)
                events = await self.pull(stage, outcomes)
                assert {e.state for e in events} <= {DeliveryState.ACCEPTED, DeliveryState.UNKNOWN}, "none is final"

        run(scenario())

    def test_push(self) -> None:
        if self.lacks("push"):
            return

        async def scenario() -> None:
            async with self.stage(failures=self.FAILURES, receipt_delay=[30, 30]) as stage:
                outcomes: list[SubmitOutcome] = []

                async def act() -> None:
                    outcomes.extend(await self._submit_three(stage))

                pushes = await self.collect_pushes(stage, "receipts", act, 3)
                for push in pushes:
                    assert stage.gateway.verify_push(push)
                    broken = self.make_pushes_provable(push)
                    assert broken is None or not stage.gateway.verify_push(broken)
                events = [e for p in pushes for e in stage.gateway.read_events(stage.gateway.split_push(p))]
                receipts = [e for e in events if isinstance(e, DeliveryEvent)]
                final = [e for e in receipts if e.state in (DeliveryState.DELIVERED, DeliveryState.UNDELIVERED)]
                self._check_receipts(final, outcomes)
                for body in (b"", b"{", b"[]", b"null", b'{"a": 1}', b"\xff\xfe", b"[" * 10_000):
                    strange = PushRequest("receipts", "POST", "http://x/", body)
                    raws = stage.gateway.split_push(strange)
                    assert all(
                        not isinstance(e, DeliveryEvent) or e.state is DeliveryState.UNKNOWN
                        for e in stage.gateway.read_events(raws)
                    )

        run(scenario())

    def test_charges(self) -> None:
        """A provider that takes room for the operator's code bills two parts where the text alone is one."""

        async def scenario() -> None:
            async with self.stage(receipt_delay=[30, 30]) as stage:
                stage.double.configure({"counting": {"suffix_units": 5}})
                message = self.message(1, "a" * 158)
                told: list[Any]
                if self.capabilities(stage).receipts == "push":
                    pushes = await self.collect_pushes(stage, "receipts", lambda: stage.submit(message), 2)
                    told = [e for p in pushes for e in stage.gateway.read_events(stage.gateway.split_push(p))]
                else:
                    outcomes = await stage.submit(message)
                    await asyncio.sleep(0.08)
                    told = [*await self.pull(stage, outcomes)]
                wanted = [(0, "")] if self.lacks("charges") else self.charges
                assert sorted((event.billed_parts, event.price) for event in told) == sorted(wanted)

        run(scenario())

    def test_duplicates(self) -> None:
        """A doubled receipt reads exactly like the first one: matching does the rest (R2)."""
        if self.lacks("duplicates"):
            return

        async def scenario() -> None:
            async with self.stage(double_receipt_ratio=1.0, receipt_delay=[30, 30]) as stage:
                if self.capabilities(stage).receipts in ("pull", "both"):
                    outcomes = await self._submit_three(stage)
                    await asyncio.sleep(0.08)
                    events = await self.pull(stage, outcomes)
                    events += await self.pull(stage, outcomes)
                else:
                    found = await self.collect_pushes(stage, "receipts", lambda: self._submit_three(stage), 6)
                    raws = [raw for push in found for raw in stage.gateway.split_push(push)]
                    events = [e for e in stage.gateway.read_events(raws) if isinstance(e, DeliveryEvent)]
                assert len(events) >= 6 and len(set(events)) == 3

        run(scenario())

    def capabilities(self, stage: Stage) -> Any:
        return stage.gateway.capabilities

    def test_job_ids(self) -> None:
        """One id a call: the stored id joins job and number, the same from answer and receipt."""
        if self.lacks("job_ids"):
            return

        async def scenario() -> None:
            async with self.stage(receipt_delay=[30, 30]) as stage:
                outcomes: list[SubmitOutcome] = []

                async def act() -> None:
                    outcomes.extend(await self._submit_three(stage))

                if self.capabilities(stage).receipts in ("pull", "both"):
                    await act()
                    await asyncio.sleep(0.08)
                    events = await self.pull(stage, outcomes)
                else:
                    pushes = await self.collect_pushes(stage, "receipts", act, 3)
                    raws = [raw for push in pushes for raw in stage.gateway.split_push(push)]
                    events = [e for e in stage.gateway.read_events(raws) if isinstance(e, DeliveryEvent)]
                assert {e.provider_message_id for e in events} == {o.provider_message_id for o in outcomes}
                for outcome in outcomes:
                    assert outcome.provider_message_id.endswith(f":{number_of(outcome.token).lstrip('+')}")
                    assert len(outcome.provider_message_id) <= 80
                assert len({o.provider_message_id.partition(":")[0] for o in outcomes}) == 1
                assert all(e.job_id for e in events)

        run(scenario())

    def test_inbound(self) -> None:
        if self.lacks("inbound"):
            return

        async def scenario() -> None:
            async with self.stage() as stage:
                able = stage.gateway.capabilities

                def act() -> None:
                    stage.double.receive(number_of(7), "8503000000", "RET ÖRNEK çık")

                found: list[InboundMessage] = []
                if able.inbound_pull_seconds:
                    act()
                    pages = [await stage.gateway.pull_inbound("") for _ in range(2)]
                    raws = [raw for page in pages for raw in page.raws]
                    found += [e for e in stage.gateway.read_events(raws) if isinstance(e, InboundMessage)]
                    assert found
                if type(stage.double).write_inbound is not Double.write_inbound:
                    pushes = await self.collect_pushes(stage, "inbound", act, 1)
                    assert all(stage.gateway.verify_push(push) for push in pushes)
                    raws = [raw for push in pushes for raw in stage.gateway.split_push(push)]
                    found += [e for e in stage.gateway.read_events(raws) if isinstance(e, InboundMessage)]
                assert found
                for message in found:
                    assert message.msisdn == number_of(7)
                    assert message.recipient.lstrip("+").endswith("8503000000")
                    assert message.text == "RET ÖRNEK çık"
                    assert message.provider_message_id, "so that it is stored once"

        run(scenario())
