import re
from xml.etree import ElementTree

import pytest
from django.utils.translation import override

from common.charts import Part, Series, bar_list, nice_ticks, smooth_path, sparkline, stacked_bar, time_chart

LABELS = [f"10:{minute:02d}" for minute in range(0, 48, 2)]
VALUES = [200, 900, 1500, 1900, 2100, 2150, 2160, 2140, 2150, 2120, 2150, 2160]
VALUES += [2130, 2150, 2100, 1800, 1500, 900, 600, 400, 300, 200, 150, 100]


@pytest.mark.parametrize(
    ("highest", "top", "ticks"),
    [
        (2160, 2500, [0, 500, 1000, 1500, 2000, 2500]),
        (1, 1, [0, 1]),
        (0, 1, [0, 1]),
        (7, 8, [0, 2, 4, 6, 8]),
        (99, 100, [0, 20, 40, 60, 80, 100]),
        (1_000_000, 1_000_000, [0, 200_000, 400_000, 600_000, 800_000, 1_000_000]),
    ],
)
def test_axes_have_round_ticks(highest, top, ticks):
    assert nice_ticks(highest) == (top, ticks)


@pytest.mark.parametrize("highest", [*range(1, 200), 999, 12_345, 7_777_777])
def test_axes_hold_every_value_in_few_steps(highest):
    top, ticks = nice_ticks(highest)
    assert top >= highest
    assert ticks[-1] == top
    assert 2 <= len(ticks) <= 7


def numbers(path):
    return [float(number) for number in re.findall(r"-?\d+\.?\d*", path)]


def test_the_curve_meets_its_points_and_never_overshoots():
    points = [(0.0, 100.0), (10.0, 0.0), (20.0, 0.0), (30.0, 50.0), (40.0, 40.0)]
    path = smooth_path(points)
    heights = numbers(path)[1::2]
    assert min(heights) >= 0
    assert max(heights) <= 100
    assert path.count("C") == len(points) - 1
    assert smooth_path([]) == ""
    assert smooth_path([(1, 2)]) == "M1.0 2.0"


@pytest.mark.parametrize("language", ["tr", "en"])
def test_time_chart_is_sound_and_says_its_figures(language):
    with override(language):
        html = time_chart(
            title="Teslimat <b>",
            labels=LABELS,
            line=Series("İletildi", VALUES),
            bars=Series("Tıklama", VALUES, "warning"),
        )
    ElementTree.fromstring(html)  # well-formed, so nothing of it leaks into the page around it
    assert "<b>" not in html
    assert " style=" not in html
    assert html.count('<th scope="row">') == len(LABELS)
    assert ("2.160" if language == "tr" else "2,160") in html
    coordinates = re.findall(r'(?:x|y|x1|x2|y1|y2|width|height|d)="([^"]*)"', html)
    assert not [value for value in coordinates if "," in value]  # a comma would be read as two numbers


def test_time_chart_of_one_and_of_nothing():
    ElementTree.fromstring(time_chart(title="t", labels=["10:00"], line=Series("a", [0])))
    ElementTree.fromstring(time_chart(title="t", labels=[], line=Series("a", [])))


def test_time_chart_wants_a_value_per_label():
    with pytest.raises(ValueError, match="one value per label"):
        time_chart(title="t", labels=["a"], line=Series("x", [1, 2]))


def test_long_charts_thin_their_labels():
    html = time_chart(title="t", labels=[str(i) for i in range(500)], line=Series("a", [1] * 500))
    assert html.count('text-anchor="middle"') <= 12


def test_stacked_bar_fills_its_track():
    html = stacked_bar([Part("a", 1), Part("b", 3, "danger")], label="x")
    widths = [float(width) for width in re.findall(r'<rect x="[^"]*" width="([^"]*)%"', html)]
    assert widths == [25.0, 75.0]
    assert "<rect" not in stacked_bar([Part("a", 0)], label="x")


def test_bar_list_measures_by_the_longest_or_the_total():
    rows = [Part("Kapalı", 50, "danger"), Part("Filtre", 25, "danger")]
    assert 'width="50.00%"' in bar_list(rows, caption="c")
    assert 'width="100.00%"' not in bar_list(rows, caption="c", total=100)
    assert "<tr>" not in bar_list([], caption="c")


def test_sparkline_speaks():
    html = sparkline([1, 5, 3], label="Son 3 gün")
    ElementTree.fromstring(html)
    assert "Son 3 gün: 1, 5, 3" in html
