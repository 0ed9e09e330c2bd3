"""Writing a draft: created, saved with a version, duplicated, deleted."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from accounts.models import Tenant, User
from contacts.models import ContactGroup
from gateways.models import SenderId

from ..models import Campaign, CampaignGroup
from .audience import discard_audience
from .errors import DraftConflict, NotEditable
from .gate import lock_campaign
from .trail import record_step

S = Campaign.Status
EDITABLE = (S.DRAFT, S.PREPARING, S.READY, S.FAILED)
DELETABLE = (*EDITABLE, S.CANCELLED)


@dataclass(frozen=True)
class DraftContent:
    """All that a user decides about a campaign. Groups by primary key; `scheduled_at` aware, None means at launch."""

    name: str
    include_group_ids: frozenset[int] = frozenset()
    exclude_group_ids: frozenset[int] = frozenset()
    sender_id: int | None = None
    content_class: str = ""
    class_reason: str = ""
    text: str = ""
    append_opt_out: bool = True
    transliterate: bool = False
    scheduled_at: datetime | None = None
    respect_sending_hours: bool = True


FIELDS = (
    "name",
    "sender_id",
    "content_class",
    "class_reason",
    "text",
    "append_opt_out",
    "transliterate",
    "scheduled_at",
    "respect_sending_hours",
)


def read_content(campaign: Campaign) -> DraftContent:
    """The content that is stored now."""
    links = list(campaign.group_links.values_list("group_id", "is_excluded"))
    return DraftContent(
        include_group_ids=frozenset(pk for pk, is_excluded in links if not is_excluded),
        exclude_group_ids=frozenset(pk for pk, is_excluded in links if is_excluded),
        **{field: getattr(campaign, field) for field in FIELDS},
    )


@transaction.atomic
def create_campaign(*, tenant: Tenant, actor: User, content: DraftContent) -> Campaign:
    """A new draft, with its first step in the trail. Raises DoesNotExist for what is not the tenant's."""
    campaign = Campaign(tenant=tenant, created_by=actor, updated_by=actor, name=content.name)
    _check_owned(tenant, content)
    _assign(campaign, content)
    campaign.save()
    _write_groups(campaign, content)
    record_step(campaign, "campaign.created", actor)
    return campaign


@transaction.atomic
def save_draft(*, campaign: Campaign, version: int, actor: User, **changes: Any) -> Campaign:
    """Store changes (fields of DraftContent) to the version the user saw; returns the campaign as it stands now.

    Raises DraftConflict if another version was saved meanwhile, NotEditable past the draft. What changes nothing
    raises no version, so an autosave or a repeat of a lost answer keeps a prepared audience.
    """
    locked = lock_campaign(campaign.pk)
    stored = read_content(locked)
    wanted = replace(stored, **changes)
    if wanted == stored:
        return locked
    if locked.status not in EDITABLE:
        raise NotEditable(locked.status)
    if locked.version != version:
        raise DraftConflict(locked)
    _check_owned(locked.tenant, wanted)
    _assign(locked, wanted)
    locked.version += 1
    locked.status = S.DRAFT
    locked.failure = ""
    locked.starts_when_prepared = False
    locked.updated_by = actor
    locked.save()
    _write_groups(locked, wanted)
    return locked


@transaction.atomic
def duplicate_campaign(*, campaign: Campaign, actor: User, name: str) -> Campaign:
    """A new draft with the same content and no schedule."""
    content = replace(read_content(campaign), name=name[:120], scheduled_at=None)
    return create_campaign(tenant=campaign.tenant, actor=actor, content=content)


@transaction.atomic
def delete_campaign(*, campaign: Campaign, actor: User) -> None:
    """Delete what was never launched or scheduled. Its prepared audience goes with it. Raises NotEditable."""
    locked = lock_campaign(campaign.pk)
    if locked.status not in DELETABLE:
        raise NotEditable(locked.status)
    discard_audience(locked)
    record_step(campaign, "campaign.deleted", actor)
    locked.delete()


def _assign(campaign: Campaign, content: DraftContent) -> None:
    for field in FIELDS:
        setattr(campaign, field, getattr(content, field))
    campaign.updated_at = timezone.now()


def _check_owned(tenant: Tenant, content: DraftContent) -> None:
    """Forms offer own rows only; a service called from elsewhere must not link another tenant's."""
    wanted = content.include_group_ids | content.exclude_group_ids
    if content.include_group_ids & content.exclude_group_ids:
        raise ValueError("a list is either sent to or left out")
    if ContactGroup.objects.filter(tenant=tenant, pk__in=wanted, removing_since=None).count() != len(wanted):
        raise ContactGroup.DoesNotExist
    if content.sender_id is not None:
        SenderId.objects.get(tenant=tenant, pk=content.sender_id)


def _write_groups(campaign: Campaign, content: DraftContent) -> None:
    wanted = _pair(content.include_group_ids, False) | _pair(content.exclude_group_ids, True)
    stored = set(campaign.group_links.values_list("group_id", "is_excluded"))
    if wanted == stored:
        return
    campaign.group_links.all().delete()
    CampaignGroup.objects.bulk_create(
        CampaignGroup(tenant_id=campaign.tenant_id, campaign=campaign, group_id=pk, is_excluded=is_excluded)
        for pk, is_excluded in sorted(wanted)
    )


def _pair(pks: Collection[int], is_excluded: bool) -> set[tuple[int, bool]]:
    return {(pk, is_excluded) for pk in pks}
