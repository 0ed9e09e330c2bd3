"""`manage.py seed_demo`: accounts, people and lists to look around in. Everything through the services of the panel;
run again it changes nothing. Refuses to run in production."""

import json
from decimal import Decimal
from typing import Any

from django.conf import settings
from django.core.files import File
from django.core.management.base import BaseCommand, CommandError
from django.utils import translation

from accounts.models import Membership, Role, Tenant, User
from accounts.scope import platform_scope, tenant_scope
from accounts.services import create_membership, create_tenant
from billing.services import open_credit_account, top_up_credits, transfer_credits
from campaigns.models import Campaign, MessageTemplate
from campaigns.services.drafts import DraftContent, create_campaign
from campaigns.services.templates import save_template
from contacts.models import Contact, ContactField, ContactGroup, ContactImport
from contacts.services.fields import create_field
from contacts.services.groups import add_to_group, find_or_create_group
from contacts.services.import_run import run_import
from contacts.services.imports import create_import, map_by_header, queue_import
from gateways.models import SenderId
from gateways.services.senders import approve_sender, request_sender
from gateways.simulator.accounts import ensure_simulator_account
from optout.models import SuppressionEntry
from optout.services import add_suppressions
from reporting import demo_content as content

CONTACTS = 420


class Command(BaseCommand):
    help = "Make the demo accounts, idempotently; writes their logins to var/demo.json."

    def handle(self, *args: Any, **options: Any) -> None:
        if settings.IS_PRODUCTION:
            raise CommandError("Demo accounts have known passwords; they are not made in production.")
        with translation.override("tr"):
            people = self._seed_people()
            agency, shop = self._seed_tenants(people)
            self._seed_connection()
            self._seed_senders(agency, shop, people)
            self._seed_credits(agency, shop, people)
            with tenant_scope(shop.pk):
                self._seed_fields(shop, people["ayse"])
            self._seed_contacts(shop, people["ayse"])
            with tenant_scope(shop.pk):
                self._seed_lists(shop, people["ayse"])
                self._seed_suppression(shop, people["ayse"])
                self._seed_texts(shop, people["ayse"])
        self._write_logins()

    def _seed_people(self) -> dict[str, User]:
        people = {}
        for login in content.LOGINS:
            user = User.objects.filter(email=login.email).first()
            if user is None:
                user = User.objects.create_user(login.email, content.PASSWORD, full_name=login.full_name)
            elif not user.check_password(content.PASSWORD):
                user.set_password(content.PASSWORD)
                user.save(update_fields=["password"])
            people[login.email.partition("@")[0]] = user
        admin = people["admin"]
        if not admin.is_superuser:
            admin.is_staff = admin.is_superuser = True
            admin.save(update_fields=["is_staff", "is_superuser"])
        return people

    def _seed_tenants(self, people: dict[str, User]) -> tuple[Tenant, Tenant]:
        agency = _find_or_create_tenant("dijital-ajans", name="Dijital Ajans", owner=people["deniz"])
        shop = _find_or_create_tenant(
            "ayse-butik",
            name="Ayşe Butik",
            owner=people["ayse"],
            parent=agency,
            opt_out_code="AYSEBUTIK",
            opt_out_number="4609",
            mersis_number="0123456789012345",
        )
        _find_or_create_tenant("kahve-duragi", name="Kahve Durağı", parent=agency, opt_out_code="KAHVE")
        _find_or_create_tenant("can-market", name="Can Market", owner=people["can"])
        for tenant, user, role in ((shop, people["burak"], Role.EDITOR), (agency, people["admin"], Role.ADMIN)):
            with tenant_scope(tenant.pk):
                is_member = Membership.objects.filter(user=user).exists()
            if not is_member:
                create_membership(tenant=tenant, user=user, role=role)
        return agency, shop

    def _seed_connection(self) -> None:
        """Slow enough to watch a campaign go: some four minutes for ten thousand messages."""
        with platform_scope(reason="demo connection"):
            ensure_simulator_account(rate_per_second=40, window_size=50)

    def _seed_senders(self, agency: Tenant, shop: Tenant, people: dict[str, User]) -> None:
        for tenant, name, is_approved, actor in (
            (agency, "DIJITALAJNS", True, people["deniz"]),
            (shop, "AYSEBUTIK", True, people["ayse"]),
            (shop, "AYSE BUTIK", False, people["ayse"]),
        ):
            with tenant_scope(tenant.pk):
                if SenderId.objects.filter(name=name).exists():
                    continue
                sender = request_sender(tenant=tenant, name=name, actor=actor)
                if is_approved:
                    approve_sender(sender=sender, actor=people["admin"])

    def _seed_credits(self, agency: Tenant, shop: Tenant, people: dict[str, User]) -> None:
        for tenant in Tenant.objects.filter(slug__in=["kahve-duragi", "can-market"]):
            open_credit_account(tenant)
        top_up_credits(
            tenant=agency, amount=Decimal(500_000), reference="demo:start", actor=people["admin"], note="Demo bakiyesi"
        )
        transfer_credits(
            from_tenant=agency, to_tenant=shop, amount=Decimal(150_000), reference="demo:butik", actor=people["deniz"]
        )

    def _seed_fields(self, shop: Tenant, actor: User) -> None:
        known = set(ContactField.objects.values_list("label", flat=True))
        for label, kind in content.FIELDS:
            if label not in known:
                create_field(tenant=shop, label=label, kind=kind, actor=actor)

    def _seed_contacts(self, shop: Tenant, actor: User) -> None:
        """By import, as a customer would, so that its history and rejected rows can be looked at."""
        with tenant_scope(shop.pk):
            if Contact.objects.exists():
                return
            file = File(content.write_customer_file(CONTACTS), "musteri-listesi.csv")
            contact_import = create_import(tenant=shop, file=file, user=actor)
            queue_import(
                contact_import=contact_import,
                mapping=map_by_header(contact_import, {}),
                list_name=content.CUSTOMER_LIST,
                user=actor,
            )
        finished = run_import(import_id=contact_import.pk, tenant_id=shop.pk)
        if finished.state != ContactImport.State.COMPLETED:
            raise CommandError(f"The demo contacts could not be imported: {finished.error}")

    def _seed_lists(self, shop: Tenant, actor: User) -> None:
        if ContactGroup.objects.filter(name=content.LOYAL_LIST).exists():
            return
        loyal = find_or_create_group(tenant=shop, name=content.LOYAL_LIST, actor=actor)
        # Every fourth customer, so that the two lists overlap and the funnel shows duplicates.
        add_to_group(group=loyal, contact_ids=list(Contact.objects.order_by("pk").values_list("pk", flat=True))[::4])
        staff = find_or_create_group(tenant=shop, name=content.STAFF_LIST, actor=actor)
        add_to_group(group=staff, contact_ids=list(Contact.objects.order_by("pk").values_list("pk", flat=True)[:5]))

    def _seed_suppression(self, shop: Tenant, actor: User) -> None:
        if SuppressionEntry.objects.filter(tenant=shop).exists():
            return
        numbers = list(Contact.objects.order_by("pk").values_list("msisdn", flat=True))
        add_suppressions(
            tenant_id=shop.pk, msisdns=numbers[7:200:40], source="manual", reason="Telefonla istedi", actor=actor
        )
        others = [f"+90532555{n:04d}" for n in range(12)]
        add_suppressions(
            tenant_id=shop.pk, msisdns=others, source="import", reason="Eski sağlayıcıdan aktarıldı", actor=actor
        )

    def _seed_texts(self, shop: Tenant, actor: User) -> None:
        for name, text in content.TEMPLATES:
            if not MessageTemplate.objects.filter(name=name).exists():
                save_template(tenant=shop, actor=actor, name=name, text=text)
        if Campaign.objects.exists():
            return
        groups = dict(ContactGroup.objects.values_list("name", "pk"))
        create_campaign(
            tenant=shop,
            actor=actor,
            content=DraftContent(
                name=content.CAMPAIGN_NAME,
                include_group_ids=frozenset({groups[content.CUSTOMER_LIST], groups[content.LOYAL_LIST]}),
                exclude_group_ids=frozenset({groups[content.STAFF_LIST]}),
                sender_id=SenderId.objects.get(name="AYSEBUTIK").pk,
                content_class="commercial",
                text=content.CAMPAIGN_TEXT,
                respect_sending_hours=False,
            ),
        )

    def _write_logins(self) -> None:
        logins = [
            {"email": login.email, "password": content.PASSWORD, "role": login.about, "about": login.about}
            for login in content.LOGINS
        ]
        settings.VAR_DIR.mkdir(parents=True, exist_ok=True)
        path = settings.VAR_DIR / "demo.json"
        path.write_text(json.dumps({"logins": logins}, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
        for row in logins:
            self.stdout.write(f"{row['email']:<18} {row['password']:<16} {row['about']}")


def _find_or_create_tenant(slug: str, **fields: Any) -> Tenant:
    return Tenant.objects.filter(slug=slug).first() or create_tenant(slug=slug, **fields)
