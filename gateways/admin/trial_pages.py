"""Staff try a connection's settings on paper (`trial.py`), from the connection's page in the admin."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from gateways.admin.trial import (
    FAULTS,
    Reading,
    open_on_paper,
    read_example_answer,
    read_example_push,
    read_example_report,
    show_request,
)
from gateways.base import GatewayError
from gateways.forms.account import SettingsField
from gateways.http.gateway import HttpGateway
from gateways.http.messages import HttpAnswer
from gateways.models import GatewayAccount
from gateways.registry import UnknownGateway, get_gateway_class
from gateways.types import DeliveryEvent, DeliveryState, OutboundMessage, OutcomeKind
from smscore import segment

LONGEST_PASTE = 100_000
OUTCOMES = {
    OutcomeKind.ACCEPTED: _("accepted"),
    OutcomeKind.REJECTED: _("refused for good; the credits go back"),
    OutcomeKind.DEFERRED: _("refused for now; tried again later"),
    OutcomeKind.NOT_SENT: _("not sent"),
    OutcomeKind.UNKNOWN: _("unknown: it may have been taken; never sent again"),
}
STATES = {
    DeliveryState.DELIVERED: _("delivered"),
    DeliveryState.UNDELIVERED: _("not delivered"),
    DeliveryState.ACCEPTED: _("still on its way; nothing changes"),
    DeliveryState.UNKNOWN: _("a status that is not in the table; kept, nothing changes"),
}


class TrialForm(forms.Form):
    settings = SettingsField(
        label=_("Settings"),
        help_text=_("Changes here are tried only. Copy them to the connection to keep them."),
        widget=forms.Textarea(attrs={"rows": 24, "cols": 110, "spellcheck": "false", "class": "vLargeTextField"}),
    )
    number = forms.RegexField(label=_("Number"), regex=r"^\+[1-9][0-9]{6,14}$", initial="+905321234567")
    sender = forms.CharField(label=_("Sender ID"), max_length=16, initial="ORNEKFIRMA")
    text = forms.CharField(
        label=_("Text"), max_length=1000, initial="Merhaba Şükrü, %20 indirim!",
        widget=forms.Textarea(attrs={"rows": 2}),
    )  # fmt: skip
    is_commercial = forms.BooleanField(label=_("Commercial"), required=False)
    status = forms.IntegerField(label=_("HTTP status of the answer"), min_value=100, max_value=599, initial=200)
    answer = forms.CharField(
        label=_("Example answer to it"), required=False, max_length=LONGEST_PASTE, strip=False,
        widget=forms.Textarea(attrs={"rows": 5, "spellcheck": "false"}),
    )  # fmt: skip
    push = forms.CharField(
        label=_("Example receipt, pushed"), required=False, max_length=LONGEST_PASTE,
        help_text=_("The body of the provider's call to us, or its query."),
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )  # fmt: skip
    report = forms.CharField(
        label=_("Example answer to the question for receipts"), required=False, max_length=LONGEST_PASTE,
        widget=forms.Textarea(attrs={"rows": 4, "spellcheck": "false"}),
    )  # fmt: skip

    def make_messages(self) -> list[OutboundMessage]:
        """The example message, and a second one to its neighbour: a call may carry more than one."""
        data = self.cleaned_data
        found = segment(data["text"])
        kind = "commercial" if data["is_commercial"] else "informational"
        neighbour = data["number"][:-1] + str((int(data["number"][-1]) + 1) % 10)
        return [
            OutboundMessage(n, number, data["sender"], found.text, str(found.encoding), found.parts, content_class=kind)
            for n, number in enumerate((data["number"], neighbour), 1)
        ]


class TrialPages(admin.ModelAdmin):
    """Adds the page to the connection's admin; nothing else of it changes."""

    change_form_template = "admin/gateways/gatewayaccount/change_form.html"

    def get_urls(self) -> list[URLPattern]:
        view = self.admin_site.admin_view(self.try_settings)
        return [path("<int:pk>/try/", view, name="gateways_gatewayaccount_try"), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        account = self.get_object(request, object_id)
        context = {**(extra_context or {}), "can_try": account is not None and _is_http(account)}
        return super().change_view(request, object_id, form_url, context)

    def try_settings(self, request: HttpRequest, pk: int) -> HttpResponse:
        account = self.get_object(request, str(pk))
        if account is None or not _is_http(account):
            raise Http404
        if not self.has_change_permission(request, account):
            raise PermissionDenied
        form = TrialForm(request.POST or None, initial={"settings": account.settings})
        results = _try(form, account) if request.method == "POST" and form.is_valid() else {}
        context = {
            **self.admin_site.each_context(request),
            **results,
            "title": gettext("Try the settings on paper"),
            "form": form,
            "original": account,
            "opts": self.opts,
        }
        return TemplateResponse(request, "admin/gateways/gatewayaccount/try.html", context)


def _is_http(account: GatewayAccount) -> bool:
    try:
        return issubclass(get_gateway_class(account.adapter), HttpGateway)
    except UnknownGateway:
        return False


def _try(form: TrialForm, account: GatewayAccount) -> dict[str, Any]:
    """What the page shows. A problem with the settings is shown at their field."""
    data, messages = form.cleaned_data, form.make_messages()
    try:
        gateway = open_on_paper(account.adapter, data["settings"])
    except GatewayError as error:
        form.add_error("settings", str(error))
        return {}
    shown: dict[str, Any] = {"tried": True}
    try:
        shown["written"] = show_request(gateway, messages)
    except FAULTS as error:
        shown["problem"] = _name(error)
    if data["answer"]:
        answer = HttpAnswer(data["status"], data["answer"].encode())
        shown["outcomes"] = [
            {"number": m.msisdn, "meaning": OUTCOMES[o.kind], "outcome": o}
            for m, o in zip(messages, read_example_answer(gateway, answer, messages), strict=False)
        ]
    for name, read in (("push", read_example_push), ("report", _read_report)):
        if data[name]:
            try:
                shown[f"{name}_readings"] = [_show_reading(reading) for reading in read(gateway, data[name])]
            except FAULTS as error:
                form.add_error(name, _name(error))
    return shown


def _read_report(gateway: HttpGateway, text: str) -> list[Reading]:
    return read_example_report(gateway, HttpAnswer(200, text.encode()))


def _show_reading(reading: Reading) -> dict[str, Any]:
    event = reading.event
    meaning = STATES[event.state] if isinstance(event, DeliveryEvent) else getattr(event, "text", "")
    return {"event": event, "meaning": meaning, "problem": reading.problem}


def _name(error: BaseException) -> str:
    """For people: what the adapter says, else what is wrong with the shape."""
    code = getattr(error, "code", "")
    return " ".join(part for part in (type(error).__name__, code, str(error)) if part)[:300]
