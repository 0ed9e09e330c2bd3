"""How connections are doing, for platform staff: to look at."""

from django.contrib import admin

from common.admin import ReadOnlyAdmin

from .models import ConnectionCheck, ConnectionFigures, ConnectionIncident, LinkStatus


@admin.register(ConnectionIncident)
class ConnectionIncidentAdmin(ReadOnlyAdmin):
    list_display = ["gateway_account", "tenant", "kind", "code", "opened_at", "closed_at"]
    list_filter = ["kind", "gateway_account"]
    search_fields = ["gateway_account__name", "tenant__name"]
    list_select_related = ["gateway_account", "tenant"]


@admin.register(ConnectionCheck)
class ConnectionCheckAdmin(ReadOnlyAdmin):
    list_display = ["gateway_account", "tenant", "is_ok", "finding", "code", "balance", "finished_at"]
    list_filter = ["is_ok", "finding"]
    search_fields = ["gateway_account__name", "tenant__name"]
    list_select_related = ["gateway_account", "tenant"]


@admin.register(LinkStatus)
class LinkStatusAdmin(ReadOnlyAdmin):
    list_display = ["gateway_account", "slot", "state", "code", "since_at", "seen_at"]
    list_filter = ["state"]
    search_fields = ["gateway_account__name"]
    list_select_related = ["gateway_account"]


@admin.register(ConnectionFigures)
class ConnectionFiguresAdmin(ReadOnlyAdmin):
    list_display = ["gateway_account", "bucket", "slot", "accepted_count", "rejected_count", "unknown_count"]
    list_display += ["answer_ms_most", "waiting_count", "last_receipt_at"]
    list_filter = ["gateway_account"]
    search_fields = ["gateway_account__name"]
    list_select_related = ["gateway_account"]
    ordering = ["-bucket", "gateway_account", "slot"]
