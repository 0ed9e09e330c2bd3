"""The composer's pages: each step works, keeps itself, and stays shut to strangers and viewers."""

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db

STEPS = ("recipients", "message", "schedule")


@pytest.fixture
def draft(shop):
    shop.add_contacts(3, name="Zeynep")
    return shop.draft()


def url(name, campaign):
    return reverse(f"campaigns:{name}", args=[campaign.public_id])


@pytest.mark.parametrize("step", [*STEPS, "check"])
def test_pages_work_for_owner_and_teammate(shop, draft, step):
    for user in (shop.cast.ayse, shop.cast.burak, shop.cast.deniz):
        client = shop.cast.client(user)
        if user == shop.cast.deniz:
            session = client.session
            session["tenant"] = str(shop.cast.butik.public_id)
            session.save()
        answer = client.get(url(step, draft))
        assert answer.status_code == 200, answer.status_code
        assert "Sonbahar indirimi" in answer.content.decode()


@pytest.mark.parametrize("step", STEPS)
def test_viewers_read_the_check_only(shop, draft, step):
    client = shop.cast.client(shop.cast.vildan)
    assert client.get(url(step, draft)).status_code == 403
    assert client.get(url("check", draft)).status_code == 200


@pytest.mark.parametrize("step", [*STEPS, "check", "preview", "progress", "detail"])
def test_strangers_get_404(shop, draft, step):
    assert shop.cast.client(shop.cast.can).get(url(step, draft)).status_code == 404


def test_without_a_sign_in_there_is_nothing(client, draft):
    assert client.get(url("message", draft)).status_code == 302
