"""A campaign that stands still says why, and what to do."""

from datetime import UTC, datetime, time

import pytest
from django.urls import reverse
from django.utils import timezone, translation

from accounts.scope import tenant_scope
from messaging.models import SendRun
from reporting.standstill import CAUSES, describe_standstill
from tests.launched import launch

State = SendRun.State


def change(campaign, **values):
    with tenant_scope(campaign.run.tenant_id):
        SendRun.objects.filter(pk=campaign.run_id).update(**values)


@pytest.mark.parametrize(
    ("reason", "text", "remedy"),
    [
        ("user", "Bir kullanıcı duraklattı.", "Hazır olduğunuzda sürdürün"),
        ("refusals", "operatör ilk mesajların çoğunu reddetti", "başlık operatörde onaylı mı"),
        ("gateway", "operatörle bağlantı yok", "Hiçbir mesaj kaybolmadı"),
        ("abuse", "içeriği incelemek için", "Destek ekibine yazın"),
        ("what nobody has heard of", "Kendiliğinden duraklatıldı", "yeniden durursa"),
    ],
)
def test_a_paused_campaign_names_reason_and_remedy(cast, reason, text, remedy):
    campaign = launch(cast)
    change(campaign, state=State.PAUSED, pause_reason=reason)
    page = cast.client(cast.ayse).get(reverse("reporting:campaign_live", args=[campaign.public_id])).content.decode()
    assert text in page and remedy in page


def test_a_sending_campaign_says_nothing(cast):
    page = cast.client(cast.ayse).get(reverse("reporting:campaign_live", args=[launch(cast).public_id]))
    assert "standstill" not in page.content.decode()


def test_outside_sending_hours_it_says_when_it_goes_on(cast, monkeypatch):
    campaign = launch(cast)
    change(campaign, window_opens=time(9), window_closes=time(20))
    night = datetime(2026, 11, 22, 20, 30, tzinfo=UTC)  # 23:30 in Istanbul
    monkeypatch.setattr(timezone, "now", lambda: night)
    with tenant_scope(campaign.run.tenant_id):
        campaign.run.refresh_from_db()
    found = describe_standstill(campaign.run, 10)
    assert found.tone == "info"
    assert (found.text, found.remedy) == (
        "Gönderim saati bekleniyor.",
        "23 Kasım 09:00 itibarıyla kendiliğinden sürer.",
    )
    assert describe_standstill(campaign.run, 0) is None


@pytest.mark.parametrize("cause", ["no_sender", "no_answers", "account_off", "maintenance", "resting"])
def test_a_stall_is_told_while_the_run_should_be_sending(cause):
    run = SendRun(state=State.RUNNING)
    assert describe_standstill(run, 5, cause) is CAUSES[cause]
    assert describe_standstill(run, 5) is None
    with translation.override("en"):
        assert "Nothing is lost" in str(CAUSES[cause].remedy)
