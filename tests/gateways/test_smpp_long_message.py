"""Long messages arrive whole; S13 as a property: whatever the centre answers in whatever order, nothing taken is
written again."""

from collections import Counter, deque

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.adapters.smpp import longmessage, pdu
from gateways.adapters.smpp.settings import SmppSettings
from gateways.adapters.smpp.window import Window
from gateways.adapters.smpp.wire import SubmitEncoder
from gateways.simulator.journal import find_duplicates, read_journal
from gateways.types import OutboundMessage, OutcomeKind
from smscore import segment
from smscore.parts import decode_part
from tests.gateways.smpp_frames import split_frames
from tests.gateways.wire_cases import Recorder, bound_session, run, running_centre, until

LONG = "Değerli müşterimiz, şubemizde çok özel indirimler başladı. " * 8
ANSWERS = st.lists(
    st.tuples(st.sampled_from(["ok", "ok", "throttle", "reject", "silence", "lost"]), st.integers(0, 5)),
    max_size=40,
)


@settings(max_examples=300)
@given(ANSWERS, st.integers(1, 6), st.integers(2, 4))
def test_any_course_of_answers(course: list[tuple[str, int]], size: int, parts: int) -> None:
    account = SmppSettings(window_size=size, answer_timeout=10)
    window, encoder = Window(account, 0.0), SubmitEncoder(account)
    queue = deque([OutboundMessage(1, "+905321112233", "PEYK", "x" * (153 * parts), "gsm7", parts, 0, 9)])
    wire: dict[int, int] = {}  # sequence → part, of what waits for an answer
    taken: Counter[int] = Counter()
    refused: Counter[int] = Counter()
    written: Counter[int] = Counter()
    outcomes = []
    now = 0.0

    def fill() -> None:
        octets: list[bytes] = []
        window.fill(queue, encoder, max(0, window.room), octets, [], now)
        for frame in split_frames(b"".join(octets)):
            submit = pdu.decode(frame)
            part = decode_part(submit.octets("short_message"), 0, 0x40).header.sequence
            assert not taken[part], "a part that is, or may be, with the centre is written again"
            written[part] += 1
            assert written[part] == refused[part] + 1
            wire[submit.sequence] = part

    for answer, pick in course:
        fill()
        if answer == "lost":
            break
        if answer == "silence":
            now += 11
            for part in wire.values():
                taken[part] += 1
            wire.clear()
            outcomes += window.expire(now)
            continue
        if not wire:
            now += 3
            outcomes += window.expire(now)
            continue
        sequence = sorted(wire)[pick % len(wire)]
        part = wire.pop(sequence)
        status = {"ok": 0, "throttle": 0x58, "reject": 0x0B}[answer]
        if status == 0:
            taken[part] += 1
        else:
            refused[part] += 1
        outcome = window.take(sequence, status, b"id%d\x00" % part if not status else b"", now)
        outcomes += [outcome] if outcome else []
        now += 0.01
    outcomes += window.abandon()
    if queue:
        assert not outcomes and not written
        return
    final = [o for o in outcomes if not o.late]
    assert len(final) == 1, "exactly one outcome"
    kind = final[0].kind
    everything = all(taken[p] == 1 and p not in wire.values() for p in range(1, parts + 1))
    if kind is OutcomeKind.ACCEPTED:
        assert everything
        assert final[0].part_ids == tuple(f"id{p}" for p in range(1, parts + 1))
    if kind in (OutcomeKind.DEFERRED, OutcomeKind.NOT_SENT):
        assert not taken and not wire, "only what the centre has nothing of may be sent again"


@pytest.mark.parametrize("mode", ["udh8", "udh16", "sar", "payload"])
@pytest.mark.parametrize("text", [LONG, "a" * 500, "щ" * 150], ids=["turkish", "plain", "ucs2"])
def test_long_message_arrives_whole(mode: str, text: str) -> None:
    found = segment(text, reference_bits=16 if mode == "udh16" else 8)

    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (centre, port):
            async with bound_session(port, listener, long_mode=mode, id_policy="last") as session:
                message = OutboundMessage(7, "+905321112233", "PEYK", found.text, found.encoding, found.parts, 0, 99)
                session.submit_many([message])
                await until(lambda: len(listener.outcomes) == 1)
            shown = centre.phones.list_messages("+905321112233")
        outcome = listener.outcomes[0]
        sent = 1 if mode == "payload" and not found.encoding.startswith("gsm7-tr") else found.parts
        assert outcome.kind is OutcomeKind.ACCEPTED
        assert len(set(outcome.part_ids)) == sent
        assert outcome.provider_message_id == outcome.part_ids[-1]
        assert [m["text"] for m in shown] == [found.text]
        assert shown[0]["arrived_parts"] == sent

    run(scenario())


def test_lost_part_makes_the_message_unknown_and_repeats_nothing_s13(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(longmessage, "RETRY_SECONDS", (0.05,))
    found = segment("b" * 400)

    async def scenario() -> None:
        listener = Recorder()
        script = {"lost_answer_ratio": 0.3, "throttle_ratio": 0.3, "seed": 5}
        async with (
            running_centre(tmp_path / "j", **script) as (_, port),
            bound_session(port, listener, answer_timeout=0.5) as session,
        ):
            session.submit_many(
                OutboundMessage(n, f"+9053211122{n:02d}", "PEYK", found.text, "gsm7", found.parts, 0, n)
                for n in range(40)
            )
            await until(lambda: len({o.token for o in listener.outcomes}) == 40, 15.0)
        by_token = {o.token: o for o in listener.outcomes}
        entries = list(read_journal(tmp_path / "j"))
        assert find_duplicates(entries) == []
        for token, outcome in by_token.items():
            own = [e for e in entries if e.msisdn.endswith(f"22{token:02d}")]
            taken = {e.part: e.status for e in own if not e.status}
            if outcome.kind is OutcomeKind.ACCEPTED:
                assert taken == {1: 0, 2: 0, 3: 0}
            elif outcome.kind is OutcomeKind.UNKNOWN:
                assert None in taken.values()
            else:
                assert outcome.kind is OutcomeKind.DEFERRED
                assert not taken
        assert {o.kind for o in by_token.values()} >= {OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN}

    run(scenario())
