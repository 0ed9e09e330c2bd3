from django.db.models import QuerySet

from accounts.scope import platform_scope
from gateways.models import InboundNumber, SenderId
from smscore.keywords import fold_words
from smscore.sender import fold_sender


def list_approved_senders(tenant_id: int) -> QuerySet[SenderId]:
    return SenderId.objects.filter(tenant_id=tenant_id, status=SenderId.Status.APPROVED).order_by("name")


def find_look_alike(tenant_id: int, name: str) -> SenderId | None:
    """Another account's approved sender ID that looks like this name, or None."""
    with platform_scope(reason="sender IDs of all accounts are compared"):
        approved = SenderId.objects.filter(look=fold_sender(name), status=SenderId.Status.APPROVED)
        return approved.exclude(tenant_id=tenant_id).select_related("tenant").order_by("pk").first()


def list_senders(tenant_id: int) -> QuerySet[SenderId]:
    """All of a tenant's sender IDs, whatever their status, by name."""
    return SenderId.objects.filter(tenant_id=tenant_id).order_by("name")


def find_number_owner(gateway_account_id: int, recipient: str, text: str) -> int | None:
    """The tenant whose number a handset wrote to: by the first word where one has claimed it there, else the tenant
    that has the number to itself. None: the number is nobody's. In platform scope."""
    words = fold_words(text)[:1]
    owners = dict(
        InboundNumber.objects.filter(
            gateway_account_id=gateway_account_id,
            recipient=recipient.lstrip("+"),
            folded_keyword__in=["", *words],
            is_active=True,
            tenant__is_active=True,
        ).values_list("folded_keyword", "tenant_id")
    )
    for word in (*words, ""):
        if word in owners:
            return int(owners[word])
    return None
