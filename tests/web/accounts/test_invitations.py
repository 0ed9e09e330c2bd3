"""Somebody known here is asked, not added: until they accept, neither they nor the account have anything of it."""

from unittest import mock
from uuid import uuid4

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from accounts.invitations import email_invitation
from accounts.models import AuditEntry, Membership, Role, Tenant, User
from accounts.scope import platform_scope, tenant_scope
from accounts.services import create_membership, create_tenant
from gateways.models import GatewayAccount
from gateways.services.alarms import list_people
from tests.conftest import PASSWORD

SETTINGS = reverse("accounts:settings")
INVITATIONS = reverse("accounts:invitation_list")


@pytest.fixture
def can(cast):
    """Can has an account of his own, and Ayşe's asks him to be its owner."""
    cast.can.set_password(PASSWORD)
    cast.can.last_login = timezone.now()
    cast.can.save()
    with mock.patch("accounts.tasks.send_invitation.delay"):
        data = {"email": cast.can.email, "full_name": "Başka Ad", "role": "owner"}
        assert cast.client(cast.ayse).post(reverse("accounts:member_add"), data).status_code == 302
    return cast.client(cast.can)


def answer(client, name, tenant):
    return client.post(reverse(f"accounts:invitation_{name}", args=[tenant.public_id]), follow=True)


def list_actions(cast):
    with tenant_scope(cast.butik.pk):
        return list(AuditEntry.objects.order_by("pk").values_list("action", "actor__email"))


def test_who_is_invited_stays_where_they_are(cast, can):
    """Ayşe Butik comes before Can Market: by name it would be his account from now on."""
    page = can.get(SETTINGS)
    assert page.context["actor"].tenant == cast.rakip
    assert "Ayşe Butik" in page.content.decode() and INVITATIONS in page.content.decode()
    assert can.post(reverse("accounts:switch", args=[cast.butik.public_id])).status_code == 404
    assert list_actions(cast)[-1] == ("member.asked", cast.ayse.email)


def test_the_account_sees_the_address_alone(cast, can):
    page = cast.client(cast.ayse).get(reverse("accounts:member_list")).content.decode()
    row = next(part for part in page.split("<tr>") if cast.can.email in part)
    assert "<strong>can@example.com</strong>" in row and "Davet edildi" in row
    assert "<time" not in row and ">Can<" not in row


def test_an_invitation_gives_nothing_below_the_account_either(cast, can):
    with tenant_scope(cast.butik.pk):
        branch = create_tenant(name="Şube", slug="sube", parent=cast.butik)
    assert can.post(reverse("accounts:switch", args=[branch.public_id])).status_code == 404
    with platform_scope(reason="test"):
        account = GatewayAccount(tenant=cast.butik, name="Netgsm", adapter="netgsm")
        account.save()
        assert cast.can not in list_people(account)


def test_an_owner_who_has_not_accepted_is_not_the_other_owner(cast, can):
    cast.client(cast.ayse).post(reverse("accounts:member_remove", args=[cast.ayse.public_id]))
    with tenant_scope(cast.butik.pk):
        assert Membership.objects.filter(user=cast.ayse).exists()


def test_accepting(cast, can):
    assert "Ayşe Butik" in can.get(INVITATIONS).content.decode()
    answer(can, "accept", cast.butik)
    assert can.get(SETTINGS).context["actor"].tenant == cast.rakip  # he goes there when he wants to
    assert can.post(reverse("accounts:switch", args=[cast.butik.public_id])).status_code == 302
    assert can.get(SETTINGS).context["actor"].role == Role.OWNER
    assert list_actions(cast)[-2:] == [("member.joined", cast.can.email), ("tenant.switched", cast.can.email)]
    assert answer(can, "accept", cast.butik).status_code == 404


def test_declining(cast, can):
    answer(can, "decline", cast.butik)
    with tenant_scope(cast.butik.pk):
        assert not Membership.objects.filter(user=cast.can).exists()
    assert list_actions(cast)[-1] == ("member.declined", cast.can.email)


@pytest.mark.parametrize("name", ["accept", "decline"])
def test_only_the_invited_answer(cast, can, name):
    for person in (cast.burak, cast.deniz):
        assert answer(cast.client(person), name, cast.butik).status_code == 404
    assert can.post(reverse(f"accounts:invitation_{name}", args=[uuid4()])).status_code == 404
    assert can.get(reverse(f"accounts:invitation_{name}", args=[cast.butik.public_id])).status_code == 405


def test_a_withdrawn_invitation_is_gone(cast, can):
    cast.client(cast.ayse).post(reverse("accounts:member_remove", args=[cast.can.public_id]))
    assert answer(can, "accept", cast.butik).status_code == 404


def test_a_closed_account_invites_nobody(cast, can):
    Tenant.objects.filter(pk=cast.butik.pk).update(is_active=False)
    assert answer(can, "accept", cast.butik).status_code == 404


def test_an_invitation_to_the_first_account_is_shown_at_the_door(cast, can):
    with tenant_scope(cast.rakip.pk):
        Membership.objects.filter(user=cast.can).delete()
    assert can.get("/", follow=True).redirect_chain[-1][0] == INVITATIONS
    answer(can, "accept", cast.butik)
    assert can.get(SETTINGS).context["actor"].tenant == cast.butik


@pytest.mark.parametrize(("language", "words"), [("tr", "davet ediyor"), ("en", "invites you")])
def test_the_mail_leads_to_the_answer_and_is_sent_again(cast, can, language, words):
    User.objects.filter(pk=cast.can.pk).update(language=language)
    with mock.patch("accounts.views.members._invite") as invite:
        cast.client(cast.ayse).post(reverse("accounts:member_invite", args=[cast.can.public_id]))
    assert invite.called
    with tenant_scope(cast.butik.pk):
        email_invitation(user_id=cast.can.pk, tenant_id=cast.butik.pk, inviter="Ayşe")
    (letter,) = mail.outbox
    assert words in letter.subject and words in letter.body and "Ayşe Butik" in letter.subject
    assert INVITATIONS in letter.body


def test_a_session_begins_where_the_last_one_was(cast):
    """Else with the account that the person has had longest, whatever others are called."""
    create_membership(tenant=cast.ajans, user=cast.ayse, role="viewer")
    first = create_tenant(name="AAA", slug="aaa", owner=cast.ayse)
    assert cast.client(cast.ayse).get(SETTINGS).context["actor"].tenant == cast.butik
    cast.client(cast.ayse).post(reverse("accounts:switch", args=[first.public_id]))
    assert cast.client(cast.ayse).get(SETTINGS).context["actor"].tenant == first
    with tenant_scope(first.pk):
        Membership.objects.filter(user=cast.ayse).delete()
    assert cast.client(cast.ayse).get(SETTINGS).context["actor"].tenant == cast.butik


def test_a_sub_account_is_entered_by_a_switch_alone(cast):
    cast.client(cast.deniz).post(reverse("accounts:switch", args=[cast.butik.public_id]))
    assert cast.client(cast.deniz).get(SETTINGS).context["actor"].tenant == cast.ajans
