"""Words of routing, as people read them."""

from typing import Any

from django.utils.translation import gettext_lazy as _

from gateways.routing.breaker import Cause
from gateways.routing.rules import Why
from messaging.models import RouteStep

# By plain text: that is how the database has them.
STEP_LABELS: dict[str, Any] = {
    RouteStep.Cause.DECIDED: _("Decided when the messages were prepared"),
    RouteStep.Cause.RESTING: _("Moved: the connection had trouble"),
    RouteStep.Cause.INACTIVE: _("Moved: the connection was turned off"),
    RouteStep.Cause.REFUSED: _("Moved: the connection refused the message several times"),
    RouteStep.Cause.RETURNED: _("Moved back: the connection is well again"),
}
TROUBLE_LABELS: dict[str, Any] = {
    Cause.FAILURES: _("several failures in a row"),
    Cause.SHARE: _("too many failures within a minute"),
    Cause.LINK: _("connection lost"),
    Cause.LOGIN: _("login refused"),
    "maintenance": _("maintenance"),
}
WHY_LABELS: dict[str, Any] = {
    Why.CHOSEN: _("Chosen"),
    Why.SHARED: _("Takes other numbers of this kind"),
    Why.DEARER: _("Costs more"),
    Why.LATER: _("Next in line"),
    Why.RESTING: _("Resting after trouble"),
    Why.RETURNING: _("Coming back slowly, takes some of the numbers"),
    Why.INACTIVE: _("Turned off"),
    Why.SENDER: _("Sender ID not approved there"),
    Why.NUMBER: _("Does not carry numbers of this country"),
    Why.ENCODING: _("Cannot carry this text"),
    Why.LENGTH: _("Takes no text of so many parts"),
    Why.TRIED: _("Refused this message before"),
}
WHY_TONES: dict[str, str] = {
    Why.CHOSEN: "success",
    Why.RESTING: "danger",
    Why.TRIED: "danger",
    Why.RETURNING: "warning",
}
