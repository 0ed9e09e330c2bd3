"""The panel's components and number filters. `{% load peyk_ui %}`; docs/panel.md lists them.

Tones: primary, success, danger, warning, info, muted.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

from django import template
from django.template.context import Context
from django.utils.safestring import SafeString

from common import charts, numbers
from smscore.msisdn import format_msisdn

register = template.Library()
NOTHING = "–"
TONES = {"primary", "success", "danger", "warning", "info", "muted"}


@register.filter
def count(value: int | None) -> str:
    return NOTHING if value is None or value == "" else numbers.format_count(value)


@register.filter
def credits(value: Decimal | int | None) -> str:  # named as templates read best: {{ balance|credits }}
    return NOTHING if value is None or value == "" else numbers.format_credits(value)


@register.filter
def signed(value: Decimal | int) -> str:
    """A change of credits: +500, −12,5; nothing for no change."""
    if not value:
        return NOTHING
    return f"{'+' if value > 0 else '−'}{numbers.format_credits(abs(Decimal(value)))}"


@register.filter
def percent(ratio: float | Decimal | None, decimals: int = 1) -> str:
    """A ratio between 0 and 1; None (nothing to divide by) shows a dash."""
    return NOTHING if ratio is None or ratio == "" else numbers.format_percent(ratio, decimals)


@register.filter
def msisdn(value: str) -> str:
    """+905321234107 as +90 532 123 41 07."""
    if value.startswith("+905") and len(value) == 13:
        return f"+90 {value[3:6]} {value[6:9]} {value[9:11]} {value[11:]}"
    return format_msisdn(value)


@register.filter
def masked(value: str) -> str:
    """+905321234107 as +90 532 ••• 41 07; other countries keep their last four digits."""
    if value.startswith("+905") and len(value) == 13:
        return f"+90 {value[3:6]} ••• {value[9:11]} {value[11:]}"
    return f"{value[:3]} ••• {value[-4:]}" if len(value) > 8 else "•••"


@register.inclusion_tag("ui/badge.html")
def badge(text: object, tone: str = "muted", icon: str = "") -> dict[str, Any]:
    if tone not in TONES:
        raise ValueError(f"unknown tone {tone!r}")
    return {"text": text, "tone": tone, "icon": icon}


@register.inclusion_tag("ui/empty_state.html")
def empty_state(icon: str, title: str, text: str = "", url: str = "", label: str = "") -> dict[str, Any]:
    """What to see where nothing is yet: says what the page is for and offers the next step."""
    return {"icon": icon, "title": title, "text": text, "url": url, "label": label}


@register.inclusion_tag("ui/stat.html")
def stat(label: str, value: object, hint: object = "", tone: str = "") -> dict[str, Any]:
    return {"label": label, "value": value, "hint": hint, "tone": tone}


@register.simple_tag
def progress_bar(parts: Sequence[charts.Part], label: str = "", legend: bool = True) -> SafeString:
    """Shares of a whole: a sequence of `common.charts.Part(label, count, tone)`."""
    return charts.stacked_bar(parts, label=label, legend=legend)


@register.inclusion_tag("ui/meter.html")
def meter(value: float, maximum: float, label: str, tone: str = "primary") -> dict[str, Any]:
    """One figure of a maximum, as a thin bar: an import's progress, characters used."""
    share = min(max(float(value) / float(maximum), 0), 1) * 100 if maximum else 0
    return {"width": f"{share:.2f}", "share": round(share), "label": label, "tone": tone}


@register.inclusion_tag("ui/pager.html", takes_context=True)
def pager(context: Context, page: Any, target: str = "", url: str = "") -> dict[str, Any]:
    """Newer/older links of a `common.keyset.KeysetPage`; with `target` (a CSS selector) they load by HTMX.

    `url` is the list's address where the page that shows it has another one.
    """
    request = context["request"]

    def query(name: str, cursor: str) -> str:
        params = request.GET.copy()
        for other in ("after", "before"):
            params.pop(other, None)
        params[name] = cursor
        return f"{url}?{params.urlencode()}"

    return {
        "previous": query("before", page.previous_cursor) if page.previous_cursor else "",
        "next": query("after", page.next_cursor) if page.next_cursor else "",
        "target": target,
    }


@register.inclusion_tag("ui/steps.html")
def steps(items: Sequence[Any], current: int) -> dict[str, Any]:
    """Numbered steps; `items` are labels or (label, url) pairs, `current` counts from 1. Past steps may be links."""
    rows = []
    for number, item in enumerate(items, start=1):
        label, url = item if isinstance(item, tuple | list) else (item, "")
        state = "done" if number < current else "current" if number == current else "ahead"
        rows.append({"number": number, "label": label, "url": url, "state": state})
    return {"steps": rows}
