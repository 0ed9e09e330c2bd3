"""Platform staff: every registered page opens, secrets stay in, staff only."""

import pytest
from django.contrib import admin
from django.urls import reverse
from django.utils import translation

from accounts.models import AuditEntry, Tenant, User
from accounts.scope import platform_scope, tenant_scope
from accounts.services import create_tenant
from gateways.models import GatewayAccount
from gateways.services.senders import request_sender
from messaging.models import Message
from optout.models import SuppressionEntry
from optout.services import record_opt_out
from tests.launched import launch


@pytest.fixture
def staff(cast):
    return cast.client(User.objects.create_superuser("staff@example.com", None))


def test_every_list_and_form_opens(cast, staff):
    with tenant_scope(cast.butik.pk):
        request_sender(tenant=cast.butik, name="AYSEBUTIK", actor=cast.ayse)
    assert staff.get(reverse("admin:index")).status_code == 200
    for model in admin.site._registry:
        name = f"{model._meta.app_label}_{model._meta.model_name}"
        assert staff.get(reverse(f"admin:{name}_changelist")).status_code == 200, name
        assert staff.get(reverse(f"admin:{name}_changelist"), {"q": "a"}).status_code == 200, name
        assert staff.get(reverse(f"admin:{name}_add")).status_code in (200, 403), name
        with platform_scope(reason="test"):
            row = model._default_manager.first()
        if row is not None:
            assert staff.get(reverse(f"admin:{name}_change", args=[row.pk])).status_code == 200, name


def test_every_field_has_a_turkish_name():
    """A field without a name of its own gets it in common/field_names.py."""
    with translation.override("tr"):
        nameless = [
            f"{model._meta.label}.{field.name}"
            for model in admin.site._registry
            if not model.__module__.startswith(("allauth.", "django."))
            for field in model._meta.local_fields
            if field.name != "id" and str(field.verbose_name) == field.name.replace("_", " ")
        ]
    assert nameless == []


def test_counts_and_ids_read_as_people_write_them(cast, staff):
    campaign = launch(cast, 2)
    page = staff.get(reverse("admin:accounts_tenant_changelist")).content.decode()
    assert "3 hesap\n" in page
    with tenant_scope(cast.butik.pk):
        message = Message.objects.filter(run=campaign.run).first()
    page = staff.get(reverse("admin:messaging_message_changelist")).content.decode()
    assert f">{message.pk}</a>" in page
    assert "Sırada (queued)" in page
    assert f"gönderim {campaign.run_id}<" in page
    assert "2 mesaj\n" in page


def test_the_audit_trail_is_read_only(staff):
    assert staff.get(reverse("admin:accounts_auditentry_add")).status_code == 403


def test_makes_a_person_who_can_sign_in(staff):
    secret = "yepyeni-uzun-parola-7"
    staff.post(
        reverse("admin:accounts_user_add"),
        {
            "email": "New@Example.com",
            "full_name": "Yeni",
            "usable_password": "true",
            "password1": secret,
            "password2": secret,
        },
    )
    assert User.objects.get(email="new@example.com").check_password(secret)


@pytest.mark.parametrize(
    ("settings", "secret", "message"),
    [
        ('{"port": "2775"}', "", "port: a number"),
        ('{"bind_mode": "both"}', "", "bind_mode: one of transceiver, separate"),
        ('{"colour": "red"}', "", "colour diye bir ayar yok."),
        ("{}", "far too long for it", "password: at most 8"),
    ],
)
def test_settings_that_cannot_work_are_refused_by_name(staff, settings, secret, message):
    values = {"name": "Turkcell", "adapter": "smpp", "settings": settings, "rate_per_second": 100, "window_size": 10}
    values |= {"slots": 1, "is_active": "on", "new_secret": secret}
    answer = staff.post(reverse("admin:gateways_gatewayaccount_add"), values)
    assert message in answer.content.decode()
    with platform_scope(reason="test"):
        assert not GatewayAccount.objects.filter(name="Turkcell").exists()


def test_a_secret_that_cannot_be_read_is_asked_for_again(staff):
    with platform_scope(reason="test"):
        account = GatewayAccount(name="Turkcell", adapter="smpp", secret="v1:broken")
        account.save()
    values = {"name": "Turkcell", "adapter": "smpp", "settings": "{}", "rate_per_second": 100, "window_size": 10}
    page = reverse("admin:gateways_gatewayaccount_change", args=[account.pk])
    answer = staff.post(page, {**values, "slots": 1})
    assert answer.status_code == 200 and answer.context["adminform"].form.errors.keys() == {"new_secret"}
    assert staff.post(page, {**values, "slots": 1, "new_secret": "yeni"}).status_code == 302


def test_a_secret_goes_in_and_never_comes_out(staff):
    values = {"name": "Turkcell", "adapter": "smpp", "settings": "{}", "rate_per_second": 100, "window_size": 10}
    values |= {"slots": 1, "is_active": "on"}
    staff.post(reverse("admin:gateways_gatewayaccount_add"), {**values, "new_secret": "gizli 7"})
    with platform_scope(reason="test"):
        account = GatewayAccount.objects.get(name="Turkcell")
    assert account.get_secret() == "gizli 7"
    assert "gizli 7" not in account.secret
    url = reverse("admin:gateways_gatewayaccount_change", args=[account.pk])
    page = staff.get(url).content.decode()
    assert "gizli 7" not in page
    assert account.secret not in page
    staff.post(url, {**values, "name": "Turkcell 2", "new_secret": ""})
    with platform_scope(reason="test"):
        account.refresh_from_db()
    assert (account.name, account.get_secret()) == ("Turkcell 2", "gizli 7")


def test_blocks_a_number_for_everybody(staff):
    add = reverse("admin:optout_suppressionentry_add")
    assert staff.post(add, {"msisdn": "0532 111 22 33", "tenant": "", "reason": "Mahkeme kararı"}).status_code == 302
    with platform_scope(reason="test"):
        entry = SuppressionEntry.objects.get()
    assert (entry.msisdn, entry.tenant, entry.source) == ("+905321112233", None, "platform")
    assert staff.post(add, {"msisdn": "abc", "tenant": "", "reason": ""}).status_code == 200


def test_takes_a_number_off_again_with_a_reason(staff):
    with platform_scope(reason="test"):
        record_opt_out(tenant_id=None, msisdn="+905321112233", source="platform")
        entry = SuppressionEntry.objects.get()
    action = {"action": "take_off", "_selected_action": entry.pk}
    for reason, is_active in (("", True), ("Karar kalktı", False)):
        staff.post(reverse("admin:optout_suppressionentry_changelist"), {**action, "reason": reason})
        with platform_scope(reason="test"):
            entry.refresh_from_db()
        assert entry.is_active is is_active
    assert entry.removal_reason == "Karar kalktı"


def test_opens_an_account_with_an_owner(cast, staff):
    values = {"name": "Yeni", "slug": "yeni", "time_zone": "Europe/Istanbul", "is_active": "on"}
    page = staff.get(reverse("admin:accounts_tenant_add"))
    prefix = page.context["inline_admin_formsets"][0].formset.prefix
    inline = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 0, "0-user": cast.can.pk, "0-role": "owner"}
    values |= {f"{prefix}-{name}": value for name, value in inline.items()}
    assert staff.post(reverse("admin:accounts_tenant_add"), values).status_code == 302
    with platform_scope(reason="test"):
        tenant = Tenant.objects.get(slug="yeni")
        added = AuditEntry.objects.get(tenant=tenant, action="member.added")
    assert (added.target, added.data, added.actor.email) == (cast.can.email, {"role": "owner"}, "staff@example.com")
    chosen = cast.client(cast.can)
    assert chosen.post(reverse("accounts:switch", args=[tenant.public_id])).status_code == 302


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("time_zone", "Istanbul"),
        ("opt_out_code", "RET"),
        ("opt_out_code", "ayşe"),
        ("opt_out_number", "kısa"),
        ("mersis_number", "12"),
        ("parent", "butik"),
        ("parent", "ajans"),
    ],
)
def test_settings_that_lock_an_account_out_are_refused(cast, staff, field, value):
    if field == "parent":  # itself, and the account below it
        value = getattr(cast, value).pk
    page = reverse("admin:accounts_tenant_change", args=[cast.ajans.pk])
    prefix = staff.get(page).context["inline_admin_formsets"][0].formset.prefix
    values = {"name": "Ajans", "slug": "ajans", "time_zone": "Europe/Istanbul", "is_active": "on", field: value}
    values |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    answer = staff.post(page, values)
    assert answer.status_code == 200 and answer.context["adminform"].form.errors
    with platform_scope(reason="test"):
        stored = Tenant.objects.get(pk=cast.ajans.pk)
    assert (stored.time_zone, stored.opt_out_code, stored.parent) == (cast.ajans.time_zone, "", None)


def test_closing_an_agency_closes_what_is_below_it(cast, staff):
    branch = create_tenant(name="Şube", slug="sube", parent=cast.butik)
    page = reverse("admin:accounts_tenant_change", args=[cast.ajans.pk])
    prefix = staff.get(page).context["inline_admin_formsets"][0].formset.prefix
    values = {"name": "Ajans", "slug": "ajans", "time_zone": "Europe/Istanbul"}
    values |= {f"{prefix}-TOTAL_FORMS": 0, f"{prefix}-INITIAL_FORMS": 0}
    said = staff.post(page, values, follow=True).content.decode()
    assert "Ayşe Butik" in said and "Şube" in said
    closed = Tenant.objects.filter(is_active=False)
    assert set(closed) == {cast.ajans, cast.butik, branch}  # and Can's is as it was
    with platform_scope(reason="test"):
        trail = AuditEntry.objects.filter(action="tenant.closed").values_list("tenant__name", flat=True)
        assert set(trail) == {"Ayşe Butik", "Şube"}
    staff.post(page, values | {"is_active": "on"})
    assert set(closed.all()) == {cast.butik, branch}


def test_members_are_sent_away(cast, client):
    assert client.get(reverse("admin:index")).status_code == 302
    assert cast.client(cast.ayse).get(reverse("admin:index")).status_code in (302, 403)
    assert "/auth/login/" in client.get(reverse("admin:login"))["Location"]
