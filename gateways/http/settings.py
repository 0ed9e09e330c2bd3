"""What every HTTP account can set. An adapter's settings are a subclass with its credentials and switches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from ipaddress import ip_address, ip_network
from typing import Any, Self
from urllib.parse import urlsplit

from gateways.base import BadSettings

DAY = 86_400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class HttpSettings:
    """Times in seconds.

    base_url            where the provider's API begins; https, or any scheme on a loopback address
    tps                 messages a second of this slot (its share of the account's rate)
    window_size         calls in flight at once
    batch_size          messages of one call; 0 = as many as the provider takes, within what may become unknown at once
    requests_per_second calls a second; 0 = the provider's limit, or none
    slots               how many of this account's links share that limit; filled in
    connect_seconds     until the connection stands, TLS included; total_seconds: until the answer is complete
    throttle_seconds    how long to wait after "too fast", where the provider does not say
    receipts            where the provider offers both: "push", "pull" or "both"; empty = as the adapter says
    receipt_polls       age at which a call's receipts are asked for; the last step repeats until receipt_days
    receipt_queries_per_minute, receipt_rows_per_query   0 = the provider's limit
    pulls_inbound       ask for messages from handsets, where they are not pushed; inbound_pull_seconds: how often,
                        0 = as the adapter says
    push_url            where the provider reaches us for this account, without /receipts or /inbound; filled in from
                        PUBLIC_URL, for providers that are told with each call
    push_addresses      networks a push may come from; empty = any
    ca_file             certificates to trust beside the usual ones (an operator's own authority)
    public_only         connect to public addresses only: a tenant's own account (gateways.hosts)
    send_token          tell the operator simulator our message identities (header X-Peyk-Tokens)
    """

    base_url: str = ""
    tps: float = 10.0
    window_size: int = 4
    batch_size: int = 0
    requests_per_second: float = 0.0
    slots: int = 1
    connect_seconds: float = 10.0
    total_seconds: float = 30.0
    throttle_seconds: float = 5.0
    receipts: str = ""
    receipt_polls: tuple[float, ...] = (120.0, 600.0, 1800.0, 7200.0, 21_600.0, 75_600.0)
    receipt_days: float = 4.0
    receipt_queries_per_minute: float = 0.0
    receipt_rows_per_query: int = 0
    pulls_inbound: bool = True
    inbound_pull_seconds: float = 0.0
    push_url: str = field(default="", repr=False)
    push_addresses: tuple[str, ...] = ()
    ca_file: str = ""
    public_only: bool = False
    send_token: bool = False

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Raises BadSettings naming the field that is unknown, missing or cannot work."""
        known = {f.name: f for f in fields(cls)}
        strange = sorted(set(values) - set(known))
        if strange:
            raise BadSettings(f"unknown setting: {strange[0]}")
        ready = {name: _convert(name, known[name].default, value) for name, value in values.items()}
        settings = cls(**ready)
        settings.check()
        return settings

    def check(self) -> None:
        """Raises BadSettings. Subclasses call this and then look at their own fields."""
        check_url("base_url", self.base_url)
        if self.receipts not in ("", "push", "pull", "both", "none"):
            raise BadSettings("receipts: push, pull, both or none")
        for name in ("tps", "window_size", "slots", "connect_seconds", "total_seconds", "receipt_days"):
            if getattr(self, name) <= 0:
                raise BadSettings(f"{name}: above zero")
        if not self.receipt_polls or min(self.receipt_polls) <= 0:
            raise BadSettings("receipt_polls: seconds above zero, at least one")
        for network in self.push_addresses:
            try:
                ip_network(network)
            except ValueError as error:
                raise BadSettings(f"push_addresses: {network} is no network") from error

    def require(self, *names: str) -> None:
        """Raises BadSettings for the first of these fields that is empty."""
        for name in names:
            if not getattr(self, name):
                raise BadSettings(f"{name} is missing")

    def require_plain(self, *names: str) -> None:
        """Raises BadSettings for the first of these fields that cannot travel in a header."""
        for name in names:
            value = str(getattr(self, name))
            if not (value.isascii() and value.isprintable()) or value != value.strip():
                raise BadSettings(f"{name}: only English letters, digits and signs, without spaces around them")


def check_url(name: str, url: str) -> None:
    """https, or a loopback address for the simulator and tests. Raises BadSettings."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError as error:
        raise BadSettings(f"{name}: not a URL") from error
    if parts.scheme not in ("https", "http") or not parts.hostname or parts.query or parts.fragment:
        raise BadSettings(f"{name}: https://host/path is expected")
    if parts.username or parts.password:
        raise BadSettings(f"{name}: credentials do not belong into it")
    if parts.scheme == "http" and not _is_loopback(parts.hostname):
        raise BadSettings(f"{name}: https only")


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _convert(name: str, default: Any, value: Any) -> Any:
    """Settings come out of JSON: lists become tuples, whole numbers stand for fractions; everything else must fit."""
    if isinstance(default, bool):
        fits, ready = isinstance(value, bool), value
    elif isinstance(default, int):
        fits, ready = isinstance(value, int) and not isinstance(value, bool) and value >= 0, value
    elif isinstance(default, float):
        fits, ready = isinstance(value, int | float) and not isinstance(value, bool) and value >= 0, value
    elif isinstance(default, tuple):
        fits, ready = isinstance(value, list | tuple), tuple(value) if isinstance(value, list | tuple) else ()
    elif isinstance(default, str):
        fits, ready = isinstance(value, str), value
    else:
        fits, ready = isinstance(value, Mapping), value
    if not fits:
        raise BadSettings(f"{name}: {type(value).__name__} does not fit")
    return ready


def secret(default: str = "") -> Any:
    """A field that is not shown when settings are printed."""
    return field(default=default, repr=False)
