import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from accounts.scope import platform_scope
from messaging.services.retention import Tenure, list_tenures


class Command(BaseCommand):
    help = "Months of messages, provider references and receipts: rows (estimated), size, and when they are dropped."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="a JSON list")

    def handle(self, *args: Any, **options: Any) -> None:
        with platform_scope(reason="list partitions"):
            tenures = list_tenures()
        if options["json"]:
            self.stdout.write(json.dumps([describe(tenure) for tenure in tenures]))
            return
        self.stdout.write(f"{'table':<28} {'month':>6} {'rows':>12} {'MB':>9}  dropped from")
        for tenure in tenures:
            table, _, month, rows, size = tenure.partition
            kept = f"  kept for runs {', '.join(map(str, tenure.open_runs))}" if tenure.is_overdue else ""
            shown = f"{rows:,}" if rows >= 0 else "?"
            self.stdout.write(
                f"{table:<28} {month or 'legacy':>6} {shown:>12} {size / 1e6:>9,.1f}  {tenure.drops_at:%Y-%m-%d}{kept}"
            )


def describe(tenure: Tenure) -> dict[str, Any]:
    """`month` YYYYMM, 0 = from before there were months; `rows` PostgreSQL's estimate, None if it never looked."""
    return {
        "table": tenure.partition.table,
        "partition": tenure.partition.name,
        "month": tenure.partition.month,
        "rows": tenure.partition.rows if tenure.partition.rows >= 0 else None,
        "size_bytes": tenure.partition.size_bytes,
        "drops_at": tenure.drops_at.isoformat(),
        "open_runs": list(tenure.open_runs),
    }
