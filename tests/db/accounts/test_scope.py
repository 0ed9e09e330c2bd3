import pytest
from django.db import connection, transaction
from django.db.models import Count

from accounts.models import AuditEntry, Membership
from accounts.scope import ForeignTenantRow, NoTenantScope, current_scope, platform_scope, stream_in_scope, tenant_scope


def count_raw_memberships() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM accounts_membership")
        return cursor.fetchone()[0]


def test_queries_without_scope_raise(cast):
    queries = [
        lambda: list(Membership.objects.all()),
        Membership.objects.count,
        Membership.objects.exists,
        lambda: Membership.objects.filter(role="owner").update(role="viewer"),
        lambda: Membership.objects.filter(role="owner").delete(),
        lambda: Membership.objects.aggregate(n=Count("pk")),
        lambda: list(Membership._base_manager.all()),
    ]
    for query in queries:
        with pytest.raises(NoTenantScope), transaction.atomic():
            query()


def test_raw_sql_without_scope_sees_nothing(cast):
    assert count_raw_memberships() == 0


def test_scope_shows_own_rows_only_even_through_raw_sql(cast):
    with tenant_scope(cast.rakip.pk):
        assert [m.user for m in Membership.objects.select_related("user")] == [cast.can]
        assert count_raw_memberships() == 1
    with platform_scope(reason="test"):
        assert count_raw_memberships() == 5


def test_nested_scopes_restore_the_outer_one(cast):
    with tenant_scope(cast.butik.pk):
        with tenant_scope(cast.rakip.pk):
            assert count_raw_memberships() == 1
        assert count_raw_memberships() == 3
        with pytest.raises(ZeroDivisionError), platform_scope(reason="test"):
            raise ZeroDivisionError
        assert count_raw_memberships() == 3
    assert current_scope() is None
    assert count_raw_memberships() == 0


def test_foreign_rows_are_refused(cast):
    with tenant_scope(cast.rakip.pk):
        with pytest.raises(ForeignTenantRow):
            Membership(tenant=cast.butik, user=cast.can, role="owner").save()
        with pytest.raises(ForeignTenantRow):
            Membership.objects.bulk_create([Membership(tenant=cast.butik, user=cast.can, role="owner")])


def test_a_stream_keeps_its_scope_to_itself(cast):
    stream = stream_in_scope(cast.butik.pk, lambda: (m.role for m in Membership.objects.order_by("pk")))
    assert next(stream) == "owner"
    assert current_scope() is None
    assert len(list(stream)) == 2


def test_audit_trail_is_append_only(cast):
    with platform_scope(reason="test"):
        entry = AuditEntry.objects.first()
        assert entry is not None
        with pytest.raises(Exception, match="append-only"):
            AuditEntry.objects.filter(pk=entry.pk).update(action="x")
