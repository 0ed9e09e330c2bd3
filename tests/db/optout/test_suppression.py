from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection, transaction

from accounts.models import AuditEntry
from accounts.scope import platform_scope, tenant_scope
from optout.models import SuppressionEntry
from optout.selectors import (
    count_reply_opt_outs,
    count_suppressions,
    iter_suppressions,
    list_removed,
    list_suppressions,
    load_suppressed,
)
from optout.services import ReasonMissing, add_suppressions, record_opt_out, remove_suppression

AYSE_1, AYSE_2, OTHER = "+905321112233", "+905441112233", "+905551112233"


def block(cast, msisdn=AYSE_1, source="manual", **fields):
    return record_opt_out(tenant_id=cast.butik.pk, msisdn=msisdn, source=source, **fields)


def test_an_opt_out_blocks_its_number_only(in_butik):
    assert block(in_butik, source="reply", reason="RET") is True
    assert load_suppressed(in_butik.butik.pk, [AYSE_1, AYSE_2]) == {AYSE_1}
    entry = SuppressionEntry.objects.get()
    assert (entry.source, entry.reason, entry.is_active) == ("reply", "RET", True)


def test_repeating_an_opt_out_changes_nothing(in_butik):
    assert block(in_butik)
    assert block(in_butik, source="reply") is False
    assert SuppressionEntry.objects.count() == 1
    assert AuditEntry.objects.filter(action="suppression.added").count() == 1


def test_the_audit_trail_holds_no_number_in_clear(in_butik):
    block(in_butik, actor=in_butik.ayse)
    entry = AuditEntry.objects.get(action="suppression.added")
    assert entry.actor == in_butik.ayse
    assert entry.target == "*********2233"


def test_the_platforms_list_blocks_every_tenant(cast):
    with platform_scope(reason="test"):
        record_opt_out(tenant_id=None, msisdn=AYSE_1, source="platform", reason="court order")
        record_opt_out(tenant_id=cast.rakip.pk, msisdn=AYSE_2, source="reply")
    for tenant, expected in ((cast.butik, {AYSE_1}), (cast.rakip, {AYSE_1, AYSE_2})):
        with tenant_scope(tenant.pk):
            assert load_suppressed(tenant.pk, [AYSE_1, AYSE_2, OTHER]) == expected


def test_load_suppressed_works_in_platform_scope_for_one_tenant(cast):
    with platform_scope(reason="test"):
        record_opt_out(tenant_id=cast.rakip.pk, msisdn=AYSE_2, source="reply")
        assert load_suppressed(cast.butik.pk, [AYSE_2]) == set()
        assert load_suppressed(cast.butik.pk, []) == set()


def test_bulk_counts_new_and_known_numbers_apart(in_butik):
    block(in_butik, AYSE_1)
    result = add_suppressions(
        tenant_id=in_butik.butik.pk,
        msisdns=iter([AYSE_2, AYSE_1, AYSE_2, OTHER]),
        source="import",
        reason="eski liste",
        actor=in_butik.ayse,
    )
    assert result == (2, 2)
    assert load_suppressed(in_butik.butik.pk, [AYSE_1, AYSE_2, OTHER]) == {AYSE_1, AYSE_2, OTHER}
    assert {e.source for e in iter_suppressions(in_butik.butik.pk)} == {"manual", "import"}
    entry = AuditEntry.objects.get(action="suppression.added_many")
    assert entry.data["added"] == 2


def test_bulk_spans_several_chunks(in_butik, monkeypatch):
    monkeypatch.setattr("optout.services.COPY_CHUNK", 10)
    numbers = [f"+9053200000{n:02d}" for n in range(35)]
    assert add_suppressions(tenant_id=in_butik.butik.pk, msisdns=numbers, source="import") == (35, 0)
    assert count_suppressions(in_butik.butik.pk) == 35


def test_removal_needs_a_reason_and_keeps_history(in_butik):
    block(in_butik, source="reply", reason="RET")
    entry = SuppressionEntry.objects.get()
    with pytest.raises(ReasonMissing):
        remove_suppression(entry=entry, actor=in_butik.ayse, reason="   ")
    assert remove_suppression(entry=entry, actor=in_butik.ayse, reason="yazılı onay") is True
    assert remove_suppression(entry=entry, actor=in_butik.ayse, reason="again") is False
    assert load_suppressed(in_butik.butik.pk, [AYSE_1]) == set()
    (kept,) = list_removed(in_butik.butik.pk)
    assert (kept.removed_by, kept.removal_reason, kept.source) == (in_butik.ayse, "yazılı onay", "reply")
    assert kept.removed_at is not None
    assert AuditEntry.objects.filter(action="suppression.removed").count() == 1


def test_a_removed_number_can_leave_again(in_butik):
    block(in_butik)
    remove_suppression(entry=SuppressionEntry.objects.get(), actor=in_butik.ayse, reason="yanlışlıkla")
    assert block(in_butik, source="reply") is True
    assert load_suppressed(in_butik.butik.pk, [AYSE_1]) == {AYSE_1}
    assert SuppressionEntry.objects.count() == 2


def test_a_tenant_cannot_remove_the_platforms_entry(cast):
    with platform_scope(reason="test"):
        record_opt_out(tenant_id=None, msisdn=AYSE_1, source="platform")
        entry = SuppressionEntry.objects.get()
    with tenant_scope(cast.butik.pk):
        assert remove_suppression(entry=entry, actor=cast.ayse, reason="x") is False
        assert load_suppressed(cast.butik.pk, [AYSE_1]) == {AYSE_1}


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("0532 111 22 33", [AYSE_1]),
        ("+905321112233", [AYSE_1]),
        ("532", [AYSE_1]),
        ("0532", [AYSE_1]),
        ("2233", [AYSE_2, AYSE_1]),
        ("999", []),
        ("ayşe", []),
        ("%", []),
    ],
)
def test_search_by_number(in_butik, query, found):
    add_suppressions(tenant_id=in_butik.butik.pk, msisdns=[AYSE_1, AYSE_2], source="manual")
    assert [e.msisdn for e in list_suppressions(in_butik.butik.pk, query=query)] == found


def test_filter_by_source_and_replies_of_a_span(in_butik):
    add_suppressions(tenant_id=in_butik.butik.pk, msisdns=[AYSE_1, AYSE_2], source="import")
    block(in_butik, OTHER, source="reply")
    newest, *_ = list_suppressions(in_butik.butik.pk)
    assert newest.msisdn == OTHER
    assert [e.msisdn for e in list_suppressions(in_butik.butik.pk, source="reply")] == [OTHER]
    assert count_reply_opt_outs(in_butik.butik.pk, since=newest.created_at) == 1
    assert count_reply_opt_outs(in_butik.butik.pk, since=newest.created_at + timedelta(seconds=1)) == 0


@pytest.mark.django_db(transaction=True)
def test_parallel_opt_outs_of_one_number_make_one_entry(transactional_db):
    from accounts.services import create_tenant

    tenant = create_tenant(name="Paralel", slug="paralel")

    def leave(_):
        try:
            with tenant_scope(tenant.pk):
                return record_opt_out(tenant_id=tenant.pk, msisdn=AYSE_1, source="reply")
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(leave, range(8))) == [False] * 7 + [True]
    with tenant_scope(tenant.pk):
        assert SuppressionEntry.objects.count() == 1


def test_raw_sql_of_a_stranger_sees_and_adds_nothing(cast):
    with tenant_scope(cast.butik.pk):
        block(cast)
    with tenant_scope(cast.rakip.pk):
        assert load_suppressed(cast.butik.pk, [AYSE_1]) == set()
        with pytest.raises(Exception, match="row-level security"), transaction.atomic():
            record_opt_out(tenant_id=cast.butik.pk, msisdn=OTHER, source="api")
