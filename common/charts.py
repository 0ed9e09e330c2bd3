"""Charts drawn on the server as SVG: no script, no inline style, colours through classes so that dark mode works.

Every chart comes with its figures as a table for screen readers. Text is set in percent coordinates outside the
stretched drawing, so a chart fills any width and its labels keep their size.
Tones: primary, success, danger, warning, info, muted.
"""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from django.template.loader import render_to_string
from django.utils.safestring import SafeString

WIDTH, HEIGHT = 1000, 200
X_LABELS_AT_MOST = 12


@dataclass(frozen=True, slots=True)
class Series:
    name: str
    values: Sequence[int]
    tone: str = "primary"


@dataclass(frozen=True, slots=True)
class Part:
    """One share of a whole, or one row of a list of bars."""

    label: str
    count: int
    tone: str = "primary"
    url: str = ""


def time_chart(*, title: str, labels: Sequence[str], line: Series, bars: Series | None = None) -> SafeString:
    """A line with filled area over time, and bars in front. `labels` has one text per value of each series."""
    count = len(labels)
    if len(line.values) != count or (bars is not None and len(bars.values) != count):
        raise ValueError("every series needs one value per label")
    top, ticks = nice_ticks(max([*line.values, *(bars.values if bars else ()), 1]))
    band = WIDTH / count if count else WIDTH
    points = [(band * (i + 0.5), HEIGHT * (1 - value / top)) for i, value in enumerate(line.values)]
    path = smooth_path(points)
    step = -(-count // X_LABELS_AT_MOST) or 1
    context = {
        "title": title,
        "line": line,
        "bars": bars,
        "line_path": path,
        "area_path": f"{path} L{points[-1][0]:.1f} {HEIGHT} L{points[0][0]:.1f} {HEIGHT} Z" if points else "",
        "bar_rects": _bar_rects(bars.values, band, top) if bars else [],
        "ticks": [
            {"value": tick, "y": f"{HEIGHT * (1 - tick / top):.1f}", "at": f"{100 * (1 - tick / top):.2f}"} for tick in ticks
        ],
        "x_labels": [
            {"text": labels[i], "at": f"{(i + 0.5) / count * 100:.2f}", "is_spare": n % 3 != 0}
            for n, i in enumerate(range(0, count, step))
        ],
        "rows": list(zip(labels, line.values, bars.values if bars else [None] * count, strict=True)),
        "bands": [
            {"x": f"{band * i:.1f}", "width": f"{band:.1f}", "label": labels[i], "value": line.values[i]}
            for i in range(count)
        ],
    }
    return render_to_string("ui/time_chart.html", context)


def stacked_bar(parts: Sequence[Part], *, label: str, legend: bool = True) -> SafeString:
    """Shares of a whole in one bar, with a legend that carries the figures."""
    total = sum(part.count for part in parts)
    at, rects = 0.0, []
    for part in parts:
        width = part.count / total * 100 if total else 0
        if width:
            rects.append({"x": f"{at:.3f}", "width": f"{width:.3f}", "tone": part.tone})
        at += width
    return render_to_string("ui/stacked_bar.html", {"parts": parts, "rects": rects, "label": label, "legend": legend})


def bar_list(rows: Sequence[Part], *, caption: str, total: int | None = None) -> SafeString:
    """Rows of name, horizontal bar, count. Bars are shares of `total`, or of the longest row."""
    longest = total or max((row.count for row in rows), default=0)
    drawn = [{"row": row, "width": f"{row.count / longest * 100:.2f}" if longest else "0"} for row in rows]
    return render_to_string("ui/bar_list.html", {"rows": drawn, "caption": caption})


def sparkline(values: Sequence[int], *, label: str, tone: str = "primary") -> SafeString:
    """A small line without axes; `label` says what it shows, the figures go to screen readers as a list."""
    top = max([*values, 1])
    step = 100 / max(len(values) - 1, 1)
    points = [(step * i, 28 - 26 * value / top) for i, value in enumerate(values)]
    return render_to_string(
        "ui/sparkline.html", {"path": smooth_path(points), "values": values, "label": label, "tone": tone}
    )


def nice_ticks(highest: int, wanted: int = 5) -> tuple[int, list[int]]:
    """The top of an axis and its ticks: whole numbers in steps of 1, 2, 2.5 or 5 times a power of ten."""
    raw = max(highest, 1) / wanted
    power = 10 ** (len(str(int(raw))) - 1) if raw >= 1 else 1
    steps = [power * factor for factor in (1, 2, 2.5, 5, 10) if (power * factor) % 1 == 0]
    step = int(next(candidate for candidate in steps if candidate >= raw))
    top = -(-max(highest, 1) // step) * step
    return top, list(range(0, top + 1, step))


def smooth_path(points: Sequence[tuple[float, float]]) -> str:
    """An SVG path through the points that never overshoots them (monotone cubic, Fritsch and Carlson)."""
    if not points:
        return ""
    path = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    if len(points) == 1:
        return path[0]
    slopes = [(y2 - y1) / (x2 - x1) for (x1, y1), (x2, y2) in itertools.pairwise(points)]
    tangents = [slopes[0]]
    for before, after in itertools.pairwise(slopes):
        # A turn in direction is an extreme: flat there, so that the curve stays between its neighbours.
        tangents.append(0.0 if before * after <= 0 else 2 * before * after / (before + after))
    tangents.append(slopes[-1])
    for i, ((x1, y1), (x2, y2)) in enumerate(itertools.pairwise(points)):
        third = (x2 - x1) / 3
        path.append(
            f"C{x1 + third:.1f} {y1 + tangents[i] * third:.1f} "
            f"{x2 - third:.1f} {y2 - tangents[i + 1] * third:.1f} {x2:.1f} {y2:.1f}"
        )
    return " ".join(path)


def _bar_rects(values: Sequence[int], band: float, top: int) -> list[dict[str, str]]:
    return [
        {
            "x": f"{band * (i + 0.16):.1f}",
            "width": f"{band * 0.68:.1f}",
            "y": f"{HEIGHT * (1 - value / top):.1f}",
            "height": f"{HEIGHT * value / top:.1f}",
        }
        for i, value in enumerate(values)
    ]
