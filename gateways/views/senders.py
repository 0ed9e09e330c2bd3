from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext
from django.views.decorators.http import require_GET, require_http_methods, require_POST

from accounts.actor import Actor, panel_view
from common.bodies import accepts_upload
from gateways.access import access_sender
from gateways.forms.papers import DOCUMENT_REFUSALS, DocumentForm, SenderForm
from gateways.models import SenderId
from gateways.routing.book import list_ways
from gateways.selectors.senders import list_senders
from gateways.services.approvals import list_approvals, list_obstacles, request_approvals
from gateways.services.documents import LARGEST, DocumentRefused, add_document
from gateways.services.senders import SenderExists, SenderLooksAlike, request_sender, withdraw_sender
from gateways.wording.obstacles import describe_obstacle
from smscore.sender import suggest_sender


@panel_view("senders.view")
@require_GET
def show_list(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    context = {"senders": list_senders(actor.tenant.pk), "may_request": actor.may("senders.request")}
    return render(request, "gateways/senders.html", context)


@accepts_upload(lambda: LARGEST)
@panel_view("senders.request")
@require_http_methods(["GET", "POST"])
def request_new(request: HttpRequest) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    name = request.GET.get("name") or suggest_sender(actor.tenant.name)
    initial = {"name": "" if name in {sender.name for sender in list_senders(actor.tenant.pk)} else name}
    form = SenderForm(request.POST if request.method == "POST" else None, initial=initial)
    papers = DocumentForm(request.POST, request.FILES) if request.method == "POST" else DocumentForm()
    if request.method == "POST" and form.is_valid() and papers.is_valid():
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
            request_approvals(sender=sender, accounts=list_ways(actor.tenant.pk))
            if papers.cleaned_data["document"]:
                add_document(sender=sender, file=papers.cleaned_data["document"], actor=actor.user)
            messages.success(request, gettext("%(name)s awaits approval.") % {"name": sender.name})
            return redirect("gateways:sender_list")
    return render(request, "gateways/sender_new.html", {"form": form, "papers": papers})


@panel_view("senders.view")
@require_GET
def show(request: HttpRequest, public_id: UUID) -> HttpResponse:
    return _show(request, access_sender(request.actor, public_id), DocumentForm())  # type: ignore[attr-defined]


@accepts_upload(lambda: LARGEST)
@panel_view("senders.request")
@require_POST
def add_paper(request: HttpRequest, public_id: UUID) -> HttpResponse:
    actor: Actor = request.actor  # type: ignore[attr-defined]
    sender = access_sender(actor, public_id)
    form = DocumentForm(request.POST, request.FILES)
    if form.is_valid() and not form.cleaned_data["document"]:
        form.add_error("document", gettext("Choose a file."))
    if form.is_valid():
        try:
            add_document(sender=sender, file=form.cleaned_data["document"], actor=actor.user)
        except DocumentRefused as refusal:
            form.add_error("document", str(DOCUMENT_REFUSALS[refusal.code]))
        else:
            messages.success(request, gettext("The document is with us."))
            return redirect("gateways:sender", public_id=public_id)
    return _show(request, sender, form)


def _show(request: HttpRequest, sender: SenderId, form: DocumentForm) -> HttpResponse:
    """Where it may be used. The ways of now, and those asked before."""
    actor: Actor = request.actor  # type: ignore[attr-defined]
    approvals = {approval.gateway_account_id: approval for approval in list_approvals(sender)}
    accounts = {account.pk: account for account in list_ways(actor.tenant.pk)}
    accounts |= {pk: approval.gateway_account for pk, approval in approvals.items()}
    obstacles = {obstacle.account.pk: obstacle for obstacle in list_obstacles(sender, list(accounts.values()))}
    rows = [
        {
            "account": account,
            "approval": approvals.get(pk),
            "is_open": pk not in obstacles,
            "waits_for_us": pk not in obstacles and sender.status != SenderId.Status.APPROVED,
            "why": describe_obstacle(sender.name, obstacles[pk]) if pk in obstacles else "",
        }
        for pk, account in accounts.items()
    ]
    context = {
        "sender": sender,
        "rows": rows,
        "documents": sender.documents.all(),
        "form": form,
        "may_request": actor.may("senders.request"),
    }
    return render(request, "gateways/sender.html", context)


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
