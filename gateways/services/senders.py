"""Applications for sender IDs. Approval is the platform's, after the operators' (documents are checked there)."""

from django.db import IntegrityError, transaction

from accounts.models import Tenant, User
from accounts.scope import platform_scope
from accounts.services import record_audit

from ..models import SenderId
from ..selectors.senders import find_look_alike
from .documents import discard_documents

Status = SenderId.Status


class SenderExists(Exception):
    """The account has this sender ID, or has applied for it."""


class SenderLooksAlike(Exception):
    """Another account holds a sender ID that handsets' owners could take for this one.

    `holder` is for the platform's eyes: a tenant is not told whose it is.
    """

    def __init__(self, name: str, holder: SenderId) -> None:
        super().__init__(name)
        self.name, self.holder = name, holder


def request_sender(*, tenant: Tenant, name: str, actor: User) -> SenderId:
    """Apply for a sender ID; a refused one may be applied for again. Raises SenderExists, SenderLooksAlike.

    What looks like another account's is not for tenants to apply for: staff enter it (admin), and approve it knowingly.
    """
    with transaction.atomic():
        holder = find_look_alike(tenant.pk, name)
        if holder is not None:
            raise SenderLooksAlike(name, holder)
        sender = SenderId.objects.select_for_update().filter(tenant=tenant, name=name).first()
        if sender is None:
            sender = SenderId(tenant=tenant, name=name)
        elif sender.status != Status.REFUSED:
            raise SenderExists(name)
        sender.status, sender.note = Status.REQUESTED, ""
        try:
            with transaction.atomic():
                sender.save()
        except IntegrityError as error:  # somebody applied for it at the same moment
            raise SenderExists(name) from error
        record_audit(tenant=tenant, actor=actor, action="sender.requested", target=name)
    return sender


def withdraw_sender(*, sender: SenderId, actor: User) -> bool:
    """Take an application back; False once it was decided."""
    with transaction.atomic():
        waiting = SenderId.objects.filter(pk=sender.pk, status=Status.REQUESTED)
        if waiting.exists():
            discard_documents(sender)
        deleted, _rows = waiting.delete()
        if deleted:
            record_audit(tenant=sender.tenant, actor=actor, action="sender.withdrawn", target=sender.name)
    return bool(deleted)


def approve_sender(*, sender: SenderId, actor: User, note: str = "", despite_look_alike: bool = False) -> bool:
    """False if it was approved before. Raises SenderLooksAlike unless staff say that they have seen that one."""
    with transaction.atomic(), platform_scope(reason="sender IDs of all accounts are compared"):
        # Of two applications that look alike, approved at the same moment, the second sees the first.
        list(SenderId.objects.select_for_update().filter(look=sender.look).order_by("pk").values_list("pk"))
        holder = None if despite_look_alike else find_look_alike(sender.tenant_id, sender.name)
        if holder is not None:
            raise SenderLooksAlike(sender.name, holder)
        return _decide(sender, Status.APPROVED, actor, note)


def refuse_sender(*, sender: SenderId, actor: User, note: str = "") -> bool:
    """Also takes an approved one back: campaigns cannot choose it any more. False if it was refused before."""
    return _decide(sender, Status.REFUSED, actor, note)


def _decide(sender: SenderId, status: str, actor: User, note: str) -> bool:
    with transaction.atomic():
        changed = SenderId.objects.filter(pk=sender.pk).exclude(status=status).update(status=status, note=note[:200])
        if changed:
            record_audit(
                tenant=sender.tenant, actor=actor, action=f"sender.{status}", target=sender.name, data={"note": note}
            )
    return bool(changed)
