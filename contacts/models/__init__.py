from .contact import Contact, ContactField, ContactGroup, ContactGroupMember
from .imports import ContactImport, ContactImportReject

__all__ = [
    "Contact",
    "ContactField",
    "ContactGroup",
    "ContactGroupMember",
    "ContactImport",
    "ContactImportReject",
]
