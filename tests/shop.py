"""A campaign that could be sent: lists, fields, an approved sender ID, a route, credits."""

from dataclasses import dataclass
from decimal import Decimal

import pytest

from accounts.scope import platform_scope, tenant_scope
from billing.services import open_credit_account, top_up_credits
from campaigns.models import Campaign
from campaigns.services.audience import prepare_audience
from campaigns.services.drafts import DraftContent, create_campaign
from campaigns.services.snapshot import walk_audience
from contacts.models import Contact, ContactField, ContactGroup, ContactGroupMember
from gateways.models import GatewayAccount, SenderId
from gateways.routing.book import create_rule
from optout.models import SuppressionEntry
from tests.conftest import Cast


@dataclass
class Shop:
    """Ayşe's account, ready to send."""

    cast: Cast
    sender: SenderId
    group: ContactGroup

    @property
    def pk(self) -> int:
        return self.cast.butik.pk

    def make_group(self, name: str) -> ContactGroup:
        with tenant_scope(self.pk):
            group = ContactGroup(tenant=self.cast.butik, name=name)
            group.save()
        return group

    def add_contacts(self, count: int, group: ContactGroup | None = None, start: int = 0, **fields) -> list[Contact]:
        group = group or self.group
        with tenant_scope(self.pk):
            contacts = Contact.objects.bulk_create(
                Contact(
                    tenant=self.cast.butik,
                    msisdn=f"+90532{start + number:07d}",
                    name=fields.get("name", f"Zeynep {start + number}"),
                    attributes=fields.get("attributes", {"kod": f"SNB-{start + number}"}),
                )
                for number in range(count)
            )
            self.add_members(contacts, group)
        return contacts

    def add_members(self, contacts: list[Contact], group: ContactGroup) -> None:
        with tenant_scope(self.pk):
            ContactGroupMember.objects.bulk_create(
                ContactGroupMember(tenant=self.cast.butik, group=group, contact=contact) for contact in contacts
            )
            ContactGroup.objects.filter(pk=group.pk).update(
                contact_count=ContactGroupMember.objects.filter(group=group).count()
            )

    def suppress(self, *msisdns: str) -> None:
        with tenant_scope(self.pk):
            for msisdn in msisdns:
                SuppressionEntry(tenant=self.cast.butik, msisdn=msisdn, source="manual").save()

    def draft(self, **changes) -> Campaign:
        content = {
            "name": "Sonbahar indirimi",
            "include_group_ids": frozenset([self.group.pk]),
            "sender_id": self.sender.pk,
            "content_class": "commercial",
            "text": "Merhaba [İsim|değerli müşterimiz], %20 indirim sizi bekliyor.",
            **changes,
        }
        with tenant_scope(self.pk):
            return create_campaign(tenant=self.cast.butik, actor=self.cast.ayse, content=DraftContent(**content))

    def prepare(self, campaign: Campaign, **options) -> bool:
        """Ask for the audience and walk it here and now."""
        with tenant_scope(self.pk):
            prepare_audience(campaign=campaign, version=campaign.version, actor=self.cast.ayse)
        return walk_audience(campaign_id=campaign.pk, tenant_id=self.pk, **options)

    def ready(self, count: int = 5, **changes) -> Campaign:
        """A campaign with that many recipients, prepared."""
        self.add_contacts(count)
        campaign = self.draft(**changes)
        assert self.prepare(campaign)
        return self.reload(campaign)

    def reload(self, campaign: Campaign) -> Campaign:
        with tenant_scope(self.pk):
            return Campaign.objects.select_related("run", "tenant").get(pk=campaign.pk)


def build_shop(cast: Cast) -> Shop:
    with platform_scope(reason="test"):
        account = GatewayAccount(name="Simülatör", adapter="smpp")
        account.save()
        create_rule(name="Türkiye", accounts=[account], prefix="+90")
        open_credit_account(cast.butik)
        top_up_credits(tenant=cast.butik, amount=Decimal(10_000), reference="test", actor=None, note="")
    with tenant_scope(cast.butik.pk):
        sender = SenderId(tenant=cast.butik, name="AYSEBUTIK", status="approved")
        sender.save()
        group = ContactGroup(tenant=cast.butik, name="Müşteriler")
        group.save()
        ContactField(tenant=cast.butik, key="kod", label="Kod").save()
    return Shop(cast, sender, group)


@pytest.fixture
def shop(cast: Cast) -> Shop:
    return build_shop(cast)
