"""The contract's cases of submitting: what an answer, or none, says about each message."""

from __future__ import annotations

import socket

import pytest

from gateways.base import LinkState
from gateways.http.events import ANSWER, unpack_raw
from gateways.http.link import RequestLink
from gateways.registry import get_gateway_class
from gateways.simulator.http_server import Reply
from gateways.types import OutcomeKind, Reason, UnreadableEvent
from smscore import segment
from tests.gateways.contract_stage import EMOJI, TURKISH, StagedContract, number_of
from tests.gateways.wire_cases import Recorder, run, until


class SubmittingCases(StagedContract):
    """What an adapter makes of a call."""

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

    def test_numbers_from_abroad(self) -> None:
        """Either they are sent to, or the adapter says which are: routing keeps the others away."""
        prefixes = get_gateway_class(self.slug).list_prefixes(self.settings)

        async def scenario() -> None:
            async with self.stage() as stage:
                [outcome] = await stage.submit(self.message()._replace(msisdn="+4915112345678"))
                is_refused = (outcome.kind, outcome.reason) == (OutcomeKind.REJECTED, Reason.BAD_ADDRESS)
                assert is_refused == bool(prefixes)

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
