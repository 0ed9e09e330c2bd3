"""A double's calls to us: few connections at once and kept, each call until it is taken."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Sequence

import httpx

from gateways.simulator import pushes
from gateways.simulator.centre import Centre
from gateways.simulator.http_server import Call, HttpServer, Reply
from gateways.simulator.providers.base import Double, Taken
from gateways.simulator.pushes import AT_ONCE, Pusher
from gateways.simulator.script import Script
from tests.gateways.wire_cases import run, until


class Receiver:
    """Takes calls after a moment; the first ``refusals`` of them are not taken."""

    def __init__(self, refusals: int = 0) -> None:
        self.refusals = refusals
        self.bodies: Counter[bytes] = Counter()
        self.open = self.most_open = 0
        self.server = HttpServer(self._answer)

    async def start(self) -> str:
        return f"http://127.0.0.1:{await self.server.start(0)}/"

    async def _answer(self, call: Call) -> Reply:
        self.open += 1
        self.most_open = max(self.most_open, self.open)
        await asyncio.sleep(0.005)
        self.open -= 1
        self.bodies[call.body] += 1
        return Reply.text("", 503 if self.bodies.total() <= self.refusals else 200)


def test_hundreds_of_pushes_share_a_few_connections_of_one_client(monkeypatch) -> None:
    clients = []

    class Watched(httpx.AsyncClient):
        def __init__(self, **options) -> None:
            clients.append(self)
            super().__init__(**options)

    monkeypatch.setattr(pushes.httpx, "AsyncClient", Watched)

    async def scenario() -> None:
        receiver, counts = Receiver(), Counter[str]()
        pusher = Pusher(counts, 0, lambda tries: 0.01)
        url = await receiver.start()
        for number in range(300):
            pusher.start(url, {}, b"%d" % number)
        await until(lambda: counts["pushes"] == 300)
        assert len(receiver.bodies) == 300 and set(receiver.bodies.values()) == {1}
        assert receiver.most_open == AT_ONCE
        await pusher.stop()
        assert len(clients) == 1 and clients[0].is_closed
        await receiver.server.stop()

    run(scenario())


def test_what_is_not_taken_comes_again() -> None:
    async def scenario() -> None:
        receiver, counts = Receiver(refusals=40), Counter[str]()
        pusher = Pusher(counts, 0, lambda tries: 0.01)
        url = await receiver.start()
        for number in range(30):
            pusher.start(url, {}, b"%d" % number)
        await until(lambda: counts["pushes"] == 70)
        assert len(receiver.bodies) == 30 and counts["pushes_failed"] == 40
        await pusher.stop()
        await receiver.server.stop()

    run(scenario())


def test_nobody_there_and_an_address_that_is_none_are_tried_again_until_the_end() -> None:
    async def scenario() -> None:
        receiver, counts = Receiver(), Counter[str]()
        url = await receiver.start()
        await receiver.server.stop()
        pusher = Pusher(counts, 0, lambda tries: 0.001)
        pusher.start(url, {}, b"")
        pusher.start("http://[::", {}, b"")
        await until(lambda: counts["pushes_failed"] >= 6)
        assert counts["pushes"] == 0
        await pusher.stop()

    run(scenario())


class Teller(Double):
    slug = "teller"

    def answer(self, call: Call) -> Reply:
        return Reply.text("")

    def write_receipts(self, rows: Sequence[Taken]) -> list[tuple[dict[str, str], bytes]]:
        return [({}, row.digits.encode()) for row in rows]


def test_every_receipt_is_told_though_the_clock_moves_while_they_are_looked_through(monkeypatch) -> None:
    """One fell due between two looks at the clock and was lost: a demo waited for it for ever."""
    looks = itertools.count()
    monkeypatch.setattr(Teller, "now", property(lambda double: double.centre.loop.time() + next(looks) / 1000))

    async def scenario() -> None:
        receiver = Receiver()
        teller = Teller(Centre(Script().changed({"receipt_delay": [0, 400]})))
        teller.configure({"push_receipts": await receiver.start()})
        numbers = [f"+90532{n:07d}" for n in range(300)]
        teller.take(Call("POST", "/"), "peyk", "BUTIK", [(number, "Merhaba") for number in numbers])
        await until(lambda: len(receiver.bodies) == 300)
        await teller.stop()
        await receiver.server.stop()

    run(scenario())
