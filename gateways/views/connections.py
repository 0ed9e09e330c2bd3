"""An account's own connections: list, form, switch, maintenance, test, health."""

from functools import partial
from uuid import UUID

from django.contrib import messages
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext, ngettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import Actor, panel_view
from gateways.access import access_connection
from gateways.forms.connection import ConnectionForm, MaintenanceForm, list_providers
from gateways.models import GatewayAccount
from gateways.push_addresses import list_push_addresses
from gateways.selectors.connections import has_route, list_connections, list_health
from gateways.services.connections import (
    ConnectionBusy,
    ConnectionUsed,
    TooManyConnections,
    ask_for_check,
    create_connection,
    delete_connection,
    renew_push_token,
    set_maintenance,
    switch_connection,
    update_connection,
)
from gateways.tasks import check_connection
from gateways.views.connection_rows import build_charts, build_check, build_row

PERMISSION = "connections.manage"


@panel_view(PERMISSION)
@require_GET
def show_list(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    accounts = list(list_connections(actor.tenant.pk))
    rows = [build_row(health) for health in list_health(accounts)]
    return render(request, "gateways/connections.html", {"rows": rows})


@panel_view(PERMISSION)
@require_http_methods(["GET", "POST"])
def add(request: HttpRequest) -> HttpResponse:
    """Without a provider: choose one. With one: its form."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    providers = dict(list_providers())
    provider = (request.POST if request.method == "POST" else request.GET).get("provider", "")
    if provider not in providers:
        return render(request, "gateways/connection_new.html", {"providers": providers.items()})
    form = ConnectionForm(request.POST if request.method == "POST" else None, adapter=provider)
    if request.method == "POST" and form.is_valid():
        try:
            account = create_connection(tenant=actor.tenant, adapter=provider, content=form.content(), actor=actor.user)
        except TooManyConnections:
            form.add_error(None, gettext("Your account has as many connections as it can have. Delete one first."))
        else:
            _start_check(account, has_changed=True)
            messages.success(request, gettext("%(name)s is saved and being tested.") % {"name": account.name})
            return redirect("gateways:connection", public_id=account.public_id)
    context = {"form": form, "provider": provider, "provider_name": providers[provider]}
    return render(request, "gateways/connection_form.html", context)


@panel_view(PERMISSION)
@require_GET
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    account = _find(request, public_id)
    context = {
        "row": build_row(list_health([account])[0]),
        "check": build_check(account),
        "charts": build_charts(account),
        "has_route": has_route(account),
        "maintenance_form": MaintenanceForm(initial=_maintenance_initial(account)),
        "addresses": list_push_addresses(account),
        "account": account,
    }
    return render(request, "gateways/connection.html", context)


@panel_view(PERMISSION)
@require_http_methods(["GET", "POST"])
def edit(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    account = _find(request, public_id)
    data = request.POST if request.method == "POST" else None
    form = ConnectionForm(data, adapter=account.adapter, account=account)
    if request.method == "POST" and form.is_valid():
        update_connection(account=account, content=form.content(), actor=actor.user)
        _start_check(account, has_changed=True)
        messages.success(request, gettext("%(name)s is saved and being tested.") % {"name": account.name})
        return redirect("gateways:connection", public_id=public_id)
    name = dict(list_providers()).get(account.adapter, account.adapter)
    context = {"form": form, "account": account, "provider": account.adapter, "provider_name": name}
    return render(request, "gateways/connection_form.html", context)


@panel_view(PERMISSION)
@require_POST
def switch(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    account = _find(request, public_id)
    is_active = request.POST.get("on") == "1"
    switch_connection(account=account, is_active=is_active, actor=actor.user)
    if is_active:
        messages.success(request, gettext("%(name)s is on.") % {"name": account.name})
    else:
        text = gettext("%(name)s is off. Nothing is sent over it; messages wait.") % {"name": account.name}
        messages.warning(request, text)
    return redirect("gateways:connection", public_id=public_id)


@panel_view(PERMISSION)
@require_POST
def maintenance(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    account = _find(request, public_id)
    if request.POST.get("end") == "1":
        set_maintenance(account=account, begins_at=None, ends_at=None, actor=actor.user)
        messages.success(request, gettext("The maintenance window is lifted."))
        return redirect("gateways:connection", public_id=public_id)
    form = MaintenanceForm(request.POST)
    if form.is_valid():
        cleaned = form.cleaned_data
        set_maintenance(account=account, begins_at=cleaned["begins_at"], ends_at=cleaned["ends_at"], actor=actor.user)
        messages.success(request, gettext("The maintenance window is set. Messages wait for its end."))
    else:
        messages.error(request, " ".join(str(error) for errors in form.errors.values() for error in errors))
    return redirect("gateways:connection", public_id=public_id)


@panel_view(PERMISSION)
@require_POST
def renew_addresses(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    renew_push_token(account=_find(request, public_id), actor=actor.user)
    messages.success(request, gettext("The addresses are new. Enter them in the provider's portal now."))
    return redirect("gateways:connection", public_id=public_id)


@panel_view(PERMISSION)
@require_POST
def delete(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    account = _find(request, public_id)
    try:
        delete_connection(account=account, actor=actor.user)
    except ConnectionBusy as error:
        text = ngettext(
            "%(count)d message still waits for this connection. Cancel it or let it leave first.",
            "%(count)d messages still wait for this connection. Cancel them or let them leave first.",
            error.waiting,
        )
        messages.error(request, text % {"count": error.waiting})
    except ConnectionUsed:
        text = gettext("Reports name this connection, so it cannot be deleted. You can switch it off.")
        messages.error(request, text)
    else:
        messages.success(request, gettext("%(name)s is deleted.") % {"name": account.name})
        return redirect("gateways:connection_list")
    return redirect("gateways:connection", public_id=public_id)


@panel_view(PERMISSION)
@require_POST
def test(request: HttpRequest, public_id: UUID) -> HttpResponse:
    account = _find(request, public_id)
    _start_check(account)
    if request.headers.get("HX-Request"):
        return render(request, "gateways/_check.html", {"account": account, "check": build_check(account)})
    return redirect("gateways:connection", public_id=public_id)


@panel_view(PERMISSION)
@require_GET
def test_state(request: HttpRequest, public_id: UUID) -> HttpResponse:
    """The result of the test again, for polling."""
    account = _find(request, public_id)
    return render(request, "gateways/_check.html", {"account": account, "check": build_check(account)})


def _find(request: HttpRequest, public_id: UUID) -> GatewayAccount:
    return access_connection(request.actor, public_id)  # type: ignore[attr-defined]


def _start_check(account: GatewayAccount, *, has_changed: bool = False) -> None:
    """A worker makes the test: a provider is never called inside a request's transaction."""
    if ask_for_check(account=account, has_changed=has_changed):
        # robust: a broker that is away must not turn into an error page; the page says that no worker took the test
        transaction.on_commit(partial(check_connection.delay, account.pk), robust=True)


def _maintenance_initial(account: GatewayAccount) -> dict[str, object]:
    now = timezone.localtime()
    begins_at = account.maintenance_from or now.replace(second=0, microsecond=0)
    return {"begins_at": begins_at, "ends_at": account.maintenance_until}
