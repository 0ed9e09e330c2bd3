"""Adapters by slug, imported when first asked for: nothing above ``gateways`` names a provider's module."""

from __future__ import annotations

import re
from importlib import import_module
from importlib.util import find_spec
from pkgutil import iter_modules

from gateways.base import Gateway

_SLUG = re.compile(r"[a-z][a-z0-9_]*\Z")
_PACKAGE = "gateways.adapters"


class UnknownGateway(LookupError):
    """No adapter folder has this slug."""


def list_slugs() -> list[str]:
    """Every adapter there is: a folder in ``gateways/adapters`` is enough, no list to edit."""
    package = import_module(_PACKAGE)
    return sorted(module.name for module in iter_modules(package.__path__) if module.ispkg)


def get_gateway_class(slug: str) -> type[Gateway]:
    """The adapter class of ``gateways/adapters/<slug>/gateway.py``. Raises UnknownGateway."""
    if not _SLUG.match(slug) or find_spec(f"{_PACKAGE}.{slug}") is None:
        raise UnknownGateway(slug)
    module = import_module(f"{_PACKAGE}.{slug}.gateway")
    for candidate in vars(module).values():
        if isinstance(candidate, type) and issubclass(candidate, Gateway) and candidate.slug == slug:
            return candidate
    raise UnknownGateway(slug)


def open_gateway(slug: str, settings: dict[str, object]) -> Gateway:
    """An adapter with an account's settings (credentials included). Raises UnknownGateway, BadSettings."""
    return get_gateway_class(slug).from_settings(settings)
