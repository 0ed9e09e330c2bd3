import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.scope import platform_scope
from messaging.services.check import check_engine


class Command(BaseCommand):
    help = "Check the engine's invariants (reliability.md) from the database and the operator simulator's journal."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--journal", type=Path, help="the simulator's journal file")
        parser.add_argument("--json", action="store_true", help="last line is a JSON object")

    def handle(self, *args: Any, **options: Any) -> None:
        journal: Path | None = options["journal"]
        if journal is not None and not journal.is_file():
            raise CommandError(f"no journal at {journal}")
        with platform_scope(reason="check the engine"):
            violations = check_engine(journal)
        for violation in violations:
            self.stderr.write(f"{violation.invariant}: {violation.detail}")
        if options["json"]:
            details = [violation._asdict() for violation in violations[:100]]
            self.stdout.write(json.dumps({"violations": len(violations), "details": details}))
        elif not violations:
            self.stdout.write("0 violations")
        if violations:
            raise SystemExit(1)
