"""Papers and approvals of sender IDs: who sees what, who decides, and what it means for sending."""

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.urls import reverse

from accounts.models import AuditEntry, User
from accounts.scope import platform_scope, tenant_scope
from campaigns.selectors.checks import list_problems
from gateways.models import GatewayAccount, SenderApproval, SenderDocument, SenderId
from gateways.routing.book import create_rule
from gateways.services.approvals import apply_provider_list, decide_approval, list_obstacles, request_approvals
from gateways.services.documents import LARGEST
from gateways.services.senders import request_sender

PDF = b"%PDF-1.7 belge"
PNG = b"\x89PNG\r\n\x1a\n resim"


@pytest.fixture(autouse=True)
def private_storage(settings, tmp_path):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {"BACKEND": "django.core.files.storage.FileSystemStorage", "OPTIONS": {"location": tmp_path}},
    }


def upload(name, content):
    return SimpleUploadedFile(name, content)


@pytest.fixture
def sender(cast):
    with tenant_scope(cast.butik.pk):
        return request_sender(tenant=cast.butik, name="AYSEBUTIK", actor=cast.ayse)


@pytest.fixture
def staff(cast):
    return cast.client(User.objects.create_superuser("staff@example.com", None))


def add(cast, sender, file, user=None):
    url = reverse("gateways:sender_document", args=[sender.public_id])
    return cast.client(user or cast.ayse).post(url, {"document": file} if file else {})


def documents(cast):
    with tenant_scope(cast.butik.pk):
        return list(SenderDocument.objects.all())


def test_applies_with_a_document_that_only_staff_can_read(cast, staff):
    client = cast.client(cast.ayse)
    client.post(reverse("gateways:sender_new"), {"name": "AYSEBUTIK", "document": upload("sicil.pdf", PDF)})
    [document] = documents(cast)
    assert (document.file_name, document.kind, document.size_bytes) == ("sicil.pdf", "pdf", len(PDF))
    with tenant_scope(cast.butik.pk):
        page = reverse("gateways:sender", args=[SenderId.objects.get().public_id])
    assert "sicil.pdf" in client.get(page).content.decode()
    url = reverse("admin:gateways_senderdocument_download", args=[document.pk])
    answer = staff.get(url)
    assert b"".join(answer) == PDF
    assert answer["Content-Disposition"].startswith("attachment")
    assert answer["X-Content-Type-Options"] == "nosniff"
    assert client.get(url).status_code in (302, 403)
    assert staff.get(reverse("admin:gateways_senderdocument_download", args=[10**9])).status_code == 404


@pytest.mark.parametrize(
    ("file", "is_taken"),
    [
        (upload("a.png", PNG), True),
        (upload("resim.exe", b"\xff\xd8\xff jpeg"), True),  # the content decides; it is stored as .jpg
        (upload("../../../etc/passwd.pdf", PDF), True),
        (upload("a.pdf", b"MZ program"), False),
        (upload("a.svg", b"<svg onload=alert(1)>"), False),
        (upload("a.pdf", b""), False),
        (upload("a.pdf", PDF + b"x" * LARGEST), False),
        (None, False),
    ],
)
def test_takes_papers_and_nothing_else(cast, sender, file, is_taken):
    assert add(cast, sender, file).status_code == (302 if is_taken else 200)
    found = documents(cast)
    assert len(found) == is_taken
    assert all(d.file_name in ("a.png", "resim.jpg", "passwd.pdf") for d in found)
    assert all(d.stored_path.startswith(f"tenants/{cast.butik.pk}/senders/") for d in found)


def test_others_add_and_see_nothing(cast, sender):
    page = reverse("gateways:sender", args=[sender.public_id])
    assert add(cast, sender, upload("a.pdf", PDF), cast.burak).status_code == 403
    assert add(cast, sender, upload("a.pdf", PDF), cast.can).status_code == 404
    assert cast.client(cast.vildan).get(page).status_code == 200
    assert cast.client(cast.can).get(page).status_code == 404
    assert cast.client(cast.ayse).post(page).status_code == 405
    assert documents(cast) == []


def test_a_withdrawn_application_takes_its_papers_along(cast, sender, django_capture_on_commit_callbacks):
    add(cast, sender, upload("a.pdf", PDF))
    [document] = documents(cast)
    assert default_storage.exists(document.stored_path)
    with django_capture_on_commit_callbacks(execute=True):
        cast.client(cast.ayse).post(reverse("gateways:sender_withdraw", args=[sender.public_id]))
    assert documents(cast) == []
    assert not default_storage.exists(document.stored_path)


# -- approvals ---------------------------------------------------------------------------------------------------


@pytest.fixture
def line(cast):
    """Ayşe's own connection, which wants each sender ID approved."""
    with tenant_scope(cast.butik.pk):
        account = GatewayAccount(name="Hattımız", adapter="smpp", tenant=cast.butik, needs_sender_approval=True)
        account.save()
    return account


@pytest.mark.parametrize(
    ("listed", "state", "provider_name", "kind"),
    [
        (None, None, "", "not_approved"),
        (None, "requested", "", "not_approved"),
        (None, "approved", "", None),
        (None, "refused", "", "refused"),
        (None, "approved", "AyseButik", "spelling"),
        (["AYSEBUTIK", "BASKA"], None, "", None),
        (["AYSEBUTIK"], "refused", "", "refused"),
        (["AyseButik"], "approved", "", "spelling"),
        (["AYSE BUTIK"], "approved", "", "spelling"),
        (["BASKA"], "approved", "", "not_listed"),
        ([], None, "", "not_listed"),
    ],
)
def test_where_a_sender_id_may_be_used(cast, sender, line, listed, state, provider_name, kind):
    with tenant_scope(cast.butik.pk):
        line.listed_senders = listed
        line.save()
        if state:
            SenderApproval(
                tenant=cast.butik, sender=sender, gateway_account=line, state=state, provider_name=provider_name
            ).save()
        assert [str(o.kind) for o in list_obstacles(sender, [line])] == ([kind] if kind else [])


def test_the_providers_list_decides_what_waits_letter_for_letter(cast, line):
    with tenant_scope(cast.butik.pk):
        senders = [request_sender(tenant=cast.butik, name=n, actor=cast.ayse) for n in ("AYSE", "Ayse", "BUTIK")]
        for sender in senders:
            request_approvals(sender=sender, accounts=[line])
            assert request_approvals(sender=sender, accounts=[line]) == 0
        refused = SenderApproval.objects.get(sender=senders[2])
        decide_approval(approval=refused, state="refused", actor=cast.deniz, reason="Belge yok")
    line.listed_senders = ["AYSE", "BUTIK", 7]
    with platform_scope(reason="test"):
        assert apply_provider_list(account=line) == 1
        states = dict(SenderApproval.objects.values_list("sender__name", "state"))
    assert states == {"AYSE": "approved", "Ayse": "requested", "BUTIK": "refused"}


def test_staff_decide_with_a_reason_and_the_account_reads_it(cast, sender, line, staff):
    with tenant_scope(cast.butik.pk):
        request_approvals(sender=sender, accounts=[line])
        approval = SenderApproval.objects.get()
    url = reverse("admin:gateways_senderapproval_changelist")
    chosen = {"_selected_action": [approval.pk]}
    staff.post(url, {**chosen, "action": "refuse", "reason": ""})
    with platform_scope(reason="test"):
        assert SenderApproval.objects.get().state == "requested"
    staff.post(url, {**chosen, "action": "refuse", "reason": "Belge okunmuyor"})
    page = reverse("gateways:sender", args=[sender.public_id])
    assert "Belge okunmuyor" in cast.client(cast.vildan).get(page).content.decode()
    staff.post(url, {**chosen, "action": "approve", "reason": ""})
    with platform_scope(reason="test"):
        decided = SenderApproval.objects.get()
        assert AuditEntry.objects.get(action="sender_approval.refused").data["reason"] == "Belge okunmuyor"
    assert (decided.state, decided.decided_by.email) == ("approved", "staff@example.com")
    assert decided.decided_at is not None
    url = reverse("admin:gateways_senderapproval_change", args=[approval.pk])
    assert 'name="_approve"' in staff.get(url).content.decode()
    staff.post(url, {"provider_name": "", "decision_reason": "", "_refuse": "1"})
    with platform_scope(reason="test"):
        assert SenderApproval.objects.get().state == "approved"
    staff.post(url, {"provider_name": "", "decision_reason": "Marka başkasının", "_refuse": "1"})
    with platform_scope(reason="test"):
        assert SenderApproval.objects.values_list("state", "reason").get() == ("refused", "Marka başkasının")


def test_what_is_ready_at_the_provider_still_waits_for_us(cast, sender, line):
    with tenant_scope(cast.butik.pk):
        line.listed_senders = [sender.name]
        line.save()
        request_approvals(sender=sender, accounts=[line])
    page = reverse("gateways:sender", args=[sender.public_id])
    assert [row["waits_for_us"] for row in cast.client(cast.ayse).get(page).context["rows"]] == [True]
    with tenant_scope(cast.butik.pk):
        SenderId.objects.update(status=SenderId.Status.APPROVED)
    assert [row["waits_for_us"] for row in cast.client(cast.ayse).get(page).context["rows"]] == [False]


def test_a_campaign_is_told_which_connection_lacks_the_approval(cast, shop):
    campaign = shop.ready(2)

    def found():
        with tenant_scope(shop.pk):
            problems = list_problems(shop.reload(campaign))
            return [(p.code, p.level, p.message) for p in problems if p.code.startswith("sender")]

    assert found() == []
    with platform_scope(reason="test"):
        GatewayAccount.objects.update(needs_sender_approval=True)
    [(code, level, message)] = found()
    assert (code, level) == ("sender_not_approved", "stop")
    assert "Simülatör" in message
    with platform_scope(reason="test"):
        account = GatewayAccount.objects.get()
        sender = SenderId.objects.get()
        SenderApproval(tenant=sender.tenant, sender=sender, gateway_account=account, state="approved").save()
    assert found() == []


def test_a_draft_with_another_way_out_is_only_warned(cast, shop):
    with platform_scope(reason="test"):
        abroad = GatewayAccount(name="Yurt dışı", adapter="smpp", needs_sender_approval=True)
        abroad.save()
        create_rule(name="Almanya", accounts=[abroad], prefix="+49")
    draft = shop.draft()
    with tenant_scope(shop.pk):
        found = {p.code: p.level for p in list_problems(shop.reload(draft))}
    assert found.get("sender_partly_approved") == "warn"
