from collections.abc import Callable

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from common.admin import ReadOnlyAdmin

from .models import AudienceSnapshot, Campaign, MessageTemplate
from .services.control import hold_campaign, lift_campaign_hold


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    """To look at, and to stop what is under way until somebody has looked at it."""

    actions = ["hold", "lift_hold"]
    list_display = ["name", "tenant", "status", "scheduled_at", "launched_at", "created_at"]
    list_filter = ["status"]
    search_fields = ["name", "tenant__name"]
    list_select_related = ["tenant"]
    ordering = ["-pk"]

    def has_hold_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("campaigns.change_campaign")

    @admin.action(description=_("Hold for a check: nothing further is sent"), permissions=["hold"])
    def hold(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        self._act(request, campaigns, hold_campaign)

    @admin.action(description=_("Checked: the account may resume it"), permissions=["hold"])
    def lift_hold(self, request: HttpRequest, campaigns: QuerySet[Campaign]) -> None:
        self._act(request, campaigns, lift_campaign_hold)

    def _act(self, request: HttpRequest, campaigns: QuerySet[Campaign], act: Callable[..., bool]) -> None:
        done = sum(act(campaign=campaign, actor=request.user) for campaign in campaigns)
        text = ngettext("%(count)d campaign changed.", "%(count)d campaigns changed.", done)
        self.message_user(request, text % {"count": done}, messages.SUCCESS if done else messages.WARNING)


@admin.register(MessageTemplate)
class MessageTemplateAdmin(ReadOnlyAdmin):
    list_display = ["name", "tenant", "updated_at"]
    search_fields = ["name", "tenant__name"]
    list_select_related = ["tenant"]


@admin.register(AudienceSnapshot)
class AudienceSnapshotAdmin(ReadOnlyAdmin):
    list_display = ["campaign", "tenant", "message_count", "part_count", "credits", "is_complete", "started_at"]
    list_select_related = ["tenant", "campaign"]
    ordering = ["-pk"]
