"""The audience funnel for the eye: listed → left out, by reason → to send."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.utils.translation import gettext_lazy as _

from ..models import AudienceSnapshot
from .estimate import Estimate

REASONS: Final = {
    "duplicate": _("On several lists"),
    "excluded_list": _("On an excluded list"),
    "suppressed": _("On the suppression list"),
    "missing_value": _("Field without a value"),
    "no_route": _("No route"),
    "characters": _("Characters that their connection cannot carry"),
    "too_long": _("Longer than 10 parts, or than their connection takes"),
}
"""Exclusion reasons in the order in which the walk meets them."""


@dataclass(frozen=True, slots=True)
class FunnelRow:
    """A line: count and its share of the listed (0–1). `kind`: listed, left_out or to_send."""

    label: object
    count: int
    share: float
    kind: str


def build_funnel(listed: int, left_out: Mapping[str, int], to_send: int) -> list[FunnelRow]:
    """Rows from everybody listed to those who are written to; of the reasons, the usual three and those that occur."""
    whole = max(listed, 1)
    rows = [FunnelRow(_("Listed"), listed, 1.0 if listed else 0.0, "listed")]
    rows += [
        FunnelRow(label, left_out.get(reason, 0), left_out.get(reason, 0) / whole, "left_out")
        for reason, label in REASONS.items()
        if left_out.get(reason) or reason in ("duplicate", "suppressed", "missing_value")
    ]
    rows.append(FunnelRow(_("To send"), to_send, to_send / whole, "to_send"))
    return rows


def build_snapshot_funnel(snapshot: AudienceSnapshot) -> list[FunnelRow]:
    return build_funnel(snapshot.listed_count, snapshot.excluded_counts, snapshot.message_count)


def build_estimate_funnel(estimate: Estimate) -> list[FunnelRow]:
    left_out = {
        "duplicate": estimate.duplicates,
        "excluded_list": estimate.excluded,
        "suppressed": estimate.suppressed,
        "missing_value": estimate.missing,
        "no_route": estimate.unreachable,
        "characters": estimate.unwritable,
        "too_long": estimate.too_long,
    }
    return build_funnel(estimate.listed, left_out, estimate.to_send)
