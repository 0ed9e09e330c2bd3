from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import Actor, panel_view
from gateways.access import access_sender
from gateways.forms import SenderForm
from gateways.selectors import list_senders
from gateways.services import SenderExists, SenderLooksAlike, request_sender, withdraw_sender
from smscore.sender import suggest_sender


@panel_view("senders.view")
@require_GET
def show_list(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    context = {"senders": list_senders(actor.tenant.pk), "may_request": actor.may("senders.request")}
    return render(request, "gateways/senders.html", context)


@panel_view("senders.request")
@require_http_methods(["GET", "POST"])
def request_new(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    initial = {"name": suggest_sender(actor.tenant.name)}
    form = SenderForm(request.POST if request.method == "POST" else None, initial=initial)
    if request.method == "POST" and form.is_valid():
        try:
            sender = request_sender(tenant=actor.tenant, name=form.cleaned_data["name"], actor=actor.user)
        except SenderExists:
            form.add_error("name", gettext("You have this sender ID already, or have applied for it."))
        except SenderLooksAlike as error:
            text = gettext(
                "“%(name)s” looks like a sender ID that another account holds."
                " If the name is yours, write to us with the document that shows it; then we enter it for you."
            )
            form.add_error("name", text % {"name": error.name})
        else:
            messages.success(request, gettext("%(name)s awaits approval.") % {"name": sender.name})
            return redirect("gateways:sender_list")
    return render(request, "gateways/sender_new.html", {"form": form})


@panel_view("senders.request")
@require_POST
def withdraw(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    sender = access_sender(actor, public_id)
    if withdraw_sender(sender=sender, actor=actor.user):
        messages.success(request, gettext("The application for %(name)s is withdrawn.") % {"name": sender.name})
    else:
        messages.error(request, gettext("The application was decided already."))
    return redirect("gateways:sender_list")
