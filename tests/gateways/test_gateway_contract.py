"""The story of one request/response call, whatever goes wrong in it; and the registry."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any, Self

import pytest

from gateways.base import Gateway, LoginRefused, NotSent, OutcomeUnknown, UnsupportedFeature
from gateways.http.events import PulledPage
from gateways.registry import UnknownGateway, get_gateway_class, list_slugs, open_gateway
from gateways.types import Capabilities, OutboundMessage, OutcomeKind, Reason, SubmitOutcome

BATCH = [OutboundMessage(n, f"+90532000000{n}", "PEYK", "a") for n in range(3)]


class Toy(Gateway):
    """Accepts everything, unless told what to raise and where."""

    slug = "toy"
    capabilities = Capabilities(batch_size=3)

    def __init__(self, *, in_exchange: Exception | None = None, in_reading: Exception | None = None, lose: int = 0):
        self.in_exchange, self.in_reading, self.lose = in_exchange, in_reading, lose

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        return cls()

    def build_request(self, messages: Sequence[OutboundMessage]) -> list[int]:
        return [m.token for m in messages]

    async def exchange(self, request: list[int]) -> list[int]:
        if self.in_exchange:
            raise self.in_exchange
        return request

    def read_answer(self, answer: list[int], messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        if self.in_reading:
            raise self.in_reading
        kept = answer[self.lose :]
        return [SubmitOutcome(token, OutcomeKind.ACCEPTED, f"id{token}") for token in kept]


def submit(toy: Toy, batch: Sequence[OutboundMessage] = BATCH) -> list[SubmitOutcome]:
    return asyncio.run(toy.submit(batch))


def test_one_outcome_per_message_in_order() -> None:
    assert [o.provider_message_id for o in submit(Toy())] == ["id0", "id1", "id2"]


@pytest.mark.parametrize(
    ("toy", "kind", "reason"),
    [
        (Toy(in_exchange=NotSent("dns", reason=Reason.LINK_LOST)), OutcomeKind.NOT_SENT, Reason.LINK_LOST),
        (Toy(in_exchange=LoginRefused("401", reason=Reason.LOGIN)), OutcomeKind.DEFERRED, Reason.LOGIN),
        (Toy(in_exchange=OutcomeUnknown("read", reason=Reason.TIMEOUT)), OutcomeKind.UNKNOWN, Reason.TIMEOUT),
        (Toy(in_exchange=KeyError("ours")), OutcomeKind.UNKNOWN, Reason.SYSTEM),
        (Toy(in_reading=OutcomeUnknown("html", reason=Reason.MALFORMED)), OutcomeKind.UNKNOWN, Reason.MALFORMED),
        (Toy(in_reading=IndexError("short")), OutcomeKind.UNKNOWN, Reason.MALFORMED),
        (Toy(lose=1), OutcomeKind.UNKNOWN, Reason.MALFORMED),
    ],
)
def test_a_failure_gives_the_whole_batch_one_kind(toy: Toy, kind: OutcomeKind, reason: Reason) -> None:
    outcomes = submit(toy)
    assert [o.token for o in outcomes] == [0, 1, 2]
    assert {(o.kind, o.reason) for o in outcomes} == {(kind, reason)}


def test_what_cannot_be_built_never_left() -> None:
    """Refused, that message alone; the provider never saw it, so nobody has to wonder. Together with others it spoils
    the call, whose halves the link then tries."""

    class Clumsy(Toy):
        def build_request(self, messages: Sequence[OutboundMessage]) -> list[int]:
            if 1 in (m.token for m in messages):
                raise UnicodeEncodeError("ascii", "ş", 0, 1, "ours")
            return super().build_request(messages)

    assert {(o.kind, o.reason) for o in submit(Clumsy())} == {(OutcomeKind.DEFERRED, Reason.SPOILED)}
    outcomes = [outcome for message in BATCH for outcome in submit(Clumsy(), [message])]
    assert [o.kind for o in outcomes] == [OutcomeKind.ACCEPTED, OutcomeKind.REJECTED, OutcomeKind.ACCEPTED]
    assert outcomes[1].code == "UnicodeEncodeError"


def test_evidence_of_an_unreadable_answer_is_kept_and_bounded() -> None:
    [outcome] = submit(Toy(in_reading=OutcomeUnknown("html", evidence="<html>" * 10_000)), BATCH[:1])
    assert outcome.evidence.startswith("<html>")
    assert len(outcome.evidence) <= 4096


def test_what_a_provider_says_can_be_stored() -> None:
    """PostgreSQL takes neither NUL nor half a surrogate pair, and 40 characters of a code."""
    bad, kept = "a\x00\udcffb", "a\ufffd?b"
    [said] = submit(Toy(in_exchange=OutcomeUnknown("no", code=bad + "c" * 200)), BATCH[:1])
    assert said.code == kept + "c" * 36

    class Odd(Toy):
        def read_answer(self, answer: list[int], messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
            return [SubmitOutcome(t, OutcomeKind.ACCEPTED, bad, bad * 20, part_ids=(bad, "b"), job=bad) for t in answer]

    [read] = submit(Odd(), BATCH[:1])
    assert (read.provider_message_id, read.part_ids, read.job) == (kept, (kept, "b"), kept)
    assert read.code == (kept * 20)[:40]
    page = PulledPage([], cursor=bad, found=((bad, 3),))
    assert (page.cursor, page.found) == (kept, ((kept, 3),))


@pytest.mark.parametrize("count", [0, 4])
def test_batch_size_is_kept(count: int) -> None:
    with pytest.raises(ValueError, match=r"1\.\.3"):
        submit(Toy(), (BATCH * 2)[:count])


def test_missing_features_fail_by_name() -> None:
    with pytest.raises(UnsupportedFeature, match="toy: balance"):
        asyncio.run(Toy().get_balance())


def test_registry_finds_folders() -> None:
    assert "smpp" in list_slugs()
    assert get_gateway_class("smpp").slug == "smpp"
    assert open_gateway("smpp", {"system_id": "a"}).slug == "smpp"


@pytest.mark.parametrize("slug", ["", "nobody", "../smpp", "smpp.gateway", "SMPP"])
def test_registry_refuses_other_names(slug: str) -> None:
    with pytest.raises(UnknownGateway):
        get_gateway_class(slug)
