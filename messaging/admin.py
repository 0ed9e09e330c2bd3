"""The engine for platform staff: to look at. Runs, batches and messages are moved by the engine only."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils import formats, timezone
from django.utils.html import format_html_join
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.admin import ReadOnlyAdmin
from smscore.msisdn import mask_msisdn

from . import dry_run_admin  # noqa: F401 - registers its pages
from .models import (
    DatabaseIdentity,
    DispatcherSession,
    InboundMessage,
    Message,
    MessageBatch,
    ReceiptInbox,
    SendRun,
)
from .route_labels import STEP_LABELS, TROUBLE_LABELS, WHY_LABELS
from .selectors import find_doubt
from .selectors.trail import explain_route
from .state_labels import DOUBT_LABELS, STATE_LABELS


@admin.register(SendRun)
class SendRunAdmin(ReadOnlyAdmin):
    list_display = ["id", "tenant", "state", "pause_reason", "priority", "sender", "message_count", "started_at"]
    list_filter = ["state", "priority", "origin_type"]
    search_fields = ["tenant__name", "public_id"]
    list_select_related = ["tenant"]


@admin.register(MessageBatch)
class MessageBatchAdmin(ReadOnlyAdmin):
    """What stands still shows here: a batch leased for long, or ready and never taken."""

    list_display = ["id", "run", "gateway_account", "state", "intent_upto", "message_count", "attempt", "not_before"]
    list_filter = ["state"]
    search_fields = ["=run__id"]
    list_select_related = ["gateway_account"]


@admin.register(Message)
class MessageAdmin(ReadOnlyAdmin):
    """By run and number; numbers are masked, texts are the account's own business."""

    list_display = ["id", "tenant", "run", "masked_msisdn", "show_state", "reason", "provider_code", "parts"]
    list_display += ["accepted_at"]
    search_fields = ["=run__id", "=msisdn"]
    list_select_related = ["tenant"]
    fields = ["tenant", "run", "batch", "position", "masked_msisdn", "encoding", "parts", "price", "operator"]
    fields += ["show_state", "reason", "provider_code", "submitted_at", "accepted_at", "done_at"]
    fields += ["way"]
    readonly_fields = ["masked_msisdn", "show_state", "way"]
    ordering = ["-id"]

    @admin.display(description=_("Way of the message"))
    def way(self, message: Message) -> str:
        """The routing decision and every move, as text."""
        return format_html_join(
            "",
            "<p><strong>{} · {}</strong> {} {}<br>{}</p>",
            (
                (
                    formats.localize(timezone.localtime(step.at)),
                    step.connection,
                    STEP_LABELS.get(step.cause, step.cause),
                    TROUBLE_LABELS.get(step.detail, step.detail),
                    " · ".join(f"{name}: {WHY_LABELS.get(why, why)}" for name, why in step.candidates),
                )
                for step in explain_route(message).steps
            ),
        )

    @admin.display(description=pgettext_lazy("field", "state"))
    def show_state(self, message: Message) -> str:
        """As the account reads it, and as logs have it."""
        return f"{STATE_LABELS.get(message.state, message.state)} ({message.state})"

    @admin.display(description=_("number"))
    def masked_msisdn(self, message: Message) -> str:
        return mask_msisdn(message.msisdn)


class WaitingFilter(admin.SimpleListFilter):
    title = _("waiting")
    parameter_name = "waiting"

    def lookups(self, request: HttpRequest, model_admin: admin.ModelAdmin) -> list[tuple[str, str]]:
        return [("yes", str(_("Waiting for a message"))), ("never", str(_("Never matched")))]

    def queryset(self, request, queryset):  # type: ignore[no-untyped-def]
        if self.value() == "yes":
            return queryset.filter(settled_at=None)
        if self.value() == "never":
            return queryset.filter(settled_at__isnull=False, matched_message_id=None).exclude(state="")
        return queryset


@admin.register(ReceiptInbox)
class ReceiptInboxAdmin(ReadOnlyAdmin):
    """R4: receipts that found nothing are kept, counted by this list, and tried again for seven days."""

    list_display = ["id", "provider_message_id", "state", "reason", "received_at", "tries", "is_inferred", "settled_at"]
    list_filter = [WaitingFilter, "state", "is_inferred"]
    search_fields = ["=provider_message_id"]
    exclude = ["msisdn", "raw"]
    ordering = ["-id"]


@admin.register(DispatcherSession)
class DispatcherSessionAdmin(ReadOnlyAdmin):
    list_display = ["gateway_account", "slot", "state", "worker", "started_at", "lease_until", "ended_at"]
    list_filter = ["state"]
    search_fields = ["gateway_account__name", "worker"]
    list_select_related = ["gateway_account"]
    ordering = ["-id"]


@admin.register(DatabaseIdentity)
class DatabaseIdentityAdmin(ReadOnlyAdmin):
    """W4: which database senders go by, and whether it is this one."""

    list_display = ["__str__", "show_state", "confirmed_at", "doubted_at", "lost_from", "lost_until"]

    @admin.display(description=pgettext_lazy("field", "state"))
    def show_state(self, identity: DatabaseIdentity) -> str:
        doubt = find_doubt()
        return f"{DOUBT_LABELS[doubt.cause]} ({doubt.found})" if doubt is not None else str(_("Confirmed"))


@admin.register(InboundMessage)
class InboundMessageAdmin(ReadOnlyAdmin):
    list_display = ["received_at", "tenant", "recipient", "keyword"]
    list_filter = ["keyword"]
    search_fields = ["tenant__name", "=recipient"]
    list_select_related = ["tenant"]
    exclude = ["pieces"]
    ordering = ["-id"]
