"""What every HTTP adapter must do, tried against its double. One subclass per adapter: ``test_contract_<slug>.py``.

A subclass gives settings, the canned answers of its provider (recorded example payloads), and what a case cannot
be shown for, with the reason. ``marks`` carries over from the provider's sheet how sure the fact behind a case is;
``python -m tests.gateways.coverage --write`` makes the table in docs/gateways.md of it.
"""

from __future__ import annotations

import asyncio
import json
import logging
import socket
from collections.abc import Sequence
from typing import Any, ClassVar

import pytest

from gateways.base import LinkState, UnsupportedFeature
from gateways.http.events import ANSWER, PushRequest, unpack_raw
from gateways.http.link import RequestLink
from gateways.registry import get_gateway_class
from gateways.simulator.http_server import Reply
from gateways.simulator.providers.base import Double
from gateways.types import (
    DeliveryEvent,
    DeliveryState,
    InboundMessage,
    OutcomeKind,
    Reason,
    SubmitOutcome,
    UnreadableEvent,
)
from smscore import segment
from tests.gateways.contract_stage import CASES, EMOJI, LACKS, TURKISH, Stage, StagedContract, number_of
from tests.gateways.wire_cases import Recorder, run, until


class GatewayContract(StagedContract):
    """Subclass it as ``class Test…(GatewayContract)``."""

    # -- submitting --------------------------------------------------------------------------------------

    def test_accept(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                [outcome] = await stage.submit(self.message())
                assert outcome.kind is OutcomeKind.ACCEPTED
                assert outcome.token == 1 and outcome.provider_message_id
                [shown] = stage.centre.phones.list_messages(number_of(1))
                assert (shown["text"], shown["from"]) == ("Merhaba 1", self.sender)

        run(scenario())

    def test_batch(self) -> None:
        """In order, each with an id of its own; a batch is as large as the adapter says."""

        async def scenario() -> None:
            async with self.stage() as stage:
                size = min(5, stage.gateway.batch_size)
                outcomes = await stage.submit(*(self.message(n) for n in range(size)))
                assert [o.token for o in outcomes] == list(range(size))
                assert {o.kind for o in outcomes} == {OutcomeKind.ACCEPTED}
                assert len({o.provider_message_id for o in outcomes}) == size
                texts = {m["to"]: m["text"] for m in stage.centre.phones.list_messages("")}
                assert texts == {number_of(n): f"Merhaba {n}" for n in range(size)}
                with pytest.raises(ValueError):
                    await stage.submit(*(self.message(n) for n in range(stage.gateway.batch_size + 1)))

        run(scenario())

    def test_refusal(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                reply, code = self.refused
                stage.double.canned.append(reply)
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.code) == (OutcomeKind.REJECTED, code)
                assert outcome.reason not in (Reason.NONE, Reason.THROTTLED, Reason.LOGIN)

        run(scenario())

    def test_throttle(self) -> None:
        if self.lacks("throttle"):
            return

        async def scenario() -> None:
            async with self.stage() as stage:
                reply, seconds = self.throttled
                stage.double.canned.append(reply)
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason) == (OutcomeKind.DEFERRED, Reason.THROTTLED)
                assert outcome.retry_after_seconds >= seconds
            async with self.stage(throttle_ratio=1.0) as stage:
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason) == (OutcomeKind.DEFERRED, Reason.THROTTLED)
                assert not stage.centre.phones.list_messages("")

        run(scenario())

    def test_throttle_with_retry_after_header(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(Reply.text("slow down", 429).__class__(429, b"", {"Retry-After": "7"}))
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason) == (OutcomeKind.DEFERRED, Reason.THROTTLED)
                assert outcome.retry_after_seconds >= 7

        run(scenario())

    def test_login(self) -> None:
        """Refused, nothing taken; the link backs off instead of knocking on."""

        async def scenario() -> None:
            async with self.stage(accounts={"somebody": "else"}) as stage:
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason) == (OutcomeKind.DEFERRED, Reason.LOGIN)
                assert not stage.centre.phones.list_messages("")
                checked = await stage.gateway.check()
                assert not checked.ok and (checked.finding or checked.diagnosis)
                recorder = Recorder()
                link = RequestLink(stage.gateway, recorder)
                link.start()
                link.submit_many([self.message(n) for n in range(40)])
                await until(lambda: (LinkState.REFUSED, outcome.code) in recorder.states)
                assert len(recorder.outcomes) == 40, "one outcome for each"
                assert {o.kind for o in recorder.outcomes} <= {OutcomeKind.DEFERRED, OutcomeKind.NOT_SENT}
                await link.close(grace_seconds=0)
            async with self.stage() as stage:
                checked = await stage.gateway.check()
                assert checked.ok, checked

        run(scenario())

    def test_not_sent(self) -> None:
        async def scenario() -> None:
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                gateway = self.open(free.getsockname()[1])
                outcomes = await gateway.submit([self.message()])
                assert [o.kind for o in outcomes] == [OutcomeKind.NOT_SENT]
                checked = await gateway.check()
                assert not checked.ok
                await gateway.close()

        run(scenario())

    def test_unknown(self) -> None:
        """Taken, and the answer never comes: unknown for all, and nothing is sent again."""

        async def scenario() -> None:
            for hangs in (True, False):
                settings = {"total_seconds": 0.3}
                async with self.stage(lost_answer_ratio=1.0, hangs=hangs, settings=settings) as stage:
                    size = min(3, stage.gateway.batch_size)
                    outcomes = await stage.submit(*(self.message(n) for n in range(size)))
                    assert [o.kind for o in outcomes] == [OutcomeKind.UNKNOWN] * size
                    assert len(stage.centre.phones.list_messages("")) == size

        run(scenario())

    def test_malformed(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                for reply in self.malformed:
                    stage.double.canned.append(reply)
                    [outcome] = await stage.submit(self.message())
                    assert outcome.kind is OutcomeKind.UNKNOWN, reply
                    assert reply.body.decode()[:1000] in outcome.evidence, "the raw body is kept"
                recorder = Recorder()
                link = RequestLink(stage.gateway, recorder)
                link.start()
                stage.double.canned.append(self.malformed[0])
                link.submit_many([self.message()])
                await until(lambda: bool(recorder.raws))
                kind, kept = unpack_raw(recorder.raws[0])
                assert kind == ANSWER and self.malformed[0].body in kept
                [event] = stage.gateway.read_events(recorder.raws)
                assert isinstance(event, UnreadableEvent)
                await link.close(grace_seconds=0)

        run(scenario())

    def test_unknown_code(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                reply, code = self.strange_code
                stage.double.canned.append(reply)
                [outcome] = await stage.submit(self.message())
                assert outcome.kind in (OutcomeKind.UNKNOWN, OutcomeKind.REJECTED, OutcomeKind.DEFERRED)
                assert outcome.code == code
                if outcome.kind is OutcomeKind.UNKNOWN:
                    assert code in outcome.evidence

        run(scenario())

    def _shows(self, text: str, content_class: str) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                [outcome] = await stage.submit(self.message(1, text, content_class=content_class))
                assert outcome.kind is OutcomeKind.ACCEPTED
                [shown] = stage.centre.phones.list_messages(number_of(1))
                assert shown["text"] == text
                national = stage.gateway.capabilities.national_tables
                assert shown["parts"] == segment(text, national=national).parts

        run(scenario())

    def test_turkish(self) -> None:
        self._shows(TURKISH, "commercial")
        self._shows(TURKISH * 6, "informational")

    def test_ucs2(self) -> None:
        """Either it arrives, or the adapter says that it cannot, before anybody writes to somebody."""
        cls = get_gateway_class(self.slug)
        assert cls.carries_unicode(self.settings) == ("ucs2" not in self.not_applicable)
        if not self.lacks("ucs2"):
            self._shows(EMOJI, "informational")
            self._shows(EMOJI * 12, "commercial")
            return

        async def scenario() -> None:
            async with self.stage() as stage:
                [outcome] = await stage.submit(self.message(1, EMOJI))
                assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECTED, Reason.BAD_CONTENT), "never garbled"

        run(scenario())

    # -- secrets, account --------------------------------------------------------------------------------

    def test_secrets(self, caplog: pytest.LogCaptureFixture) -> None:
        """A provider that sends our whole request back: no secret of it is kept, logged or raised."""
        caplog.set_level(logging.DEBUG)
        secrets = [s for s in self.open(9).list_secrets() if len(s) >= 4]
        assert secrets, "an adapter has secrets"

        async def scenario() -> str:
            async with self.stage() as stage:
                echo = " ".join([*secrets, json.dumps(secrets)])
                seen = [repr(stage.gateway.settings), repr(stage.gateway.build_request([self.message()]))]
                for status in (200, 302, 400, 401, 429, 500):
                    stage.double.canned.append(Reply.text(echo, status))
                    seen += [repr(o) for o in await stage.submit(self.message())]
                    stage.double.canned.append(Reply.text(echo, status))
                    seen.append(repr(await stage.gateway.check()))
                seen += [repr(o) for o in await stage.submit(self.message())]
            seen.append(repr(await stage.gateway.submit([self.message()])))
            return "\n".join(seen)

        seen = run(scenario()) + caplog.text + "".join(str(record.__dict__) for record in caplog.records)
        assert [secret for secret in secrets if secret in seen] == []

    def test_balance(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                if self.lacks("balance"):
                    with pytest.raises(UnsupportedFeature):
                        await stage.gateway.get_balance()
                    return
                balance = await stage.gateway.get_balance()
                assert float(balance.split()[0]) > 0, "a number with a decimal point"

        run(scenario())

    # -- receipts ----------------------------------------------------------------------------------------

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

    # -- the declaration itself --------------------------------------------------------------------------

    def test_declaration(self) -> None:
        """Every case is either shown or declared; marks are of a known kind; the double answers to the slug."""
        assert set(self.not_applicable) <= set(LACKS)
        assert set(self.marks) <= set(CASES)
        assert {self.mark, *self.marks.values()} <= {"official", "client", "unverified"}
        for case in CASES:
            assert hasattr(self, f"test_{case}")
