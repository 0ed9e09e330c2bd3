"""The composer's autosave: one request stores the draft and answers with counter, estimate and phone."""

import re
import unicodedata

import pytest
from django.urls import reverse

from accounts.models import Tenant
from accounts.scope import tenant_scope
from contacts.models import ContactGroup
from gateways.models import SenderId

pytestmark = pytest.mark.django_db
TEXT = "Merhaba [İsim|değerli müşterimiz], sonbahar koleksiyonunda %20 indirim sizi bekliyor."


@pytest.fixture
def draft(shop):
    shop.add_contacts(2, name="Zeynep")
    shop.add_contacts(1, start=9, name="Abdurrahman Karahasanoğlu Büyükkaya Sarıçizmelioğlu")
    return shop.draft(text="")


@pytest.fixture
def save(shop, draft):
    def post(user=None, step="message", **data):
        client = shop.cast.client(user or shop.cast.ayse)
        data = {"version": 1, "sender": shop.sender.pk, "content_class": "commercial", **data}
        return client.post(reverse(f"campaigns:save_{step}", args=[draft.public_id]), data)

    return post


def read_version(page: str) -> int:
    return int(re.search(r'id="draft-version"[^>]*value="(\d+)"', page)[1])


def test_saves_counts_and_previews(shop, draft, save):
    answer = save(text=TEXT)
    page = answer.content.decode()
    assert answer.status_code == 200
    assert "Merhaba Zeynep, sonbahar" in page
    assert "RET AYSEBUTIK yaz 4609&#x27;a gönder" in page
    assert 'data-encoding="gsm7"' in page
    assert read_version(page) == 2
    stored = shop.reload(draft)
    assert (stored.text, stored.version, stored.updated_by_id) == (TEXT, 2, shop.cast.ayse.pk)


def test_text_pasted_decomposed_is_stored_composed(shop, draft, save):
    """macOS copies [Şehir] as S, a cedilla, ehir: that was no field, and went out as it stood."""
    page = save(text=unicodedata.normalize("NFD", "Yer: [Şehir]\r\nİşte")).content.decode()
    assert "Şehir değeri yok: bu alıcıya gönderilmez." in page
    assert shop.reload(draft).text == "Yer: [Şehir]\nİşte"


def test_the_preview_says_who_would_get_nothing(save):
    assert "Şehir değeri yok: bu alıcıya gönderilmez." in save(text="Yer: [Şehir]").content.decode()
    assert "bu alıcıya gönderilmez" not in save(version=2, text="Yer: [Şehir|mağazada]").content.decode()


def test_who_may_set_the_opt_out_code_is_shown_where(shop, save):
    Tenant.objects.filter(pk=shop.pk).update(opt_out_code="")
    link = f'href="{reverse("accounts:settings")}"'
    assert link in save(text=TEXT).content.decode()
    assert link not in save(shop.cast.burak, version=2, text=TEXT + "!").content.decode()


def test_an_emoji_makes_it_ucs2_and_is_named(save):
    page = save(text=TEXT + " 🎉 “Kaçırma”").content.decode()
    assert 'data-encoding="ucs2"' in page
    assert 'data-replace="🎉" data-with=""' in page
    assert 'data-replace="“" data-with="&quot;"' in page


def test_long_values_are_announced(save):
    page = save(text=TEXT + " a" * 20).content.decode()
    assert "uzun “İsim” nedeniyle 2" in page or "because of a long “İsim”" in page


def test_an_unknown_field_is_named_with_what_there_is(save):
    page = save(text="Puanınız [Puan]").content.decode()
    assert "[Puan]" in page and "[Kod]" in page and "alert-danger" in page


def test_more_than_ten_parts_are_refused_in_words(save):
    assert "alert-danger" in save(text="a" * 1600).content.decode()


def test_informational_with_promotional_words_asks_for_a_reason(save):
    page = save(text="%20 indirim", content_class="informational").content.decode()
    assert 'id="id_class_reason"' in page
    assert 'id="id_class_reason"' not in save(text="Siparişiniz yolda", content_class="informational").content.decode()


def test_two_editors_nothing_is_lost(shop, draft, save):
    save(user=shop.cast.burak, text="Burak'ın metni")
    page = save(user=shop.cast.ayse, text="Ayşe'nin metni").content.decode()
    assert "Burak" in page and "Burak&#x27;ın metni" in page  # whose version stands, and what it says
    assert read_version(page) == 0  # no later autosave slips through
    assert "Ayşe&#x27;nin metni" in page  # the phone goes on showing what she types
    assert shop.reload(draft).text == "Burak'ın metni"
    client = shop.cast.client(shop.cast.ayse)
    data = {"keep": 2, "version": 0, "text": "Ayşe'nin metni", "sender": shop.sender.pk, "content_class": "commercial"}
    answer = client.post(reverse("campaigns:message", args=[draft.public_id]), data)
    assert answer.status_code == 302
    assert shop.reload(draft).text == "Ayşe'nin metni"


@pytest.mark.parametrize("version", ["", "x", "-1", "99999999999999999999", "1e3"])
def test_a_broken_version_is_a_conflict_and_no_error(shop, draft, save, version):
    assert save(text="Yeni", version=version).status_code == 200
    assert shop.reload(draft).text == ""


def test_another_accounts_sender_or_list_is_no_choice(shop, draft, save):
    with tenant_scope(shop.cast.rakip.pk):
        foreign = SenderId(tenant=shop.cast.rakip, name="CAN", status="approved")
        foreign.save()
        group = ContactGroup(tenant=shop.cast.rakip, name="Onlar")
        group.save()
    save(text="Yeni", sender=foreign.pk)
    stored = shop.reload(draft)
    assert (stored.sender_id, stored.version) == (shop.sender.pk, 1)
    save(step="recipients", name="Yeni ad", **{f"list-{group.public_id}": "include"})
    with tenant_scope(shop.pk):
        assert not shop.reload(draft).group_links.exists()


def test_recipients_are_saved_with_an_estimate(shop, draft, save):
    vip = shop.make_group("VIP")
    page = save(
        step="recipients",
        name="Yeni ad",
        **{f"list-{shop.group.public_id}": "include", f"list-{vip.public_id}": "exclude"},
    ).content.decode()
    assert 'id="estimate"' in page
    stored = shop.reload(draft)
    assert stored.name == "Yeni ad"
    with tenant_scope(shop.pk):
        assert set(stored.group_links.values_list("group__name", "is_excluded")) == {
            ("Müşteriler", False),
            ("VIP", True),
        }


def test_an_account_with_thousands_of_lists_saves_its_recipients(shop, draft, save):
    """As a browser without JavaScript posts them: a field for each list, used or not."""
    with tenant_scope(shop.pk):
        lists = ContactGroup.objects.bulk_create(
            ContactGroup(tenant=shop.cast.butik, name=f"Liste {n}") for n in range(1500)
        )
    posted = {f"list-{group.public_id}": "" for group in lists} | {f"list-{lists[0].public_id}": "include"}
    assert save(step="recipients", name="Yeni ad", **posted).status_code == 200
    with tenant_scope(shop.pk):
        assert list(shop.reload(draft).group_links.values_list("group__name", "is_excluded")) == [("Liste 0", False)]
    client = shop.cast.client(shop.cast.ayse)
    page = client.get(reverse("campaigns:recipients", args=[draft.public_id])).content.decode()
    assert f'name="list-{lists[0].public_id}" value="include" checked' in page
    assert f'name="list-{lists[1].public_id}" value="" checked' in page


def test_a_use_that_there_is_not_changes_nothing(shop, draft, save):
    page = save(step="recipients", name="Yeni ad", **{f"list-{shop.group.public_id}": "burn"})
    assert "burn" in page.context["form_errors"][0]
    assert shop.reload(draft).version == 1


def test_a_launched_campaign_sends_the_editor_to_its_page(shop, draft, save):
    with tenant_scope(shop.pk):
        type(draft).objects.filter(pk=draft.pk).update(status="scheduled")
    answer = save(text="Geç kaldı")
    assert answer["HX-Redirect"] == reverse("campaigns:detail", args=[draft.public_id])
    assert shop.reload(draft).text == ""


@pytest.mark.parametrize(("person", "status"), [("vildan", 403), ("can", 404), ("burak", 200)])
def test_who_may(shop, save, person, status):
    for step in ("recipients", "message", "schedule"):
        assert save(user=getattr(shop.cast, person), step=step, name="x", when="now").status_code == status


def test_reading_is_no_way_to_write(shop, draft):
    client = shop.cast.client(shop.cast.ayse)
    assert client.get(reverse("campaigns:save_message", args=[draft.public_id])).status_code == 405
