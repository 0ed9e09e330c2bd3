"""Searches find what is meant, however its i is written, on every list that has a search."""

import pytest
from django.urls import reverse

from accounts.models import AuditEntry
from accounts.scope import platform_scope, tenant_scope
from accounts.selectors import list_audit_entries
from campaigns.models import MessageTemplate
from campaigns.selectors.campaigns import list_campaigns, list_templates
from contacts.models import Contact, ContactGroup
from contacts.selectors.contacts import list_contacts
from gateways.models import GatewayAccount
from messaging.models import InboundMessage
from messaging.selectors.inbox import list_inbound
from reporting.selectors.overview import list_launched
from tests.launched import launch

NAME = "İstanbul Kış & Işıl (%20)"
SPELLINGS = ["istanbul", "İSTANBUL", "ISTANBUL", "ıstanbul", "kis", "KIŞ", "ışıl", "isil (%20)", "& I"]


@pytest.fixture
def named(cast):
    """Something of that name on every list."""
    launch(cast, 1, name=NAME)
    tenant = cast.butik
    with platform_scope(reason="test"):
        account = GatewayAccount.objects.get()
    with tenant_scope(tenant.pk):
        ContactGroup(tenant=tenant, name=NAME).save()
        Contact(tenant=tenant, msisdn="+905320000001", name=NAME).save()
        MessageTemplate(tenant=tenant, name="Hoş geldin", text=f"Merhaba {NAME}").save()
        MessageTemplate(tenant=tenant, name=NAME, text="Merhaba").save()
        AuditEntry(tenant=tenant, action="contact_group.created", target=NAME).save()
        InboundMessage(tenant=tenant, gateway_account=account, msisdn="+905320000001", text=NAME).save()
    return tenant


LISTS = {
    "contacts": (list_contacts, 1),
    "campaigns": (list_campaigns, 1),
    "reports": (list_launched, 1),
    "templates": (list_templates, 2),
    "inbox": (list_inbound, 1),
}


@pytest.mark.parametrize("name", LISTS)
def test_lists_are_searched_as_turks_type(cast, named, name):
    search, count = LISTS[name]
    with tenant_scope(named.pk):
        found = {query: search(named.pk, query=query).count() for query in [*SPELLINGS, "İzmir", "istanbul.*", "sahin"]}
    assert found == {**dict.fromkeys(SPELLINGS, count), "İzmir": 0, "istanbul.*": 0, "sahin": 0}


def test_the_trail_is_searched_by_target_and_person(cast, named):
    with tenant_scope(named.pk):
        AuditEntry(tenant=named, actor=cast.burak, action="x", target="y").save()
        for query in SPELLINGS:
            assert list_audit_entries(named, query=query).filter(target=NAME).count() == 1, query
        assert list_audit_entries(named, query="BURAK").filter(target="y").count() == 1
        assert not list_audit_entries(named, query="İzmir").exists()


@pytest.mark.parametrize("query", SPELLINGS)
def test_the_page_of_lists(cast, named, query):
    page = cast.client(cast.ayse).get(reverse("contacts:group_list"), {"q": query})
    assert [group.name for group in page.context["page"]] == [NAME]
