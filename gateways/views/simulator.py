"""The page of the operator simulator: what phones received, and a keyboard to reply with. Demo and development only.

Platform staff see every phone. Members see the messages that carry an approved sender ID of their own account, so that
two accounts of a demo do not read each other's messages. In production without a simulator there is no such page.
"""

from datetime import UTC, datetime
from typing import Any

from django import forms
from django.conf import settings
from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_GET, require_POST

from accounts.actor import Actor, panel_view
from smscore.msisdn import normalise_msisdn

from ..selectors.senders import list_approved_senders
from ..simulator import client as simulator_client
from ..simulator.client import SimulatorDown, SimulatorRefused

SESSION_REPLIES = "simulator_replies"
REPLIES_KEPT = 40
PHONES_SHOWN = 25
TALK_SHOWN = 30
QUICK_REPLIES = ("DUR", "RET", "İPTAL")
DEFAULT_SHORT_NUMBER = "3838"


class ScriptForm(forms.Form):
    """The knobs worth turning by hand; the simulator has more."""

    answer_delay = forms.IntegerField(
        label=gettext_lazy("Answers after (ms)"), min_value=0, max_value=60_000, help_text=gettext_lazy("0: at once")
    )
    receipt_delay = forms.IntegerField(label=gettext_lazy("Receipts after (ms)"), min_value=0, max_value=600_000)
    failure_ratio = forms.FloatField(label=gettext_lazy("Share not delivered"), min_value=0, max_value=1)
    throttle_ratio = forms.FloatField(label=gettext_lazy("Share answered “too fast”"), min_value=0, max_value=1)
    lost_answer_ratio = forms.FloatField(label=gettext_lazy("Share never answered"), min_value=0, max_value=1)
    rate_limit = forms.IntegerField(
        label=gettext_lazy("Messages per second at most"),
        min_value=0,
        max_value=1_000_000,
        help_text=gettext_lazy("0: no limit"),
    )


def check_simulator_access(actor: Actor) -> None:
    """404 where the page is not meant to be."""
    if not (actor.user.is_staff or settings.PEYK_ENV in ("dev", "demo", "test")):
        raise Http404
    if settings.IS_PRODUCTION and not settings.SIMULATOR_CONTROL_URL:
        raise Http404


@require_GET
@panel_view("dashboard.view")
def simulator(request: HttpRequest) -> HttpResponse:
    actor = request.actor  # type: ignore[attr-defined]
    check_simulator_access(actor)
    context = _build_phones(request)
    if actor.user.is_staff and not context["is_down"]:
        context |= _read_operator()
    return render(request, "gateways/simulator.html", context)


@require_GET
@panel_view("dashboard.view")
def simulator_phones(request: HttpRequest) -> HttpResponse:
    """The phones again, for polling."""
    check_simulator_access(request.actor)  # type: ignore[attr-defined]
    return render(request, "gateways/_phones.html", _build_phones(request))


@require_POST
@panel_view("campaigns.test")
def simulator_reply(request: HttpRequest) -> HttpResponse:
    """A phone that this account may see writes back."""
    actor = request.actor  # type: ignore[attr-defined]
    check_simulator_access(actor)
    phone, text = normalise_msisdn(request.POST.get("phone", "")), request.POST.get("text", "").strip()[:1000]
    if not isinstance(phone, str):
        raise Http404
    back = redirect(f"{reverse('gateways:simulator')}?{urlencode({'number': phone})}")
    try:
        received = [m for m in _list_visible(actor, phone) if m["to"] == phone]
        if not received:
            raise Http404
        if not text:
            messages.error(request, _("Type what the phone replies."))
            return back
        simulator_client.send_reply(
            phone=phone,
            recipient=actor.tenant.opt_out_number or DEFAULT_SHORT_NUMBER,
            text=text,
            account=received[0]["account"],
        )
    except (SimulatorDown, SimulatorRefused):
        messages.error(request, _("The simulator did not take the reply. Is a sender connected?"))
    else:
        _remember_reply(request, phone, text)
        messages.success(request, _("The phone has replied. See the inbox."))
    return back


@require_POST
@panel_view("dashboard.view")
def simulator_script(request: HttpRequest) -> HttpResponse:
    """Staff change how the operator behaves."""
    actor = request.actor  # type: ignore[attr-defined]
    check_simulator_access(actor)
    if not actor.user.is_staff:
        raise PermissionDenied
    form = ScriptForm(request.POST)
    if not form.is_valid():
        context = _build_phones(request) | {"script_form": form}
        return render(request, "gateways/simulator.html", context)
    changes = dict(form.cleaned_data)
    for name in ("answer_delay", "receipt_delay"):
        changes[name] = [changes[name], changes[name] * 1.5]
    try:
        simulator_client.change_script(changes)
    except (SimulatorDown, SimulatorRefused):
        messages.error(request, _("The simulator did not take the settings."))
    else:
        messages.success(request, _("The operator behaves so from now on."))
    return redirect("gateways:simulator")


def _read_operator() -> dict[str, Any]:
    try:
        script = simulator_client.get_script()
        initial = {name: script.get(name) for name in ScriptForm.base_fields}
        for name in ("answer_delay", "receipt_delay"):
            initial[name] = int(script[name][0])
        return {"script_form": ScriptForm(initial=initial)}
    except (SimulatorDown, SimulatorRefused, LookupError, TypeError):
        return {}


def _build_phones(request: HttpRequest) -> dict[str, Any]:
    """Phones with their last message, and the chosen phone's conversation, oldest first."""
    actor = request.actor  # type: ignore[attr-defined]
    context: dict[str, Any] = {"is_down": False, "phones": [], "quick_replies": QUICK_REPLIES}
    if not settings.SIMULATOR_CONTROL_URL:
        return context | {"is_down": True}
    try:
        phones = list({m["to"]: m for m in reversed(_list_visible(actor))}.values())
        phones.sort(key=lambda message: -message["at"])
        wanted = normalise_msisdn(request.GET.get("number", ""))
        number = wanted if isinstance(wanted, str) else (phones[0]["to"] if phones else "")
        received = _list_visible(actor, number) if number else []
    except (SimulatorDown, SimulatorRefused):
        return context | {"is_down": True}
    replies = request.session.get(SESSION_REPLIES, []) if received else []
    talk = [{**m, "is_own": False} for m in received]
    talk += [{"at": r["at"], "text": r["text"], "is_own": True} for r in replies if r["phone"] == number]
    for item in [*talk, *phones]:
        item["time"] = datetime.fromtimestamp(item["at"], UTC)
    talk = sorted(talk, key=lambda item: item["at"])[-TALK_SHOWN:]
    context |= {"phones": phones[:PHONES_SHOWN], "number": number, "talk": talk, "searched": bool(request.GET)}
    context["sender"] = received[0]["from"] if received else ""
    return context


def _list_visible(actor: Actor, number: str = "") -> list[dict[str, Any]]:
    found = simulator_client.list_messages(number=number)
    if actor.user.is_staff:
        return found
    own = set(list_approved_senders(actor.tenant.pk).values_list("name", flat=True))
    return [message for message in found if message["from"] in own]


def _remember_reply(request: HttpRequest, phone: str, text: str) -> None:
    """The simulator forgets what phones wrote; the page of the person who typed it remembers."""
    replies = request.session.get(SESSION_REPLIES, [])
    replies.append({"phone": phone, "text": text, "at": datetime.now(UTC).timestamp()})
    request.session[SESSION_REPLIES] = replies[-REPLIES_KEPT:]
