"""Forms of the composer. Each step's form is also what the autosave reads: an unfinished draft is valid."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from django import forms
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from common.years import check_year
from contacts.models import ContactGroup
from gateways.models import SenderId
from messaging.models import SendRun
from smscore import InvalidMsisdn, Msisdn, normalise, parse_msisdn

from .models import Campaign, MessageTemplate
from .selectors.campaigns import ORDER_LABELS, STATE_LABELS

LONGEST_TEXT = 4000  # more than 10 parts of anything; the parts are what is limited


class NameForm(forms.Form):
    name = forms.CharField(label=_("Campaign name"), max_length=120)


class RecipientsForm(NameForm):
    """The name, and per list whether it is sent to or left out: never both.

    The lists are no fields of the form, which would take seconds for an account with thousands of them; one that is
    not used need not be posted.
    """

    USES = ("", _("Not used")), ("include", _("Send to")), ("exclude", _("Leave out"))

    def __init__(self, *args: Any, groups: Sequence[ContactGroup], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.groups = groups

    @staticmethod
    def key(group: ContactGroup) -> str:
        return f"list-{group.public_id}"

    @staticmethod
    def read(campaign: Campaign) -> dict[str, Any]:
        initial: dict[str, Any] = {"name": campaign.name}
        for link in campaign.group_links.select_related("group"):
            initial[RecipientsForm.key(link.group)] = "exclude" if link.is_excluded else "include"
        return initial

    @property
    def rows(self) -> list[tuple[ContactGroup, str, str]]:
        """(list, name of its radio buttons, use that is chosen)"""
        chosen = self.data if self.is_bound else self.initial
        return [(group, key, chosen.get(key, "")) for group in self.groups for key in [self.key(group)]]

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        uses = forms.ChoiceField(choices=self.USES, required=False)
        data["uses"] = {group.pk: uses.clean(use) for group, _key, use in self.rows}
        return data

    def changes(self) -> dict[str, Any]:
        uses = self.cleaned_data["uses"]
        return {
            "name": self.cleaned_data["name"],
            "include_group_ids": frozenset(pk for pk, use in uses.items() if use == "include"),
            "exclude_group_ids": frozenset(pk for pk, use in uses.items() if use == "exclude"),
        }


class MessageForm(forms.Form):
    sender = forms.ModelChoiceField(
        SenderId.objects.none(), label=_("Sender ID"), required=False, empty_label=_("Choose…")
    )
    content_class = forms.ChoiceField(
        label=_("Message type"),
        choices=[("", _("Choose…")), *SendRun.ContentClass.choices],
        required=False,
    )
    class_reason = forms.CharField(label=_("Why is it informational?"), max_length=200, required=False)
    text = forms.CharField(
        label=_("Text"),
        max_length=LONGEST_TEXT,
        required=False,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 6, "spellcheck": "true"}),
    )
    append_opt_out = forms.BooleanField(label=_("Add opt-out text"), required=False)
    transliterate = forms.BooleanField(label=_("Write without Turkish letters"), required=False)

    def __init__(self, *args: Any, senders: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["sender"].queryset = senders  # type: ignore[attr-defined]

    @staticmethod
    def read(campaign: Campaign) -> dict[str, Any]:
        names = ("content_class", "class_reason", "text", "append_opt_out", "transliterate")
        return {"sender": campaign.sender_id, **{name: getattr(campaign, name) for name in names}}

    def clean_text(self) -> str:
        return normalise(str(self.cleaned_data["text"])).replace("\x00", "")

    def changes(self) -> dict[str, Any]:
        sender = self.cleaned_data["sender"]
        names = ("content_class", "class_reason", "text", "append_opt_out", "transliterate")
        return {"sender_id": sender.pk if sender else None, **{name: self.cleaned_data[name] for name in names}}


class ScheduleForm(forms.Form):
    """When, in the account's time zone."""

    when = forms.ChoiceField(
        label=_("When"),
        choices=[("now", _("As soon as I launch it")), ("later", _("At a time I choose"))],
        widget=forms.RadioSelect,
    )
    on = forms.DateField(
        label=_("Date"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        validators=[check_year],
    )
    at = forms.TimeField(
        label=pgettext_lazy("clock", "Time"),
        required=False,
        widget=forms.TimeInput(attrs={"type": "time"}, format="%H:%M"),
    )
    respect_sending_hours = forms.BooleanField(label=_("Keep to sending hours"), required=False)

    def __init__(self, *args: Any, zone: ZoneInfo, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.zone = zone

    @staticmethod
    def read(campaign: Campaign, zone: ZoneInfo) -> dict[str, Any]:
        local = campaign.scheduled_at.astimezone(zone) if campaign.scheduled_at else None
        return {
            "when": "later" if local else "now",
            "on": local.date() if local else None,
            "at": local.time() if local else None,
            "respect_sending_hours": campaign.respect_sending_hours,
        }

    def clean(self) -> dict[str, Any]:
        data = super().clean() or {}
        data["scheduled_at"] = None
        if data.get("when") != "later" or self.errors:
            return data
        if not data.get("on") or not data.get("at"):
            raise forms.ValidationError(_("Choose a date and a time."), code="incomplete")
        local = datetime.combine(data["on"], data["at"], self.zone)
        moment = local.astimezone(UTC)
        if moment.astimezone(self.zone).replace(tzinfo=None) != local.replace(tzinfo=None):
            raise forms.ValidationError(_("The clocks change then: this time does not exist on that day."), code="gap")
        if moment <= timezone.now():
            raise forms.ValidationError(_("This time is over. Choose a later one."), code="past")
        if (moment - timezone.now()).days > 365:
            raise forms.ValidationError(_("A campaign can be scheduled up to a year ahead."), code="far")
        data["scheduled_at"] = moment
        return data

    def changes(self) -> dict[str, Any]:
        return {name: self.cleaned_data[name] for name in ("scheduled_at", "respect_sending_hours")}


class TestSendForm(forms.Form):
    number = forms.CharField(label=_("Your number"), max_length=40)

    def clean_number(self) -> Msisdn:
        try:
            return parse_msisdn(self.cleaned_data["number"])
        except InvalidMsisdn as error:
            raise forms.ValidationError(_("This is not a mobile number.")) from error


class TemplateForm(forms.ModelForm):
    class Meta:
        model = MessageTemplate
        fields = ["name", "text"]
        labels = {"name": _("Template name"), "text": _("Text")}
        widgets = {"text": forms.Textarea(attrs={"rows": 6})}

    def clean_text(self) -> str:
        return normalise(str(self.cleaned_data["text"])).replace("\x00", "")


class CampaignFilterForm(forms.Form):
    q = forms.CharField(required=False, max_length=120)
    state = forms.ChoiceField(choices=[("", _("All states")), *STATE_LABELS.items()], required=False)
    order = forms.ChoiceField(choices=list(ORDER_LABELS.items()), required=False)


class TemplateFilterForm(forms.Form):
    q = forms.CharField(required=False, max_length=120)
