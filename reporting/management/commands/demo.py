"""`manage.py demo --rows N [--json]`: the main job without a browser. `./dev demo` starts what it needs."""

import json
import sys
import tempfile
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db.models import Max

from accounts.scope import platform_scope, tenant_scope
from campaigns.models import Campaign
from campaigns.selectors.campaigns import find_snapshot
from contacts.demo_files import write_messy_file
from contacts.models import ContactImport
from gateways.simulator.client import SimulatorRefused
from gateways.simulator.journal import read_journal
from messaging.models import Message, SendRun
from messaging.selectors import get_run_totals
from messaging.services.check import check_engine
from reporting.management.demo_run import (
    DemoStalled,
    create_demo_tenant,
    import_demo_file,
    launch_demo_campaign,
    suppress_some,
    wait_for_receipts,
)
from reporting.management.provider_day import find_good_days, find_unheard, read_day

BAR_WIDTH = 30


class Command(BaseCommand):
    help = "Import a messy list of N rows, send a campaign to it through the simulator, check every receipt."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--rows", type=int, default=5000)
        parser.add_argument("--seed", type=int, default=1, help="of the generated file")
        parser.add_argument("--gateway", default="", help="send through the double of this HTTP provider, on a bad day")
        parser.add_argument("--json", action="store_true", help="the last line is JSON")

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.SIMULATOR_SMPP_PORT:
            raise CommandError("The operator simulator does not run here. Use ./dev demo.")
        try:
            result = self._run(rows=options["rows"], seed=options["seed"], gateway=options["gateway"])
        except (DemoStalled, LookupError, SimulatorRefused) as error:
            raise CommandError(str(error)) from error
        if options["json"]:
            self.stdout.write(json.dumps(result))
        else:
            for name, value in result.items():
                self.stdout.write(f"{name:<22}{value}")
        if result["violations"]:
            sys.exit(1)

    def _run(self, *, rows: int, seed: int, gateway: str) -> dict[str, Any]:
        demo = create_demo_tenant(rows, gateway)
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "musteriler.csv"
            expected = write_messy_file(path, rows, seed=seed)
            contact_import = import_demo_file(demo, path, self._report)
        suppressed = suppress_some(demo)
        assert contact_import.group_id is not None
        campaign = launch_demo_campaign(demo, contact_import.group_id, self._report)
        run = wait_for_receipts(demo, campaign, self._report)
        result = {**summarise(run, contact_import, suppressed), "left_out": count_left_out(campaign)}
        problems = self._check(result, contact_import, expected.imported, suppressed)
        if demo.provider is not None:
            day = read_day(gateway, demo.provider, run)
            journal = read_journal(Path(settings.SIMULATOR_JOURNAL))
            problems += [*find_good_days(day, result["sent"]), *find_unheard(demo.provider, run, journal)]
            result |= day
        for problem in problems[:20]:
            self.stderr.write(f"violation: {problem}")
        return {**result, "violations": len(problems)}

    def _check(
        self, result: dict[str, Any], contact_import: ContactImport, expected_imported: int, suppressed: int
    ) -> list[str]:
        """The engine's own checker, and that the figures of this job add up."""
        with platform_scope(reason="demo check"):
            problems = [str(violation) for violation in check_engine(journal=Path(settings.SIMULATOR_JOURNAL))]
        if contact_import.imported_count != expected_imported:
            problems.append(f"{contact_import.imported_count} imported, {expected_imported} expected")
        gone = result["sent"] + result["unknown"] + result["refused"] + result["left_out"]
        if gone != result["imported"] - suppressed:
            problems.append(f"{gone} accounted for of {result['imported']} imported less {suppressed} suppressed")
        if result["delivered"] + result["undelivered"] != result["sent"]:
            problems.append("receipts are missing")
        return problems

    def _report(self, step: str, done: int, total: int) -> None:
        """A bar on a terminal; silence in a pipe."""
        if not sys.stderr.isatty():
            return
        share = min(1.0, done / total) if total else 0.0
        bar = "█" * int(share * BAR_WIDTH)
        self.stderr.write(f"\r{step:<10}{bar:<{BAR_WIDTH}} {done:>9,} / {total:,}", ending="")
        if total and done >= total:
            self.stderr.write("")


def count_left_out(campaign: Campaign) -> int:
    """Recipients whose text has characters that the provider does not carry: the check before sending names them."""
    with tenant_scope(campaign.tenant_id):
        snapshot = find_snapshot(campaign)
    assert snapshot is not None
    return int(snapshot.excluded_counts.get("characters", 0))


def summarise(run: SendRun, contact_import: ContactImport, suppressed: int) -> dict[str, Any]:
    """The figures of the job, from the roll-ups.

    sent          taken by the gateway for certain, and so delivered or undelivered once all receipts are in
    unknown       left without an answer, and no receipt or question has told since what became of it: perhaps sent
    refused       refused for good, not sent
    send_seconds  from launch until the last message was taken
    """
    with tenant_scope(run.tenant_id):
        totals = get_run_totals(run)
        ended_at = Message.objects.filter(run=run).aggregate(ended_at=Max("accepted_at"))["ended_at"]
    assert run.started_at is not None
    seconds = max(0.001, (ended_at - run.started_at).total_seconds()) if ended_at else 0.001
    sent = totals.sent.messages
    return {
        "imported": contact_import.imported_count,
        "rejected": contact_import.rejected_count,
        "duplicates": contact_import.duplicate_count,
        "suppressed": suppressed,
        "sent": sent,
        "delivered": totals.get("delivered").messages,
        "undelivered": totals.get("undelivered").messages,
        "refused": totals.get("rejected").messages,
        "unknown": totals.get("unknown", "unconfirmed").messages,
        "send_seconds": round(seconds, 3),
        "messages_per_second": round(sent / seconds),
    }
