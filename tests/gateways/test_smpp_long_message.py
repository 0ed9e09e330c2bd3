"""S13 as a property: whatever the centre answers in whatever order, nothing taken is written again."""

from collections import Counter, deque

from hypothesis import given, settings
from hypothesis import strategies as st

from gateways.adapters.smpp import pdu
from gateways.adapters.smpp.settings import SmppSettings
from gateways.adapters.smpp.window import Window
from gateways.adapters.smpp.wire import SubmitEncoder
from gateways.types import OutboundMessage, OutcomeKind
from smscore.parts import decode_part
from tests.gateways.smpp_frames import split_frames

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
