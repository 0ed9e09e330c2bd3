"""A demo's day at an HTTP provider: that it was as bad as it had to be, and that nothing is hidden by "unknown"."""

from collections.abc import Iterable
from typing import Any

from django.db.models import Sum

from accounts.scope import tenant_scope
from gateways.simulator.client import change_double, get_figures
from gateways.simulator.journal import JournalEntry
from gateways.types import Capabilities
from messaging.models import Message, RunTally, SendRun

MISCHIEF = ("throttled", "lost_answers", "late_receipts", "doubled_receipts")
ENOUGH_MESSAGES = 1500
"""With fewer a day may be good by chance."""


def read_day(gateway: str, able: Capabilities, run: SendRun) -> dict[str, Any]:
    """What the double did, in messages but for `calls`, `lost_answers` and `pushes`. `ids`: "job" where an answer
    names its call only, not its messages."""
    figures, counts = get_figures(), change_double(gateway, {})["counts"]
    return {
        "gateway": gateway,
        "ids": "message" if able.id_per_message else "job",
        "calls": counts["calls"],
        "throttled": sum(figures["refused"].values()),
        "lost_answers": counts.get("lost_answers", 0),
        "late_receipts": figures["receipts_late"],
        "doubled_receipts": figures["receipts_doubled"],
        "pushes": counts.get("pushes", 0),
        "pushes_failed": counts.get("pushes_failed", 0),
        "ever_unknown": count_ever_unknown(run),
    }


def find_good_days(day: dict[str, Any], messages: int) -> list[str]:
    """What a run through a double was to prove and did not, because it did not happen."""
    if messages < ENOUGH_MESSAGES:
        return []
    return [f"the double had none of these: {name}" for name in MISCHIEF if not day[name]]


def count_ever_unknown(run: SendRun) -> int:
    """Messages whose answer was lost: cleared since by receipts or what the provider said, or unconfirmed."""
    with tenant_scope(run.tenant_id):
        entered = RunTally.objects.filter(run_id=run.pk, state="unknown").aggregate(count=Sum("entered"))["count"]
    return int(entered or 0)


def find_unheard(able: Capabilities, run: SendRun, journal: Iterable[JournalEntry]) -> list[str]:
    """Messages that ended unconfirmed although the provider has them, and tells how they ended, by itself or when it is
    asked. Without an answer a provider that does neither leaves them unconfirmed rightly; so does one that refused."""
    if not (able.own_ids or able.finds_unknown or able.receipts in ("push", "both")):
        return []
    taken = {entry.token for entry in journal if not entry.status}
    with tenant_scope(run.tenant_id):
        unconfirmed = Message.objects.filter(run=run, state__in=("unknown", "unconfirmed")).values_list("pk", flat=True)
        return [f"message {pk} is unconfirmed, but the provider told of it" for pk in unconfirmed if pk in taken]
