from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import Case, Value, When
from django.db.models.functions import Lower
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.tenancy import TenantOwned
from common.ids import uuid7
from common.ordering import turkish_key


def unchecked_tenant() -> models.ForeignKey:
    """The tenant of a table that is filled by the million.

    No foreign key in the database: its trigger runs per row and costs as much as the insert. Row-level security
    checks the value already, and tenants are never deleted.
    """
    return models.ForeignKey(
        "accounts.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False, db_constraint=False
    )


class Contact(TenantOwned):
    """A person of a tenant's address book: one row per number."""

    tenant = unchecked_tenant()

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    msisdn = models.CharField(_("number"), max_length=16)  # E.164 with +
    name = models.CharField(_("name"), max_length=200, blank=True)
    # Lists by name sort by it. Kept, because a page out of a million would take a second to compute; not indexed,
    # because that would cost each import eight seconds a million and the best 50 are found in 0.1 s without.
    # Who has no name comes last.
    name_key = models.GeneratedField(
        expression=Case(When(name="", then=Value("\U0010fffd")), default=turkish_key("name")),
        output_field=models.TextField(db_collation="C"),
        db_persist=True,
    )
    # Custom fields by ContactField.key; texts as they are rendered into messages.
    attributes = models.JSONField(_("fields"), default=dict, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")
        constraints = [models.UniqueConstraint(fields=["tenant", "msisdn"], name="contact_once")]
        indexes = [
            models.Index(fields=["tenant", "-id"], name="contact_tenant_newest"),
            GinIndex(OpClass(Lower("name"), name="gin_trgm_ops"), name="contact_name_search"),
        ]

    def __str__(self) -> str:
        return self.name or self.msisdn


class ContactField(TenantOwned):
    """A custom field. `key` is the folded label (smscore.placeholders), so [Şehir], [SEHIR] and [şehir] meet."""

    class Kind(models.TextChoices):
        TEXT = "text", pgettext_lazy("kind of field", "Text")
        NUMBER = "number", pgettext_lazy("kind of field", "Number")
        DATE = "date", pgettext_lazy("kind of field", "Date")

    key = models.CharField(_("key"), max_length=60)
    label = models.CharField(_("label"), max_length=60)
    kind = models.CharField(_("kind"), max_length=6, choices=Kind.choices, default=Kind.TEXT)
    position = models.PositiveSmallIntegerField(default=0)

    class Meta(TenantOwned.Meta):
        verbose_name = _("contact field")
        verbose_name_plural = _("contact fields")
        ordering = ["position", "id"]
        constraints = [models.UniqueConstraint(fields=["tenant", "key"], name="contact_field_once")]

    def __str__(self) -> str:
        return self.label


class ContactGroup(TenantOwned):
    """A list of contacts, as users make them by hand or by import."""

    public_id = models.UUIDField(default=uuid7, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=120)
    contact_count = models.PositiveIntegerField(_("contacts"), default=0)  # kept by the services that change members
    # One up with every change of who is on it or of their values (services.revisions); a new name is none.
    revision = models.PositiveBigIntegerField(db_default=0, default=0, editable=False)
    # It is being deleted together with its contacts, in the background; nobody reaches it any more.
    removing_since = models.DateTimeField(null=True, blank=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta(TenantOwned.Meta):
        verbose_name = _("list")
        verbose_name_plural = _("lists")
        ordering = ["name"]
        constraints = [models.UniqueConstraint("tenant", Lower("name"), name="contact_group_once")]

    def __str__(self) -> str:
        return self.name


class ContactGroupMember(TenantOwned):
    """A contact in a list. Written in bulk by `services.membership` and the import, which lock what they point at."""

    tenant = unchecked_tenant()
    group = models.ForeignKey(
        ContactGroup, on_delete=models.CASCADE, related_name="members", db_index=False, db_constraint=False
    )
    contact = models.ForeignKey(Contact, on_delete=models.CASCADE, related_name="group_links", db_constraint=False)

    class Meta(TenantOwned.Meta):
        # The audience walks a list by contact id under a frozen upper bound: this index is that walk.
        constraints = [models.UniqueConstraint(fields=["group", "contact"], name="group_member_once")]
