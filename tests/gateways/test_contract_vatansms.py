"""VatanSMS against its double. ``payloads/vatansms.json``: answers as in its sheet."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from gateways.base import BadSettings
from gateways.http.messages import HttpAnswer
from gateways.simulator.http_server import Reply
from gateways.simulator.providers.vatansms import refuse
from gateways.types import DeliveryEvent, DeliveryState, OutcomeKind, Reason
from tests.gateways.contract import GatewayContract
from tests.gateways.contract_stage import TURKISH, number_of
from tests.gateways.wire_cases import run

PAYLOADS: dict[str, Any] = json.loads((Path(__file__).parent / "payloads" / "vatansms.json").read_text("utf-8"))
STRANGE = PAYLOADS["refused_strange"]["description"]


class TestVatansms(GatewayContract):
    slug = "vatansms"
    login = ("api-kimligi", "cok-gizli-anahtar")
    settings = {
        "api_id": "api-kimligi",
        "api_key": "cok-gizli-anahtar",
        "status_words": {"Hatalı Numara": "number", "Zaman Aşımı": "expired", "İYS Ret": "consent"},
    }
    not_applicable = {
        "ucs2": "no encoding for it found in writing: refused before anything is sent",
        "push": "no delivery webhook found in any source; receipts are pulled",
        "inbound": "no inbox found in any source",
        "charges": "a report names neither parts nor a price of a message",
    }
    marks = {
        "accept": "client",
        "refusal": "unverified",
        "throttle": "unverified",
        "login": "unverified",
        "unknown_code": "unverified",
        "pull": "unverified",
        "duplicates": "unverified",
        "job_ids": "client",
    }
    refused = (Reply.json(PAYLOADS["refused_sender"]), "Gönderici adı onaylı değil")
    throttled = (Reply.json({"status": "error", "description": "x"}, 429, {"Retry-After": "3"}), 3.0)
    strange_code = (Reply.json(PAYLOADS["refused_strange"]), STRANGE)

    # -- sending -----------------------------------------------------------------------------------------

    def test_request(self) -> None:
        """One text goes out once; letters outside ASCII ask for the Turkish mode; who asks for consent says so."""
        gateway = self.open(9)
        same = gateway.write_request([self.message(n, "Merhaba") for n in (1, 2)])
        body = json.loads(same.body)
        assert (same.path, body["phones"]) == ("/1toN", ["5320000001", "5320000002"])
        assert (body["message_type"], body["message_content_type"]) == ("normal", "bilgi")
        mixed = gateway.write_request([self.message(1, "Önce", content_class="commercial"), self.message(2)])
        body = json.loads(mixed.body)
        assert (mixed.path, body["message_type"], body["message_content_type"]) == ("/NtoN", "turkce", "ticari")
        assert body["phones"][1] == {"phone": "5320000002", "message": "Merhaba 2"}
        assert "iys" not in body, "unconfirmed"
        assert gateway.group_key(self.message(1, "Önce")) != gateway.group_key(self.message(2, "Once"))

    def test_wrong_login_with_200(self) -> None:
        async def scenario() -> None:
            async with self.stage(accounts={"somebody": "else"}) as stage:
                stage.double.configure({"login_status": 200})
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason) == (OutcomeKind.DEFERRED, Reason.LOGIN)

        run(scenario())

    @pytest.mark.parametrize("shape", ["nested", "bare"])
    def test_other_shapes_of_the_answer(self, shape: str) -> None:
        """Without an id the message is accepted all the same, and the report is looked for by its time."""

        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.configure({"answer_shape": shape})
                [outcome] = await stage.submit(self.message())
                assert outcome.kind is OutcomeKind.ACCEPTED
                assert bool(outcome.provider_message_id) == (shape == "nested")
                page = await stage.gateway.pull_jobs([outcome.job], 0)
                assert page.found == (() if shape == "nested" else ((next(iter(stage.double.jobs)), 0),))

        run(scenario())

    def test_one_bad_number_is_refused_alone(self) -> None:
        """Whether the provider lists it as invalid or refuses the whole call for it."""

        async def scenario() -> None:
            for refuses_whole in (False, True):
                async with self.stage(refusals=[{"pattern": "3$", "status": 11}]) as stage:
                    stage.double.configure({"refuses_whole": refuses_whole})
                    outcomes = await stage.submit(*(self.message(n) for n in range(8)))
                    kinds = {o.token: o.kind for o in outcomes}
                    assert kinds.pop(3) is OutcomeKind.REJECTED
                    assert set(kinds.values()) == {OutcomeKind.ACCEPTED}
                    assert len(stage.centre.phones.list_messages("")) == 7, "nobody twice"

        run(scenario())

    def test_normal_mode_would_change_letters(self) -> None:
        """The double writes ASCII then; the adapter never lets it."""

        async def scenario() -> None:
            async with self.stage() as stage:
                await stage.submit(self.message(1, "Öğle"), self.message(2, "Ogle"))
                texts = {m["to"]: m["text"] for m in stage.centre.phones.list_messages("")}
                assert texts == {number_of(1): "Öğle", number_of(2): "Ogle"}
                await stage.submit(self.message(3, TURKISH))

        run(scenario())

    def test_otp(self) -> None:
        async def scenario() -> None:
            async with self.stage(settings={"sends_otp": True}) as stage:
                assert stage.gateway.batch_size == 1
                assert stage.gateway.write_request([self.message()]).path == "/otp"
                [outcome] = await stage.submit(self.message())
                assert outcome.kind is OutcomeKind.ACCEPTED

        run(scenario())

    # -- answers -----------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        ("name", "status", "kind", "reason"),
        [
            ("accepted", 200, OutcomeKind.ACCEPTED, Reason.NONE),
            ("accepted", 500, OutcomeKind.UNKNOWN, Reason.SYSTEM),
            ("accepted", 400, OutcomeKind.UNKNOWN, Reason.MALFORMED),
            ("accepted_report_id", 200, OutcomeKind.ACCEPTED, Reason.NONE),
            ("accepted_nested", 200, OutcomeKind.ACCEPTED, Reason.NONE),
            ("accepted_nested_id", 200, OutcomeKind.ACCEPTED, Reason.NONE),
            ("accepted_invalid_texts", 200, OutcomeKind.REJECTED, Reason.BAD_ADDRESS),
            ("accepted_invalid_objects", 200, OutcomeKind.REJECTED, Reason.BAD_ADDRESS),
            ("accepted_invalid_count", 200, OutcomeKind.ACCEPTED, Reason.NONE),
            ("refused_sender", 200, OutcomeKind.REJECTED, Reason.BAD_SENDER),
            ("refused_sender", 500, OutcomeKind.UNKNOWN, Reason.SYSTEM),
            ("refused_login", 503, OutcomeKind.UNKNOWN, Reason.SYSTEM),
            ("refused_credit", 422, OutcomeKind.DEFERRED, Reason.NO_BALANCE),
            ("refused_login", 200, OutcomeKind.DEFERRED, Reason.LOGIN),
            ("refused_strange", 200, OutcomeKind.REJECTED, Reason.OTHER),
            ("refused_strange", 500, OutcomeKind.UNKNOWN, Reason.SYSTEM),
        ],
    )
    def test_answers(self, name: str, status: int, kind: OutcomeKind, reason: Reason) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(Reply.json(PAYLOADS[name], status))
                [outcome] = await stage.submit(self.message(2))
                assert (outcome.kind, outcome.reason) == (kind, reason)
                if kind is OutcomeKind.ACCEPTED:
                    assert outcome.provider_message_id == "123456:905320000002"

        run(scenario())

    @pytest.mark.parametrize(
        ("words", "kind"), [({}, OutcomeKind.UNKNOWN), ({"zaman aşımı": "later"}, OutcomeKind.DEFERRED)]
    )
    def test_a_timeout_behind_their_gateway_proves_nothing(self, words: dict[str, str], kind: OutcomeKind) -> None:
        async def scenario() -> None:
            async with self.stage(settings={"error_words": words}) as stage:
                body = {"status": "error", "description": "API zaman aşımı"}
                stage.double.canned.append(Reply.json(body, 504))
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason) == (kind, Reason.SYSTEM)

        run(scenario())

    def test_own_words(self) -> None:
        words = {"error_words": {"kapı": "later"}}

        async def scenario() -> None:
            async with self.stage(settings=words) as stage:
                stage.double.canned.append(Reply.json(PAYLOADS["refused_strange"]))
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason) == (OutcomeKind.DEFERRED, Reason.SYSTEM)

        run(scenario())
        for field in ("error_words", "status_words"):
            with pytest.raises(BadSettings, match=field):
                self.open(9, **{field: {"kapı": "nonsense"}})

    # -- receipts ----------------------------------------------------------------------------------------

    def test_receipt_rows(self) -> None:
        """A text nobody listed moves nothing until the account says what it means."""

        async def scenario() -> None:
            for settings, third in (
                ({}, DeliveryState.UNKNOWN),
                ({"KAPSAMA DIŞI": "failed"}, DeliveryState.UNDELIVERED),
            ):
                async with self.stage(settings={"status_words": settings}) as stage:
                    stage.double.canned.append(Reply.json(PAYLOADS["detail"]))
                    page = await stage.gateway.pull_jobs(["123456"], 0)
                    assert not page.is_last and b"KAMPANYA" not in b"".join(page.raws)
                    events = stage.gateway.read_events(page.raws)
                    assert all(isinstance(e, DeliveryEvent) for e in events)
                    states = [e.state for e in events if isinstance(e, DeliveryEvent)]
                    assert states == [DeliveryState.DELIVERED, DeliveryState.ACCEPTED, third]
                    assert events[2].code == "Kapsama Dışı"  # type: ignore[union-attr]
                    assert events[0].occurred_at == "2026-11-25 10:31:07"  # type: ignore[union-attr]

        run(scenario())

    def test_what_a_lost_answer_was_about_is_found_by_dates(self) -> None:
        """First the reports of that time, then their numbers; matching adopts the messages by them."""

        async def scenario() -> None:
            async with self.stage(lost_answer_ratio=1.0, hangs=False) as stage:
                await stage.submit(self.message(1), self.message(2))
                search = stage.gateway.write_unknown_job([self.message(1)], time.time())
                [(job, count)] = (await stage.gateway.pull_jobs([search], 0)).found
                assert count == 0
                events = stage.gateway.read_events((await stage.gateway.pull_jobs([job], 0)).raws)
                assert {e.msisdn for e in events} == {number_of(1), number_of(2)}  # type: ignore[union-attr]
                assert (await stage.gateway.pull_jobs(["999"], 0)).is_last, "no such report: asked again later"

        run(scenario())

    def test_pages(self) -> None:
        async def scenario() -> None:
            async with self.stage(settings={"receipt_rows_per_query": 2}) as stage:
                outcomes = await stage.submit(*(self.message(n) for n in range(5)))
                events = await self.pull(stage, outcomes)
                assert {e.provider_message_id for e in events} == {o.provider_message_id for o in outcomes}

        run(scenario())

    def test_senders(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                assert await stage.gateway.list_senders() == ["ORNEKFIRMA"]  # type: ignore[attr-defined]

        run(scenario())


def test_an_error_never_shows_the_key() -> None:
    gateway = TestVatansms().open(9)
    words = refuse("gizli: cok-gizli-anahtar")
    error = gateway._find_error(HttpAnswer(200, words.body, scrub=gateway.scrub))  # type: ignore[attr-defined]
    assert error.code == "gizli: ***" and "anahtar" not in error.evidence
