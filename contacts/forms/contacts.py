from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.validators import MaxLengthValidator
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from accounts.models import Tenant
from smscore import InvalidMsisdn, parse_msisdn

from ..models import Contact, ContactField, ContactGroup
from ..selectors.contacts import list_contact_groups
from ..selectors.fields import list_fields
from ..selectors.groups import list_groups
from ..tabular.normalising import MAX_NAME_LENGTH, MISFITS, clean_text, normalise_value
from ..wording import describe_reason

MAX_VALUE_LENGTH = 2000


class ContactForm(forms.Form):
    """A contact with the tenant's own fields. `cleaned_data["msisdn"]` is E.164, `attributes()` go by key."""

    msisdn = forms.CharField(
        label=_("Number"),
        max_length=40,
        help_text=_("In any spelling: 0532 123 45 67, +90 532 123 45 67 …"),
        widget=forms.TextInput(attrs={"inputmode": "tel", "autocomplete": "off"}),
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=MAX_NAME_LENGTH,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    groups = forms.ModelMultipleChoiceField(
        label=_("Lists"), queryset=ContactGroup.objects.none(), required=False, widget=forms.CheckboxSelectMultiple
    )

    def __init__(self, data: Any = None, *, tenant: Tenant, contact: Contact | None = None) -> None:
        initial: dict[str, Any] = {}
        if contact is not None:
            initial = {"msisdn": contact.msisdn, "name": contact.name, "groups": list(list_contact_groups(contact))}
        super().__init__(data, initial=initial)
        self.fields["groups"].queryset = list_groups(tenant.pk)  # type: ignore[attr-defined]
        self._own_fields = {f"field_{field.pk}": field for field in list_fields(tenant)}
        for name, field in self._own_fields.items():
            value = contact.attributes.get(field.key, "") if contact is not None else ""
            self.fields[name] = forms.CharField(
                label=field.label,
                required=False,
                max_length=MAX_VALUE_LENGTH,
                initial=value,
                help_text=_("For example 12.10.2026") if field.kind == ContactField.Kind.DATE else "",
            )
        self.order_fields(["msisdn", "name", *self._own_fields, "groups"])
        if contact is not None:  # what the page showed comes back with it: see `changes`
            for shown in self.fields.values():
                shown.show_hidden_initial = True

    def clean_msisdn(self) -> str:
        try:
            return parse_msisdn(self.cleaned_data["msisdn"])
        except InvalidMsisdn as error:
            raise ValidationError(describe_reason(error.reason.value)) from error

    def clean_name(self) -> str:
        name = clean_text(self.cleaned_data["name"])
        MaxLengthValidator(MAX_NAME_LENGTH)(name)  # again: some letters are two when they are composed
        return name

    def clean(self) -> None:
        for name, field in self._own_fields.items():
            value = clean_text(self.cleaned_data.get(name, ""))
            text = normalise_value(value, field.kind) if value else ""
            if text is None:
                self.add_error(name, describe_reason(MISFITS[field.kind]))
            else:
                self.cleaned_data[name] = text

    def values(self) -> dict[str, Any]:
        """What `create_contact` takes."""
        cleaned = self.cleaned_data
        return {
            "msisdn": cleaned["msisdn"],
            "name": cleaned["name"],
            "attributes": self.attributes(),
            "groups": list(cleaned["groups"]),
        }

    def attributes(self) -> dict[str, str]:
        return {field.key: self.cleaned_data.get(name, "") for name, field in self._own_fields.items()}

    def changes(self) -> dict[str, Any]:
        """What `update_contact` takes: only what differs from what the page showed. Somebody else may have changed the
        rest since then, and put the contact on a list that is to be left out."""
        cleaned, changed = self.cleaned_data, set(self.changed_data)
        ticked, shown = set(cleaned["groups"]), self._read_shown_groups()
        return {
            **{name: cleaned[name] for name in ("msisdn", "name") if name in changed},
            "attributes": {field.key: cleaned[name] for name, field in self._own_fields.items() if name in changed},
            "groups": {**dict.fromkeys(ticked - shown, True), **dict.fromkeys(shown - ticked, False)},
        }

    def shown_groups(self) -> SafeString:
        """Hidden fields for the page to carry; those of the other fields come with them, tick boxes have none."""
        groups = self["groups"]
        return groups.as_hidden(only_initial=True) if groups.field.show_hidden_initial else SafeString()

    def _read_shown_groups(self) -> set[ContactGroup]:
        bound = self["groups"]
        widget = bound.field.hidden_widget()
        ids = set(widget.value_from_datadict(self.data, self.files, bound.html_initial_name) or ())
        return {group for group in bound.field.queryset if str(group.pk) in ids}  # type: ignore[attr-defined]


class ContactFilterForm(forms.Form):
    """Filters in the address bar; a wrong value filters nothing."""

    SORTS = {"-pk": _("Newest first"), "name": _("By name"), "msisdn": _("By number")}
    q = forms.CharField(required=False, max_length=60)
    sort = forms.ChoiceField(required=False, choices=list(SORTS.items()))


class BulkForm(forms.Form):
    """What to do with the ticked contacts."""

    ADD, REMOVE, DELETE = "add", "remove", "delete"
    action = forms.ChoiceField(choices=[(ADD, ADD), (REMOVE, REMOVE), (DELETE, DELETE)])
    group = forms.UUIDField(required=False)


class GroupForm(forms.Form):
    name = forms.CharField(
        label=pgettext_lazy("of a thing", "Name"), max_length=120, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )


class FieldForm(forms.Form):
    label = forms.CharField(
        label=pgettext_lazy("of a thing", "Name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    kind = forms.ChoiceField(label=_("Kind"), choices=ContactField.Kind.choices, initial=ContactField.Kind.TEXT)


class RenameFieldForm(forms.Form):
    label = forms.CharField(
        label=pgettext_lazy("of a thing", "Name"), max_length=60, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
