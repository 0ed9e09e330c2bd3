"""Audit actions in the reader's language. An action without a label shows as it is stored."""

from django.utils.translation import gettext_lazy as _

LABELS = {
    "tenant.created": _("Account opened"),
    "tenant.updated": _("Account settings changed"),
    "tenant.switched": _("Switched into this account"),
    "subaccount.created": _("Sub-account created"),
    "subaccount.entered": _("Switched into a sub-account"),
    "member.added": _("Member added"),
    "member.invited": _("Invitation sent again"),
    "member.removed": _("Member removed"),
    "member.role_changed": _("Role changed"),
    "sender.requested": _("Sender ID requested"),
    "sender.withdrawn": _("Sender ID request withdrawn"),
    "sender.approved": _("Sender ID approved"),
    "sender.refused": _("Sender ID refused"),
    "credits.topped_up": _("Credits loaded"),
    "credits.transferred": _("Credits transferred"),
    "campaign.created": _("Campaign created"),
    "campaign.launched": _("Campaign launched"),
    "campaign.scheduled": _("Campaign scheduled"),
    "campaign.paused": _("Campaign paused"),
    "campaign.resumed": _("Campaign resumed"),
    "campaign.cancelled": _("Campaign cancelled"),
    "contacts.exported": _("Contacts exported"),
    "contacts.imported": _("Contacts imported"),
    "contacts.deleted": _("Contacts deleted"),
    "contact.created": _("Contact added"),
    "contact.updated": _("Contact changed"),
    "contact_import.queued": _("Import started"),
    "contact_import.cancelled": _("Import stopped"),
    "contact_import.failed": _("Import failed"),
    "contact_group.created": _("List created"),
    "contact_group.renamed": _("List renamed"),
    "contact_group.deleted": _("List deleted"),
    "contact_field.created": _("Field added"),
    "contact_field.renamed": _("Field renamed"),
    "contact_field.deleted": _("Field deleted"),
    "suppression.added": _("Numbers added to the suppression list"),
    "suppression.removed": _("Number removed from the suppression list"),
    "report.exported": _("Report exported"),
}


def label_of(action: str) -> str:
    return str(LABELS.get(action, action))
