"""How connections are doing, for platform staff: to look at."""

from django.contrib import admin
from django.utils.translation import pgettext, pgettext_lazy

from common.admin import ReadOnlyAdmin

from ..models import ConnectionCheck, ConnectionFigures, ConnectionIncident, LinkStatus
from ..models.health import SWEEP_SLOT
from ..views.connection_rows import STATES
from ..wording.diagnosis import explain_finding


@admin.register(ConnectionIncident)
class ConnectionIncidentAdmin(ReadOnlyAdmin):
    list_display = ["gateway_account", "tenant", "kind", "code", "opened_at", "closed_at"]
    list_filter = ["kind", "gateway_account"]
    search_fields = ["gateway_account__name", "tenant__name"]
    list_select_related = ["gateway_account", "tenant"]


@admin.register(ConnectionCheck)
class ConnectionCheckAdmin(ReadOnlyAdmin):
    list_display = ["gateway_account", "tenant", "is_ok", "show_finding", "code", "balance", "finished_at"]
    list_filter = ["is_ok", "finding"]
    search_fields = ["gateway_account__name", "tenant__name"]
    list_select_related = ["gateway_account", "tenant"]

    @admin.display(description=pgettext_lazy("field", "finding"), ordering="finding")
    def show_finding(self, check: ConnectionCheck) -> str:
        if check.state != ConnectionCheck.State.DONE:
            return "–"
        return explain_finding(check.finding, check.is_ok, check.diagnosis).headline


@admin.register(LinkStatus)
class LinkStatusAdmin(ReadOnlyAdmin):
    list_display = ["gateway_account", "slot", "show_state", "code", "since_at", "seen_at"]
    list_filter = ["state"]
    search_fields = ["gateway_account__name"]
    list_select_related = ["gateway_account"]

    @admin.display(description=pgettext_lazy("field", "state"), ordering="state")
    def show_state(self, link: LinkStatus) -> str:
        return str(STATES[link.state][0]) if link.state in STATES else link.state


@admin.register(ConnectionFigures)
class ConnectionFiguresAdmin(ReadOnlyAdmin):
    list_display = ["gateway_account", "bucket", "show_slot", "accepted_count", "rejected_count", "unknown_count"]
    list_display += ["answer_ms_most", "waiting_count", "last_receipt_at"]
    list_filter = ["gateway_account"]
    search_fields = ["gateway_account__name"]
    list_select_related = ["gateway_account"]
    ordering = ["-bucket", "gateway_account", "slot"]

    @admin.display(description=pgettext_lazy("field", "slot"), ordering="slot")
    def show_slot(self, row: ConnectionFigures) -> str:
        """What waits is counted for the connection as a whole."""
        return pgettext("slot", "all") if row.slot == SWEEP_SLOT else str(row.slot)
