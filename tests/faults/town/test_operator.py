"""Everything an operator's message centre does to its customers (reliability.md, section 5)."""

import time

import pytest

from accounts.scope import platform_scope
from messaging.models import Message, ReceiptInbox, SendRun

from .town import Town

COMPLETED = SendRun.State.COMPLETED
IMPATIENT = {"answer_timeout": 1.5, "enquire_link_seconds": 1.0, "enquire_link_timeout": 1.0}
pytestmark = pytest.mark.slow


def test_cut_mid_window_and_garbage(town: Town):
    """Each costs at most what was on the wire; everything else is delivered over the next bind."""
    town.house.change_script(cut_after=150, cuts=2, garbage_after=80, answer_delay=[10, 60])
    states = town.wait_until(town.send(800, town.make_account(rate_per_second=400)), COMPLETED)
    assert sum(states.values()) == 800 and states["delivered"] >= 800 - 3 * 20


def test_half_open_link(town: Town):
    """The centre reads and says nothing more, and the connection stands: found out by enquire_link."""
    run = town.send(600, town.make_account(IMPATIENT))
    town.wait_for_submits(run, 100)
    town.house.change_script(is_half_open=True)
    time.sleep(4)
    silent_at = len(town.list_submits(run))
    town.house.change_script(is_half_open=False)
    states = town.wait_until(run, COMPLETED)
    assert silent_at < 600
    assert sum(states.values()) == 600 and states["delivered"] >= 600 - 2 * 40


def test_slow_and_lost_answers_are_healed_by_receipts(town: Town):
    """Hex ids in receipts where the answer was decimal; receipts before answers, doubled, out of order, astray."""
    town.house.change_script(
        lost_answer_ratio=0.05,
        slow_answer_ratio=0.05,
        slow_answer_delay=[2000, 3000],
        receipt_id_format="hex",
        receipt_delay=[0, 1500],
        early_receipt_ratio=0.2,
        double_receipt_ratio=0.2,
        stray_receipt_ratio=0.05,
        late_receipt_ratio=0.02,
        late_receipt_delay=[2000, 4000],
    )
    account = town.make_account({**IMPATIENT, "answer_id_base": "dec", "receipt_id_base": "hex"})
    run = town.send(600, account)
    assert town.wait_until(run, COMPLETED) == {"delivered": 600}
    with platform_scope(reason="test"):
        mine = ReceiptInbox.objects.filter(gateway_account_id=account.pk)
        assert mine.filter(is_inferred=True).exists()  # adopted: their answers never came
        assert mine.filter(matched_message_id=None).exists()  # R4: strays stay visible


def test_throttling_storm(town: Town):
    """S10: being too fast fails nothing and uses up no retry."""
    town.house.change_script(throttle_ratio=0.9, queue_full_ratio=0.5)
    run = town.send(300, town.make_account(rate_per_second=300))
    town.wait_for_submits(run, 60)
    town.house.change_script(throttle_ratio=0, queue_full_ratio=0, rate_limit=100)
    assert town.wait_until(run, COMPLETED) == {"delivered": 300}
    with platform_scope(reason="test"):
        assert set(Message.objects.filter(run=run).values_list("batch__attempt", flat=True)) == {0}


def test_many_refusals_pause_the_run(town: Town):
    """A fifth of the first 200 refused: somebody should look before the rest is spent."""
    town.house.change_script(refusals=[{"pattern": "[05]$", "status": 0x0B}, {"pattern": "7$", "status": 0x0B}])
    run = town.send(3000, town.make_account(rate_per_second=150))
    states = town.wait_until(run, SendRun.State.PAUSED, 30)
    assert states["queued"] > 1000 and states["rejected"] >= 40
    with platform_scope(reason="test"):
        run.refresh_from_db()
        assert run.pause_reason == "refusals"
