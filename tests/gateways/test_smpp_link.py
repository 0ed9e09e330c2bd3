"""The link that binds again: waits, refusals, and what happens to messages while it is down."""

import asyncio

import pytest

from gateways import backoff
from gateways.adapters.smpp.gateway import SmppGateway
from gateways.adapters.smpp.link import LOOK_SECONDS, QUEUE_SECONDS
from gateways.adapters.smpp.queue import MessageQueue
from gateways.backoff import wait_after_loss, wait_after_refusal
from gateways.base import LinkState, LoginRefused
from gateways.types import OutcomeKind, Reason
from tests.gateways.wire_cases import Recorder, messages, run, running_centre, until


@pytest.fixture
def quick(monkeypatch) -> None:
    monkeypatch.setattr(backoff, "LOST_FIRST", 0.05)
    monkeypatch.setattr(backoff, "REFUSED_FIRST", 0.02)


def gateway(port: int, **settings) -> SmppGateway:
    return SmppGateway.from_settings({"port": port, "system_id": "test", "tps": 0, **settings})


@pytest.mark.parametrize(("times", "seconds"), [(0, 1), (1, 2), (2, 4), (5, 32), (6, 60), (500, 60)])
def test_waits_after_loss(times: int, seconds: float) -> None:
    drawn = [wait_after_loss(times) for _ in range(200)]
    assert all(0.8 * seconds <= wait <= 1.2 * seconds for wait in drawn)
    assert max(drawn) - min(drawn) > 0.1 * seconds, "binds are spread"


@pytest.mark.parametrize(("times", "seconds"), [(0, 60), (1, 120), (9, 600)])
def test_waits_after_refusal(times: int, seconds: float) -> None:
    assert all(0.8 * seconds <= wait_after_refusal(times) <= 1.2 * seconds for _ in range(50))


def test_binds_again_after_cuts_and_loses_nothing(quick) -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(cut_after=30, cuts=3) as (centre, port):
            link = gateway(port).create_link(listener)
            await link.open()
            todo = messages(200)
            given = 0
            while given < len(todo):
                await until(lambda: link.is_up)
                link.submit_many(todo[given : given + 10])
                given += 10
                await asyncio.sleep(0.01)
            await until(lambda: len(listener.outcomes) == 200)
            await until(lambda: link.is_up)
            assert centre.get_figures()["cuts"] == 3
            assert centre.get_figures()["binds"] == 4
            await link.close()
        assert sorted(o.token for o in listener.outcomes) == list(range(200))
        ups = [state for state, _ in listener.states if state is LinkState.UP]
        assert len(ups) == 4

    run(scenario())


def test_messages_given_while_down_come_back_unsent(quick) -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (_, port):
            link = gateway(port).create_link(listener)
            link.submit_many(messages(3))
            assert link.room == 0
        assert {(o.kind, o.reason) for o in listener.outcomes} == {(OutcomeKind.NOT_SENT, Reason.LINK_LOST)}
        assert len(listener.outcomes) == 3

    run(scenario())


def test_stops_after_five_refusals(quick) -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(bind_status=0x0E) as (centre, port):
            link = gateway(port).create_link(listener)
            link.start()
            await until(lambda: listener.states[-1:] == [(LinkState.STOPPED, "0x0000000e")])
            tried = centre.get_figures()["connections"]
            await asyncio.sleep(0.3)
            assert centre.get_figures()["connections"] == tried == 5
            await link.close()

    run(scenario())


def test_first_bind_refused_is_raised_and_keeps_nothing() -> None:
    async def scenario() -> None:
        async with running_centre(accounts={"other": "x"}) as (centre, port):
            link = gateway(port).create_link(Recorder())
            with pytest.raises(LoginRefused):
                await link.open()
            await asyncio.sleep(0.1)
            assert centre.get_figures()["connections"] == 1

    run(scenario())


def test_starts_before_the_centre_is_there(quick) -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (_, port):
            pass
        link = gateway(port).create_link(listener)
        link.start()
        await asyncio.sleep(0.1)
        assert not link.is_up
        await link.close()
        assert (LinkState.DOWN, "ConnectionRefusedError") in listener.states

    run(scenario())


def test_listener_may_submit_as_soon_as_it_hears_up() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (_, port):
            link = gateway(port).create_link(listener)
            listener.on_state = lambda state, _: state is LinkState.UP and link.submit_many(messages(3))
            await link.open()
            await until(lambda: len(listener.tokens(OutcomeKind.ACCEPTED)) == 3)
            await link.close()

    run(scenario())


def test_close_in_the_middle_of_a_bind_leaves_no_connection() -> None:
    ended = asyncio.Event()

    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while await reader.read(100):
            pass
        writer.close()
        ended.set()

    async def scenario() -> None:
        server = await asyncio.start_server(silent, "127.0.0.1", 0)
        link = gateway(server.sockets[0].getsockname()[1]).create_link(Recorder())
        link.start()
        await asyncio.sleep(0.1)
        await link.close()
        await ended.wait()
        server.close()

    run(scenario(), 5.0)


def test_a_queue_knows_since_when_its_messages_wait() -> None:
    queue, todo = MessageQueue(), messages(7)
    queue.add(todo[:3], 1.0)
    queue.add(todo[3:5], 2.0)
    assert queue.popleft() == todo[0]
    assert queue.pop_since(0.9) == []
    assert queue.pop_since(1.0) == todo[1:3]
    queue.add(todo[5:], 3.0)
    assert [queue.popleft() for _ in range(3)] == todo[3:6]
    assert queue.pop_since(2.5) == []
    assert queue.pop_all() == todo[6:]
    assert not queue and queue.pop_all() == []


@pytest.mark.parametrize(
    ("script", "settings", "leaves"),
    [
        ({"answer_delay": [8000, 8000]}, {"window_size": 10}, 10),  # a silent centre
        ({}, {"tps": 10, "window_size": 50}, 16),  # a slow rate
    ],
)
def test_what_waits_too_long_goes_back_s6(script: dict, settings: dict, leaves: int) -> None:
    """A pause would not reach it here."""

    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(**script) as (centre, port):
            link = gateway(port, **settings).create_link(listener)
            await link.open()
            link.submit_many(messages(40))
            link.submit_many(messages(1)[:1], is_urgent=True)
            await asyncio.sleep(QUEUE_SECONDS + LOOK_SECONDS + 0.05)
            back = [o for o in listener.outcomes if o.kind is OutcomeKind.NOT_SENT]
            assert {o.reason for o in back} == {Reason.WITHDRAWN}
            assert 41 - len(back) <= leaves
            seen = centre.get_figures()["submits"]
            assert seen == 41 - len(back), "all that did not leave is back"
            await asyncio.sleep(2.0)
            assert centre.get_figures()["submits"] == seen
            await link.close(grace_seconds=0)

    run(scenario(), 60.0)


def test_a_link_is_not_ready_while_its_centre_says_nothing() -> None:
    async def scenario() -> None:
        async with running_centre(answer_delay=[1000, 1000]) as (_, port):
            link = gateway(port, window_size=20).create_link(Recorder())
            await link.open()
            assert link.is_ready
            link.submit_many(messages(20))
            await asyncio.sleep(0.8)
            assert not link.is_ready
            await until(lambda: link.is_ready, 0.5)
            await link.close()

    run(scenario())


@pytest.mark.parametrize(
    ("rate", "window", "stride"), [(1000.0, 50, 200), (100.0, 50, 50), (10.0, 50, 10), (0.5, 50, 1), (5000.0, 10, 1000)]
)
def test_a_stride_leaves_within_a_second_s6(rate: float, window: int, stride: int) -> None:
    assert gateway(1).find_stride(rate, window) == stride
