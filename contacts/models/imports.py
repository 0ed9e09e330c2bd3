import hashlib
import json

from django.db import models
from django.utils.translation import gettext_lazy as _

from accounts.tenancy import TenantOwned
from common.ids import uuid7

from .contact import ContactGroup


class ContactImport(TenantOwned):
    """A file on its way into the address book.

    uploaded → queued → running → completed | cancelled | failed
       └── cancelled      └── queued again by the sweep if its worker died

    `attempt` fences: a worker commits a chunk only while the import still carries the attempt it started.
    """

    class State(models.TextChoices):
        UPLOADED = "uploaded", _("Uploaded")
        QUEUED = "queued", _("Queued")
        RUNNING = "running", _("Importing")
        COMPLETED = "completed", _("Completed")
        CANCELLED = "cancelled", _("Cancelled")
        FAILED = "failed", _("Failed")

    class OnExisting(models.TextChoices):
        UPDATE = "update", _("Update details")
        KEEP = "keep", _("Keep as is")

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    file_name = models.CharField(_("file"), max_length=255)  # as the user called it
    stored_path = models.CharField(max_length=255)  # in the default storage, under the tenant's folder
    size_bytes = models.BigIntegerField(default=0)
    # Detected and changeable: kind (csv|xlsx), encoding, delimiter, sheet, header_row …
    settings = models.JSONField(default=dict)
    # column index → "msisdn", "name", "surname", "field:KEY", "new:KIND:LABEL" or null
    mapping = models.JSONField(default=dict)
    group = models.ForeignKey(ContactGroup, on_delete=models.SET_NULL, null=True, blank=True, related_name="+")
    on_existing = models.CharField(max_length=6, choices=OnExisting.choices, default=OnExisting.UPDATE)
    state = models.CharField(_("state"), max_length=9, choices=State.choices, default=State.UPLOADED)
    cancel_requested = models.BooleanField(default=False)
    error = models.JSONField(default=dict, blank=True)  # {"code": …, "params": {…}}; texts are in contacts.wording
    attempt = models.PositiveIntegerField(default=0)
    position = models.PositiveIntegerField(default=0)  # records of the file done, header and empty rows included
    row_count = models.PositiveIntegerField(default=0)  # rows with something in them so far, without the header
    row_estimate = models.PositiveIntegerField(null=True, blank=True)
    imported_count = models.PositiveIntegerField(default=0)  # new contacts
    updated_count = models.PositiveIntegerField(default=0)  # numbers that were there before
    duplicate_count = models.PositiveIntegerField(default=0)  # the same number again in this file
    empty_count = models.PositiveIntegerField(default=0)
    rejected_counts = models.JSONField(default=dict)  # reason → rows
    created_by = models.ForeignKey("accounts.User", on_delete=models.PROTECT, null=True, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    heartbeat_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        indexes = [models.Index(fields=["tenant", "-created_at"], name="import_tenant_created")]

    def __str__(self) -> str:
        return self.file_name

    @property
    def settings_digest(self) -> str:
        """A page carries it, to be told when the file has come to be read in another way than it shows."""
        return hashlib.sha256(json.dumps(self.settings, sort_keys=True).encode()).hexdigest()[:16]

    @property
    def rejected_count(self) -> int:
        return sum(self.rejected_counts.values())


class ContactImportReject(TenantOwned):
    """A row that did not come in: its number in the file, the field, the reason and what stood there."""

    contact_import = models.ForeignKey(ContactImport, on_delete=models.CASCADE, related_name="rejects", db_index=False)
    row_number = models.PositiveIntegerField()
    field = models.CharField(max_length=60)
    reason = models.CharField(max_length=40)
    value = models.CharField(max_length=200, blank=True)

    class Meta(TenantOwned.Meta):
        indexes = [models.Index(fields=["contact_import", "row_number"], name="reject_import_row")]
