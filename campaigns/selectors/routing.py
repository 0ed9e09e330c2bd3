"""Which connection carries a number, looked up once per prefix."""

from collections.abc import Iterable
from typing import NamedTuple

from gateways.models import Route


class RouteChoice(NamedTuple):
    """What the walk needs of a route."""

    gateway_account_id: int
    national_tables: bool
    reference_bits: int  # of the header that joins parts: 16 leaves a character less a part, and so may cost one more


class RouteTable:
    """Routes of a tenant, asked a million times: the tenant's own first, then the longest prefix, then the order."""

    def __init__(self, routes: Iterable[Route]) -> None:
        ranked = sorted(
            (route for route in routes if route.is_active),
            key=lambda route: (route.tenant_id is None, -len(route.prefix), route.order),
        )
        self._routes = [
            (
                route.prefix,
                RouteChoice(route.gateway_account_id, route.national_tables, route.gateway_account.reference_bits),
            )
            for route in ranked
        ]
        self.longest = max((len(prefix) for prefix, _ in self._routes), default=0)
        self._by_head: dict[str, RouteChoice | None] = {}

    def __bool__(self) -> bool:
        return bool(self._routes)

    def find(self, msisdn: str) -> RouteChoice | None:
        head = msisdn[: self.longest]
        try:
            return self._by_head[head]
        except KeyError:
            found = next((choice for prefix, choice in self._routes if head.startswith(prefix)), None)
            self._by_head[head] = found
            return found
