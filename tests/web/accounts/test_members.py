from unittest import mock
from uuid import uuid4

import pytest
from django.core import mail
from django.urls import reverse

from accounts.invitations import email_invitation
from accounts.models import AuditEntry, Membership, Role, User
from accounts.scope import tenant_scope
from accounts.services import create_membership


def roles(cast):
    with tenant_scope(cast.butik.pk):
        return dict(Membership.objects.values_list("user__email", "role"))


def add(client, email="yeni@example.com", role="editor"):
    return client.post(reverse("accounts:member_add"), {"email": email, "full_name": "Yeni", "role": role})


def test_everybody_reads_the_list_but_only_managers_act(cast):
    owner = cast.client(cast.ayse).get(reverse("accounts:member_list")).content.decode()
    viewer = cast.client(cast.vildan).get(reverse("accounts:member_list")).content.decode()
    assert cast.burak.email in owner
    assert cast.burak.email in viewer
    remove = reverse("accounts:member_remove", args=[cast.burak.public_id])
    assert remove in owner
    assert remove not in viewer
    assert cast.can.email not in owner


def test_leafs_through_many_members(cast):
    people = User.objects.bulk_create(User(email=f"uye{n}@example.com") for n in range(60))
    with tenant_scope(cast.butik.pk):
        Membership.objects.bulk_create(Membership(tenant=cast.butik, user=user, role="viewer") for user in people)
    client, url = cast.client(cast.ayse), reverse("accounts:member_list")
    first = client.get(url).context
    second = client.get(url, {"after": first["page"].next_cursor}).context
    seen = [row["membership"].user for context in (first, second) for row in context["rows"]]
    assert (len(first["rows"]), len(second["rows"])) == (50, 13)
    assert len(set(seen)) == 63 and seen[0] == cast.ayse


def test_adding_somebody_new_invites_them(cast, django_capture_on_commit_callbacks):
    with (
        mock.patch("accounts.tasks.send_invitation.delay") as delay,
        django_capture_on_commit_callbacks(execute=True),
    ):
        assert add(cast.client(cast.ayse), email="Yeni@Example.com").status_code == 302
    user = User.objects.get(email="yeni@example.com")
    assert not user.has_usable_password()
    assert roles(cast)[user.email] == Role.EDITOR
    delay.assert_called_once_with(user_id=user.pk, tenant_id=cast.butik.pk, inviter="Ayse")


def test_the_invitation_leads_to_a_password(cast, client):
    user = User.objects.create_user("yeni@example.com", None, language="en")
    email_invitation(user_id=user.pk, tenant_id=cast.butik.pk, inviter="Ayşe")
    body = mail.outbox[0].body
    assert "Ayşe Butik" in mail.outbox[0].subject
    path = next(line for line in body.splitlines() if line.startswith("http")).split("/", 3)[3]
    form = client.get(f"/{path}", follow=True)
    secret = "yepyeni-uzun-parola-7"
    client.post(form.request["PATH_INFO"], {"password1": secret, "password2": secret})
    assert User.objects.get(pk=user.pk).check_password(secret)


def test_nobody_is_added_twice(cast):
    response = add(cast.client(cast.ayse), email=cast.burak.email, role="viewer")
    assert "email" in response.context["form"].errors
    assert roles(cast)[cast.burak.email] == Role.EDITOR


def test_only_owners_make_owners(cast):
    with tenant_scope(cast.butik.pk):
        create_membership(tenant=cast.butik, user=cast.can, role=Role.ADMIN)
    admin = cast.client(cast.can)
    admin.post(reverse("accounts:switch", args=[cast.butik.public_id]))
    assert "role" in add(admin, role="owner").context["form"].errors
    admin.post(reverse("accounts:member_role", args=[cast.burak.public_id]), {"role": "owner"})
    admin.post(reverse("accounts:member_role", args=[cast.ayse.public_id]), {"role": "viewer"})
    admin.post(reverse("accounts:member_remove", args=[cast.ayse.public_id]))
    assert roles(cast) == {
        cast.ayse.email: "owner",
        cast.burak.email: "editor",
        cast.vildan.email: "viewer",
        cast.can.email: "admin",
    }


def test_the_last_owner_stays(cast):
    client = cast.client(cast.ayse)
    client.post(reverse("accounts:member_role", args=[cast.ayse.public_id]), {"role": "viewer"})
    client.post(reverse("accounts:member_remove", args=[cast.ayse.public_id]))
    assert roles(cast)[cast.ayse.email] == Role.OWNER
    client.post(reverse("accounts:member_role", args=[cast.burak.public_id]), {"role": "owner"})
    client.post(reverse("accounts:member_remove", args=[cast.ayse.public_id]))
    assert cast.ayse.email not in roles(cast)


def test_changes_are_audited(cast):
    client = cast.client(cast.ayse)
    client.post(reverse("accounts:member_role", args=[cast.burak.public_id]), {"role": "approver"})
    client.post(reverse("accounts:member_remove", args=[cast.vildan.public_id]))
    with tenant_scope(cast.butik.pk):
        changed = AuditEntry.objects.get(action="member.role_changed")
        assert changed.data == {"role": {"from": "editor", "to": "approver"}}
        assert AuditEntry.objects.get(action="member.removed").target == cast.vildan.email


def test_bad_role_changes_nothing(cast):
    cast.client(cast.ayse).post(reverse("accounts:member_role", args=[cast.burak.public_id]), {"role": "king"})
    assert roles(cast)[cast.burak.email] == Role.EDITOR


@pytest.mark.parametrize("name", ["member_role", "member_remove", "member_invite"])
def test_strangers_unknown_ids_and_wrong_methods(cast, name):
    owner = cast.client(cast.ayse)
    assert owner.post(reverse(f"accounts:{name}", args=[uuid4()])).status_code == 404
    assert owner.post(reverse(f"accounts:{name}", args=[cast.can.public_id])).status_code == 404
    assert owner.get(reverse(f"accounts:{name}", args=[cast.burak.public_id])).status_code == 405
    editor = cast.client(cast.burak)
    assert editor.post(reverse(f"accounts:{name}", args=[cast.vildan.public_id])).status_code == 403
