from uuid import uuid4

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.scope import platform_scope, tenant_scope
from gateways.models import GatewayAccount, SenderApproval, SenderId
from gateways.services.approvals import request_approvals
from gateways.services.senders import approve_sender, refuse_sender, request_sender


def apply_for(client, name):
    return client.post(reverse("gateways:sender_new"), {"name": name})


def senders(cast):
    with tenant_scope(cast.butik.pk):
        return dict(SenderId.objects.values_list("name", "status"))


def test_applies_and_lists(cast):
    client = cast.client(cast.ayse)
    assert apply_for(client, "AYSEBUTIK").status_code == 302
    assert senders(cast) == {"AYSEBUTIK": "requested"}
    assert "AYSEBUTIK" in cast.client(cast.vildan).get(reverse("gateways:sender_list")).content.decode()
    assert "AYSEBUTIK" not in cast.client(cast.can).get(reverse("gateways:sender_list")).content.decode()
    with tenant_scope(cast.butik.pk):
        assert AuditEntry.objects.get(action="sender.requested").target == "AYSEBUTIK"


def test_suggests_the_account_name_until_it_is_applied_for(cast):
    client = cast.client(cast.ayse)
    assert client.get(reverse("gateways:sender_new")).context["form"]["name"].value() == "AYSE BUTIK"
    apply_for(client, "AYSE BUTIK")
    assert client.get(reverse("gateways:sender_new")).context["form"]["name"].value() == ""
    chosen = client.get(reverse("gateways:sender_new"), {"name": "MAGAZA"})  # one that a provider's list names
    assert chosen.context["form"]["name"].value() == "MAGAZA"


@pytest.mark.parametrize("name", ["", "AB", "ONIKIHARFLIK", "AYŞE", "AYSE!", " AYSE", "AY  SE", "ayse.com", "12345"])
def test_refuses_what_operators_refuse(cast, name):
    response = apply_for(cast.client(cast.ayse), name)
    assert response.status_code == 200
    assert "name" in response.context["form"].errors
    assert senders(cast) == {}


def test_once_only_unless_refused(cast):
    client = cast.client(cast.ayse)
    apply_for(client, "AYSEBUTIK")
    assert "name" in apply_for(client, "AYSEBUTIK").context["form"].errors
    with tenant_scope(cast.butik.pk):
        refuse_sender(sender=SenderId.objects.get(), actor=cast.deniz, note="Belge eksik")
    assert "Belge eksik" in client.get(reverse("gateways:sender_list")).content.decode()
    assert apply_for(client, "AYSEBUTIK").status_code == 302
    assert senders(cast) == {"AYSEBUTIK": "requested"}


def test_withdraws_what_is_not_decided(cast):
    client = cast.client(cast.ayse)
    with tenant_scope(cast.butik.pk):
        waiting = request_sender(tenant=cast.butik, name="BIR", actor=cast.ayse)
        decided = request_sender(tenant=cast.butik, name="IKI", actor=cast.ayse)
        approve_sender(sender=decided, actor=cast.deniz)
    for sender in (waiting, decided):
        client.post(reverse("gateways:sender_withdraw", args=[sender.public_id]))
    assert senders(cast) == {"IKI": "approved"}


def test_others_strangers_and_wrong_methods(cast):
    with tenant_scope(cast.butik.pk):
        sender = request_sender(tenant=cast.butik, name="AYSEBUTIK", actor=cast.ayse)
    url = reverse("gateways:sender_withdraw", args=[sender.public_id])
    assert cast.client(cast.burak).post(url).status_code == 403
    assert cast.client(cast.can).post(url).status_code == 404
    assert cast.client(cast.ayse).post(reverse("gateways:sender_withdraw", args=[uuid4()])).status_code == 404
    assert cast.client(cast.ayse).get(url).status_code == 405
    assert apply_for(cast.client(cast.burak), "BURAK").status_code == 403
    assert senders(cast) == {"AYSEBUTIK": "requested"}


def test_staff_decide_in_the_admin(cast, django_user_model):
    staff = django_user_model.objects.create_superuser("staff@example.com", None)
    with tenant_scope(cast.butik.pk):
        sender = request_sender(tenant=cast.butik, name="AYSEBUTIK", actor=cast.ayse)
    client = cast.client(staff)
    url = reverse("admin:gateways_senderid_changelist")
    client.post(url, {"action": "approve", "_selected_action": [sender.pk]})
    assert senders(cast) == {"AYSEBUTIK": "approved"}
    with platform_scope(reason="test"):
        entry = AuditEntry.objects.get(action="sender.approved")
    assert (entry.tenant, entry.actor) == (cast.butik, staff)


def test_staff_decide_on_the_page_of_the_sender_id(cast, django_user_model):
    client = cast.client(django_user_model.objects.create_superuser("staff@example.com", None))
    with tenant_scope(cast.butik.pk):
        sender = request_sender(tenant=cast.butik, name="AYSEBUTIK", actor=cast.ayse)
        line = GatewayAccount.objects.create(name="Netgsm", adapter="netgsm", tenant=cast.butik)
        request_approvals(sender=sender, accounts=[line])
    url = reverse("admin:gateways_senderid_change", args=[sender.pk])
    assert 'name="_approve_everywhere"' in client.get(url).content.decode()
    rows = {"documents-TOTAL_FORMS": 0, "documents-INITIAL_FORMS": 0}
    rows |= {"approvals-TOTAL_FORMS": 0, "approvals-INITIAL_FORMS": 0}
    assert client.post(url, {**rows, "note": "Belge eksik", "_refuse": "1"})["Location"] == url
    with tenant_scope(cast.butik.pk):
        assert SenderId.objects.values_list("status", "note").get() == ("refused", "Belge eksik")
        assert SenderApproval.objects.get().state == "requested"
    client.post(url, {**rows, "note": "", "_approve_everywhere": "1"})
    with tenant_scope(cast.butik.pk):
        assert SenderId.objects.get().status == "approved"
        assert SenderApproval.objects.get().state == "approved"


LOOK_ALIKES = ["AYSEBUTIK", "aysebutik", "AYSE BUTIK", "AYSE8UTIK", "AY5EBUTlK", "AYSEBUT1K"]


@pytest.fixture
def taken(cast):
    """Ayşe's account holds AYSEBUTIK."""
    with tenant_scope(cast.butik.pk):
        sender = request_sender(tenant=cast.butik, name="AYSEBUTIK", actor=cast.ayse)
        approve_sender(sender=sender, actor=cast.deniz)
    return sender


@pytest.mark.parametrize("name", LOOK_ALIKES)
def test_nobody_applies_for_what_looks_like_anothers(cast, taken, name):
    response = apply_for(cast.client(cast.can), name)
    (error,) = response.context["form"].errors["name"]
    assert error.startswith(f"“{name}” başka bir hesabın başlığına benziyor")
    assert "Ayşe" not in error
    with tenant_scope(cast.rakip.pk):
        assert not SenderId.objects.exists()


def test_ones_own_may_look_alike_and_what_was_only_requested_blocks_nobody(cast, taken):
    assert apply_for(cast.client(cast.ayse), "AYSE BUTIK").status_code == 302
    with tenant_scope(cast.butik.pk):
        request_sender(tenant=cast.butik, name="MODA", actor=cast.ayse)
    assert apply_for(cast.client(cast.can), "M0DA").status_code == 302


def test_only_knowing_staff_approve_a_look_alike(cast, taken, django_user_model):
    client = cast.client(django_user_model.objects.create_superuser("staff@example.com", None))
    add, url = reverse("admin:gateways_senderid_add"), reverse("admin:gateways_senderid_changelist")
    assert "errornote" in client.post(add, {"tenant": cast.rakip.pk, "name": "AYŞE"}).content.decode()
    client.post(add, {"tenant": cast.rakip.pk, "name": "AYSE BUTIK", "note": "marka tescili görüldü"})
    with tenant_scope(cast.rakip.pk):
        sender = SenderId.objects.get()
    assert (sender.name, sender.status) == ("AYSE BUTIK", "requested")
    answer = client.post(url, {"action": "approve", "_selected_action": [sender.pk]}, follow=True)
    assert "AYSE BUTIK onaylanmadı: Ayşe Butik hesabının AYSEBUTIK başlığına benziyor" in answer.content.decode()
    with tenant_scope(cast.rakip.pk):
        assert SenderId.objects.get().status == "requested"
    client.post(url, {"action": "approve_look_alike", "_selected_action": [sender.pk]})
    with tenant_scope(cast.rakip.pk):
        assert SenderId.objects.get().status == "approved"
