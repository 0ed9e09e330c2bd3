"""The operator simulator: script, control port, phones, journal, and the process itself."""

import asyncio
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from gateways import simulator
from gateways.adapters.smpp.receipts import EventReader
from gateways.adapters.smpp.settings import SmppSettings
from gateways.simulator.journal import find_duplicates, read_journal, read_receipt_answers
from gateways.simulator.script import BadScript, Script
from gateways.types import DeliveryEvent, DeliveryState, InboundMessage, OutboundMessage, OutcomeKind, Reason
from smscore import segment
from tests.gateways.wire_cases import Recorder, bound_session, messages, run, running_centre, until


def ask(port: int, path: str, body: Any = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", data, timeout=5) as answer:
        return json.load(answer)


@contextmanager
def process(*options: str) -> Iterator[tuple[subprocess.Popen[str], dict[str, int]]]:
    command = [sys.executable, "-m", "gateways.simulator", "--port", "0", *options]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            yield running, json.loads(running.stdout.readline() or "{}")
        finally:
            if running.poll() is None:
                running.kill()


def send(port: int, batch: list[OutboundMessage], **settings: Any) -> Recorder:
    async def scenario() -> Recorder:
        listener = Recorder()
        async with bound_session(port, listener, **settings) as session:
            session.submit_many(batch)
            await until(lambda: len(listener.outcomes) >= len(batch))
        return listener

    result = run(scenario())
    assert isinstance(result, Recorder)
    return result


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"colour": 1}, "colour"),
        ({"throttle_ratio": 1.5}, "throttle_ratio"),
        ({"throttle_ratio": "much"}, "throttle_ratio"),
        ({"receipt_delay": [5, 1]}, "receipt_delay"),
        ({"receipt_delay": 5}, "receipt_delay"),
        ({"refusals": [{"pattern": "(", "status": 11}]}, "refusals"),
        ({"failures": [{"nonsense": 1}]}, "failures"),
        ({"id_format": "octal"}, "id_format"),
        ({"is_half_open": 1}, "is_half_open"),
        ([], "object"),
    ],
)
def test_bad_script_names_the_field(values: Any, field: str) -> None:
    with pytest.raises(BadScript, match=field):
        Script().changed(values)


def test_demo_script_loads() -> None:
    script = Script.load(Path(simulator.__file__).parent / "demo.json")
    assert {failure.state for failure in script.failures} == {"UNDELIV", "EXPIRED", "REJECTD"}


def test_failures_by_ending_reach_the_receipts() -> None:
    failures = [
        {"ending": "7", "state": "UNDELIV", "error": "001"},
        {"ending": "07", "state": "EXPIRED", "error": "000"},
    ]

    async def scenario() -> list[DeliveryEvent]:
        listener = Recorder()
        async with running_centre(failures=failures) as (_, port), bound_session(port, listener) as session:
            session.submit_many(messages(20))
            await until(lambda: len(listener.raws) == 20)
        return [EventReader(SmppSettings()).read(raw) for raw in listener.raws]

    events = {e.msisdn[-2:]: (e.state, e.reason) for e in run(scenario())}
    assert events.pop("17") == (DeliveryState.UNDELIVERED, Reason.UNKNOWN_SUBSCRIBER)
    assert events.pop("07") == (DeliveryState.UNDELIVERED, Reason.EXPIRED)
    assert set(events.values()) == {(DeliveryState.DELIVERED, Reason.NONE)}


@pytest.mark.parametrize("form", ["text", "tlv", "both"])
def test_receipt_forms_and_hex_answers(form: str) -> None:
    async def scenario() -> tuple[Recorder, list[DeliveryEvent]]:
        listener = Recorder()
        settings = {"answer_id_base": "hex", "receipt_id_base": "dec"}
        async with (
            running_centre(receipt_form=form, id_format="HEX") as (_, port),
            bound_session(port, listener, **settings) as session,
        ):
            session.submit_many(messages(5))
            await until(lambda: len(listener.raws) == 5)
        reader = EventReader(SmppSettings(**settings))
        return listener, [reader.read(raw) for raw in listener.raws]

    listener, events = run(scenario())
    assert {o.provider_message_id for o in listener.outcomes} == {e.provider_message_id for e in events}


def test_early_doubled_stray_and_lost_receipts_are_counted() -> None:
    async def scenario() -> None:
        listener = Recorder()
        script = {"early_receipt_ratio": 1.0, "double_receipt_ratio": 1.0, "stray_receipt_ratio": 1.0}
        async with running_centre(**script) as (centre, port), bound_session(port, listener) as session:
            order: list[str] = []
            take, offer = listener.on_outcomes, listener.on_events
            listener.on_outcomes = lambda o: (order.append("answer"), take(o))  # type: ignore[method-assign]
            listener.on_events = lambda b: (order.append("receipt"), offer(b))  # type: ignore[method-assign]
            session.submit_many(messages(1))
            await until(lambda: len(listener.raws) == 3)
            assert order[0] == "receipt", "before its answer"
            assert centre.get_figures()["receipts_doubled"] == 1
        late = {"late_receipt_ratio": 1.0, "late_receipt_delay": [1, 1], "double_receipt_ratio": 1.0}
        async with running_centre(**late) as (centre, port), bound_session(port, listener) as session:
            session.submit_many(messages(2))
            await until(lambda: centre.get_figures()["receipts_late"] == 2)
            assert centre.draw_receipt(5.0) == (pytest.approx(5.001), 2), "of an HTTP provider"
            figures = centre.get_figures()
            assert (figures["receipts_late"], figures["receipts_doubled"]) == (3, 3)
        async with (
            running_centre(lost_receipt_ratio=1.0) as (centre, port),
            bound_session(port, listener) as session,
        ):
            session.submit_many(messages(3))
            await until(lambda: centre.get_figures()["receipts_lost"] == 3)

    run(scenario())


def test_rate_limit_throttles_above_it() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(rate_limit=10) as (_, port), bound_session(port, listener) as session:
            session.submit_many(messages(40))
            await until(lambda: len(listener.outcomes) == 40)
        # The burst may lie across the border of two seconds.
        assert 10 <= len(listener.tokens(OutcomeKind.ACCEPTED)) <= 20

    run(scenario())


def test_phones_join_and_decode() -> None:
    texts = ["Merhaba", "Ağaç, şeker ve çiğ köfte", "Привет 😀", "Uzun bir mesaj şöyle başlar. " * 12]

    async def scenario() -> None:
        listener = Recorder()
        async with running_centre() as (centre, port), bound_session(port, listener) as session:
            for number, text in enumerate(texts):
                found = segment(text)
                session.submit_many(
                    [
                        OutboundMessage(
                            number, "+905321112233", "PEYK", found.text, found.encoding, found.parts, 0, number
                        )
                    ]
                )
            session.submit_many(messages(3))
            await until(lambda: len(listener.outcomes) == len(texts) + 3)
            shown = centre.phones.list_messages("+905321112233")
            assert [m["text"] for m in reversed(shown)] == texts
            assert {m["to"] for m in shown} == {"+905321112233"}
            assert len(centre.phones.list_messages("")) == len(texts) + 3
            assert len(centre.phones.list_messages("", limit=2)) == 2

    run(scenario())


def test_phones_forget_the_oldest() -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(phone_messages=5) as (centre, port):
            async with bound_session(port, listener) as session:
                session.submit_many(messages(50))
                await until(lambda: len(listener.outcomes) == 50)
            assert len(centre.phones.list_messages("", limit=100)) == 5

    run(scenario())


def test_replies_reach_the_account_that_wrote() -> None:
    async def scenario() -> None:
        first, second = Recorder(), Recorder()
        async with (
            running_centre(receipts=False) as (centre, port),
            bound_session(port, first, system_id="one") as session,
            bound_session(port, second, system_id="two"),
        ):
            session.submit_many(messages(1))
            await until(lambda: len(first.outcomes) == 1)
            assert centre.send_mo(phone="+905320000000", recipient="PEYK", text="İPTAL") == 1
            assert centre.send_mo(phone="+905320000000", recipient="3040", text="ğ" * 100) == 2
            await until(lambda: len(first.raws) == 3)
            assert not second.raws
        events = [EventReader(SmppSettings()).read(raw) for raw in first.raws]
        assert all(isinstance(e, InboundMessage) for e in events)
        assert (events[0].text, events[0].msisdn, events[0].recipient) == ("İPTAL", "+905320000000", "PEYK")
        assert events[1].text + events[2].text == "ğ" * 100
        assert centre.get_figures()["receipts_acknowledged"] == 3

    run(scenario())


def test_process_control_port_and_kill(tmp_path: Path) -> None:
    journal = tmp_path / "journal"
    with process("--journal", str(journal)) as (running, ports):
        control = ports["control_port"]
        listener = send(ports["port"], messages(300), send_token=True)
        assert len(listener.tokens(OutcomeKind.ACCEPTED)) == 300
        figures = ask(control, "/journal?duplicates=1")
        assert (figures["submits"], figures["accepted"], figures["duplicates"]) == (300, 300, 0)
        assert ask(control, "/phones?number=%2B905320000007")["messages"][0]["text"] == "Merhaba 7"
        assert ask(control, "/script", {"throttle_ratio": 1})["throttle_ratio"] == 1
        assert len(send(ports["port"], messages(5)).tokens(OutcomeKind.DEFERRED)) == 5
        assert ask(control, "/mo", {"from": "+905320000007", "to": "PEYK", "text": "RET"}) == {"parts": 1}
        long = {"from": "+905320000007", "to": "4609", "text": "a" * 400, "mode": "sar", "order": [3, 1]}
        assert ask(control, "/mo", long) == {"parts": 2}
        for path, body, status in [
            ("/nothing", None, 404),
            ("/mo", None, 405),
            ("/script", {"colour": 1}, 400),
            ("/script", [], 400),
            ("/mo", {"from": "x"}, 400),
            ("/mo", {"from": "+905320000007", "to": "4609", "text": "a", "order": [2]}, 400),
            ("/mo", {"from": "+905320000007", "to": "4609", "text": "a", "mode": "carrier pigeon"}, 400),
            ("/phones?limit=x", None, 400),
        ]:
            with pytest.raises(urllib.error.HTTPError) as caught:
                ask(control, path, body)
            assert caught.value.code == status, path
        running.send_signal(signal.SIGKILL)
        running.wait(5)
    entries = list(read_journal(journal))
    assert len(entries) == 305, "everything answered is in the file of a killed process"
    assert [e.token for e in entries[:300]] == list(range(300))
    assert {e.status for e in entries[300:]} == {0x58}
    assert find_duplicates(entries) == []


def test_journal_cut_short_is_read_to_its_last_whole_record(tmp_path: Path) -> None:
    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(tmp_path / "j") as (_, port), bound_session(port, listener) as session:
            session.submit_many(messages(10))
            await until(lambda: len(listener.raws) == 10)
            await asyncio.sleep(0.05)

    run(scenario())
    assert sum(1 for _ in read_receipt_answers(tmp_path / "j")) == 10
    whole = (tmp_path / "j").read_bytes()
    (tmp_path / "j").write_bytes(whole[: len(whole) // 3])
    assert 0 < len(list(read_journal(tmp_path / "j"))) < 10


@pytest.mark.parametrize("has_token", [False, True])
def test_duplicates_are_found(tmp_path: Path, has_token: bool) -> None:
    """The checker's proof works: a repeat after acceptance is a violation, after a refusal it is not."""

    async def scenario() -> dict[str, Any]:
        listener = Recorder()
        refuse_once = [{"pattern": "0000003$", "status": 0x58}]
        async with running_centre(tmp_path / "j", refusals=refuse_once) as (centre, port):
            async with bound_session(port, listener, send_token=has_token) as session:
                session.submit_many(messages(5))
                await until(lambda: len(listener.outcomes) == 5)
                centre.apply_script(centre.script.changed({"refusals": []}))
                session.submit_many([messages(5)[3], messages(5)[1]])
                await until(lambda: len(listener.outcomes) == 7)
            return centre.get_figures(with_duplicates=True)

    assert run(scenario())["duplicates"] == 1
    [(earlier, later)] = find_duplicates(read_journal(tmp_path / "j"))
    assert earlier.msisdn == later.msisdn == "905320000001"


@pytest.mark.parametrize("script", [{"lost_answer_ratio": 1.0}, {"cut_after": 1, "cuts": 9}])
def test_repeat_of_an_unanswered_submit_is_a_violation(tmp_path: Path, script: dict[str, Any]) -> None:
    async def scenario() -> int:
        async with running_centre(tmp_path / "j", **script) as (centre, port):
            for _ in range(2):
                listener = Recorder()
                async with bound_session(port, listener, answer_timeout=0.1) as session:
                    session.submit_many(messages(1))
                    await until(lambda heard=listener: bool(heard.outcomes))
                assert len(listener.tokens(OutcomeKind.UNKNOWN)) == 1
            assert centre.get_figures()["never_answered"] == 2
            return int(centre.get_figures(with_duplicates=True)["duplicates"])

    assert run(scenario()) == 1
    entries = list(read_journal(tmp_path / "j"))
    assert [e.status for e in entries] == [None, None]
    assert len(find_duplicates(entries)) == 1


def test_joined_parts_are_no_duplicates_of_each_other(tmp_path: Path) -> None:
    long = OutboundMessage(1, "+905321112233", "PEYK", "a" * 459, "gsm7", 3, 0, 4)

    async def scenario() -> None:
        listener = Recorder()
        async with running_centre(tmp_path / "j") as (centre, port), bound_session(port, listener) as session:
            session.submit_many([long])
            await until(lambda: len(listener.outcomes) == 1)
            assert centre.get_figures(with_duplicates=True)["duplicates"] == 0
            session.submit_many([long._replace(reference=5)])
            await until(lambda: len(listener.outcomes) == 2)
            assert centre.get_figures(with_duplicates=True)["duplicates"] == 3

    run(scenario())
    assert len(find_duplicates(read_journal(tmp_path / "j"))) == 3


def test_bad_script_file_stops_the_start(tmp_path: Path) -> None:
    (tmp_path / "s.json").write_text('{"colour": 1}')
    with process("--script", str(tmp_path / "s.json")) as (running, _):
        assert running.wait(10) == 2
        assert running.stderr is not None
        assert "colour" in running.stderr.read()
