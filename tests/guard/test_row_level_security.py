"""Nets 1 and 3: the database itself keeps tenants apart, on every table, for raw SQL too."""

import re

import pytest
from django.apps import apps
from django.db import connection

from accounts.scope import NoTenantScope, platform_scope, tenant_scope
from accounts.tenancy import GuardedModel
from tests.launched import launch

pytestmark = pytest.mark.django_db

# Tables of ours without a tenant. Everything else with rows of the product has a `tenant_id`.
WITHOUT_TENANT = {
    "accounts_tenant": "the account itself",
    "accounts_user": "a person may belong to several accounts",
    "accounts_user_groups": "platform staff",
    "accounts_user_user_permissions": "platform staff",
    "gateways_portednumber": "the national list of ported numbers: the same for everybody",
    "gateways_providercharge": "the platform's until matched: opened by platform scope only",
    "gateways_pullcursor": "how far a connection was read, of the platform: opened by platform scope only",
    "messaging_databaseidentity": "the whole database's, of the platform: opened by platform scope only",
    "messaging_receiptinbox": "the platform's until matched: opened by platform scope only",
}
OUR_APPS = ("accounts", "billing", "campaigns", "contacts", "gateways", "messaging", "optout", "reporting")
GUARDED = [model for model in apps.get_models() if issubclass(model, GuardedModel)]


def list_tables() -> dict[str, tuple[bool, bool, bool, int]]:
    """Tables of our apps: (has tenant_id, security enabled, security forced, number of policies)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT c.relname, EXISTS (SELECT 1 FROM pg_attribute a
                    WHERE a.attrelid = c.oid AND a.attname = 'tenant_id' AND NOT a.attisdropped),
                c.relrowsecurity, c.relforcerowsecurity, (SELECT count(*) FROM pg_policy p WHERE p.polrelid = c.oid)
            FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
            WHERE c.relkind IN ('r', 'p') AND split_part(c.relname, '_', 1) = ANY(%s)
            """,
            [list(OUR_APPS)],
        )
        return {name: tuple(rest) for name, *rest in cursor.fetchall()}


def test_every_table_with_a_tenant_has_forced_security():
    tables = list_tables()
    assert len(tables) > 20
    open_ones = [
        name
        for name, (has_tenant, is_enabled, is_forced, policies) in tables.items()
        if has_tenant and not (is_enabled and is_forced and policies == 4)
    ]
    assert open_ones == []


def test_every_table_has_a_tenant_or_a_reason():
    partition = re.compile(r"_(\d{6}|legacy)$")  # for its table's reason
    without = {partition.sub("", name) for name, (has_tenant, *_rest) in list_tables().items() if not has_tenant}
    assert without == set(WITHOUT_TENANT)


def test_the_receipt_inbox_opens_in_platform_scope_only(cast):
    assert list_tables()["messaging_receiptinbox"][1:3] == (True, True)
    with tenant_scope(cast.butik.pk), connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM messaging_receiptinbox")
        assert cursor.fetchone() == (0,)


def test_the_role_cannot_look_past_it():
    with connection.cursor() as cursor:
        cursor.execute("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
        assert cursor.fetchone() == (False,)


def test_views_run_as_who_asks():
    """A view runs with its owner's rights unless told otherwise: it would be a hole in every policy."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'"
            " WHERE c.relkind IN ('v', 'm') AND NOT coalesce('security_invoker=true' = ANY(c.reloptions), false)"
        )
        assert cursor.fetchall() == []


@pytest.mark.parametrize("model", GUARDED, ids=lambda model: model._meta.label)
def test_raw_sql_sees_nothing_of_others(model, cast):
    """T2. One row of Ayşe's in every table would need every app; instead: the policies count, not the rows."""
    table, is_shared = model._meta.db_table, getattr(model, "shared_rows_visible", False)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT polcmd::text, pg_get_expr(polqual, polrelid), pg_get_expr(polwithcheck, polrelid)"
            " FROM pg_policy WHERE polrelid = %s::regclass",
            [table],
        )
        policies = {command: (using or "") + (check or "") for command, using, check in cursor.fetchall()}
    assert set(policies) == {"r", "a", "w", "d"}
    for command, expression in policies.items():
        assert "app.tenant" in expression and "app.platform" in expression
        # Rows without a tenant are shared for reading only, and only where the model says so.
        assert ("tenant_id IS NULL" in expression) == (command == "r" and is_shared), command


@pytest.mark.parametrize("model", GUARDED, ids=lambda model: model._meta.label)
def test_nothing_without_a_scope(model):
    with pytest.raises(NoTenantScope):
        model.objects.exists()
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {model._meta.db_table} WHERE tenant_id IS NOT NULL")
        assert cursor.fetchone() == (0,)


def test_there_are_rows_to_hide(cast):
    """What the tests above rely on: with a scope there is something to see, without one there is not."""
    count = "SELECT count(*) FROM accounts_membership"
    with connection.cursor() as cursor:
        cursor.execute(count)
        assert cursor.fetchone() == (0,)
        with tenant_scope(cast.butik.pk):
            cursor.execute(count)
            assert cursor.fetchone() == (3,)
        with platform_scope(reason="test"):
            cursor.execute(count)
            assert cursor.fetchone() == (5,)
        cursor.execute(count)
        assert cursor.fetchone() == (0,)


def test_partitions_have_their_parents_policies():
    """Who names a partition gets its own policies, not its parent's."""
    with connection.cursor() as cursor:
        cursor.execute(
            """
            SELECT part.relname, part.relrowsecurity AND part.relforcerowsecurity, own.policies = parent.policies
            FROM pg_inherits i JOIN pg_class part ON part.oid = i.inhrelid AND part.relkind = 'r',
                LATERAL (SELECT array_agg((polname, polcmd, pg_get_expr(polqual, polrelid),
                    pg_get_expr(polwithcheck, polrelid))::text ORDER BY polname) AS policies
                    FROM pg_policy WHERE polrelid = i.inhrelid) own,
                LATERAL (SELECT array_agg((polname, polcmd, pg_get_expr(polqual, polrelid),
                    pg_get_expr(polwithcheck, polrelid))::text ORDER BY polname) AS policies
                    FROM pg_policy WHERE polrelid = i.inhparent) parent
            """
        )
        rows = cursor.fetchall()
    assert len(rows) >= 9  # three tables, three months
    assert [row for row in rows if row[1:] != (True, True)] == []


def test_a_partition_by_name_shows_nobody_elses(cast):
    launch(cast, count=3)
    with connection.cursor() as cursor, platform_scope(reason="test"):
        cursor.execute("SELECT DISTINCT tableoid::regclass::text FROM messaging_message")
        ((partition,),) = cursor.fetchall()
    count = f"SELECT count(*) FROM {partition}"
    with connection.cursor() as cursor:
        cursor.execute(count)
        assert cursor.fetchone() == (0,)
        for tenant, expected in ((cast.rakip, 0), (cast.butik, 3)):
            with tenant_scope(tenant.pk):
                cursor.execute(count)
                assert cursor.fetchone() == (expected,)
