"""A provider over HTTP that is set up instead of programmed: its requests and answers are settings."""

from __future__ import annotations

import base64
import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

from gateways.adapters.generic.fields import FIELDS
from gateways.adapters.generic.meanings import find_error
from gateways.adapters.generic.reading import JsonPath, Rule, as_text
from gateways.adapters.generic.receipts import read_row, read_rows
from gateways.adapters.generic.settings import GenericSettings
from gateways.base import Deferred, OutcomeUnknown, Rejected
from gateways.http.events import PulledPage, PushRequest, pack_receipt
from gateways.http.gateway import HttpGateway
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.http.numbers import (
    ID_LIMIT,
    read_international,
    read_msisdn,
    write_digits,
    write_job_id,
    write_national,
)
from gateways.http.refusals import find_refusal, make_error
from gateways.types import (
    Capabilities,
    DeliveryEvent,
    OutboundMessage,
    OutcomeKind,
    Reason,
    SubmitOutcome,
)

MISSING = (LookupError, TypeError, ValueError)
JOINER = "\n"
"""Between the ids of a call whose messages are asked about one by one: no provider puts it into an id."""


class GenericGateway(HttpGateway):
    slug = "generic"
    title = "HTTP"
    settings_fields = FIELDS
    default_url = "https://provider.invalid"  # a name that leads nowhere, until the account says where
    settings_class = GenericSettings
    secret_settings = frozenset({"password"})
    capabilities = Capabilities(batch_size=1, receipts="both", balance=True, national_tables=True)

    def __init__(self, settings: GenericSettings) -> None:
        super().__init__(settings)
        self.shape = settings.compile()
        self.capabilities = self._find_capabilities()  # type: ignore[misc]

    def _find_capabilities(self) -> Capabilities:
        shape, poll = self.shape, self.shape.poll
        receipts = {(True, True): "both", (True, False): "push", (False, True): "pull", (False, False): "none"}
        return Capabilities(
            batch_size=shape.batch,
            mixed_texts=not shape.one_text,
            id_per_message=shape.answer.id_per != "call" or shape.batch == 1,
            receipts=receipts[shape.receipt is not None, poll is not None],
            receipts_by="job",
            tells_charges=any(r.parts or r.price for r in (shape.receipt, poll and poll.receipt) if r),
            jobs_per_query=poll.jobs_per_query if poll else 1,
            receipt_queries_per_minute=poll.queries_per_minute if poll else 0,
            receipt_rows_per_query=poll.page_size if poll else 0,
            balance=shape.balance is not None,
            national_tables=True,  # the route's own switch says otherwise, where Turkish letters cost UCS-2
        )

    @classmethod
    def carries_unicode(cls, settings: Mapping[str, Any]) -> bool:
        send = settings.get("send") or {}
        encodings = send.get("encodings")
        return (not encodings or "ucs2" in encodings) and send.get("charset", "utf-8") == "utf-8"

    @classmethod
    def list_prefixes(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        return ("+90",) if settings.get("number_format") == "national" else ()

    @classmethod
    def list_typed_pushes(cls, settings: Mapping[str, Any]) -> tuple[str, ...]:
        return ("receipts",) if settings.get("receipt") else ()

    def list_secrets(self) -> list[str]:
        return [*super().list_secrets(), self._basic]

    @property
    def _basic(self) -> str:
        return base64.b64encode(f"{self.settings.login}:{self.settings.password}".encode()).decode()

    def _sign(self, request: HttpRequest) -> HttpRequest:
        auth, password = self.settings.auth, self.settings.password
        if auth == "none":
            return request
        values = {"basic": f"Basic {self._basic}", "bearer": f"Bearer {password}"}
        name = "Authorization" if auth in values else auth
        return request.with_headers({name: values.get(auth, password)})

    @property
    def _always(self) -> dict[str, str]:
        settings = self.settings
        return {"login": settings.login, "password": settings.password, "push_url": settings.push_url}

    # -- sending -----------------------------------------------------------------------------------------

    def write_request(self, messages: Sequence[OutboundMessage]) -> HttpRequest:
        shape = self.shape
        rows = [{"number": self._write_number(m.msisdn), "text": m.text, "id": str(m.token)} for m in messages]
        values = {**self._always, **self._describe(messages), **rows[0]}
        return self._sign(shape.send.write(values, rows))

    def _describe(self, messages: Sequence[OutboundMessage]) -> dict[str, str]:
        """What all messages of a call have in common."""
        first, shape = messages[0], self.shape
        encoding = "gsm7-tr" if first.encoding.startswith("gsm7-tr") else first.encoding
        if shape.encodings and encoding not in shape.encodings:
            raise Rejected("no such encoding", code=encoding, reason=Reason.BAD_CONTENT)
        minutes = (first.validity_seconds or 86_400) // 60
        return {
            "sender": first.sender,
            "encoding": shape.encodings.get(encoding, ""),
            "content_class": shape.classes.get(first.content_class, first.content_class),
            "validity_minutes": str(max(1, minutes)),
            "validity_hours": str(max(1, minutes // 60)),
            "count": str(len(messages)),
        }

    def _write_number(self, msisdn: str) -> str:
        if self.settings.number_format == "national":
            return write_national(msisdn)
        return msisdn if self.settings.number_format == "e164" else write_digits(msisdn)

    def _read_number(self, value: Any) -> str:
        """Ten digits are a Turkish number only where they write no others."""
        is_national = "national" in (self.settings.number_format, self.settings.receipt_numbers)
        return read_msisdn(value) if is_national else read_international(value)

    def check_status(self, answer: HttpAnswer) -> None:
        """Where the body decides, a code that is in the tables counts whatever the status says; 429 stays 429."""
        if self.shape.answer.body_decides and answer.status != 429:
            code = self._find_code(answer)
            if code and (code in self.shape.answer.accepted_codes or code in self.shape.answer.refusals):
                return
        super().check_status(answer)

    def _find_code(self, answer: HttpAnswer) -> str:
        """The provider's code; empty if there is none to be found."""
        rule = self.shape.answer.code
        if rule is None:
            return ""
        try:
            return self.scrub(apply(rule, answer))[:ID_LIMIT]
        except MISSING:
            return ""

    def read_answer(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        shape = self.shape.answer
        code = self._find_code(answer)
        is_fine = answer.status in shape.status or shape.body_decides
        if shape.accepted_codes:
            is_fine = is_fine and code in shape.accepted_codes
        elif code or answer.status not in shape.status:  # then a code is there for refusals only
            is_fine = False
        if not is_fine:
            raise find_error(shape.refusals, code, answer)
        if shape.id_per == "own":
            return [SubmitOutcome(m.token, OutcomeKind.ACCEPTED, str(m.token)) for m in messages]
        if shape.id_per == "call":
            return self._accept_call(apply(shape.id, answer), messages)
        if shape.rows is not None:
            return self._read_rows(answer, messages)
        assert shape.id is not None
        found = shape.id.find_all(answer.json()) if isinstance(shape.id, JsonPath) else [apply(shape.id, answer)]
        return self._accept_each([as_text(each) for each in found], messages)

    def _accept_call(self, job: str, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        if not job:
            raise ValueError("no id")
        polled = job if self.shape.poll else ""
        if self.capabilities.id_per_message:
            return [SubmitOutcome(m.token, OutcomeKind.ACCEPTED, job[:ID_LIMIT], job=polled) for m in messages]
        return [SubmitOutcome(m.token, OutcomeKind.ACCEPTED, write_job_id(job, m.msisdn), job=polled) for m in messages]

    def _accept_each(self, ids: Sequence[str], messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        if len(ids) != len(messages) or not all(ids) or len(set(ids)) != len(ids):
            raise ValueError("not one id for each message")
        job = JOINER.join(ids) if self.shape.poll else ""
        return [
            SubmitOutcome(message.token, OutcomeKind.ACCEPTED, theirs[:ID_LIMIT], job=job)
            for message, theirs in zip(messages, ids, strict=True)
        ]

    def _read_rows(self, answer: HttpAnswer, messages: Sequence[OutboundMessage]) -> list[SubmitOutcome]:
        """An answer with a row for each message, accepted or refused each by itself."""
        shape = self.shape.answer
        assert shape.rows is not None and shape.row_id is not None
        rows = shape.rows.find_all(answer.json())
        if len(rows) != len(messages):
            raise ValueError("not one row for each message")
        outcomes = []
        for message, row in zip(messages, rows, strict=True):
            code = shape.row_code.read(row) if shape.row_code else ""
            if shape.row_code is None or code in shape.row_accepted:
                outcomes.append(SubmitOutcome(message.token, OutcomeKind.ACCEPTED, shape.row_id.read(row)[:ID_LIMIT]))
            else:
                outcomes.append(self._refuse_row(message, code, answer))
        ids = [o.provider_message_id for o in outcomes if o.kind is OutcomeKind.ACCEPTED]
        if not all(ids) or len(set(ids)) != len(ids):
            raise ValueError("an accepted row without an id of its own")
        job = JOINER.join(ids) if self.shape.poll else ""
        return [o._replace(job=job) if o.kind is OutcomeKind.ACCEPTED else o for o in outcomes]

    def _refuse_row(self, message: OutboundMessage, code: str, answer: HttpAnswer) -> SubmitOutcome:
        error = find_refusal(self.shape.answer.refusals, code, answer)
        kind, wait = OutcomeKind.UNKNOWN, 0.0
        if isinstance(error, Rejected):
            kind = OutcomeKind.REJECTED
        elif not isinstance(error, OutcomeUnknown):
            kind = OutcomeKind.DEFERRED
            wait = error.retry_after_seconds if isinstance(error, Deferred) else 0.0
        return SubmitOutcome(
            message.token, kind, code=code, reason=error.reason, retry_after_seconds=wait, evidence=error.evidence
        )

    # -- receipts ----------------------------------------------------------------------------------------

    def read_push(self, push: PushRequest) -> list[bytes]:
        shape = self.shape.receipt
        if shape is None or push.kind != "receipts":
            raise LookupError("no receipts by push")
        rows = read_rows(shape, push.json if shape.source == "json" else lambda: self._read_fields(push, shape.source))
        for row in rows:
            # Raises for what is no receipt: then the push is kept whole.
            read_row(shape, row, read_number=self._read_number)
        return [pack_receipt({"by": "push", "row": row}) for row in rows]

    @staticmethod
    def _read_fields(push: PushRequest, source: str) -> Any:
        if source == "lines":
            return push.body.decode("utf-8-sig", "replace")
        return dict(push.form if source == "form" else push.query)

    async def pull_jobs(self, jobs: Sequence[str], page: int) -> PulledPage:
        poll = self.shape.poll
        if poll is None:
            raise self.unsupported("pull_jobs")
        ids = (
            [each for job in jobs for each in job.split(JOINER)]
            if self.shape.answer.id_per == "message"
            else list(jobs)
        )
        values = {**self._always, "job": ids[0], "page": str(page + poll.first_page)}
        answer = await self.exchange(self._sign(poll.request.write(values, [{"job": each} for each in ids])))
        rows = self._read_page(answer)
        alone = jobs[0] if len(jobs) == 1 else ""
        packed = [pack_receipt({"by": "poll", "row": row, "job": alone}) for row in rows]
        return PulledPage(packed, is_last="page" not in poll.request.names or len(rows) < poll.page_size)

    def _read_page(self, answer: HttpAnswer) -> list[Any]:
        poll = self.shape.poll
        assert poll is not None
        if poll.code is not None:
            try:
                code = apply(poll.code, answer)
            except MISSING:
                code = ""
            if code in poll.nothing:
                return []
            if code in self.shape.answer.refusals:
                raise make_error(self.shape.answer.refusals[code], code)
        if answer.status >= 400:
            raise OutcomeUnknown("status", code=str(answer.status), evidence=answer.evidence)
        rows = read_rows(poll.receipt, answer.json if poll.receipt.source != "lines" else lambda: answer.text)
        for row in rows:
            read_row(poll.receipt, row, read_number=self._read_number)
        return rows

    def read_receipt(self, payload: bytes) -> DeliveryEvent:
        packed: Mapping[str, Any] = json.loads(payload)
        poll, is_poll = self.shape.poll, packed["by"] == "poll"
        shape = poll.receipt if is_poll and poll is not None else self.shape.receipt
        if shape is None:
            raise LookupError("no receipts")
        id_per = self.shape.answer.id_per
        if id_per == "call" and self.capabilities.id_per_message:
            id_per = "message"
        job = str(packed.get("job") or "")
        return read_row(shape, packed["row"], read_number=self._read_number, id_per=id_per, job=job)

    def find_job(self, event: DeliveryEvent, jobs: Sequence[str]) -> str:
        if self.shape.answer.id_per == "call":
            return event.job_id or event.provider_message_id
        return next((job for job in jobs if event.provider_message_id in job.split(JOINER)), "")

    # -- account -----------------------------------------------------------------------------------------

    async def get_balance(self) -> str:
        if self.shape.balance is None:
            raise self.unsupported("balance")
        request, rule = self.shape.balance
        answer = await self.exchange(self._sign(request.write(self._always, [])))
        if answer.status >= 400:
            raise Rejected("refused", code=str(answer.status), evidence=answer.evidence)
        code = self._find_code(answer)
        if code in self.shape.answer.refusals:
            raise make_error(self.shape.answer.refusals[code], code)
        return read_amount(apply(rule, answer))


def apply(rule: Rule | None, answer: HttpAnswer) -> str:
    """What the rule finds in an answer. Raises LookupError, TypeError, ValueError."""
    if rule is None:
        raise LookupError("no rule")
    return rule.read(answer.json() if isinstance(rule, JsonPath) else answer.text)


def read_amount(text: str) -> str:
    """``57,86``, ``1.250,50`` and ``1,250.50`` with a decimal point: the last sign is the decimal one.

    Raises ValueError.
    """
    whole, sign, rest = text.rpartition(max(",.", key=text.rfind))
    amount = float(f"{whole.replace(',', '').replace('.', '')}{'.' if sign else ''}{rest}")
    if not math.isfinite(amount):
        raise ValueError("no amount")
    return f"{amount:.2f}"
