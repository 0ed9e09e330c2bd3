import pytest
from django.db.models import QuerySet

from accounts.models import Membership, User
from accounts.scope import platform_scope
from accounts.services import MemberError, add_member, create_membership


def add(cast, email):
    return add_member(
        tenant=cast.butik, email=email, full_name="Ece", role="editor", actor=cast.ayse, actor_role="owner"
    )


def test_a_person_whom_another_account_added_a_moment_ago(cast, monkeypatch):
    """Two at once: neither sees the other's person before it writes its own."""
    ece = User.objects.create_user("ece@example.com", None)
    look = QuerySet.first
    answers = iter([None])
    monkeypatch.setattr(QuerySet, "first", lambda rows: next(answers) if rows.model is User else look(rows))
    membership, is_new = add(cast, "ece@example.com")
    assert (membership.user, is_new) == (ece, False)


def test_a_member_who_was_added_a_moment_ago(cast, monkeypatch):
    ece = User.objects.create_user("ece@example.com", None)
    create_membership(tenant=cast.butik, user=ece, role="viewer")
    monkeypatch.setattr(QuerySet, "exists", lambda rows: False)
    with pytest.raises(MemberError, match="already_member"):
        add(cast, "ece@example.com")
    with platform_scope(reason="test"):
        assert Membership.objects.get(user=ece).role == "viewer"
