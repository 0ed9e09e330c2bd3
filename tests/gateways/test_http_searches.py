"""A call without an answer names its own search; a push that nobody takes is dropped where the provider drops it."""

import asyncio
from collections.abc import Sequence

from gateways.base import OutcomeUnknown, Rejected
from gateways.http.gateway import HttpGateway
from gateways.http.link import RequestLink
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.numbers import share_texts
from gateways.simulator.centre import Centre
from gateways.simulator.http_server import Call, HttpServer, Reply
from gateways.simulator.providers.base import Double
from gateways.simulator.script import Script
from gateways.types import Capabilities, OutboundMessage, OutcomeKind, SubmitOutcome
from tests.gateways.wire_cases import Recorder, messages, run, until


class Toy(HttpGateway):
    """Refuses a call with message 3 in it together with others, and loses the answer of one with message 0 in it."""

    slug = "toy"
    capabilities = Capabilities(batch_size=100, finds_unknown=True)
    hangs = False

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        return HttpRequest("POST", "/", ",".join(str(m.token) for m in messages).encode())

    async def exchange(self, request: HttpRequest) -> HttpAnswer:
        tokens = [int(token) for token in request.body.split(b",")]
        if self.hangs:
            await asyncio.sleep(60)
        if 3 in tokens and len(tokens) > 1:
            raise Rejected("spoiled", spoiled=True)
        if 0 in tokens:
            raise OutcomeUnknown("lost")
        return HttpAnswer(200)

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        return [SubmitOutcome(m.token, OutcomeKind.ACCEPTED, str(m.token), job="mine") for m in messages]

    def write_unknown_job(self, messages: Sequence[OutboundMessage], sent_at: float) -> str:
        return "?" + ",".join(str(m.token) for m in messages)


def test_each_half_is_searched_for_by_itself() -> None:
    async def scenario() -> None:
        recorder = Recorder()
        link = RequestLink(Toy.from_settings({"base_url": "https://x.example", "tps": 1000.0}), recorder)
        link.start()
        link.submit_many(messages(4))
        await until(lambda: len(recorder.outcomes) == 4)
        await link.close()
        assert [(o.kind, o.job) for o in sorted(recorder.outcomes)] == [
            (OutcomeKind.UNKNOWN, "?0,1"), (OutcomeKind.UNKNOWN, "?0,1"),
            (OutcomeKind.ACCEPTED, "mine"), (OutcomeKind.ACCEPTED, "mine"),
        ]  # fmt: skip

    run(scenario())


def test_a_call_cut_off_by_us_is_searched_for() -> None:
    async def scenario() -> None:
        toy = Toy.from_settings({"base_url": "https://x.example", "tps": 1000.0})
        toy.hangs = True
        recorder = Recorder()
        link = RequestLink(toy, recorder)
        link.start()
        link.submit_many(messages(2), is_urgent=True)
        await asyncio.sleep(0.02)
        await link.close(grace_seconds=0)
        await until(lambda: len(recorder.outcomes) == 2)
        assert {(o.kind, o.job) for o in recorder.outcomes} == {(OutcomeKind.UNKNOWN, "?0,1")}

    run(scenario())


class Impatient(Double):
    slug = "impatient"
    push_tries = 3

    def answer(self, call: Call) -> Reply:
        return Reply.text("")

    def write_inbound(self, phone: str, recipient: str, text: str) -> list[tuple[dict[str, str], bytes]]:
        return [({}, text.encode())]


def test_a_push_that_nobody_takes_is_dropped() -> None:
    async def scenario() -> None:
        async def refuse(call: Call) -> Reply:
            return Reply.text("", 503)

        server = HttpServer(refuse)
        port = await server.start(0)
        double = Impatient(Centre(Script().changed({"receipt_retry": 1})))
        double.configure({"push_inbound": f"http://127.0.0.1:{port}/"})
        double.receive("+905320000001", "4609", "RET")
        await until(lambda: double.counts["pushes_failed"] == 3)
        await asyncio.sleep(0.05)
        assert double.counts["pushes"] == 3
        await double.stop()
        await server.stop()

    run(scenario())


def test_messages_with_one_text_share_an_entry() -> None:
    one, two, three, four = messages(4)
    same = [one._replace(text="Merhaba"), two._replace(text="Selam"), three._replace(text="Merhaba")]
    again = four._replace(text="Merhaba", msisdn=one.msisdn)
    assert share_texts([*same, again]) == [[same[0], same[2]], [same[1]], [again]], "no number twice in a group"
