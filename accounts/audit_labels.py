"""Audit actions in the reader's language. An action without a label shows as it is stored."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.utils import formats, timezone
from django.utils.translation import gettext, pgettext_lazy
from django.utils.translation import gettext_lazy as _

from common.numbers import format_credits

from .models import Role

LABELS = {
    "tenant.created": _("Account opened"),
    "tenant.updated": _("Account settings changed"),
    "tenant.closed": _("Account closed with its agency"),
    "tenant.switched": _("Switched into this account"),
    "subaccount.created": _("Sub-account created"),
    "subaccount.entered": _("Switched into a sub-account"),
    "member.added": _("Member added"),
    "member.asked": _("Member invited"),
    "member.declined": _("Invitation declined"),
    "member.joined": _("Invitation accepted"),
    "member.invited": _("Invitation sent again"),
    "member.removed": _("Member removed"),
    "member.role_changed": _("Role changed"),
    "database.doubted": _("Database put in doubt"),
    "database.confirmed": _("Database confirmed"),
    "sender.requested": _("Sender ID requested"),
    "sender.withdrawn": _("Sender ID request withdrawn"),
    "sender.approved": _("Sender ID approved"),
    "sender.refused": _("Sender ID refused"),
    "credits.topped_up": _("Credits loaded"),
    "credits.transferred": _("Credits transferred"),
    "credits.received": _("Credits received"),
    "campaign.created": _("Campaign created"),
    "campaign.deleted": _("Campaign deleted"),
    "campaign.prepared": _("Recipients of a campaign prepared"),
    "campaign.tested": _("Test message sent"),
    "template.deleted": _("Template deleted"),
    "campaign.exclusions_exported": _("List of left-out numbers exported"),
    "campaign.launched": _("Campaign launched"),
    "campaign.scheduled": _("Campaign scheduled"),
    "campaign.unscheduled": _("Schedule of a campaign removed"),
    "campaign.held": _("Campaign held back"),
    "campaign.hold_lifted": _("Campaign given back by the platform"),
    "campaign.paused": _("Campaign paused"),
    "campaign.resumed": _("Campaign resumed"),
    "campaign.cancelled": _("Campaign cancelled"),
    "contact.created": _("Contact added"),
    "contact.updated": _("Contact changed"),
    "contact_import.queued": _("File import started"),
    "contact_import.cancelled": _("File import cancelled"),
    "contact_group.created": _("List created"),
    "contact_group.renamed": _("List renamed"),
    "contact_group.deleted": _("List deleted"),
    "contact_group.removed": _("List deleted with its contacts"),
    "contact_field.created": _("Contact field created"),
    "contact_field.renamed": _("Contact field renamed"),
    "contact_field.deleted": _("Contact field deleted"),
    "contacts.exported": _("Contacts exported"),
    "contacts.imported": _("Contacts imported"),
    "contacts.deleted": _("Contacts deleted"),
    "suppression.added": _("Number added to the suppression list"),
    "suppression.added_many": _("Numbers added to the suppression list"),
    "suppression.removed": _("Number removed from the suppression list"),
    "optout_keyword.added": _("Opt-out keyword added"),
    "optout_keyword.removed": _("Opt-out keyword removed"),
    "gateway.created": _("Connection created"),
    "gateway.counting_changed": _("Way of counting of a connection changed"),
    "route.created": _("Routing rule created"),
    "route.updated": _("Routing rule changed"),
    "route.drafts_applied": _("Drafts of routing rules put into force"),
    "gateway.updated": _("Connection changed"),
    "gateway.switched_on": _("Connection switched on"),
    "gateway.switched_off": _("Connection switched off"),
    "gateway.maintenance": _("Maintenance window of a connection set"),
    "gateway.push_renewed": _("Addresses for a provider's calls renewed"),
    "gateway.deleted": _("Connection deleted"),
    "sender.document_added": _("Document for a sender ID added"),
    "sender_approval.approved": _("Sender ID approved at a connection"),
    "sender_approval.refused": _("Sender ID refused at a connection"),
    "sender_approval.requested": _("Sender ID awaits approval at a connection again"),
    "suppression.exported": _("Suppression list exported"),
    "report.exported": _("Report exported"),
}


DETAILS = {
    "added": pgettext_lazy("numbers", "added"),
    "already": pgettext_lazy("numbers", "there already"),
    "agency": _("agency"),
    "amount": _("amount"),
    "at": pgettext_lazy("audit", "for"),
    "begins_at": pgettext_lazy("audit", "begins"),
    "class_reason": _("reason"),
    "connection": _("connection"),
    "contacts": pgettext_lazy("audit", "contacts"),
    "content_class": _("message type"),
    "count": _("count"),
    "ends_at": pgettext_lazy("audit", "ends"),
    "from": _("from"),
    "is_filtered": pgettext_lazy("audit", "filtered"),
    "kind": pgettext_lazy("audit", "format"),
    "list": _("list"),
    "name": _("name"),
    "note": _("note"),
    "old_name": pgettext_lazy("audit", "old name"),
    "opt_out_code": _("opt-out code"),
    "opt_out_number": _("opt-out number"),
    "parts": pgettext_lazy("audit", "parts"),
    "mersis_number": _("MERSIS number"),
    "reason": _("reason"),
    "role": _("role"),
    "rows": _("rows"),
    "searched": pgettext_lazy("audit", "filtered"),
    "since": pgettext_lazy("audit", "history missing since"),
    "messages": pgettext_lazy("audit", "messages that may have been sent"),
    "previous": pgettext_lazy("audit", "confirmed before"),
    "runs": pgettext_lazy("audit", "send-outs"),
    "source": _("source"),
    "state": _("status"),
    "time_zone": _("time zone"),
    "to": _("to"),
    "values": pgettext_lazy("audit", "values"),
    "via_agency": _("through the agency"),
}
VALUES = {
    "commercial": _("Commercial"),
    "informational": _("Informational"),
    "manual": _("Added by hand"),
    "import": _("File import"),
    "reply": _("Reply by SMS"),
    "csv": "CSV",
    "xlsx": "Excel",
    "abuse": pgettext_lazy("audit", "check by the platform"),
    "account_closed": pgettext_lazy("audit", "the account was closed"),
    "history_missing": pgettext_lazy("audit", "it may have started before the platform was restored"),
    "missed_schedule": pgettext_lazy("audit", "its time was missed"),
    "not_enough_credits": pgettext_lazy("audit", "not enough credit"),
    "not_ready": pgettext_lazy("audit", "something had changed"),
}
# For machines: what makes repeats harmless, names of form fields, ids.
SILENT = {"reference", "fields", "campaign", "entry", "run", "version"}
# Entries that were written before their keys said what they are, by all of their keys.
EARLIER_KEYS = {
    frozenset({"from"}): {"from": "old_name"},
    frozenset({"from", "to"}): {"from": "begins_at", "to": "ends_at"},
}
EMPTY: tuple[Any, ...] = ("", None, False)


def label_of(action: str) -> str:
    return str(LABELS.get(action, action))


def describe_data(data: dict[str, Any]) -> list[str]:
    """What an entry recorded beside its action, as short phrases: "role: editor", "name: A → B"."""
    names = EARLIER_KEYS.get(frozenset(data), {})
    data = {names.get(key, key): value for key, value in data.items()}
    known = list(DETAILS)  # the database keeps no order of its own
    return [
        f"{DETAILS.get(key, key)}: {SAID_AS.get(key, _say)(value)}"
        for key, value in sorted(data.items(), key=lambda one: known.index(one[0]) if one[0] in known else len(known))
        if key not in SILENT and value not in EMPTY
    ]


def _say_time(value: str) -> str:
    return formats.date_format(timezone.localtime(datetime.fromisoformat(value)), "SHORT_DATETIME_FORMAT")


def _say_credits(value: str) -> str:
    return format_credits(Decimal(value))


def _say(value: Any) -> str:
    if isinstance(value, dict) and value.keys() == {"from", "to"}:
        return f"{_say(value['from'])} → {_say(value['to'])}"
    if isinstance(value, bool):
        return gettext("yes") if value else gettext("no")
    if value in Role.values:
        return str(Role(value).label)
    return str(VALUES.get(value, value)) if value not in ("", None) else "–"


# Details that are not words: key → how a reader sees them.
SAID_AS: dict[str, Callable[[Any], str]] = {
    "at": _say_time,
    "since": _say_time,
    "begins_at": _say_time,
    "ends_at": _say_time,
    "amount": _say_credits,
}
