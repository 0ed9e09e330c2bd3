"""What fields are called in the administration where a model does not say it: one name for one idea, in every app."""

from typing import Any, Final

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import pgettext_lazy

NAMES: Final[dict[str, Promise]] = {
    "tenant": pgettext_lazy("field", "account"),
    "user": pgettext_lazy("field", "person"),
    "actor": pgettext_lazy("field", "who"),
    "created_at": pgettext_lazy("field", "created"),
    "created_by": pgettext_lazy("field", "created by"),
    "updated_at": pgettext_lazy("field", "changed"),
    "updated_by": pgettext_lazy("field", "changed by"),
    "added_by": pgettext_lazy("field", "added by"),
    "removed_by": pgettext_lazy("field", "removed by"),
    "removed_at": pgettext_lazy("field", "removed"),
    "at": pgettext_lazy("field", "time"),
    "data": pgettext_lazy("field", "details"),
    "public_id": pgettext_lazy("field", "ID in addresses"),
    "date_joined": pgettext_lazy("field", "member since"),
    "state": pgettext_lazy("field", "state"),
    "state_changed_at": pgettext_lazy("field", "state since"),
    "pause_reason": pgettext_lazy("field", "why paused"),
    "priority": pgettext_lazy("field", "priority"),
    "sender": pgettext_lazy("field", "sender"),
    "content_class": pgettext_lazy("field", "message type"),
    "origin_type": pgettext_lazy("field", "origin"),
    "origin_id": pgettext_lazy("field", "number of the origin"),
    "message_count": pgettext_lazy("field", "messages"),
    "part_count": pgettext_lazy("field", "parts"),
    "credits": pgettext_lazy("field", "credits"),
    "started_at": pgettext_lazy("field", "started"),
    "completed_at": pgettext_lazy("field", "completed"),
    "finished_at": pgettext_lazy("field", "finished"),
    "ended_at": pgettext_lazy("field", "ended"),
    "launched_at": pgettext_lazy("field", "launched"),
    "launched_by": pgettext_lazy("field", "launched by"),
    "deadline_at": pgettext_lazy("field", "must be sent by"),
    "not_before": pgettext_lazy("field", "not before"),
    "time_zone": pgettext_lazy("field", "time zone"),
    "window_opens": pgettext_lazy("field", "sending hours from"),
    "window_closes": pgettext_lazy("field", "sending hours until"),
    "validity_seconds": pgettext_lazy("field", "valid for (s)"),
    "was_cancelled": pgettext_lazy("field", "cancelled"),
    "refusals_checked": pgettext_lazy("field", "first answers looked at"),
    "run": pgettext_lazy("field", "send-out"),
    "run_id": pgettext_lazy("field", "send-out"),
    "batch": pgettext_lazy("field", "batch"),
    "position": pgettext_lazy("field", "position"),
    "gateway_account": pgettext_lazy("field", "connection"),
    "gateway_account_id": pgettext_lazy("field", "connection"),
    "session": pgettext_lazy("field", "session"),
    "slot": pgettext_lazy("field", "slot"),
    "worker": pgettext_lazy("field", "worker"),
    "lease_until": pgettext_lazy("field", "held until"),
    "intent_upto": pgettext_lazy("field", "sent up to"),
    "attempt": pgettext_lazy("field", "attempt"),
    "tries": pgettext_lazy("field", "tries"),
    "operator": pgettext_lazy("field", "operator"),
    "encoding": pgettext_lazy("field", "encoding"),
    "reason": pgettext_lazy("field", "reason"),
    "provider_code": pgettext_lazy("field", "provider's code"),
    "provider_message_id": pgettext_lazy("field", "provider's ID"),
    "submitted_at": pgettext_lazy("field", "submitted"),
    "accepted_at": pgettext_lazy("field", "taken by the operator"),
    "link_state": pgettext_lazy("field", "link"),
    "link_code": pgettext_lazy("field", "link's last code"),
    "messages_dropped_at": pgettext_lazy("field", "messages deleted"),
    "done_at": pgettext_lazy("field", "over"),
    "received_at": pgettext_lazy("field", "received"),
    "occurred_at": pgettext_lazy("field", "happened"),
    "due_at": pgettext_lazy("field", "due"),
    "settled_at": pgettext_lazy("field", "settled"),
    "raw": pgettext_lazy("field", "as it came"),
    "is_inferred": pgettext_lazy("field", "concluded, not reported"),
    "matched_message_id": pgettext_lazy("field", "message"),
    "contact_id": pgettext_lazy("field", "contact"),
    "msisdn": pgettext_lazy("field", "number"),
    "group": pgettext_lazy("field", "list"),
    "groups": pgettext_lazy("field", "lists"),
    "mapping": pgettext_lazy("field", "columns"),
    "settings": pgettext_lazy("field", "settings"),
    "size_bytes": pgettext_lazy("field", "size (bytes)"),
    "stored_path": pgettext_lazy("field", "file"),
    "on_existing": pgettext_lazy("field", "if the number is there"),
    "row_count": pgettext_lazy("field", "rows"),
    "row_estimate": pgettext_lazy("field", "rows, estimated"),
    "imported_count": pgettext_lazy("field", "new"),
    "updated_count": pgettext_lazy("field", "there already"),
    "duplicate_count": pgettext_lazy("field", "duplicates"),
    "empty_count": pgettext_lazy("field", "empty rows"),
    "rejected_counts": pgettext_lazy("field", "rejected, by reason"),
    "cancel_requested": pgettext_lazy("field", "to be cancelled"),
    "error": pgettext_lazy("field", "error"),
    "campaign": pgettext_lazy("field", "campaign"),
    "campaign_version": pgettext_lazy("field", "version of the campaign"),
    "version": pgettext_lazy("field", "version"),
    "failure": pgettext_lazy("field", "failure"),
    "preparing_at": pgettext_lazy("field", "preparing since"),
    "prepare_stalls": pgettext_lazy("field", "stops while preparing"),
    "listed_count": pgettext_lazy("field", "listed"),
    "estimated_count": pgettext_lazy("field", "estimated"),
    "excluded_counts": pgettext_lazy("field", "left out, by reason"),
    "part_counts": pgettext_lazy("field", "messages by parts"),
    "is_complete": pgettext_lazy("field", "complete"),
    "heartbeat_at": pgettext_lazy("field", "last sign of life"),
    "upper_contact_id": pgettext_lazy("field", "last contact looked at"),
    "reference": pgettext_lazy("field", "reference"),
    "pieces": pgettext_lazy("field", "pieces"),
    "name_key": pgettext_lazy("field", "order of names"),
    "look": pgettext_lazy("field", "look"),
}


def name_fields(app_labels: set[str]) -> None:
    """Give names to the fields of these apps that have none of their own.

    Not in the models: a name in each of a hundred fields is a migration in each app, for a word.
    """
    for model in apps.get_models():
        for field in model._meta.local_fields if model._meta.app_label in app_labels else ():
            is_nameless = getattr(field, "_verbose_name", "") is None
            if is_nameless and field.name in NAMES:
                _rename(field, NAMES[field.name])


def _rename(field: Any, name: Promise) -> None:
    field.verbose_name = name  # what migrations look at (_verbose_name) stays
