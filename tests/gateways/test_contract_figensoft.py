"""Figensoft (Posta Güvercini) against its double. ``payloads/figensoft.json``: answers as in its sheet."""

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from gateways.adapters.figensoft.gateway import FigensoftGateway, read_job, write_job
from gateways.base import BadSettings
from gateways.findings import Finding
from gateways.http.link import RequestLink
from gateways.simulator.http_server import Reply
from gateways.simulator.providers.figensoft import ZONE
from gateways.types import DeliveryState, OutcomeKind, PullJob, Reason
from tests.gateways.contract import GatewayContract
from tests.gateways.contract_stage import number_of
from tests.gateways.http_toy import Desk
from tests.gateways.wire_cases import Recorder, run, until

PAYLOADS: dict[str, Any] = json.loads((Path(__file__).parent / "payloads" / "figensoft.json").read_text("utf-8"))
A, D, U, X = DeliveryState.ACCEPTED, DeliveryState.DELIVERED, DeliveryState.UNDELIVERED, DeliveryState.UNKNOWN


class TestFigensoft(GatewayContract):
    slug = "figensoft"
    login = ("kullanici", "cok-gizli-sifre")
    settings = {"username": "kullanici", "password": "cok-gizli-sifre"}
    not_applicable = {
        "ucs2": "no encoding flag found in writing: characters beyond Turkish are refused before they are sent",
        "push": "no push found in the JSON API; receipts are pulled",
        "inbound": "no inbox found in the JSON API",
        "job_ids": "every message has an id of its own",
    }
    mark = "client"
    marks = {"throttle": "unverified", "turkish": "unverified", "duplicates": "unverified", "charges": "unverified"}
    refused = (Reply.json(PAYLOADS["empty_text"], 500), "1090")
    throttled = (Reply(429, b"", {"Retry-After": "2"}), 2.0)
    strange_code = (Reply.json(PAYLOADS["strange"]), "7777")

    # -- sending -----------------------------------------------------------------------------------------

    def test_request(self) -> None:
        gateway = self.open(9)
        same = gateway.write_request([self.message(n, "Merhaba", validity_seconds=3600) for n in (1, 2)])
        body = json.loads(same.body)
        assert same.path == "/v1/Sms/Send_1_N"
        assert (body["Channel"], body["Originator"], body["Message"]) == ("BULK", self.sender, "Merhaba")
        assert body["Receivers"] == ["905320000001", "905320000002"]
        until = datetime.strptime(body["ExpireDate"], "%Y%m%d %H:%M").replace(tzinfo=ZONE)
        assert timedelta(minutes=59, seconds=59) <= until - datetime.now(ZONE) <= timedelta(minutes=61)
        mixed = gateway.write_request([self.message(1), self.message(2)])
        body = json.loads(mixed.body)
        assert mixed.path == "/v1/Sms/Send_N_N" and "ExpireDate" not in body
        assert body["Messages"][1] == {"Receiver": "905320000002", "Message": "Merhaba 2"}
        assert gateway.group_key(self.message(1, "Ağaç")) != gateway.group_key(self.message(1, "Ağaç 🍰"))

    def test_settings(self) -> None:
        for changes in ({"channel": "VIP"}, {"login_words": [""]}, {"time_zone": "Mars/Base"}, {"prefixes": []}):
            with pytest.raises(BadSettings, match=next(iter(changes))):
                self.open(9, **changes)

    def test_the_channel_chooses_the_host(self) -> None:
        bulk, otp = (FigensoftGateway.from_settings({**self.settings, "channel": c}) for c in ("BULK", "OTP"))
        assert bulk.settings.base_url == FigensoftGateway.default_url
        assert otp.settings.base_url == "https://otpsms.postaguvercini.com/api_json"
        own = {"channel": "OTP", "base_url": "https://www.poctgoyercini.com/api_json"}
        assert FigensoftGateway.from_settings({**self.settings, **own}).settings.base_url == own["base_url"]

    @pytest.mark.parametrize("status", [200, 500])
    def test_wrong_login(self, status: int) -> None:
        async def scenario() -> None:
            async with self.stage(accounts={"somebody": "else"}) as stage:
                stage.double.configure({"error_status": status})
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason, outcome.code) == (OutcomeKind.DEFERRED, Reason.LOGIN, "500")

        run(scenario())

    @pytest.mark.parametrize(("retries", "kind"), [(False, OutcomeKind.UNKNOWN), (True, OutcomeKind.DEFERRED)])
    def test_a_500_without_words_about_the_login_proves_nothing(self, retries: bool, kind: OutcomeKind) -> None:
        """Their trouble has the code of a wrong login: nor does the same answer to other questions prove anything."""

        async def scenario() -> None:
            async with self.stage(settings={"retries_server_error": retries}) as stage:
                stage.double.canned.append(Reply.json(PAYLOADS["server_error"], 500))
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason, outcome.code) == (kind, Reason.SYSTEM, "500")
                stage.double.canned += [Reply.json(PAYLOADS["server_error"])] * 2
                [outcome] = await stage.submit(self.message())
                assert outcome.kind is kind, "whatever the balance says"

        run(scenario())

    @pytest.mark.parametrize(
        ("text", "words", "kind"),
        [
            ("KULLANICI ADI VEYA ŞİFRE HATALI", {}, OutcomeKind.DEFERRED),
            ("Wrong Password", {}, OutcomeKind.DEFERRED),
            ("Login failed for user 'sa'", {}, OutcomeKind.UNKNOWN),
            (None, {}, OutcomeKind.UNKNOWN),
            ("Hesap kapalı", {"login_words": ["hesap"]}, OutcomeKind.DEFERRED),
            ("Wrong password", {"login_words": []}, OutcomeKind.UNKNOWN),
        ],
    )
    def test_words_of_a_500(self, text: str | None, words: dict[str, Any], kind: OutcomeKind) -> None:
        async def scenario() -> None:
            async with self.stage(settings=words) as stage:
                body = {"StatusCode": 500, "StatusDescription": text, "Result": None}
                stage.double.canned.append(Reply.json(body, 500))
                [outcome] = await stage.submit(self.message())
                assert (outcome.kind, outcome.reason is Reason.LOGIN) == (kind, kind is OutcomeKind.DEFERRED)

        run(scenario())

    def test_the_connection_test_names_both(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(Reply.json(PAYLOADS["server_error"], 500))
                assert (await stage.gateway.check()).finding is Finding.LOGIN_OR_SERVER
                stage.double.canned.append(Reply.json({**PAYLOADS["server_error"], "StatusDescription": "Şifre"}))
                assert (await stage.gateway.check()).finding is Finding.LOGIN_REFUSED

        run(scenario())

    def test_too_many_receivers_are_sent_in_halves(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(Reply.json(PAYLOADS["too_many"], 500))
                outcomes = await stage.submit(*(self.message(n) for n in range(4)))
                assert {o.kind for o in outcomes} == {OutcomeKind.ACCEPTED}
                assert stage.double.counts["calls"] == 3
                assert len({o.job for o in outcomes}) == 2

        run(scenario())

    def test_batch_is_careful_and_limited(self) -> None:
        assert self.open(9).batch_size == 200, "nothing tells what became of a call without an answer"
        assert self.open(9, batch_size=5000).batch_size == 800

    def test_one_number_twice(self) -> None:
        """Two ids; each outcome has its own."""

        async def scenario() -> None:
            async with self.stage() as stage:
                twice = [self.message(1, "bir"), self.message(1, "iki")._replace(token=2)]
                outcomes = await stage.submit(*twice)
                assert [o.token for o in outcomes] == [1, 2]
                assert outcomes[0].provider_message_id < outcomes[1].provider_message_id

        run(scenario())

    def test_a_bad_number_gets_an_id_and_a_receipt(self) -> None:
        async def scenario() -> None:
            async with self.stage(refusals=[{"pattern": "3$", "status": 11}]) as stage:
                outcomes = await stage.submit(*(self.message(n) for n in range(5)))
                assert {o.kind for o in outcomes} == {OutcomeKind.ACCEPTED}
                events = {e.msisdn: e for e in await self.pull(stage, outcomes)}
                bad = events.pop(number_of(3))
                assert (bad.state, bad.reason, bad.code) == (U, Reason.BAD_ADDRESS, "-201")
                assert {e.state for e in events.values()} == {D}
                foreign = self.message(9)._replace(msisdn="+4915112345678")
                [outcome] = await stage.submit(foreign)
                assert (outcome.kind, outcome.reason) == (OutcomeKind.REJECTED, Reason.BAD_ADDRESS)

        run(scenario())

    def test_credit_ends_in_the_middle(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.configure({"balance": 2})
                outcomes = await stage.submit(*(self.message(n) for n in range(3)))
                events = await self.pull(stage, outcomes)
                assert [e.reason for e in events] == [Reason.NONE, Reason.NONE, Reason.NO_BALANCE]
                assert await stage.gateway.get_balance() == "0"
                assert len(stage.centre.phones.list_messages("")) == 2

        run(scenario())

    def test_long_turkish_is_refused_by_its_receipt(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                outcomes = await stage.submit(self.message(1, "ş" * 269))
                [event] = await self.pull(stage, outcomes)
                assert (event.state, event.reason, event.code) == (U, Reason.BAD_CONTENT, "-447")

        run(scenario())

    # -- answers -----------------------------------------------------------------------------------------

    @pytest.mark.parametrize(
        ("name", "status", "kinds"),
        [
            ("accepted", 200, [OutcomeKind.ACCEPTED] * 2),
            ("accepted", 500, [OutcomeKind.UNKNOWN] * 2),
            ("accepted_in_another_order", 200, [OutcomeKind.ACCEPTED] * 2),
            ("accepted_one", 200, [OutcomeKind.ACCEPTED, OutcomeKind.UNKNOWN]),
            ("no_receivers", 500, [OutcomeKind.REJECTED] * 2),
            ("not_connected", 500, [OutcomeKind.DEFERRED] * 2),
            ("strange", 200, [OutcomeKind.UNKNOWN] * 2),
            ("balance", 200, [OutcomeKind.UNKNOWN] * 2),
        ],
    )
    def test_answers(self, name: str, status: int, kinds: list[OutcomeKind]) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                stage.double.canned.append(Reply.json(PAYLOADS[name], status))
                outcomes = await stage.submit(self.message(1), self.message(2))
                assert [o.kind for o in outcomes] == kinds
                for outcome in outcomes:
                    if outcome.kind is OutcomeKind.ACCEPTED:
                        assert outcome.provider_message_id == f"730000000{outcome.token}"

        run(scenario())

    # -- receipts ----------------------------------------------------------------------------------------

    def test_status_rows(self) -> None:
        async def scenario() -> None:
            async with self.stage() as stage:
                job = write_job(["7300000001", "nope"])
                stage.double.canned.append(Reply.json(PAYLOADS["status"]))
                page = await stage.gateway.pull_jobs([job], 0)
                [event] = stage.gateway.read_events(page.raws)
                assert (event.state, event.code) == (D, "400")  # type: ignore[union-attr]
                assert event.occurred_at == "20261125 10:31"  # type: ignore[union-attr]
                stage.double.canned.append(Reply.json(PAYLOADS["no_records"], 500))
                assert (await stage.gateway.pull_jobs([job], 0)).raws == []

        run(scenario())

    def test_the_way_of_a_message(self) -> None:
        async def scenario() -> None:
            async with self.stage(receipt_delay=[60, 60]) as stage:
                stage.double.configure({"codes": {number_of(1).lstrip("+"): -241}})
                outcomes = await stage.submit(self.message(1), self.message(2))
                seen = [[e.code for e in await self.pull(stage, outcomes)] for _ in range(2)]
                assert seen == [["110", "110"], ["300", "300"]]
                for row in stage.double.messages.values():  # type: ignore[attr-defined]
                    row.due_at = 0.0
                events = await self.pull(stage, outcomes)
                assert [(e.code, e.state, e.reason) for e in events] == [
                    ("-241", U, Reason.NO_CONSENT),
                    ("400", D, Reason.NONE),
                ]

        run(scenario())

    def test_several_jobs_are_asked_about_together(self) -> None:
        """In pages; a job is closed when the last of its messages has ended, whatever the others do."""

        async def scenario() -> None:
            settings = {"receipt_rows_per_query": 2, "receipt_queries_per_minute": 6000}
            async with self.stage(settings=settings) as stage:
                outcomes = [o for n in range(3) for o in await stage.submit(self.message(n), self.message(n + 10))]
                names = list(dict.fromkeys(o.job for o in outcomes))
                last = stage.double.messages[outcomes[5].provider_message_id]  # type: ignore[attr-defined]
                last.due_at = stage.double.now + 60
                recorder = Recorder()
                link = RequestLink(stage.gateway, recorder)
                link.pull_with(Desk([PullJob(pk, name, 2, 0) for pk, name in enumerate(names)]))
                link.start()
                await until(lambda: any(batch.progress for batch in recorder.batches))
                progress = recorder.batches[-1].progress
                assert progress is not None
                assert (progress.closed, [pk for pk, _ in progress.later]) == ((0, 1), [2])
                assert len(recorder.raws) == 5, "one of them has no news"
                await link.close(grace_seconds=0)

        run(scenario())

    @pytest.mark.parametrize(
        ("status", "final", "state", "reason"),
        [
            ("401", "0", A, Reason.NONE),
            ("400", "0", D, Reason.NONE),
            ("405", "0", A, Reason.NONE),
            ("405", "False", A, Reason.NONE),
            ("405", "true", U, Reason.NETWORK),
            ("405", "", U, Reason.NETWORK),
            ("410", "1", X, Reason.NONE),
            ("999", "0", A, Reason.NONE),
            ("999", "1", X, Reason.NONE),
            ("-3042", "1", U, Reason.OTHER),
            ("-222", "1", U, Reason.BLOCKED_BY_RECIPIENT),
            ("Ulaştı", "1", X, Reason.NONE),
        ],
    )
    def test_codes(self, status: str, final: str, state: DeliveryState, reason: Reason) -> None:
        row = {"MessageId": "1", "Receiver": "905320000001", "SmsStatus": status, "IsFinalStatus": final}
        [event] = self.open(9).read_events([b"receipt\n" + json.dumps(row).encode()])
        assert (event.state, event.reason, event.code) == (state, reason, status)  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("ids", "written"),
    [
        (["7300000001", "7300000002", "7300000003"], '[["7300000001",3]]'),
        (["7", "9", "10"], '[["7",1],["9",2]]'),
        (["007", "008", "a-1", "a-2"], '[["007",1],["008",1],["a-1",1],["a-2",1]]'),
        ([], ""),
    ],
)
def test_ids_of_a_call_in_a_line(ids: list[str], written: str) -> None:
    assert write_job(ids) == written
    assert not written or read_job(written) == ids
