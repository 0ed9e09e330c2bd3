from collections.abc import Iterator

from django.db.models import QuerySet

from ..models import ContactImport, ContactImportReject


def list_imports(tenant_id: int) -> "QuerySet[ContactImport, ContactImport]":
    """The tenant's imports with who started them and the list they went to."""
    imports: QuerySet[ContactImport, ContactImport] = ContactImport.objects.filter(tenant_id=tenant_id)
    return imports.select_related("created_by", "group")


def list_rejects(contact_import: ContactImport) -> "QuerySet[ContactImportReject, ContactImportReject]":
    """Bad rows in the order of the file."""
    rejects: QuerySet[ContactImportReject, ContactImportReject] = ContactImportReject.objects.filter(
        contact_import=contact_import, tenant_id=contact_import.tenant_id
    )
    return rejects.order_by("row_number", "pk")


def iter_rejects(contact_import: ContactImport) -> Iterator[ContactImportReject]:
    return list_rejects(contact_import).iterator(chunk_size=2000)
