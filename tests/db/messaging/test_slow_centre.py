"""A connection that takes long over what a slot may have on its way: real slot, link and centre, in virtual time."""

import asyncio
import time
from unittest import mock

import pytest

from accounts.scope import platform_scope
from gateways.adapters.smpp.gateway import SmppGateway
from messaging.dispatch.slot import Slot
from messaging.models import Message, MessageBatch
from messaging.services.check import check_engine
from tests.engine_runs import make_rows, make_run
from tests.gateways.virtual_time import VirtualLoop
from tests.gateways.wire_cases import running_centre

from .engine import HandSlot

LOOK_SECONDS = 0.05


def make_slot(account, port, rate, window):
    gateway = SmppGateway.from_settings({"port": port, "system_id": "test", "tps": rate, "window_size": window})
    slot = Slot(
        gateway_account_id=account.pk,
        number=0,
        session_id=HandSlot(account).open().session_id,
        gateway=gateway,
        stride=gateway.find_stride(rate, window),
        submit=lambda slot, messages: slot.link.submit_many(messages),
        store_events=lambda _, batch: batch.stored(),
    )
    slot.link = gateway.create_link(slot)
    return slot


def send(account, seconds, *, rate, window, **script):
    """Work a slot for so long; returns how many submits the centre took. Between two looks the loop runs: the database
    is asked outside of it."""
    loop = VirtualLoop()
    with (
        mock.patch.object(time, "monotonic", loop.time),
        mock.patch.object(time, "time", loop.wall),
        asyncio.Runner(loop_factory=lambda: loop) as runner,
    ):
        house = running_centre(**script)
        centre, port = runner.run(house.__aenter__())
        slot = make_slot(account, port, rate, window)
        loop.call_soon(slot.link.start)
        for _ in range(int(seconds / LOOK_SECONDS)):
            runner.run(asyncio.sleep(LOOK_SECONDS))
            slot.step()
        slot.leave()
        runner.run(slot.link.close())
        slot.flush()
        slot.leave()
        runner.run(house.__aexit__(None, None, None))
    return centre.get_figures()["submits"]


@pytest.mark.parametrize(
    ("how", "parts", "submits", "batches"),
    [
        ({"rate": 20, "window": 10}, 3, 790, 4),
        ({"rate": 20, "window": 10}, 6, 790, 15),  # 39 if the stride were kept to
        ({"rate": 5, "window": 10}, 6, 195, 12),  # 42, more than messages
        ({"rate": 100, "window": 50, "answer_delay": [1000, 1000]}, 3, 1800, 15),  # 28; 50 a second is what it can do
    ],
)
def test_what_does_not_leave_in_time_fills_no_batches(funded, account, how, parts, submits, batches):
    """Every message that comes back goes into a batch anew. What is taken back in time is no slower, either."""
    run = make_run(funded, account, make_rows(900, text="x" * (150 * parts), parts=parts))
    assert send(account, 40, **how) >= submits
    with platform_scope(reason="test"):
        assert Message.objects.filter(run=run, state="accepted").count() >= submits // parts
        assert MessageBatch.objects.count() <= batches
        assert check_engine() == []
