"""Which connection carries a number, looked up once per prefix."""

from collections.abc import Iterable

from gateways.models import Route


class RouteTable:
    """Routes of a tenant, asked a million times: the tenant's own first, then the longest prefix, then the order."""

    def __init__(self, routes: Iterable[Route]) -> None:
        self._routes = sorted(
            (route for route in routes if route.is_active),
            key=lambda route: (route.tenant_id is None, -len(route.prefix), route.order),
        )
        self._longest = max((len(route.prefix) for route in self._routes), default=0)
        self._by_head: dict[str, Route | None] = {}

    def __bool__(self) -> bool:
        return bool(self._routes)

    def find(self, msisdn: str) -> Route | None:
        head = msisdn[: self._longest]
        if head not in self._by_head:
            self._by_head[head] = next((route for route in self._routes if head.startswith(route.prefix)), None)
        return self._by_head[head]
