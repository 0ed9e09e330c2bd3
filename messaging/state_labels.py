"""What states of a message are called, on pages and in the admin (reliability.md section 3, in plain words), and why
the database is in doubt."""

from typing import Final

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

STATE_LABELS: Final[dict[str, str | Promise]] = {
    "queued": pgettext_lazy("message state", "Queued"),
    "claimed": pgettext_lazy("message state", "Queued"),
    "submitting": pgettext_lazy("message state", "Sending"),
    "accepted": pgettext_lazy("message state", "Sent, no receipt yet"),
    "unknown": pgettext_lazy("message state", "Unconfirmed, waiting"),
    "delivered": pgettext_lazy("message state", "Delivered"),
    "undelivered": pgettext_lazy("message state", "Not delivered"),
    "expired": pgettext_lazy("message state", "No receipt"),
    "rejected": pgettext_lazy("message state", "Rejected"),
    "failed": pgettext_lazy("message state", "Not sent"),
    "suppressed": pgettext_lazy("message state", "Blocked"),
    "cancelled": pgettext_lazy("message state", "Cancelled"),
    "unconfirmed": pgettext_lazy("message state", "Unconfirmed"),
}

# messaging.selectors.doubt.Doubt.cause
DOUBT_LABELS: Final[dict[str, str | Promise]] = {
    "said": _("In doubt: staff say that its data were put back"),
    "restored": _("In doubt: restored from a backup, or a replica was promoted"),
    "replaced": _("In doubt: another PostgreSQL cluster (pg_upgrade, or loaded from a dump)"),
}
