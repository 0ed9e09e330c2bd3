"""A transmitter and a receiver as one link."""

import pytest

from gateways import backoff
from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.gateway import SmppGateway
from gateways.adapters.smpp.pair import PairedLink
from gateways.base import LinkState, LoginRefused
from gateways.simulator.centre import Centre
from gateways.simulator.connection import Connection
from gateways.types import OutcomeKind
from tests.gateways.wire_cases import Recorder, messages, run, running_centre, until


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits between binds in hundredths of a second."""
    monkeypatch.setattr(backoff, "LOST_FIRST", 0.02)
    monkeypatch.setattr(backoff, "REFUSED_FIRST", 0.02)


def make_pair(port: int, listener: Recorder) -> PairedLink:
    values = {"port": port, "system_id": "test", "tps": 0, "window_size": 50, "bind_mode": "separate"}
    link = SmppGateway.from_settings(values).create_link(listener)
    assert isinstance(link, PairedLink)
    return link


def receiver_of(centre: Centre) -> Connection:
    (found,) = centre.outbox("test").receivers
    assert isinstance(found, Connection)
    return found


def test_sends_on_one_bind_and_hears_on_the_other() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (centre, port):
            link = make_pair(port, listener)
            await link.open()
            assert link.is_up and link.room == 100
            link.submit_many(messages(200))
            await until(lambda: len(listener.outcomes) == 200 and len(listener.raws) == 200)
            assert centre.get_figures()["binds"] == 2
            assert receiver_of(centre).unacknowledged == {}
            await link.close()
        assert sorted(listener.tokens(OutcomeKind.ACCEPTED)) == list(range(200))
        assert [s for s, _ in listener.states].count(LinkState.UP) == 1

    run(scenario())


def test_a_lost_receiver_stops_nothing_and_gets_its_receipts_later() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (centre, port):
            link = make_pair(port, listener)
            await link.open()
            receiver_of(centre).cut()
            await until(lambda: not centre.outbox("test").receivers)
            assert link.is_up
            link.submit_many(messages(20))
            await until(lambda: len(listener.outcomes) == 20 and len(listener.raws) == 20)
            assert LinkState.DOWN not in [s for s, _ in listener.states]
            await link.close()
        assert len(listener.tokens(OutcomeKind.ACCEPTED)) == 20

    run(scenario())


def test_a_lost_transmitter_is_told_and_comes_back() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (centre, port):
            link = make_pair(port, listener)
            await link.open()
            (sender,) = (c for c in centre.connections if c is not receiver_of(centre))
            sender.cut()
            await until(lambda: LinkState.DOWN in [s for s, _ in listener.states])
            assert not link.is_up and link.room == 0
            link.submit_many(messages(1))
            assert listener.tokens(OutcomeKind.NOT_SENT) == [0]
            await until(lambda: link.is_up)
            link.submit_many(messages(1))
            await until(lambda: len(listener.raws) == 1)
            assert [s for s, _ in listener.states].count(LinkState.UP) == 2
            await link.close()

    run(scenario())


def refuse_receivers(connection: Connection, request: pdu.Pdu) -> int:
    return 0x0E if request.command == pdu.BIND_RECEIVER else 0


def test_without_a_receiver_nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Connection, "_check_login", refuse_receivers)

    async def scenario() -> None:
        async with running_centre() as (centre, port):
            link = make_pair(port, Recorder())
            with pytest.raises(LoginRefused):
                await link.open()
            assert centre.get_figures()["binds"] == 0

    run(scenario())


def test_a_receiver_refused_for_good_stops_the_sending(monkeypatch: pytest.MonkeyPatch) -> None:
    """Five refusals: what is sent from then on would stay without news."""
    monkeypatch.setattr(Connection, "_check_login", refuse_receivers)

    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (centre, port):
            link = make_pair(port, listener)
            link.start()
            await until(lambda: LinkState.STOPPED in [s for s, _ in listener.states])
            assert not link.is_up and link.room == 0
            assert listener.states[-1] == (LinkState.STOPPED, "receiver: 0x0000000e")
            link.submit_many(messages(1))
            assert listener.tokens(OutcomeKind.NOT_SENT) == [0]
            assert centre.get_figures()["submits"] == 0
            await link.close()

    run(scenario())


def test_started_before_the_centre_is_there() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(is_half_open=True) as (centre, port):
            link = make_pair(port, listener)
            link.start()
            await until(lambda: len(centre.connections) == 2)
            assert not link.is_up
            centre.apply_script(centre.script.changed({"is_half_open": False}))
            await until(lambda: link.is_up)
            await link.close()

    run(scenario())
