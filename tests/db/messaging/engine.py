"""A sender slot by hand: claim, intent and answers as the services see them, without processes or sockets."""

from dataclasses import dataclass, field

from gateways.models import GatewayAccount
from gateways.types import OutboundMessage, OutcomeKind, SubmitOutcome
from messaging.scope import engine_scope
from messaging.services.claims import ClaimedBatch, claim_batches, finish_batches
from messaging.services.intents import Stride, declare_intent
from messaging.services.outcomes import record_outcomes
from messaging.services.sessions import open_session


@dataclass
class HandSlot:
    account: GatewayAccount
    number: int = 0
    session_id: int = 0
    batches: dict[int, int] = field(default_factory=dict)  # message → batch

    def open(self) -> "HandSlot":
        with engine_scope(reason="test"):
            found = open_session(gateway_account_id=self.account.pk, slot=self.number, worker="test")
        assert found is not None
        self.session_id = found
        return self

    def claim(self, **options) -> list[ClaimedBatch]:
        values = {"per_tenant": 5, "limit": 50, **options}
        with engine_scope(reason="test"):
            return claim_batches(session_id=self.session_id, gateway_account_id=self.account.pk, **values)

    def intend(self, *strides: Stride) -> list[OutboundMessage]:
        with engine_scope(reason="test"):
            intent = declare_intent(session_id=self.session_id, strides=strides, shard=100)
        for batch_id, messages in intent.messages.items():
            self.batches.update((m.token, batch_id) for m in messages)
        return [m for messages in intent.messages.values() for m in messages]

    def send_all(self) -> list[OutboundMessage]:
        """Claim everything that is due and declare intent for all of it."""
        return self.intend(*(Stride(b.batch_id, b.mark, b.message_count) for b in self.claim()))

    def answer(self, *outcomes: SubmitOutcome) -> int:
        with engine_scope(reason="test"):
            answers = [(outcome, self.batches.get(outcome.token)) for outcome in outcomes]
            return record_outcomes(gateway_account_id=self.account.pk, answers=answers, shard=100)

    def accept(self, messages: list[OutboundMessage]) -> int:
        return self.answer(*(accepted(m) for m in messages))

    def finish(self, **marks: int) -> None:
        with engine_scope(reason="test"):
            finish_batches(session_id=self.session_id, marks={int(k): v for k, v in marks.items()}, shard=100)


def accepted(message: OutboundMessage, *part_ids: str) -> SubmitOutcome:
    ids = part_ids or (f"id-{message.token}",)
    return SubmitOutcome(message.token, OutcomeKind.ACCEPTED, ids[0], part_ids=ids)
