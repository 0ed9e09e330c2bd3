"""The HTTP adapter's whole story; a provider fills in what is its own (docs/adding-a-gateway.md)."""

from __future__ import annotations

import time
from collections.abc import Hashable, Mapping, Sequence
from typing import Any, ClassVar, Self

from gateways.base import (
    MISSHAPEN,
    Deferred,
    Gateway,
    GatewayError,
    Listener,
    LoginRefused,
    NotSent,
    OutcomeUnknown,
    UnsupportedFeature,
)
from gateways.findings import Finding, find_connect_failure
from gateways.http.client import HttpClient
from gateways.http.events import ANSWER, INBOUND, RECEIPT, STRANGE, PulledPage, PushRequest, pack_raw, unpack_raw
from gateways.http.link import RequestLink
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.scrub import Scrubber
from gateways.http.settings import HttpSettings
from gateways.types import (
    CheckResult,
    DeliveryEvent,
    GatewayEvent,
    OutboundMessage,
    OutcomeKind,
    Reason,
    SubmitOutcome,
    UnreadableEvent,
)
from smscore.encoding import needs_unicode

CAREFUL_BATCH = 200
"""Messages of one call where the provider cannot be asked what became of it (reliability.md, section 5)."""
LARGEST_BATCH = 1000
SECONDS_ON_THE_WAY = 1.0
LONGEST_WAIT = 3600.0
TOKENS_HEADER = "X-Peyk-Tokens"


class HttpGateway(Gateway):
    """Subclasses give ``slug``, ``capabilities``, ``settings_class``, ``default_url``, ``secret_settings`` and write
    ``write_request`` and ``read_answer``; the rest where their provider has it."""

    guards_host = True
    settings_class: ClassVar[type[HttpSettings]] = HttpSettings
    default_url: ClassVar[str] = ""
    gather_seconds: ClassVar[float] = 0.2
    """How long a call that is not full waits for more messages. More where receipts are asked for by call."""
    typed_pushes: ClassVar[tuple[str, ...]] = ()
    """Our addresses that people enter in the provider's portal: "receipts", "inbound", or "all" where both kinds come
    to one. Not those that it is told with each call."""
    push_answer: ClassVar[str] = ""
    """Body of our 200 to a push, where the provider looks at it."""

    def __init__(self, settings: HttpSettings) -> None:
        self.settings: Any = settings
        self.scrub = Scrubber(self.list_secrets())
        self.client = HttpClient(settings, self.scrub)

    @classmethod
    def from_settings(cls, settings: Mapping[str, Any]) -> Self:
        return cls(cls.settings_class.from_mapping({**settings, "base_url": cls.find_base_url(settings)}))

    @classmethod
    def find_base_url(cls, settings: Mapping[str, Any]) -> Any:
        """Where the API begins for an account with these settings. Override where they have several hosts."""
        return settings.get("base_url", cls.default_url)

    @classmethod
    def find_destination(cls, settings: Mapping[str, Any]) -> Any:
        return cls.find_base_url(settings)

    def list_secrets(self) -> list[str]:
        """What may appear nowhere. Extend it by what is made from secrets (a Basic header's content)."""
        token = self.settings.push_url.rpartition("/")[2]
        return [*(str(getattr(self.settings, name)) for name in sorted(self.secret_settings)), token]

    # -- size and grouping of calls ----------------------------------------------------------------------

    @property
    def batch_size(self) -> int:
        most = self.capabilities.batch_size
        if self.settings.batch_size:
            return min(most, int(self.settings.batch_size))
        can_ask = self.capabilities.own_ids or self.capabilities.finds_unknown
        return min(most, LARGEST_BATCH if can_ask else CAREFUL_BATCH)

    def find_stride(self, rate: float, window_size: int) -> int:
        """What leaves in a second, as far as calls in flight can carry it: an answer takes its time."""
        most = min(rate * SECONDS_ON_THE_WAY, float(window_size * self.batch_size))
        return max(1, int(most), super().find_stride(rate, 1))

    def group_key(self, message: OutboundMessage) -> Hashable:
        """Messages of one call have this in common. By default what providers set for a whole call, and the text
        where a call carries one only."""
        text = "" if self.capabilities.mixed_texts else message.text
        beyond = not self.capabilities.unicode and needs_unicode(message.text)  # one does not spoil the others
        return message.sender, message.encoding, message.content_class, message.validity_seconds, text, beyond

    # -- sending -----------------------------------------------------------------------------------------

    def build_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        request = self.write_request(messages)
        if self.settings.send_token:
            tokens = ",".join(f"{m.msisdn.lstrip('+')}={m.token}" for m in messages)
            return request.with_headers({TOKENS_HEADER: tokens})
        return request

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        """The provider's call for these messages (of one group). Raises Rejected for what it could not take."""
        raise self.unsupported("submit")

    async def submit(self, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        """A call without an answer names its search."""
        sent_at = time.time()
        outcomes = await super().submit(messages)
        if any(o.kind is OutcomeKind.UNKNOWN and not o.job for o in outcomes):
            job = self.write_unknown_job(messages, sent_at)
            return [o._replace(job=o.job or job) if o.kind is OutcomeKind.UNKNOWN else o for o in outcomes]
        return outcomes

    async def exchange(self, request: HttpRequest) -> HttpAnswer:
        """A complete answer that ``check_status`` lets through."""
        answer = await self.client.exchange(request)
        self.check_status(answer)
        return answer

    def check_status(self, answer: HttpAnswer) -> None:
        """What the status alone says. Override where the body decides (a provider that says 500 and means "wrong
        password"). Raises LoginRefused, Deferred, OutcomeUnknown."""
        status, evidence = answer.status, answer.evidence if answer.status >= 300 else ""
        if status in (401, 403):
            raise LoginRefused("login refused", code=str(status), reason=Reason.LOGIN, evidence=evidence)
        if status == 429:
            wait = read_retry_after(answer)
            raise Deferred("too fast", code="429", evidence=evidence, retry_after_seconds=wait)
        if status >= 500 or 300 <= status < 400:
            reason = Reason.SYSTEM if status >= 500 else Reason.MALFORMED
            raise OutcomeUnknown("status", code=str(status), reason=reason, evidence=evidence)

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        raise self.unsupported("submit")

    def write_unknown_job(self, messages: Sequence[OutboundMessage], sent_at: float) -> str:
        """The job that finds out what became of a call without an answer with these messages, made at this time
        (seconds since the epoch); empty if the provider cannot be asked. It is asked alone, until the last of
        ``receipt_polls``."""
        return ""

    def join_searches(self, one: str, other: str) -> str:
        """One job that finds what both of these jobs of calls without an answer would find; empty if there is none."""
        return ""

    def create_link(self, listener: Listener) -> RequestLink:
        return RequestLink(self, listener)

    # -- receipts and messages from handsets -------------------------------------------------------------

    async def pull_jobs(self, jobs: Sequence[str], page: int) -> PulledPage:
        """Receipts of these jobs; ``page`` counts from 0 until a page says that it is the last."""
        raise self.unsupported("pull_jobs")

    def find_job(self, event: DeliveryEvent, jobs: Sequence[str]) -> str:
        """Which of the jobs asked about this receipt belongs to; empty for none."""
        return event.job_id

    async def pull_receipts(self, cursor: str) -> PulledPage:
        """Receipts after the cursor (empty: from now, or from as far back as the provider keeps them)."""
        raise self.unsupported("pull_receipts")

    async def pull_inbound(self, cursor: str) -> PulledPage:
        raise self.unsupported("pull_inbound")

    @classmethod
    def list_typed_pushes(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        """``typed_pushes`` of an account with these settings."""
        return cls.typed_pushes

    def verify_push(self, push: PushRequest) -> bool:
        """The provider's own signature. Without one the unguessable address is what protects. Never raises for what a
        body holds: anybody may have written it."""
        return True

    def split_push(self, push: PushRequest) -> list[bytes]:
        """The events in a push, packed. What cannot be read is kept whole."""
        try:
            return self.read_push(push)
        except (GatewayError, *MISSHAPEN):  # UnsupportedFeature too: a provider that is not known to push
            return [pack_raw(STRANGE, push.body or repr(push.query).encode())]

    def read_push(self, push: PushRequest) -> list[bytes]:
        """Packed events of a push (``pack_receipt``, ``pack_inbound``). May raise what Python raises for a shape
        that is not there."""
        raise self.unsupported("push")

    def read_receipt(self, payload: bytes) -> GatewayEvent:
        """One packed receipt. May raise what Python raises for a shape that is not there."""
        return UnreadableEvent("no receipts")

    def read_inbound(self, payload: bytes) -> GatewayEvent:
        return UnreadableEvent("no inbound messages")

    def read_events(self, raws: Sequence[bytes]) -> list[GatewayEvent]:
        return [self._read_event(raw) for raw in raws]

    def _read_event(self, raw: bytes) -> GatewayEvent:
        kind, payload = unpack_raw(raw)
        try:
            if kind == RECEIPT:
                return self.read_receipt(payload)
            if kind == INBOUND:
                return self.read_inbound(payload)
        except (GatewayError, *MISSHAPEN) as error:
            return UnreadableEvent(type(error).__name__)
        return UnreadableEvent("answer to a submit" if kind == ANSWER else "push")

    # -- optional ----------------------------------------------------------------------------------------

    async def check(self) -> CheckResult:
        """Asks for the balance: it needs the login and costs nothing."""
        try:
            await self.get_balance()
        except LoginRefused as error:
            return CheckResult(False, error.code, "", Finding.LOGIN_REFUSED)
        except NotSent as error:
            return CheckResult(False, error.code, "", find_connect_failure(error))
        except Deferred as error:
            return CheckResult(False, error.code, "", Finding.NOT_NOW)
        except OutcomeUnknown as error:
            silent = error.reason is Reason.TIMEOUT
            return CheckResult(False, error.code, "", Finding.NO_ANSWER if silent else Finding.UNREADABLE)
        except UnsupportedFeature:
            return CheckResult(False, "", "", Finding.UNSUPPORTED)
        except GatewayError as error:
            return CheckResult(False, error.code, "", Finding.REFUSED)
        except MISSHAPEN as error:
            return CheckResult(False, type(error).__name__, "", Finding.UNREADABLE)
        return CheckResult(True, finding=Finding.CONNECTED)

    async def close(self) -> None:
        """Close the connections."""
        await self.client.close()


def read_retry_after(answer: HttpAnswer) -> float:
    """Seconds of a Retry-After header; 0.0 if there is none or it is a date."""
    try:
        return min(LONGEST_WAIT, max(0.0, float(answer.headers.get("retry-after", "0"))))
    except ValueError:
        return 0.0
