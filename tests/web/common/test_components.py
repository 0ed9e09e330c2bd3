"""Components and number filters, in both languages."""

from decimal import Decimal
from types import SimpleNamespace

import pytest
from django.template import Context, Template
from django.test import RequestFactory
from django.utils.translation import override

from common.charts import Part


def render(text, **values):
    return Template("{% load peyk_ui %}" + text).render(Context(values))


@pytest.mark.parametrize(
    ("text", "value", "turkish", "english"),
    [
        ("{{ v|count }}", 148230, "148.230", "148,230"),
        ("{{ v|count }}", 0, "0", "0"),
        ("{{ v|count }}", None, "–", "–"),
        ("{{ v|credits }}", Decimal("148230.0000"), "148.230", "148,230"),
        ("{{ v|credits }}", Decimal("12.5000"), "12,5", "12.5"),
        ("{{ v|credits }}", Decimal("-1234.0625"), "-1.234,0625", "-1,234.0625"),
        ("{{ v|signed }}", Decimal("500"), "+500", "+500"),
        ("{{ v|signed }}", Decimal("-12.5"), "−12,5", "−12.5"),
        ("{{ v|signed }}", Decimal("0"), "–", "–"),
        ("{{ v|percent }}", 0.964, "%96,4", "96.4%"),
        ("{{ v|percent:2 }}", 0.0021, "%0,21", "0.21%"),
        ("{{ v|percent:0 }}", Decimal("0.665"), "%67", "67%"),
        ("{{ v|percent }}", 1, "%100,0", "100.0%"),
        ("{{ v|percent }}", None, "–", "–"),
        ("{{ v|msisdn }}", "+905321234107", "+90 532 123 41 07", "+90 532 123 41 07"),
        ("{{ v|msisdn }}", "+4915112345678", "+49 1511 2345678", "+49 1511 2345678"),
        ("{{ v|masked }}", "+905321234107", "+90 532 ••• 41 07", "+90 532 ••• 41 07"),
        ("{{ v|masked }}", "+4915112345678", "+49 ••• 5678", "+49 ••• 5678"),
        ("{{ v|masked }}", "4609", "•••", "•••"),
    ],
)
def test_numbers(text, value, turkish, english):
    with override("tr"):
        assert render(text, v=value) == turkish
    with override("en"):
        assert render(text, v=value) == english


def test_badge_escapes_and_knows_its_tones():
    assert "&lt;b&gt;" in render('{% badge v "danger" "ban" %}', v="<b>")
    with pytest.raises(ValueError, match="tone"):
        render('{% badge "x" "purple" %}')


def test_steps_mark_what_is_done_and_where_we_are():
    html = render("{% steps items 2 %}", items=[("Alıcılar", "/a/"), "Mesaj", ("Zamanlama", "/c/")])
    assert html.count('aria-current="step"') == 1
    assert '<a href="/a/">1<span class="wizard-label"> · Alıcılar</span></a>' in html
    assert '2<span class="wizard-label"> · Mesaj</span>' in html
    assert html.index("wizard-step-done") < html.index("wizard-step-current") < html.index("wizard-step-ahead")


def test_empty_state_offers_a_step_only_if_there_is_one():
    assert "btn" in render('{% empty_state "send" "Henüz yok" "Metin" "/yeni/" "Oluştur" %}')
    assert "btn" not in render('{% empty_state "send" "Henüz yok" %}')


def test_progress_bar_carries_its_figures():
    parts = [
        Part("İletildi", 27610, "success"),
        Part("Kaldı", 0, "muted"),
        Part("Hata", 9, "danger", url="/x/?a=1&b=2"),
    ]
    with override("tr"):
        html = render('{% progress_bar parts "Durum" %}', parts=parts)
    assert "İletildi 27.610" in html
    assert html.count("<rect") == 2  # nothing is drawn for nothing
    assert "/x/?a=1&amp;b=2" in html


def test_meter_stays_within_its_track():
    assert 'width="100.00%"' in render('{% meter 200 160 "Karakter" %}')
    assert 'aria-valuenow="0"' in render('{% meter 5 0 "Karakter" %}')


def test_pager_keeps_the_filters_and_drops_the_old_cursor():
    request = RequestFactory().get("/", {"q": "ayşe & co", "after": "old"})
    page = SimpleNamespace(next_cursor="NEW", previous_cursor="")
    html = Template("{% load peyk_ui %}{% pager page '#list' %}").render(Context({"request": request, "page": page}))
    assert "?q=ay%C5%9Fe+%26+co&amp;after=NEW" in html
    assert "old" not in html
    assert 'rel="prev"' not in html
    assert 'hx-target="#list"' in html
