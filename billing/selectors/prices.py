"""What a part costs where. Frozen into each message when it is written (M7)."""

from dataclasses import dataclass, field
from decimal import Decimal

from django.db.models import Q

from billing.models import Tariff

DEFAULT_TARIFF = {"+90": Decimal(1)}
"""Used where neither the tenant nor the platform has a tariff for Turkish numbers."""


class NoTariff(LookupError):
    """No tariff covers this number."""


@dataclass(slots=True)
class PriceList:
    """Credits per part by number prefix: the tenant's rows before the platform's, longest prefix first."""

    own: dict[str, Decimal]
    shared: dict[str, Decimal]
    _by_head: dict[str, Decimal] = field(default_factory=dict)
    longest: int = 0

    def __post_init__(self) -> None:
        self.longest = max(map(len, [*self.own, *self.shared]), default=0)

    def price_per_part(self, msisdn: str) -> Decimal:
        """Raises NoTariff for a number that no tariff covers."""
        head = msisdn[: self.longest]
        price = self._by_head.get(head)
        if price is None:
            price = self._by_head[head] = self._look_up(head)
        return price

    def _look_up(self, head: str) -> Decimal:
        for rows in (self.own, self.shared):
            for length in range(len(head), 0, -1):
                if head[:length] in rows:
                    return rows[head[:length]]
        raise NoTariff(head)


def load_price_list(tenant_id: int) -> PriceList:
    """Credits per part by prefix: the tenant's own tariff before the platform's, the built-in one last."""
    rows = Tariff.objects.filter(Q(tenant_id=tenant_id) | Q(tenant_id=None))
    own: dict[str, Decimal] = {}
    shared = dict(DEFAULT_TARIFF)
    for owner, prefix, credits in rows.values_list("tenant_id", "prefix", "credits_per_part"):
        (shared if owner is None else own)[prefix] = credits
    return PriceList(own, shared)
