"""One object of Ayşe's account per URL that carries an id. A page with an id is not guarded until it is listed here.

Each entry makes the object (the caller has opened Butik's scope) and returns the URL's arguments.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from django.core.files.base import ContentFile

from accounts.models import Tenant
from accounts.services import create_sub_account
from billing.services import open_credit_account, top_up_credits
from campaigns.models import AudienceSnapshot, Campaign, MessageTemplate
from contacts.services.contacts import create_contact
from contacts.services.fields import create_field
from contacts.services.groups import create_group
from contacts.services.imports import create_import
from gateways.models import GatewayAccount, SenderId
from gateways.services.senders import request_sender
from messaging.models import Message
from optout.models import SuppressionEntry
from optout.services import add_keyword, record_opt_out
from tests.conftest import Cast
from tests.engine_runs import make_rows, make_run

OBJECTS: dict[str, Callable[[Cast], dict[str, Any]]] = {}

# Arguments that name no object but one of a few choices.
CHOICES: dict[str, dict[str, Any]] = {
    "optout:export": {"kind": "csv"},
    "contacts:export": {"kind": "csv"},
}


def url_object(*names: str):  # type: ignore[no-untyped-def]
    """Register the decorated maker for these URL names."""

    def register(make: Callable[[Cast], dict[str, Any]]) -> Callable[[Cast], dict[str, Any]]:
        for name in names:
            OBJECTS[name] = make
        return make

    return register


@url_object("accounts:member_role", "accounts:member_remove", "accounts:member_invite")
def member(cast: Cast) -> dict[str, Any]:
    return {"public_id": cast.burak.public_id}


@url_object("billing:sub_account_transfer")
def sub_account(cast: Cast) -> dict[str, Any]:
    below: Tenant = create_sub_account(agency=cast.butik, name="Alt Butik", actor=cast.ayse)
    return {"public_id": below.public_id}


@url_object("contacts:edit", "contacts:delete")
def contact(cast: Cast) -> dict[str, Any]:
    return {"public_id": create_contact(tenant=cast.butik, msisdn="+905321234107").public_id}


@url_object("contacts:group_rename", "contacts:group_delete", "contacts:group_remove")
def contact_group(cast: Cast) -> dict[str, Any]:
    return {"public_id": create_group(tenant=cast.butik, name="Müşteriler").public_id}


@url_object("contacts:field_rename", "contacts:field_delete")
def contact_field(cast: Cast) -> dict[str, Any]:
    return {"field_id": create_field(tenant=cast.butik, label="Şehir").pk}


@url_object(
    "contacts:import_detail",
    "contacts:import_settings",
    "contacts:import_preview",
    "contacts:import_start",
    "contacts:import_progress",
    "contacts:import_cancel",
)
def contact_import(cast: Cast) -> dict[str, Any]:
    file = ContentFile(b"Cep Tel;Ad\n05321234107;Zeynep\n", "liste.csv")
    return {"public_id": create_import(tenant=cast.butik, file=file, user=cast.ayse).public_id}


@url_object("contacts:import_rejects")
def contact_import_rejects(cast: Cast) -> dict[str, Any]:
    return {**contact_import(cast), "kind": "csv"}


@url_object(
    "gateways:connection",
    "gateways:connection_edit",
    "gateways:connection_switch",
    "gateways:connection_maintenance",
    "gateways:connection_addresses",
    "gateways:connection_delete",
    "gateways:connection_test",
    "gateways:connection_test_state",
)
def connection(cast: Cast) -> dict[str, Any]:
    account = GatewayAccount(name="Kendi hattımız", adapter="smpp", tenant=cast.butik)
    account.save()
    return {"public_id": account.public_id}


@url_object("gateways:sender", "gateways:sender_document", "gateways:sender_withdraw")
def sender(cast: Cast) -> dict[str, Any]:
    requested: SenderId = request_sender(tenant=cast.butik, name="AYSEBUTIK", actor=cast.ayse)
    return {"public_id": requested.public_id}


@url_object("optout:remove")
def suppression_entry(cast: Cast) -> dict[str, Any]:
    record_opt_out(tenant_id=cast.butik.pk, msisdn="+905321112233", source="manual")
    return {"public_id": SuppressionEntry.objects.get().public_id}


@url_object("optout:keyword_remove")
def keyword(cast: Cast) -> dict[str, Any]:
    return {"keyword_id": add_keyword(tenant_id=cast.butik.pk, keyword="BIRAK", actor=cast.ayse).pk}


@url_object(
    "reporting:campaign_report",
    "reporting:campaign_live",
    "reporting:recipient_list",
)
def launched_campaign(cast: Cast) -> dict[str, Any]:
    open_credit_account(cast.butik)
    top_up_credits(tenant=cast.butik, amount=Decimal(10), reference="guard", actor=None)
    account = GatewayAccount(name="Bağlantı", adapter="smpp", tenant=cast.butik)
    account.save()
    run = make_run(cast.butik, account, make_rows(1))
    campaign = Campaign(
        tenant=cast.butik, name="Sonbahar indirimi", status="launched", content_class="informational", run=run
    )
    campaign.save()
    return {"public_id": campaign.public_id}


@url_object("reporting:export")
def report_export(cast: Cast) -> dict[str, Any]:
    return {**launched_campaign(cast), "kind": "csv"}


@url_object("reporting:recipient", "reporting:recipient_way")
def recipient(cast: Cast) -> dict[str, Any]:
    return {**launched_campaign(cast), "message_id": Message.objects.get().pk}


CAMPAIGN_PAGES = (
    "detail recipients message schedule save_recipients save_message save_schedule preview template_picker"
    " template_keep test_send check prepare progress launch unschedule pause resume cancel duplicate delete"
)


@url_object(*(f"campaigns:{name}" for name in CAMPAIGN_PAGES.split()))
def draft(cast: Cast) -> dict[str, Any]:
    campaign = Campaign(tenant=cast.butik, name="Sonbahar indirimi", content_class="informational", text="Merhaba")
    campaign.save()
    return {"public_id": campaign.public_id}


@url_object("campaigns:export_exclusions")
def exclusions(cast: Cast) -> dict[str, Any]:
    made = draft(cast)
    AudienceSnapshot(
        tenant=cast.butik, campaign=Campaign.objects.get(**made), campaign_version=1, is_complete=True
    ).save()
    return {**made, "kind": "csv"}


@url_object("campaigns:template_edit", "campaigns:template_delete")
def template(cast: Cast) -> dict[str, Any]:
    row = MessageTemplate(tenant=cast.butik, name="Hoş geldiniz", text="Merhaba [İsim]")
    row.save()
    return {"public_id": row.public_id}
