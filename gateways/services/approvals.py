"""Where a sender ID may be used: papers, decisions per connection, and the provider's own list."""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple

from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.services import record_audit

from ..models import GatewayAccount, SenderApproval, SenderId

State = SenderApproval.State


class ObstacleKind(StrEnum):
    NOT_APPROVED = "not_approved"
    REFUSED = "refused"
    NOT_LISTED = "not_listed"
    SPELLING = "spelling"


class Obstacle(NamedTuple):
    """Why a sender ID cannot be used over a connection. `detail`: the reason given, or the provider's spelling."""

    kind: ObstacleKind
    account: GatewayAccount
    detail: str = ""


def find_obstacle(account: GatewayAccount, sender: SenderId, approval: SenderApproval | None) -> Obstacle | None:
    """None if this sender ID may be used over this connection. Headers are compared letter for letter: providers do.

    What staff refused stays refused. A list fetched from the provider decides next; without one the approval does,
    where the connection asks for it.
    """
    if approval is not None and approval.state == State.REFUSED:
        return Obstacle(ObstacleKind.REFUSED, account, approval.reason)
    if approval is not None and approval.provider_name and approval.provider_name != sender.name:
        return Obstacle(ObstacleKind.SPELLING, account, approval.provider_name)
    if account.listed_senders is not None:
        if sender.name in account.listed_senders:
            return None
        alike = find_other_spelling(sender.name, account.listed_senders)
        if alike:
            return Obstacle(ObstacleKind.SPELLING, account, alike)
        return Obstacle(ObstacleKind.NOT_LISTED, account)
    if account.needs_sender_approval and (approval is None or approval.state != State.APPROVED):
        return Obstacle(ObstacleKind.NOT_APPROVED, account)
    return None


def find_other_spelling(name: str, listed: Iterable[str]) -> str:
    """The provider's header that differs from the name in case or spaces only; empty if there is none."""
    wanted = _squeeze(name)
    return next((other for other in listed if isinstance(other, str) and _squeeze(other) == wanted), "")


def list_obstacles(sender: SenderId, accounts: Sequence[GatewayAccount]) -> list[Obstacle]:
    """One for each of these connections over which the sender ID cannot be used."""
    approvals = {
        approval.gateway_account_id: approval
        for approval in SenderApproval.objects.filter(sender=sender, gateway_account__in=accounts)
    }
    found = [find_obstacle(account, sender, approvals.get(account.pk)) for account in accounts]
    return [obstacle for obstacle in found if obstacle is not None]


def list_approvals(sender: SenderId) -> QuerySet[SenderApproval]:
    return SenderApproval.objects.filter(sender=sender).select_related("gateway_account").order_by("gateway_account")


def request_approvals(*, sender: SenderId, accounts: Iterable[GatewayAccount]) -> int:
    """Ask for the sender ID at these connections; those asked before stay as they are. Returns how many are new."""
    accounts = list(accounts)
    known = set(
        SenderApproval.objects.filter(sender=sender, gateway_account__in=accounts).values_list(
            "gateway_account_id", flat=True
        )
    )
    new = [
        SenderApproval(tenant=sender.tenant, sender=sender, gateway_account=account)
        for account in accounts
        if account.pk not in known
    ]
    SenderApproval.objects.bulk_create(new, ignore_conflicts=True)
    return len(new)


def decide_approval(*, approval: SenderApproval, state: str, actor: User | None, reason: str = "") -> bool:
    """Staff's word, or the provider's list (actor None). False if it stood so already."""
    with transaction.atomic():
        changed = (
            SenderApproval.objects.filter(pk=approval.pk)
            .exclude(state=state)
            .update(state=state, decided_by=actor, decided_at=timezone.now(), reason=reason[:200])
        )
        if changed:
            record_audit(
                tenant=approval.tenant,
                actor=actor,
                action=f"sender_approval.{state}",
                target=approval.sender.name,
                data={"connection": approval.gateway_account.name, "reason": reason[:200]},
            )
    return bool(changed)


def apply_provider_list(*, account: GatewayAccount) -> int:
    """Approve what waits and stands in the provider's list, letter for letter. Platform scope; returns how many."""
    listed = [name for name in account.listed_senders or [] if isinstance(name, str)]
    waiting = SenderApproval.objects.filter(
        gateway_account=account, state=State.REQUESTED, sender__name__in=listed
    ).select_related("sender", "tenant", "gateway_account")
    return sum(decide_approval(approval=approval, state=State.APPROVED, actor=None) for approval in waiting)


def _squeeze(name: str) -> str:
    return "".join(name.split()).casefold()
