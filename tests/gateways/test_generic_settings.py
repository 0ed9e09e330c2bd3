"""What staff write for a provider without an adapter: what is read of it, and what is refused, by name."""

import json
import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from xml.etree import ElementTree

import pytest

from gateways.adapters.generic.gateway import GenericGateway, read_amount
from gateways.adapters.generic.reading import JsonPath, Pattern, as_text
from gateways.adapters.generic.templates import Template
from gateways.base import BadSettings, Rejected
from gateways.http.events import PushRequest
from gateways.http.messages import HttpAnswer, HttpRequest
from gateways.simulator.providers.generic import JSON_SHAPE, TEXT_SHAPE
from gateways.types import DeliveryEvent, DeliveryState, OutboundMessage, OutcomeKind, Reason, UnreadableEvent

NASTY = "Ç\"\\<&>'%[text][password]{0}\n=+&x=1"
MESSAGE = OutboundMessage(7, "+905321234567", "PEYK", NASTY, "ucs2")


def open_gateway(**changes: Any) -> GenericGateway:
    return GenericGateway.from_settings({**JSON_SHAPE, "password": "gizli-anahtar", **changes})


def write(**changes: Any) -> HttpRequest:
    return open_gateway(**changes).build_request([MESSAGE])


# -- requests --------------------------------------------------------------------------------------------


def test_values_are_escaped_for_where_they_stand_and_never_looked_at_again() -> None:
    plain = "to=[number]&msg=[text]&key=[password]"
    assert json.loads(write().body)["messages"][0]["body"] == NASTY
    form = write(send={"kind": "form", "body": plain})
    assert dict(parse_qsl(form.body.decode())) == {"to": "+905321234567", "msg": NASTY, "key": "gizli-anahtar"}
    query = write(send={"kind": "query", "method": "GET", "body": plain})
    assert dict(query.query) == {"to": "+905321234567", "msg": NASTY, "key": "gizli-anahtar"}
    xml = write(send={"kind": "xml", "body": '<sms to="[number]" x="[text]"><t>[text]</t></sms>'})
    assert ElementTree.fromstring(xml.body.decode()).findtext("t") == NASTY
    path = write(send={"path": "/a/[sender]/[number]", "body": '{"t": "[text]"}'})
    assert path.path == "/a/PEYK/%2B905321234567"


def test_headers_are_one_line_and_plain() -> None:
    request = write(send={"body": '{"a":"[number]","t":"[text]"}', "headers": {"X-Ref": "A [id]"}})
    assert request.headers["X-Ref"] == "A 7"
    assert Template.parse("a [text]", "header", ("text",), "x").write({"text": "b\r\nX-Evil: 1"}) == "a b X-Evil: 1"
    with pytest.raises(Rejected):
        write(send={"body": '{"a":"[number]","t":"[text]"}', "headers": {"X-Text": "[text]"}})


def test_a_key_in_a_header_is_fit_for_one() -> None:
    headers = {"X-Key": "Key [password]"}
    assert write(send={"body": BODY, "headers": headers}).headers["X-Key"] == "Key gizli-anahtar"
    for password in ("gizli-şifre", "gizli\x7f", " gizli"):
        for settings in ({"send": {"body": BODY, "headers": headers}}, {"auth": "bearer"}, {"auth": "X-Api-Key"}):
            with pytest.raises(BadSettings, match="password: only English letters"):
                write(password=password, **settings)
        assert write(password=password, auth="basic").headers["Authorization"].isascii()


def test_a_request_shows_no_secret_when_it_is_printed() -> None:
    for auth in ("none", "basic", "bearer", "X-Api-Key"):
        request = write(
            auth=auth, send={"path": "/k/[password]", "body": '{"a":"[number]","t":"[text]","k":"[password]"}'}
        )
        assert "gizli-anahtar" not in repr(request)
        assert "gizli-anahtar" in request.path


@pytest.mark.parametrize(
    ("auth", "header"),
    [("bearer", ("Authorization", "Bearer gizli-anahtar")), ("X-Api-Key", ("X-Api-Key", "gizli-anahtar"))],
)
def test_auth(auth: str, header: tuple[str, str]) -> None:
    assert header in write(auth=auth).headers.items()
    assert "Authorization" in write(auth="basic", login="bayi").headers
    assert not {"Authorization", "X-Api-Key"} & set(write(auth="none").headers)


def test_charset() -> None:
    send = {"kind": "form", "body": "to=[number]&msg=[text]", "charset": "iso-8859-9", "batch": 1}
    gateway = open_gateway(send=send | {"kind": "text", "body": "[number] [text]"})
    assert "Ş".encode("iso-8859-9") in gateway.build_request([MESSAGE._replace(text="Ş")]).body
    with pytest.raises(Rejected):
        gateway.build_request([MESSAGE._replace(text="🍰")])


# -- what is refused, by name ----------------------------------------------------------------------------

BODY = '{"to": "[number]", "text": "[text]"}'


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"send": {"body": '{"to": "[numbr]"}'}}, "send.body: there is no placeholder [numbr]"),
        ({"send": {"body": '{"to": "[number]"}'}}, "send.body: [text] is missing"),
        ({"send": {"body": '{"to": [number], "text": [text]}'}}, "send.body: filled in, this is no JSON"),
        ({"send": {"body": BODY, "batch": 10}}, "send.item: is missing"),
        ({"send": {"body": BODY, "batch": 0}}, "send.batch: a whole number"),
        ({"send": {"body": BODY, "method": "DELETE"}}, "send.method"),
        ({"send": {"body": BODY, "path": "x"}}, "send.path: begins with /"),
        ({"send": {"body": BODY, "headers": {"Host": "x"}}}, "send.headers.Host"),
        ({"send": {"body": BODY, "headers": {"X-A": "ş"}}}, "send.headers.X-A"),
        ({"send": {"body": BODY, "headers": {"A\r\nB": "x"}}}, "send.headers.A"),
        ({"send": {"body": BODY, "nonsense": 1}}, "send.nonsense: there is no such setting"),
        ({"send": {"body": BODY + "[encoding]"}}, "send.encodings: is missing"),
        ({"send": {"body": "x" * 10_001}}, "send.body: longer"),
        ({"send": {"body": 5}}, "send.body: a text is expected"),
        ({"answer": {}, "send": {"body": BODY}, "auth": "a b"}, "auth: none"),
        ({"answer": {"code": {"path": "code"}}}, "answer.id: is missing"),
        ({"answer": {"id": {"regex": "(a+)+$"}}}, "answer.id: {"),
        ({"answer": {"id": {"path": "a..b"}}}, "answer.id.path: an empty step"),
        ({"answer": {"id": {"pattern": "OK"}}}, "answer.id.pattern: [value]"),
        ({"answer": {"id": {"pattern": "[value][digits]"}}}, "answer.id.pattern: two placeholders"),
        ({"answer": {"id": {"path": "id"}, "id_per": "message"}}, "answer.id: one id a message needs"),
        ({"answer": {"id": {"path": "id"}, "refusals": {"40": "bad_sender"}}}, "answer.refusals.40: login, throttled"),
        (
            {"answer": {"id": {"path": "id"}, "refusals": {"40": "refused nothing"}}},
            "answer.refusals.40: nothing is no",
        ),
        ({"answer": {"id": {"path": "id"}, "refusals": {"9": "later 1e9"}}}, "answer.refusals.9: 1e9 is no number"),
        ({"answer": {"id_per": "own"}}, "answer.accepted_codes"),
        ({"answer": {"id": {"path": "id"}, "accepted_codes": ["0"]}}, "answer.code: is missing"),
        ({"receipt": {"id": "id", "status": "s"}}, "receipt.statuses: is missing"),
        ({"receipt": {"status": "s", "statuses": {"1": "delivered"}}}, "receipt.id: is missing"),
        ({"receipt": {"id": "id", "statuses": {"1": "arrived"}}}, "receipt.statuses.1: delivered"),
        ({"poll": {"body": '{"a": 1}', "receipt": {"id": "id"}}}, "poll.body: [job] is missing"),
        ({"poll": {"body": '{"a": "[job]"}', "receipt": {"id": "id"}}}, "poll.item: is missing"),
        ({"balance": {"method": "GET"}}, "balance.value: is missing"),
        ({"number_format": "0090"}, "number_format"),
        ({"receipt_numbers": "e164"}, "receipt_numbers"),
        ({"send": []}, "send: list does not fit"),
    ],
)
def test_what_cannot_work_is_refused_by_the_name_of_its_field(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(BadSettings) as refused:
        open_gateway(**changes)
    assert str(refused.value).startswith(field), refused.value


# -- answers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("[digits]", "20212\r\n", "20212"),
        ("OK [value]", "OK a-b/1", "a-b/1"),
        ("$[digits]#[*]", "$123#4.5", "123"),
        ("[*]id=[value];", "x y id=7;z", "7"),
        ("<id>[value]</id>", "<id>9</id>", "9"),
        ("[*]<id>[value]</id>", "<r><id>9</id></r>", "9"),
        ("OK [digits]", "OK x", None),
        ("OK [value]", "OK ", None),
        ("OK [value]", "OK two words", None),
        ("OK [digits]", "<html>OK 5</html>", None),
        ("[digits];", "123", None),
    ],
)
def test_patterns(pattern: str, text: str, found: str | None) -> None:
    rule = Pattern.parse(pattern, "answer.id")
    if found is not None:
        assert rule.read(text) == found
        return
    with pytest.raises(LookupError):
        rule.read(text)


@pytest.mark.parametrize(
    ("path", "value", "found"),
    [
        ("a.b", {"a": {"b": 5}}, ["5"]),
        ("items[].id", {"items": [{"id": "x"}, {"id": "y"}]}, ["x", "y"]),
        ("items[1].id", {"items": [{"id": "x"}, {"id": "y"}]}, ["y"]),
        ("[].id", [{"id": True}, {"id": None}], ["true", ""]),
        ("a[][]", {"a": [[1], [2, 3]]}, ["1", "2", "3"]),
    ],
)
def test_paths(path: str, value: Any, found: list[str]) -> None:
    assert [as_text(each) for each in JsonPath.parse(path, "x").find_all(value)] == found


def test_nothing_in_settings_or_answers_takes_long() -> None:
    """Two megabytes that would make a backtracking matcher run for ever."""
    began = time.perf_counter()
    for rule in ("[*]a" * 70 + "[value]b", "[value]" + "a[*]" * 70 + "c", "[digits]x"):
        for text in ("a" * 2_000_000, "1" * 2_000_000, "ab" * 1_000_000):
            with suppress(LookupError):
                Pattern.parse(rule, "x").read(text)
    template = Template.parse("[text]" * 1_500, "json", ("text",), "x")
    assert len(template.write({"text": "[text]" * 10})) == 1_500 * 60
    gateway = open_gateway()
    deep = HttpAnswer(202, b'{"items":' * 100_000)
    with pytest.raises((LookupError, ValueError, TypeError)):
        gateway.read_answer(deep, [MESSAGE])
    assert time.perf_counter() - began < 2.0


def test_a_status_alone_proves_nothing() -> None:
    gateway = open_gateway()
    for body in (b"<html>ok</html>", b"{}", b'{"items": []}', b'{"items": [{"id": "", "result": 0}]}'):
        with pytest.raises((LookupError, ValueError, TypeError)):
            gateway.read_answer(HttpAnswer(202, body), [MESSAGE])


def test_own_ids() -> None:
    """A receipt that names ours finds a message whose answer was lost; any other id is no name of ours."""
    answer = {"code": {"path": "code"}, "accepted_codes": ["0"], "id_per": "own"}
    receipt = {"source": "query", "id": "ref", "number": "to", "status": "s", "statuses": {"D": "delivered"}}
    push = PushRequest("receipts", "GET", "http://x/", b"", query=(("ref", "7"), ("to", "905321234567"), ("s", "D")))
    send = {"body": '{"n":"[number]","t":"[text]","ref":"[id]"}'}
    gateway = open_gateway(send=send, answer=answer, poll={}, receipt=receipt)
    [event] = read(gateway, push)
    assert (event.provider_message_id, event.token) == ("7", 7)
    [event] = read(open_gateway(poll={}, receipt=receipt), push)
    assert (event.provider_message_id, event.token) == ("7", 0)
    assert json.loads(gateway.build_request([MESSAGE]).body)["ref"] == "7"
    [outcome] = gateway.read_answer(HttpAnswer(200, b'{"code": 0}'), [MESSAGE])
    assert (outcome.kind, outcome.provider_message_id) == (OutcomeKind.ACCEPTED, "7")


# -- receipts --------------------------------------------------------------------------------------------


def read(gateway: GenericGateway, push: PushRequest) -> list[Any]:
    return gateway.read_events(gateway.split_push(push))


def test_receipts_by_query_and_one_by_one() -> None:
    receipt = {
        "source": "query", "id": "MsgId", "number": "To", "status": "Status",
        "statuses": {"DELIVRD": "delivered", "EXPIRED": "undelivered expired"},
    }  # fmt: skip
    gateway = open_gateway(receipt=receipt, poll={})
    query = (("MsgId", "a1"), ("To", "905321234567"), ("Status", "EXPIRED"))
    [event] = read(gateway, PushRequest("receipts", "GET", "http://x/", query=query))
    assert event[:4] == ("a1", "+905321234567", DeliveryState.UNDELIVERED, Reason.EXPIRED)
    [strange] = read(gateway, PushRequest("receipts", "GET", "http://x/", query=(*query[:2], ("Status", "???"))))
    assert (strange.state, strange.code) == (DeliveryState.UNKNOWN, "???"), "kept and reported, moves nothing"
    [kept] = read(gateway, PushRequest("receipts", "GET", "http://x/", query=query[:1]))
    assert isinstance(kept, UnreadableEvent)


def test_a_page_of_receipts_as_lines_without_ids() -> None:
    """`number status` lines of one job: what was asked about is the job."""
    poll = {
        "method": "POST", "kind": "xml", "body": "<rapor id='[job]'/>",
        "receipt": {"source": "lines", "number": "1", "status": "2"},
    }  # fmt: skip
    receipt = {"source": "form", "id": "id", "number": "no", "status": "st", "statuses": {"3": "delivered"}}
    send = {**TEXT_SHAPE["send"], "method": "POST", "kind": "form", "batch": 10, "one_text": True}
    send |= {"body": "n=[messages]&t=[text]&c=[encoding]", "item": "[number]"}
    settings = {**TEXT_SHAPE, "password": "x-x-x", "send": send, "poll": poll, "receipt": receipt}
    gateway = GenericGateway.from_settings(settings)
    rows = gateway._read_page(HttpAnswer(200, b"905321234567 3\r\n\r\n905321234568 0\n"))
    assert rows == [{"1": "905321234567", "2": "3"}, {"1": "905321234568", "2": "0"}]
    raw = b'receipt\n{"by": "poll", "job": "77", "row": {"1": "905321234567", "2": "3"}}'
    [event] = gateway.read_events([raw])
    assert isinstance(event, DeliveryEvent)
    assert (event.provider_message_id, event.job_id, event.state) == ("77:905321234567", "77", DeliveryState.DELIVERED)


AMOUNTS = [("57,86", "57.86"), ("1.250,50", "1250.50"), ("1,250.5", "1250.50"), ("12", "12.00")]


@pytest.mark.parametrize(("text", "amount"), AMOUNTS)
def test_amounts(text: str, amount: str) -> None:
    assert read_amount(text) == amount


@pytest.mark.parametrize("text", ["", "nan", "inf", "1e999", "12 TL"])
def test_no_amounts(text: str) -> None:
    with pytest.raises(ValueError):
        read_amount(text)


def test_the_example_of_the_documentation_works() -> None:
    text = (Path(__file__).parents[2] / "docs" / "gateways.md").read_text("utf-8")
    example = text.partition("### A provider without an adapter")[2].partition("```json")[2].partition("```")[0]
    gateway = GenericGateway.from_settings({**json.loads(example), "password": "gizli"})
    assert json.loads(gateway.build_request([MESSAGE, MESSAGE]).body)["messages"][1] == {
        "to": "5321234567",
        "text": NASTY,
    }
    [outcome] = gateway.read_answer(HttpAnswer(200, b'{"code": 0, "data": {"ids": [77]}}'), [MESSAGE])
    assert outcome.provider_message_id == "77"
