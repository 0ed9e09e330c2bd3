"""The adapter contract.

Two shapes, one face. A request/response provider (HTTP) fills in the steps of ``Gateway.submit``; a
provider with a standing connection (SMPP) opens a ``Link`` that takes messages and tells its
``Listener`` what became of them. Settings and credentials come in as a mapping; nothing here does ORM.
"""

from __future__ import annotations

import abc
import logging
import traceback
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar, Protocol, Self

from gateways.cleaning import clean_code, clean_outcome
from gateways.setting_fields import SettingField
from gateways.types import (
    Capabilities,
    CheckResult,
    GatewayEvent,
    JobsWanted,
    OutboundMessage,
    OutcomeKind,
    PullJob,
    PullProgress,
    Reason,
    SubmitOutcome,
)

log = logging.getLogger(__name__)
EVIDENCE_LIMIT = 4096
STRIDE_SECONDS = 0.2


class GatewayError(Exception):
    """Base of what an adapter raises. ``code`` is the provider's, cut and cleaned for storage; the message never holds
    a secret."""

    def __init__(self, message: str, *, code: str = "", reason: Reason = Reason.OTHER, evidence: str = "") -> None:
        super().__init__(message)
        self.code = clean_code(code)
        self.reason = reason
        self.evidence = evidence[:EVIDENCE_LIMIT]


MISSHAPEN = (LookupError, ValueError, TypeError, AttributeError, ArithmeticError, RecursionError)
"""What Python raises where a value has not the shape that an adapter reads."""


class BadSettings(GatewayError):
    """The account's settings cannot work; say which field in the message."""


class NotSent(GatewayError):
    """Proven: nothing reached the provider (DNS, connect, TLS failed before the first byte)."""


class OutcomeUnknown(GatewayError):
    """Something may have been taken: read timeout, reset, 5xx, an answer that is not the provider's."""


class LoginRefused(GatewayError):
    """Wrong credentials or a closed account: nothing was taken; back off and tell people."""


class Deferred(GatewayError):
    """The whole call was refused for now, nothing of it was taken: not before ``retry_after_seconds``."""

    def __init__(
        self,
        message: str,
        *,
        code: str = "",
        reason: Reason = Reason.THROTTLED,
        evidence: str = "",
        retry_after_seconds: float = 0.0,
    ) -> None:
        super().__init__(message, code=code, reason=reason, evidence=evidence)
        self.retry_after_seconds = retry_after_seconds


class Rejected(GatewayError):
    """The whole call was refused for good, nothing of it was taken.

    ``spoiled``: one message of many may be the cause; the link tries each half by itself, so that only that one
    is refused.
    """

    def __init__(
        self, message: str, *, code: str = "", reason: Reason = Reason.OTHER, evidence: str = "", spoiled: bool = False
    ) -> None:
        super().__init__(message, code=code, reason=reason, evidence=evidence)
        self.spoiled = spoiled


class UnsupportedFeature(GatewayError):
    """The adapter cannot do this; the name of the feature is the message."""


class LinkState(StrEnum):
    """State of a standing connection. ``held``: there, and the provider asks us to wait for longer than a moment;
    ``stopped``: gave up (refused five times), needs a person."""

    DOWN = "down"
    HELD = "held"
    CONNECTING = "connecting"
    UP = "up"
    REFUSED = "refused"
    STOPPED = "stopped"


class EventBatch(Protocol):
    """Raw events (receipts, inbound) that wait for storage. Exactly one of the two must be called, from
    any thread. The provider gets its positive acknowledgement only after ``stored`` (R1)."""

    @property
    def raws(self) -> Sequence[bytes]: ...

    @property
    def progress(self) -> PullProgress | None:
        """How far the provider has been asked, to be committed with the events; None if they came by themselves."""

    def stored(self) -> None: ...

    def refused(self) -> None: ...


class PullDesk(Protocol):
    """What the engine remembers for a link that must ask for its events. Blocking: never on the event loop."""

    def load_cursor(self, stream: str) -> str:
        """The last cursor committed for this stream; empty if there is none."""

    def list_due_jobs(self, wanted: JobsWanted) -> list[PullJob]:
        """Jobs that should be asked about now, fair between tenants: at least one if one is due."""


class Listener(Protocol):
    """What the engine gives a link. All calls come on the link's event loop and must not block."""

    def on_outcomes(self, outcomes: list[SubmitOutcome]) -> None: ...

    def on_events(self, batch: EventBatch) -> None: ...

    def on_state(self, state: LinkState, code: str) -> None: ...


class Link(abc.ABC):
    """A standing connection. Every message given to ``submit_many`` gets exactly one outcome that is not
    ``late``; ``unknown`` may be followed by one ``late`` outcome that heals it."""

    @abc.abstractmethod
    async def open(self) -> None:
        """Connect and log in. Raises NotSent (unreachable) or LoginRefused."""

    def start(self) -> None:
        """Keep the link up from now on, whether or not the first login works; states tell the listener."""
        raise NotImplementedError

    @abc.abstractmethod
    def submit_many(self, messages: Iterable[OutboundMessage], *, is_urgent: bool = False) -> None:
        """Queue messages, urgent ones first; they leave as window and rate allow. Event-loop thread only."""

    @abc.abstractmethod
    def withdraw(self) -> list[OutboundMessage]:
        """Take back what was not written (pause, cancel): the caller owns these, no outcome follows."""

    @property
    @abc.abstractmethod
    def room(self) -> int:
        """How many more messages it is useful to submit now."""

    @abc.abstractmethod
    async def close(self, *, grace_seconds: float = 5.0) -> None:
        """Stop writing, wait for answers, log out. What is left is reported not_sent or unknown."""

    @property
    def is_ready(self) -> bool:
        """Messages given now would leave soon. Any thread. False: better leave them in the database for now."""
        return True

    def pull_with(self, desk: PullDesk) -> None:  # noqa: B027 - a link that is told everything asks for nothing
        """This link is the one that asks for events, where the provider must be asked. Before ``start``."""


class Gateway(abc.ABC):
    """One provider with one account's settings."""

    slug: ClassVar[str] = ""
    title: ClassVar[str] = ""
    """The provider's name as people know it; empty: the slug."""
    capabilities: ClassVar[Capabilities] = Capabilities()
    secret_settings: ClassVar[frozenset[str]] = frozenset()
    settings_fields: ClassVar[tuple[SettingField, ...]] = ()
    """What people fill in (forms are made from this); the SECRET ones are ``secret_settings``."""
    guards_host: ClassVar[bool] = False
    """It keeps the setting ``public_only`` and connects to public addresses only (``gateways.hosts``). Without it
    tenants cannot connect accounts of their own."""

    @classmethod
    @abc.abstractmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        """Raises BadSettings naming the field."""

    @classmethod
    def carries_unicode(cls, settings: Mapping[str, Any]) -> bool:
        """Whether characters beyond GSM-7 and Turkish (`smscore.encoding.needs_unicode`) arrive over an account with
        these settings, secrets left out. Where not, such a message is refused before it is sent: routing keeps it
        away, and whoever writes it is told."""
        return cls.capabilities.unicode

    @classmethod
    def list_prefixes(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """``Capabilities.prefixes`` of an account with these settings, secrets left out. Routing keeps other numbers
        away."""
        return cls.capabilities.prefixes

    @classmethod
    def find_destination(cls, settings: Mapping[str, Any]) -> Any:
        """Who gets the secrets of an account with these settings, as a value to compare: when it changes they have to
        be typed again. By default any setting may decide it."""
        return dict(settings)

    @property
    def batch_size(self) -> int:
        """Most messages of one call, for this account."""
        return self.capabilities.batch_size

    def find_stride(self, rate: float, window_size: int) -> int:
        """How many messages the engine may have on the way at once: enough to keep the link busy, and what a crash
        leaves unknown. ``rate`` is the slot's messages a second."""
        # A window that takes longer than a second to leave would go on leaving after a pause (S6).
        return max(1, min(window_size, int(rate)), int(rate * STRIDE_SECONDS))

    # -- sending, request/response providers -------------------------------------------------------------

    async def submit(self, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        """The whole story of one call: check, build, exchange, read. One outcome per message, in order.

        Only ``exchange`` touches the network: what cannot be built is refused. Whatever goes wrong after the first byte
        is ``unknown`` for the whole batch unless ``read_answer`` finds the provider's own words in the answer. Where
        one message of several may have spoiled the call, all are ``deferred`` as SPOILED: whoever calls tries each
        half by itself.
        """
        if not 0 < len(messages) <= self.batch_size:
            raise ValueError(f"{self.slug}: 1..{self.batch_size} messages a call")
        try:
            answer = await self.exchange(self._build(messages))
        except UnsupportedFeature:
            raise
        except GatewayError as error:
            return _same_outcome(messages, error)
        except Exception as error:
            # A fault of ours in the middle of an exchange proves nothing about what the provider took.
            log.error("gateway.fault", extra={"gateway": self.slug, "fault": describe_fault(error)})
            fault = OutcomeUnknown("fault", code=type(error).__name__, reason=Reason.SYSTEM)
            return _same_outcome(messages, fault)
        try:
            outcomes = [clean_outcome(outcome) for outcome in self.read_answer(answer, messages)]
        except GatewayError as error:
            return _same_outcome(messages, error)
        except MISSHAPEN as error:
            # The answer was not of the shape the adapter reads: keep it for a person to look at.
            code, evidence = type(error).__name__, repr(answer)
            misread = OutcomeUnknown("unreadable", code=code, reason=Reason.MALFORMED, evidence=evidence)
            return _same_outcome(messages, misread)
        if [o.token for o in outcomes] != [m.token for m in messages]:
            misfit = OutcomeUnknown("answer does not fit", reason=Reason.MALFORMED, evidence=repr(answer))
            return _same_outcome(messages, misfit)
        return outcomes

    def _build(self, messages: Sequence[OutboundMessage]) -> Any:
        """The request. A fault of ours in making it would be the same the next time: nothing left, and the message that
        it cannot be made of is looked for."""
        try:
            return self.build_request(messages)
        except GatewayError:
            raise
        except Exception as error:
            log.error("gateway.fault", extra={"gateway": self.slug, "fault": describe_fault(error)})
            raise Rejected("not built", code=type(error).__name__, spoiled=True) from None

    def build_request(self, messages: Sequence[OutboundMessage]) -> Any:
        """The provider's request for these messages. No I/O. Raises Rejected for what it could not take."""
        raise self.unsupported("submit")

    async def exchange(self, request: Any) -> Any:
        """Send one request, return the raw answer. Raises NotSent, LoginRefused, Deferred, OutcomeUnknown."""
        raise self.unsupported("submit")

    def read_answer(self, answer: Any, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        """Outcomes in the order of the messages. Raises OutcomeUnknown (with evidence) if unreadable; Rejected,
        Deferred or LoginRefused where the answer is about the whole call."""
        raise self.unsupported("submit")

    # -- sending, providers with a standing connection ---------------------------------------------------

    def create_link(self, listener: Listener) -> Link:
        """A link that is not open yet."""
        raise self.unsupported("link")

    # -- events ------------------------------------------------------------------------------------------

    def read_events(self, raws: Sequence[bytes]) -> list[GatewayEvent]:
        """Stored raw events as values, one per raw, in order. Never raises for what a provider sent."""
        raise self.unsupported("events")

    # -- optional ----------------------------------------------------------------------------------------

    async def check(self) -> CheckResult:
        """Connection test: a plain diagnosis, never an exception for what the provider does."""
        raise self.unsupported("check")

    async def get_balance(self) -> str:
        raise self.unsupported("balance")

    async def list_senders(self) -> list[str]:
        """Sender IDs that the provider has approved for this account, letter for letter."""
        raise self.unsupported("senders")

    def unsupported(self, feature: str) -> UnsupportedFeature:
        return UnsupportedFeature(f"{self.slug}: {feature}")


def describe_fault(error: BaseException) -> str:
    """What went wrong and where, without the values that were at hand: keys and texts are among them."""
    frames = traceback.extract_tb(error.__traceback__)[-4:]
    places = " < ".join(f"{Path(frame.filename).name}:{frame.lineno}" for frame in reversed(frames))
    return f"{type(error).__name__} at {places}"


_KINDS: tuple[tuple[type[GatewayError], OutcomeKind], ...] = (
    (NotSent, OutcomeKind.NOT_SENT),
    (LoginRefused, OutcomeKind.DEFERRED),
    (Deferred, OutcomeKind.DEFERRED),
    (Rejected, OutcomeKind.REJECTED),
)


def _same_outcome(messages: Sequence[OutboundMessage], error: GatewayError) -> list[SubmitOutcome]:
    if isinstance(error, Rejected) and error.spoiled and len(messages) > 1:
        error = Deferred("spoiled", code=error.code, reason=Reason.SPOILED)
    kind = next((kind for kinds, kind in _KINDS if isinstance(error, kinds)), OutcomeKind.UNKNOWN)
    reason = Reason.LOGIN if isinstance(error, LoginRefused) else error.reason
    wait = error.retry_after_seconds if isinstance(error, Deferred) else 0.0
    return [
        SubmitOutcome(m.token, kind, code=error.code, reason=reason, retry_after_seconds=wait, evidence=error.evidence)
        for m in messages
    ]
