"""What happened to a campaign, for the account's audit trail."""

from typing import Any

from accounts.models import User
from accounts.services import record_audit

from ..models import Campaign


def record_step(campaign: Campaign, action: str, actor: User | None, **data: Any) -> None:
    """An entry under the name that people know the campaign by; its id stays beside it, names may change."""
    record_audit(
        tenant=campaign.tenant,
        actor=actor,
        action=action,
        target=campaign.name,
        data={"campaign": str(campaign.public_id), **data},
    )
