"""The form of a connection, made from what its adapter declares (`Gateway.settings_fields`)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import urlsplit

from django import forms
from django.conf import settings
from django.core.exceptions import ValidationError
from django.forms.boundfield import BoundField
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from common.crypto import DecryptionError
from common.years import check_year

from ..base import BadSettings, Gateway
from ..hosts import looks_public
from ..models import GatewayAccount
from ..opening import check_settings, read_secrets, seal_secrets
from ..registry import get_gateway_class, list_slugs
from ..services.connections import WAYS, ConnectionContent, find_way
from ..setting_fields import FieldKind, SettingField, list_fields
from ..simulator.accounts import SIMULATOR, is_simulated, list_simulated_settings, offers_simulator
from ..wording.diagnosis import split_bad_settings

PREFIX = "set_"
MOST_RATE = 5000
TURKEY, EVERYWHERE = WAYS
USES = [
    ("", _("Nothing for now")),
    (TURKEY, _("Everything to Turkey")),
    (EVERYWHERE, _("Everything, to all countries")),
]
ADDRESS_KINDS = (FieldKind.HOST, FieldKind.URL)
ADDRESS_NAMES = ("host", "port", "base_url")


def list_providers() -> list[tuple[str, str]]:
    """(slug, name) of the providers that an account can connect by itself."""
    classes = [get_gateway_class(slug) for slug in list_slugs()]
    usable = [
        c
        for c in classes
        if not all(field.staff_only for field in list_fields(c)) and (c.guards_host or not settings.GUARD_TENANT_HOSTS)
    ]
    return sorted(((c.slug, c.title or c.slug) for c in usable), key=lambda pair: pair[1].casefold())


class ConnectionForm(forms.Form):
    """`account` None: a new one. Secrets go in and never come out: an empty one keeps what is stored."""

    name = forms.CharField(
        label=_("Name of the connection"), max_length=80, help_text=_("What you call it, for example “Netgsm, shop”.")
    )
    rate_per_second = forms.IntegerField(
        label=_("Messages per second"),
        min_value=1,
        max_value=MOST_RATE,
        initial=10,
        help_text=_("What your contract allows."),
    )
    use_for = forms.ChoiceField(
        label=_("Send over it"),
        required=False,
        choices=USES,
        help_text=_("Your own connection comes before ours. It can be changed later."),
    )

    def __init__(self, data: Any = None, *, adapter: str, account: GatewayAccount | None = None) -> None:
        super().__init__(data)
        self.adapter: type[Gateway] = get_gateway_class(adapter)
        self.account = account
        self.declared = [field for field in list_fields(self.adapter) if not field.staff_only]
        stored: Mapping[str, Any] = account.settings if account is not None else {}
        if account is not None:
            way = find_way(account)
            self.initial.update(name=account.name, rate_per_second=account.rate_per_second, use_for=way)
        self._offer_ways(self.adapter.list_prefixes(stored))
        for field in self.declared:
            self.fields[PREFIX + field.name] = make_form_field(field, has_secret=bool(account and account.secret))
            value = stored.get(field.name, field.default)
            if field.kind is not FieldKind.SECRET:
                self.initial[PREFIX + field.name] = field.default if value == SIMULATOR else value
        if offers_simulator(self.adapter.slug):
            self._offer_simulator(is_on=account is None or is_simulated(stored))

    def _offer_ways(self, prefixes: Sequence[str]) -> None:
        """Not everything where the provider carries Turkish numbers only: who had chosen it gets what it came to."""
        if not prefixes or not all(prefix.startswith(TURKEY) for prefix in prefixes):
            return
        field = self.fields["use_for"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(value, label) for value, label in USES if value != EVERYWHERE]
        if self.initial.get("use_for") == EVERYWHERE:
            self.initial["use_for"] = TURKEY

    def _offer_simulator(self, *, is_on: bool) -> None:
        self.fields["use_simulator"] = forms.BooleanField(
            label=_("Connect to the operator simulator of this demo"),
            required=False,
            initial=is_on,
            help_text=_("It answers like the provider; any user and password will do. Nothing leaves this machine."),
        )
        if self.is_bound and self.data.get("use_simulator"):
            for name in ADDRESS_NAMES:
                if PREFIX + name in self.fields:
                    self.fields[PREFIX + name].required = False

    def list_basic(self) -> Iterator[BoundField]:
        """For the template: what everybody fills in."""
        yield self["name"]
        if "use_simulator" in self.fields:
            yield self["use_simulator"]
        for field in self.declared:
            if not field.is_advanced:
                yield self[PREFIX + field.name]
        yield self["rate_per_second"]
        yield self["use_for"]

    def list_advanced(self) -> list[BoundField]:
        return [self[PREFIX + field.name] for field in self.declared if field.is_advanced]

    @property
    def has_advanced_errors(self) -> bool:
        return any(bound.errors for bound in self.list_advanced())

    def clean(self) -> dict[str, Any]:
        cleaned = dict(super().clean() or self.cleaned_data)
        for field in self.declared:
            value = cleaned.get(PREFIX + field.name)
            if field.kind in ADDRESS_KINDS and value:
                self._check_address(field, str(value))
        if not self.errors:
            self._check_destination()
            self._check_whole()
        return cleaned

    def content(self) -> ConnectionContent:
        """After `is_valid`."""
        cleaned = self.cleaned_data
        return ConnectionContent(
            name=cleaned["name"],
            settings=self._settings(),
            secrets=self._typed_secrets(),
            rate_per_second=cleaned["rate_per_second"],
            prefix=cleaned.get("use_for", ""),
        )

    def _check_address(self, field: SettingField, value: str) -> None:
        if self.cleaned_data.get("use_simulator"):
            return
        host = value if field.kind is FieldKind.HOST else (urlsplit(value).hostname or "")
        if settings.GUARD_TENANT_HOSTS and not looks_public(host):
            self.add_error(PREFIX + field.name, gettext("Enter a public name or address."))

    def _check_destination(self) -> None:
        """Otherwise who may edit, but does not know the password, could have it sent to a host of their own."""
        find = self.adapter.find_destination
        if self.account is None or find(self.account.settings) == find(self._settings()):
            return
        stored, typed = self._stored_secrets(), self._typed_secrets()
        for field in self._secret_fields():
            if stored.get(field.name) and field.name not in typed:
                self.add_error(PREFIX + field.name, gettext("Type it again: the address has changed."))

    def _check_whole(self) -> None:
        """What only the adapter knows about its settings as a whole."""
        secrets = {**self._stored_secrets(), **self._typed_secrets()}
        try:
            check_settings(self.adapter.slug, self._settings(), seal_secrets(self.adapter, secrets), is_own=True)
        except (BadSettings, TypeError, ValueError) as error:
            name, why = split_bad_settings(str(error))
            is_known = PREFIX + name in self.fields
            self.add_error(PREFIX + name if is_known else None, why if is_known or not name else f"{name}: {why}")

    def _settings(self) -> dict[str, Any]:
        """What staff set beside the form stays."""
        values = dict(self.account.settings) if self.account is not None else {}
        if is_simulated(values):
            values = {name: value for name, value in values.items() if name not in self._simulated}
        for field in self.declared:
            if field.kind is FieldKind.SECRET:
                continue
            value = self.cleaned_data.get(PREFIX + field.name)
            if value in (None, ""):
                values.pop(field.name, None)
            else:
                values[field.name] = value
        if self.cleaned_data.get("use_simulator"):
            values |= {n: v for n, v in self._simulated.items() if n not in values or n in ADDRESS_NAMES}
        return values

    @property
    def _simulated(self) -> dict[str, Any]:
        return list_simulated_settings(self.adapter.slug)

    def _secret_fields(self) -> list[SettingField]:
        return [field for field in self.declared if field.kind is FieldKind.SECRET]

    def _typed_secrets(self) -> dict[str, str]:
        typed = {field.name: self.cleaned_data.get(PREFIX + field.name) for field in self._secret_fields()}
        return {name: value for name, value in typed.items() if value}

    def _stored_secrets(self) -> dict[str, Any]:
        if self.account is None:
            return {}
        try:
            return read_secrets(self.adapter, self.account.get_secret())
        except (DecryptionError, BadSettings):
            return {}


class MaintenanceForm(forms.Form):
    """From–to in the account's time zone; an empty end lasts until it is lifted."""

    begins_at = forms.DateTimeField(
        label=_("From"),
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        validators=[check_year],
    )
    ends_at = forms.DateTimeField(
        label=_("Until"),
        required=False,
        widget=forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M"),
        help_text=_("Empty: until you end it."),
        validators=[check_year],
    )

    def clean(self) -> dict[str, Any]:
        cleaned = dict(super().clean() or self.cleaned_data)
        begins_at, ends_at = cleaned.get("begins_at"), cleaned.get("ends_at")
        if begins_at and ends_at and ends_at <= begins_at:
            raise ValidationError({"ends_at": gettext("The end comes after the beginning.")})
        return cleaned


def make_form_field(field: SettingField, *, has_secret: bool = False) -> forms.Field:
    """The form's field for one declared setting. `has_secret`: one is stored, so it need not be typed again."""
    common: dict[str, Any] = {
        "label": gettext(field.label),
        "required": field.required,
        "help_text": gettext(field.help) if field.help else "",
    }
    length = int(field.most) if field.most is not None else None
    if field.kind is FieldKind.SWITCH:
        return forms.BooleanField(**{**common, "required": False})
    if field.kind is FieldKind.CHOICE:
        return forms.ChoiceField(**common, choices=[(value, gettext(label)) for value, label in field.choices])
    if field.kind is FieldKind.WHOLE:
        return forms.IntegerField(**common, min_value=_whole(field.least), max_value=_whole(field.most))
    if field.kind is FieldKind.DECIMAL:
        return forms.FloatField(**common, min_value=field.least, max_value=field.most)
    if field.kind is FieldKind.SECRET:
        if has_secret:
            common |= {"required": False, "help_text": _("Stored encrypted and never shown. Empty: it stays as it is.")}
        widget = forms.PasswordInput(render_value=False, attrs={"autocomplete": "new-password"})
        return forms.CharField(**common, max_length=length, strip=False, widget=widget)
    if field.kind is FieldKind.URL:
        return forms.URLField(**common, max_length=length or 200, assume_scheme="https")
    attributes = {"autocomplete": "off", "spellcheck": "false"}
    return forms.CharField(**common, max_length=length or 200, widget=forms.TextInput(attrs=attributes))


def _whole(limit: float | None) -> int | None:
    return None if limit is None else int(limit)
