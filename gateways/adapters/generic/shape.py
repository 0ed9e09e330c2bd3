"""How a provider speaks, out of an account's settings: requests, answers, receipts. Compiled once, checked whole."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import parse_qsl

from gateways.adapters.generic.meanings import Status, parse_reasons, parse_refusals, parse_statuses
from gateways.adapters.generic.reading import JsonPath, Rule, parse_rule
from gateways.adapters.generic.section import Section
from gateways.adapters.generic.templates import CONTENT_TYPES, Template
from gateways.base import BadSettings, Rejected
from gateways.http.messages import HttpRequest
from gateways.http.refusals import Refusal
from gateways.types import Reason

LARGEST_BATCH = 1000
ALWAYS = ("login", "password", "push_url")
CALL = (*ALWAYS, "sender", "encoding", "content_class", "validity_minutes", "validity_hours", "count")
MESSAGE = ("number", "text", "id")
POLL = (*ALWAYS, "job", "jobs", "page")
CHARSETS = ("utf-8", "iso-8859-9")
SAMPLE = 'Ş"<&1'


@dataclass(frozen=True, slots=True, repr=False)
class QuietRequest(HttpRequest):
    """A path may hold a key."""

    def __repr__(self) -> str:
        return f"QuietRequest({self.method})"


@dataclass(frozen=True, slots=True)
class RequestShape:
    """``item``: what is repeated for each message (or job) inside the body, and stands for ``[messages]``."""

    method: str
    path: Template
    headers: tuple[tuple[str, Template], ...]
    kind: str
    body: Template
    item: Template | None
    separator: str
    charset: str
    loop: str = "messages"

    def write(self, values: Mapping[str, str], rows: Sequence[Mapping[str, str]]) -> HttpRequest:
        """Raises Rejected for what the charset, or a header, cannot carry."""
        ready = {}
        if self.item is not None:
            ready[self.loop] = self.separator.join(self.item.write({**values, **row}) for row in rows)
        path = self.path.write(values)
        headers = {name: template.write(values) for name, template in self.headers}
        if not all(value.isascii() for value in headers.values()):
            raise Rejected("header", code="header", reason=Reason.BAD_CONTENT)
        written = self.body.write(values, ready)
        if self.kind == "query":
            return QuietRequest(self.method, path, query=parse_qsl(written, keep_blank_values=True), headers=headers)
        if self.method == "GET" and not written:
            return QuietRequest(self.method, path, headers=headers)
        content_type = f"{CONTENT_TYPES[self.kind]}; charset={self.charset}"
        return QuietRequest(self.method, path, self._encode(written), {"Content-Type": content_type, **headers})

    def _encode(self, text: str) -> bytes:
        if self.charset == "utf-8":
            return text.encode("utf-8", "replace")
        try:
            return text.encode(self.charset)
        except UnicodeEncodeError as error:
            raise Rejected("charset", code="charset", reason=Reason.BAD_CONTENT, spoiled=True) from error

    @property
    def names(self) -> frozenset[str]:
        templates = [self.path, self.body, *(template for _, template in self.headers)]
        return frozenset().union(*(t.names for t in templates), self.item.names if self.item else ())


@dataclass(frozen=True, slots=True)
class AnswerShape:
    """``id_per``: call, message, or own (our ``[id]`` is theirs). ``rows``: one element for each message."""

    status: frozenset[int]
    code: Rule | None
    accepted_codes: frozenset[str]
    id: Rule | None
    id_per: str
    rows: JsonPath | None
    row_id: JsonPath | None
    row_code: JsonPath | None
    row_accepted: frozenset[str]
    refusals: Mapping[str, Refusal]
    body_decides: bool


@dataclass(frozen=True, slots=True)
class ReceiptShape:
    """``source``: json, form, query or lines (each line's columns are called 1, 2, …). ``parts`` and ``price``: of the
    message, as it is billed."""

    source: str
    rows: JsonPath
    id: JsonPath | None
    number: JsonPath | None
    status: JsonPath
    code: JsonPath | None
    at: JsonPath | None
    parts: JsonPath | None
    price: JsonPath | None
    column: str
    statuses: Mapping[str, Status]
    errors: Mapping[str, Reason]


@dataclass(frozen=True, slots=True)
class PollShape:
    request: RequestShape
    receipt: ReceiptShape
    nothing: frozenset[str]
    code: Rule | None
    first_page: int
    page_size: int
    jobs_per_query: int
    queries_per_minute: int


@dataclass(frozen=True, slots=True)
class Shape:
    send: RequestShape
    batch: int
    one_text: bool
    encodings: Mapping[str, str]
    classes: Mapping[str, str]
    answer: AnswerShape
    receipt: ReceiptShape | None
    poll: PollShape | None
    balance: tuple[RequestShape, Rule] | None

    def list_header_names(self) -> frozenset[str]:
        """Placeholders in the headers of any request."""
        requests = [
            self.send,
            *([self.poll.request] if self.poll else []),
            *([self.balance[0]] if self.balance else []),
        ]
        return frozenset().union(*(template.names for request in requests for _, template in request.headers))


def compile_shape(
    send: Mapping[str, Any], answer: Mapping[str, Any], receipt: Mapping[str, Any], poll: Mapping[str, Any],
    balance: Mapping[str, Any],
) -> Shape:  # fmt: skip
    """Raises BadSettings naming the field, as in ``send.body``."""
    section = Section(send, "send")
    batch = section.whole("batch", 1, 1, LARGEST_BATCH)
    one_text = section.flag("one_text")
    encodings, classes = section.table("encodings"), section.table("classes")
    is_many = "item" in send
    outside = (*CALL, "messages", *(["text"] if one_text else [])) if is_many else (*CALL, *MESSAGE)
    request = _read_request(section, outside, (*CALL, *MESSAGE), "messages")
    section.end()
    _check_send(request, batch, one_text, encodings, classes)
    answered = _read_answer(Section(answer, "answer"), batch)
    told = _read_receipt(Section(receipt, "receipt"), None) if receipt else None
    asked = _read_poll(Section(poll, "poll"), told) if poll else None
    if asked is not None and answered.id_per == "own":
        raise BadSettings("poll: needs an id of theirs; answer.id_per is own")
    if asked is not None and answered.id_per == "message" and batch > 1 and asked.request.item is None:
        raise BadSettings("poll.item: is missing: a call has an id for each message, and all of them are asked about")
    counted = _read_balance(Section(balance, "balance")) if balance else None
    return Shape(request, batch, one_text, encodings, classes, answered, told, asked, counted)


def _read_request(section: Section, names: tuple[str, ...], item_names: tuple[str, ...], loop: str) -> RequestShape:
    kind = section.choice("kind", ("json", "form", "query", "xml", "text"))
    method = section.choice("method", ("POST", "GET", "PUT"))
    path = section.text("path", "/")
    if not path.startswith("/"):
        raise BadSettings(f"{section.name('path')}: begins with /")
    outer = tuple(name for name in names if name != loop)
    headers = []
    for name, text in section.table("headers").items():
        shown = section.name(f"headers.{name[:40]}")
        if not text.isascii():
            raise BadSettings(f"{shown}: only English letters, digits and signs")
        headers.append((_check_header(name, shown), Template.parse(text, "header", outer, shown)))
    item = section.text("item")
    return RequestShape(
        method,
        Template.parse(path, "path", outer, section.name("path")),
        tuple(headers),
        kind,
        Template.parse(section.text("body"), kind, names, section.name("body")),
        Template.parse(item, kind, item_names, section.name("item")) if item else None,
        section.text("separator", ","),
        section.choice("charset", CHARSETS),
        loop,
    )


def _check_header(name: str, field: str) -> str:
    if not name.isascii() or not name.replace("-", "").isalnum() or name.lower() in ("host", "content-length"):
        raise BadSettings(f"{field}: is no header to be set")
    return name


def _check_send(
    send: RequestShape, batch: int, one_text: bool, encodings: Mapping[str, str], classes: Mapping[str, str]
) -> None:
    for name in ("number", "text"):
        if name not in send.names:
            raise BadSettings(f"send.{'item' if send.item else 'body'}: [{name}] is missing")
    if send.item is None and batch > 1:
        raise BadSettings("send.item: is missing, but send.batch is above 1")
    if send.item is not None and "messages" not in send.body.names:
        raise BadSettings("send.body: [messages] is missing, where what send.item writes belongs")
    if send.item is not None and "text" not in send.item.names and not one_text:
        raise BadSettings("send.one_text: true, because send.item has no [text]")
    if "encoding" in send.names and not encodings:
        raise BadSettings("send.encodings: is missing; send.body has [encoding]")
    strange = set(encodings) - {"gsm7", "gsm7-tr", "ucs2"} | set(classes) - {"commercial", "informational"}
    if strange:
        raise BadSettings(f"send.encodings, send.classes: {min(strange)} is not known")
    check_written(send, "send.body")


def check_written(request: RequestShape, field: str) -> None:
    """A JSON template filled in with awkward values must be JSON."""
    if request.kind != "json" or request.body.pieces == ("",):
        return
    values = dict.fromkeys((*CALL, *MESSAGE, *POLL), SAMPLE) | dict.fromkeys(("count", "id", "page"), "1")
    values |= dict.fromkeys(("validity_minutes", "validity_hours"), "60")
    try:
        json.loads(replace(request, headers=()).write(values, [values, values]).body)
    except ValueError as error:
        raise BadSettings(f"{field}: filled in, this is no JSON: {error}") from error


def _read_answer(section: Section, batch: int) -> AnswerShape:
    code = _optional_rule(section, "code")
    shape = AnswerShape(
        section.wholes("status", (200, 201, 202)),
        code,
        frozenset(section.texts("accepted_codes")),
        _optional_rule(section, "id"),
        section.choice("id_per", ("call", "message", "own")),
        _optional_path(section, "rows"),
        _optional_path(section, "row_id"),
        _optional_path(section, "row_code"),
        frozenset(section.texts("row_accepted")),
        parse_refusals(section.table("refusals"), "answer.refusals"),
        section.flag("body_decides"),
    )
    section.end()
    if bool(shape.accepted_codes) and code is None:
        raise BadSettings("answer.code: is missing, but answer.accepted_codes is there")
    if shape.rows is not None and (shape.row_id is None or shape.id_per != "message"):
        raise BadSettings("answer.rows: needs answer.row_id, and message as answer.id_per")
    if shape.row_code is not None and (shape.rows is None or not shape.row_accepted):
        raise BadSettings("answer.row_code: needs answer.rows and answer.row_accepted")
    if shape.id_per == "own" and not shape.accepted_codes:
        raise BadSettings("answer.accepted_codes: needed where answer.id_per is own: a status alone proves nothing")
    if shape.id_per != "own" and shape.id is None and shape.rows is None:
        raise BadSettings("answer.id: is missing")
    if shape.id_per == "message" and batch > 1 and shape.rows is None and not getattr(shape.id, "is_many", False):
        raise BadSettings("answer.id: one id a message needs a path with [], as in items[].id")
    return shape


def _read_receipt(section: Section, usual: ReceiptShape | None) -> ReceiptShape:
    """``usual``: the pushed receipts' shape, whose tables serve polled ones too."""
    statuses = parse_statuses(section.table("statuses"), section.name("statuses"))
    errors = parse_reasons(section.table("errors"), section.name("errors"))
    status = _optional_path(section, "status")
    shape = ReceiptShape(
        section.choice("source", ("json", "form", "query", "lines")),
        JsonPath.parse(section.text("rows"), section.name("rows")),
        _optional_path(section, "id"),
        _optional_path(section, "number"),
        status or JsonPath(("status",)),
        _optional_path(section, "code"),
        _optional_path(section, "at"),
        _optional_path(section, "parts"),
        _optional_path(section, "price"),
        section.text("column", " "),
        statuses or (usual.statuses if usual else {}),
        errors or (usual.errors if usual else {}),
    )
    section.end()
    if not shape.statuses:
        raise BadSettings(f"{section.name('statuses')}: is missing")
    if not shape.column:
        raise BadSettings(f"{section.name('column')}: what stands between columns is missing")
    if usual is None and section.field == "receipt" and shape.id is None:
        raise BadSettings("receipt.id: is missing")
    if shape.id is None and shape.number is None:
        raise BadSettings(f"{section.field}: id, number or both")
    return shape


def _read_poll(section: Section, usual: ReceiptShape | None) -> PollShape:
    receipt = _read_receipt(Section(section.pop("receipt") or {}, "poll.receipt"), usual)
    shape = PollShape(
        _read_request(section, POLL, (*ALWAYS, "job"), "jobs"),
        receipt,
        frozenset(section.texts("nothing")),
        _optional_rule(section, "code"),
        section.whole("first_page", 0, 0, 1),
        section.whole("page_size", 100, 1, 10_000),
        section.whole("jobs_per_query", 1, 1, 1000),
        section.whole("queries_per_minute", 60, 1, 6000),
    )
    section.end()
    if not {"job", "jobs"} & shape.request.names:
        raise BadSettings("poll.body: [job] is missing, or [jobs] and poll.item")
    if shape.jobs_per_query > 1 and shape.request.item is None:
        raise BadSettings("poll.item: is missing, but poll.jobs_per_query is above 1")
    if shape.nothing and shape.code is None:
        raise BadSettings("poll.code: is missing, but poll.nothing is there")
    check_written(shape.request, "poll.body")
    return shape


def _read_balance(section: Section) -> tuple[RequestShape, Rule]:
    rule = _optional_rule(section, "value")
    request = _read_request(section, ALWAYS, (), "")
    section.end()
    if rule is None:
        raise BadSettings("balance.value: is missing")
    check_written(request, "balance.body")
    return request, rule


def _optional_rule(section: Section, name: str) -> Rule | None:
    rule = section.pop(name)
    return None if rule is None else parse_rule(rule, section.name(name))


def _optional_path(section: Section, name: str) -> JsonPath | None:
    text = section.text(name)
    return JsonPath.parse(text, section.name(name)) if text else None
