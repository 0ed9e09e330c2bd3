"""Two binds that are one link: a transmitter sends, a receiver hears (for centres that offer no transceiver).

The pair is up while the transmitter is up and the receiver has been heard to log in. A receiver that is lost later
does not stop the sending: the centre keeps its receipts until it is back. One that is refused does, because what is
sent then would stay without news.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace

from gateways.adapters.smpp.link import SmppLink
from gateways.adapters.smpp.settings import SmppSettings
from gateways.base import EventBatch, Link, LinkState, Listener
from gateways.types import OutboundMessage, OutcomeKind, Reason, SubmitOutcome

_BAD = (LinkState.REFUSED, LinkState.STOPPED)


class PairedLink(Link):
    """Same contract as ``SmppLink``; window and rate are the transmitter's."""

    def __init__(self, settings: SmppSettings, listener: Listener) -> None:
        self._listener = listener
        self._told = LinkState.DOWN
        self._sender_state = LinkState.DOWN
        self._hears = False
        self._sender = SmppLink(replace(settings, bind_mode="transmitter"), _Half(self, is_sender=True))
        self._receiver = SmppLink(replace(settings, bind_mode="receiver"), _Half(self, is_sender=False))

    async def open(self) -> None:
        """The receiver first, so that no receipt finds nobody. Raises NotSent or LoginRefused and keeps nothing."""
        await self._receiver.open()
        try:
            await self._sender.open()
        except BaseException:
            await self._receiver.close(grace_seconds=0.1)
            raise

    def start(self) -> None:
        self._receiver.start()
        self._sender.start()

    @property
    def is_up(self) -> bool:
        return self._hears and self._sender.is_up

    @property
    def room(self) -> int:
        return self._sender.room if self._hears else 0

    @property
    def is_ready(self) -> bool:
        return self._sender.is_ready

    @property
    def unanswered(self) -> int:
        return self._sender.unanswered

    def submit_many(self, messages: Iterable[OutboundMessage], *, is_urgent: bool = False) -> None:
        if self._hears:
            self._sender.submit_many(messages, is_urgent=is_urgent)
            return
        unsent = [SubmitOutcome(m.token, OutcomeKind.NOT_SENT, reason=Reason.LINK_LOST) for m in messages]
        if unsent:
            self._listener.on_outcomes(unsent)

    def withdraw(self) -> list[OutboundMessage]:
        return self._sender.withdraw()

    async def close(self, *, grace_seconds: float = 5.0) -> None:
        """The transmitter first: until its answers are in, receipts are still heard."""
        await self._sender.close(grace_seconds=grace_seconds)
        await asyncio.gather(self._receiver.close(grace_seconds=grace_seconds))

    # -- what the two binds tell --------------------------------------------------------------------------------

    def _sender_changed(self, state: LinkState, code: str) -> None:
        self._sender_state = state
        if state is not LinkState.UP or self._hears:
            self._tell(state, code)

    def _receiver_changed(self, state: LinkState, code: str) -> None:
        if state is LinkState.UP:
            self._hears = True
            if self._sender_state is LinkState.UP:
                self._tell(LinkState.UP, "")
        elif state in _BAD:
            self._hears = False
            self._tell(state, f"receiver: {code}")

    def _tell(self, state: LinkState, code: str) -> None:
        if self._told is LinkState.STOPPED:
            return  # the last word of either bind stays: it needs a person
        self._told = state
        self._listener.on_state(state, code)

    def tell_outcomes(self, outcomes: list[SubmitOutcome]) -> None:
        self._listener.on_outcomes(outcomes)

    def tell_events(self, batch: EventBatch) -> None:
        self._listener.on_events(batch)


class _Half:
    """The listener of one of the two binds."""

    def __init__(self, pair: PairedLink, *, is_sender: bool) -> None:
        self.on_outcomes = pair.tell_outcomes
        self.on_events = pair.tell_events
        self.on_state = pair._sender_changed if is_sender else pair._receiver_changed
