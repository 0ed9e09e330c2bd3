"""Everything wrong at once: whatever the client then claims about a message is true, and no part goes twice."""

import asyncio
from collections import Counter
from pathlib import Path

import pytest

from gateways import backoff
from gateways.adapters.smpp import longmessage
from gateways.adapters.smpp.gateway import SmppGateway
from gateways.simulator.journal import find_duplicates, read_journal
from gateways.types import OutboundMessage, OutcomeKind
from tests.gateways.wire_cases import Recorder, run, running_centre

STORM = {
    "refusals": [
        {"pattern": "3$", "status": 0x45, "ratio": 0.5},
        {"pattern": "99$", "status": 0x0B},
        {"pattern": "8$", "status": 0x64, "ratio": 0.3},
    ],
    "answer_delay": [0, 5],
    "lost_answer_ratio": 0.01,
    "slow_answer_ratio": 0.03,
    "slow_answer_delay": [300, 600],
    "early_receipt_ratio": 0.1,
    "double_receipt_ratio": 0.1,
    "lost_receipt_ratio": 0.05,
    "stray_receipt_ratio": 0.05,
    "cut_after": 400,
    "cuts": 8,
}
COUNT = 3000
REPEATABLE = (OutcomeKind.NOT_SENT, OutcomeKind.DEFERRED)


def make(number: int) -> OutboundMessage:
    if number % 4:
        return OutboundMessage(number, f"+90532{number:07d}", "PEYK", "Merhaba")
    return OutboundMessage(number, f"+90532{number:07d}", "PEYK", "şğı" * 60, "gsm7-tr-single", 3)


async def send_all(port: int) -> dict[int, OutcomeKind]:
    """A sender that repeats exactly what the contract allows."""
    listener = Recorder()
    settings = {"port": port, "system_id": "a", "tps": 0, "window_size": 50, "answer_timeout": 0.4, "send_token": True}
    link = SmppGateway.from_settings(settings).create_link(listener)
    await link.open()
    waiting = [make(n) for n in range(COUNT)]
    final: dict[int, OutcomeKind] = {}
    seen = 0
    while waiting or len(final) < COUNT:
        if link.room > 20:
            link.submit_many(waiting[:60])
            del waiting[:60]
        await asyncio.sleep(0.002)
        news, seen = listener.outcomes[seen:], len(listener.outcomes)
        for outcome in news:
            if outcome.kind in REPEATABLE:
                final.pop(outcome.token, None)
                waiting.append(make(outcome.token))
            else:
                final[outcome.token] = outcome.kind
    await link.close()
    return final


@pytest.mark.parametrize("seed", [1, 2])
def test_storm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    monkeypatch.setattr(backoff, "LOST_FIRST", 0.02)
    monkeypatch.setattr(backoff, "LOST_MOST", 0.1)
    monkeypatch.setattr(longmessage, "RETRY_SECONDS", (0.05,))

    async def scenario() -> dict[int, OutcomeKind]:
        async with running_centre(tmp_path / "j", seed=seed, **STORM) as (centre, port):
            final = await send_all(port)
            assert centre.get_figures(with_duplicates=True)["duplicates"] == 0
            assert centre.get_figures()["cuts"] == 8
        return final

    final = run(scenario(), 60.0)
    entries = list(read_journal(tmp_path / "j"))
    assert find_duplicates(entries) == []
    taken = Counter((e.token, e.part) for e in entries if not e.status)
    for token, kind in final.items():
        parts = [taken[token, part] for part in range(1, make(token).parts + 1)]
        if kind is OutcomeKind.ACCEPTED:
            assert parts == [1] * len(parts), "accepted means that every part was taken, once"
        if kind is OutcomeKind.REJECTED:
            assert 0 in parts, "rejected means that some part never was"
    assert set(final.values()) == {OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.UNKNOWN}
    unknown = sum(1 for kind in final.values() if kind is OutcomeKind.UNKNOWN)
    assert unknown < COUNT / 4
