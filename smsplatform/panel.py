"""What every page of the panel shows around its content: navigation, account switcher, balance, theme.

Lives in the top layer because it gathers from all of them. Everything is worked out when a template asks for it, so
partials and error pages pay nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse
from django.utils.functional import SimpleLazyObject, cached_property
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.actor import Actor
from accounts.models import Membership, Tenant
from accounts.preferences import chosen_theme
from accounts.scope import platform_scope
from accounts.selectors import list_invitations, list_memberships, list_sub_accounts
from billing.selectors import get_balance
from gateways.selectors.connections import list_incidents
from messaging.selectors import find_doubt

SWITCHER_LIMIT = 12


@dataclass(frozen=True, slots=True)
class NavItem:
    label: Any
    view: str  # the URL name it opens
    icon: str
    permission: str
    prefixes: tuple[str, ...] = ("",)  # URL names of the namespace that belong to it
    needs: Callable[[HttpRequest], bool] | None = None


def _shows_simulator(request: HttpRequest) -> bool:
    return settings.PEYK_ENV in ("dev", "demo", "test") or bool(request.user.is_staff)  # type: ignore[union-attr]


SECTIONS: list[tuple[Any, list[NavItem]]] = [
    (
        "",
        [
            NavItem(_("Overview"), "reporting:dashboard", "layout-dashboard", "dashboard.view", ("dashboard",)),
            NavItem(_("Campaigns"), "campaigns:list", "send", "campaigns.view"),
            NavItem(pgettext_lazy("menu", "Contacts"), "contacts:list", "users", "contacts.view"),
            NavItem(_("Templates"), "campaigns:template_list", "layout-template", "templates.view", ("template",)),
            NavItem(_("Inbox"), "messaging:inbox", "inbox", "inbox.view"),
        ],
    ),
    (
        _("Compliance"),
        [
            NavItem(_("Suppression list"), "optout:list", "ban", "optout.view"),
            NavItem(_("Sender IDs"), "gateways:sender_list", "id-card-lanyard", "senders.view", ("sender",)),
        ],
    ),
    (
        _("Account"),
        [
            NavItem(_("Reports"), "reporting:report_list", "chart-column", "reports.view"),
            NavItem(_("Sub-accounts"), "billing:sub_accounts", "store", "subaccounts.manage", ("sub_account",)),
            NavItem(_("Credits"), "billing:overview", "wallet", "billing.view"),
            NavItem(_("Connections"), "gateways:connection_list", "plug", "connections.manage", ("connection",)),
            NavItem(
                _("Account settings"), "accounts:settings", "settings", "account.view", ("settings", "member", "audit")
            ),
            NavItem(
                _("Operator simulator"),
                "gateways:simulator",
                "smartphone",
                "dashboard.view",
                ("simulator",),
                _shows_simulator,
            ),
        ],
    ),
]


class PanelFrame:
    """`panel` in templates."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.actor: Actor | None = getattr(request, "actor", None)

    @cached_property
    def theme(self) -> str:
        return chosen_theme(self.request)

    @cached_property
    def sections(self) -> list[dict[str, Any]]:
        """The sidebar: items that exist and that the actor may see."""
        rows = []
        active = self._active_item()
        for title, items in SECTIONS:
            links = [
                {"label": item.label, "url": url, "icon": item.icon, "is_active": item is active}
                for item in items
                if (url := self._url(item))
            ]
            if links:
                rows.append({"title": title, "links": links})
        return rows

    @cached_property
    def balance(self) -> Any:
        if self.actor is None or not self.actor.may("billing.view"):
            return None
        return get_balance(self.actor.tenant.pk).available

    @cached_property
    def incidents(self) -> list[dict[str, Any]]:
        """Connections in trouble that concern the reader: the account's own, and for staff the platform's."""
        if self.actor is None:
            return []
        rows = []
        if self.actor.may("connections.manage"):
            for incident in list_incidents(self.actor.tenant.pk):
                url = reverse("gateways:connection", args=[incident.gateway_account.public_id])
                rows.append({"incident": incident, "url": url})
        if self.actor.user.is_staff:
            with platform_scope(reason="platform connections in trouble"):
                for incident in list_incidents(None):
                    url = reverse("admin:gateways_gatewayaccount_change", args=[incident.gateway_account_id])
                    rows.append({"incident": incident, "url": url})
        return rows

    @cached_property
    def is_database_in_doubt(self) -> bool:
        """Nothing is sent until staff have confirmed the database, so every page tells them (W4)."""
        if not getattr(self.request.user, "is_staff", False):
            return False
        with platform_scope(reason="is the database confirmed"):
            return find_doubt() is not None

    @cached_property
    def _memberships(self) -> list[Membership]:
        return list_memberships(self.actor.user) if self.actor is not None else []

    @cached_property
    def invitations(self) -> list[Membership]:
        return list_invitations(self.actor.user) if self.actor is not None else []

    @cached_property
    def tenants(self) -> list[Tenant]:
        """Accounts the user may switch to: their own, and those below the agency they act in or came from."""
        if self.actor is None:
            return []
        memberships = self._memberships
        found = {membership.tenant_id: membership.tenant for membership in memberships}
        for membership in memberships:
            if membership.role in ("owner", "admin"):
                for child in list_sub_accounts(membership.tenant)[: SWITCHER_LIMIT + 1]:
                    found.setdefault(child.pk, child)
        return list(found.values())[: SWITCHER_LIMIT + 1]

    @cached_property
    def switchable(self) -> list[Tenant]:
        return self.tenants[:SWITCHER_LIMIT]

    @cached_property
    def home_tenant(self) -> Tenant | None:
        """Where "go back" leads while acting in a sub-account: the agency through which the user came."""
        if self.actor is None or not self.actor.via_agency:
            return None
        own = [membership.tenant for membership in self._memberships]
        above = [tenant for tenant in own if tenant.pk == self.actor.tenant.parent_id]
        return next(iter(above or own), None)

    def _url(self, item: NavItem) -> str:
        if self.actor is None or not self.actor.may(item.permission):
            return ""
        if item.needs is not None and not item.needs(self.request):
            return ""
        try:
            return reverse(item.view)
        except NoReverseMatch:
            return ""

    def _active_item(self) -> NavItem | None:
        """The most specific item whose namespace and name prefix fit the current page."""
        match = self.request.resolver_match
        if match is None or not match.url_name:
            return None
        fitting = [
            (len(prefix), item)
            for _title, items in SECTIONS
            for item in items
            for prefix in item.prefixes
            if item.view.partition(":")[0] == match.namespace and match.url_name.startswith(prefix)
        ]
        return max(fitting, key=lambda pair: pair[0])[1] if fitting else None


def panel(request: HttpRequest) -> dict[str, Any]:
    """Context processor."""
    actor: Actor | None = getattr(request, "actor", None)
    return {
        "panel": SimpleLazyObject(lambda: PanelFrame(request)),
        "actor": actor,
        "may_read_audit": actor is not None and actor.may("members.manage"),
    }
