"""A link that stays: one session after another, with the waits of ``gateways.backoff``."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from gateways.adapters.smpp.session import SmppSession
from gateways.adapters.smpp.settings import SmppSettings
from gateways.backoff import MOST_REFUSALS, wait_after_loss, wait_after_refusal
from gateways.base import GatewayError, Link, LinkState, Listener, LoginRefused
from gateways.types import OutboundMessage, OutcomeKind, Reason, SubmitOutcome

log = logging.getLogger(__name__)

STEADY_SECONDS = 30.0
QUEUE_SECONDS = 1.5
"""What waits in a session for longer goes back to the database: a pause or a cancel must find it there (S6)."""
LOOK_SECONDS = 0.25


class SmppLink(Link):
    """Same contract as a session, over several. Messages given while it is down come back ``not_sent``."""

    def __init__(self, settings: SmppSettings, listener: Listener) -> None:
        self._settings = settings
        self._listener = listener
        self._session: SmppSession | None = None
        self._keeper: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Bind for the first time, then keep it up. Raises NotSent or LoginRefused and keeps nothing."""
        session = await self._open_session()
        self._keeper = asyncio.create_task(self._keep(session))

    def start(self) -> None:
        """Keep a link up from now on, whether or not the first bind works; states tell the listener."""
        if self._keeper is None:
            self._keeper = asyncio.create_task(self._keep(None))

    @property
    def is_up(self) -> bool:
        return self._session is not None and self._session.is_up

    @property
    def room(self) -> int:
        return self._session.room if self._session is not None else 0

    @property
    def unanswered(self) -> int:
        return self._session.unanswered if self._session is not None else 0

    @property
    def is_ready(self) -> bool:
        session = self._session
        return session is None or session.is_ready

    def submit_many(self, messages: Iterable[OutboundMessage], *, is_urgent: bool = False) -> None:
        if self._session is not None:
            self._session.submit_many(messages, is_urgent=is_urgent)
            return
        unsent = [SubmitOutcome(m.token, OutcomeKind.NOT_SENT, reason=Reason.LINK_LOST) for m in messages]
        if unsent:
            self._listener.on_outcomes(unsent)

    def withdraw(self) -> list[OutboundMessage]:
        return self._session.withdraw() if self._session is not None else []

    async def close(self, *, grace_seconds: float = 5.0) -> None:
        keeper, self._keeper = self._keeper, None
        if keeper is not None:
            keeper.cancel()
            await asyncio.gather(keeper, return_exceptions=True)
        if self._session is not None:
            await self._session.close(grace_seconds=grace_seconds)
            self._session = None

    async def _open_session(self) -> SmppSession:
        # Known before it is up: a listener that hears "up" may submit at once.
        session = self._session = SmppSession(self._settings, self._listener)
        try:
            await session.open()
        except BaseException:
            self._session = None
            raise
        return session

    async def _keep(self, session: SmppSession | None) -> None:
        loop = asyncio.get_running_loop()
        lost = refusals = 0
        while True:
            try:
                if session is None:
                    session = await self._open_session()
                began = loop.time()
                refusals = 0
                await self._look_after(session)
                # A link that falls right after its bind would otherwise be bound again without end.
                lost = 0 if loop.time() - began >= STEADY_SECONDS else lost
                delay = wait_after_loss(lost)
                lost += 1
            except LoginRefused as error:
                refusals += 1
                if refusals >= MOST_REFUSALS:
                    self._listener.on_state(LinkState.STOPPED, error.code)
                    return
                delay = wait_after_refusal(refusals - 1)
            except GatewayError:
                delay = wait_after_loss(lost)
                lost += 1
            except Exception:
                # A fault of ours must not leave the account down for good without a word.
                log.exception("smpp.link_fault")
                delay = wait_after_loss(lost)
                lost += 1
            self._session = session = None
            await asyncio.sleep(delay)

    async def _look_after(self, session: SmppSession) -> None:
        """Until its connection has ended."""
        loop = asyncio.get_running_loop()
        while session.is_up:
            session.hand_back(since=loop.time() - QUEUE_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_SECONDS):
                    await session.wait_closed()
        await session.wait_closed()
