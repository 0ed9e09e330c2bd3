from django.contrib import admin

from common.admin import ReadOnlyAdmin

from .models import AudienceSnapshot, Campaign, MessageTemplate


@admin.register(Campaign)
class CampaignAdmin(ReadOnlyAdmin):
    list_display = ["name", "tenant", "status", "scheduled_at", "launched_at", "created_at"]
    list_filter = ["status"]
    search_fields = ["name", "tenant__name"]
    list_select_related = ["tenant"]
    ordering = ["-pk"]


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
