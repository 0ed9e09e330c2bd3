"""The link that binds again: waits, refusals, and what happens to messages while it is down."""

import asyncio

import pytest

from gateways import backoff
from gateways.adapters.smpp.gateway import SmppGateway
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
