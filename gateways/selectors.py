from collections.abc import Sequence

from django.db.models import F, Q, QuerySet

from accounts.scope import platform_scope
from gateways.models import GatewayAccount, InboundNumber, Route, SenderId
from smscore.keywords import fold_words
from smscore.sender import fold_sender


def load_routes(tenant_id: int) -> list[Route]:
    """Active routes that may carry this tenant's traffic, best first for any number: own before the platform's,
    longest prefix, lowest order. Connections come along."""
    return list(
        Route.objects.filter(
            Q(tenant_id=tenant_id) | Q(tenant_id=None), is_active=True, gateway_account__is_active=True
        )
        .select_related("gateway_account")
        .order_by(F("tenant_id").asc(nulls_last=True), "order", "pk")
    )


def choose_route(routes: Sequence[Route], msisdn: str) -> Route | None:
    """The route for a number (or a prefix of one): a tenant's own wins, then the longest prefix, then order."""
    best: Route | None = None
    best_rank: tuple[bool, int] = (False, -1)
    for route in routes:
        rank = (route.tenant_id is not None, len(route.prefix))
        if rank > best_rank and msisdn.startswith(route.prefix):
            best, best_rank = route, rank
    return best


def list_ways(tenant_id: int) -> list[GatewayAccount]:
    """Connections that a tenant's messages may leave over: for each prefix that has a route, the one it chooses."""
    routes = load_routes(tenant_id)
    chosen = [choose_route(routes, route.prefix) for route in routes]
    return list({route.gateway_account_id: route.gateway_account for route in chosen if route is not None}.values())


def find_route(tenant_id: int, msisdn_prefix: str) -> Route | None:
    return choose_route(load_routes(tenant_id), msisdn_prefix)


def list_approved_senders(tenant_id: int) -> QuerySet[SenderId]:
    return SenderId.objects.filter(tenant_id=tenant_id, status=SenderId.Status.APPROVED).order_by("name")


def find_look_alike(tenant_id: int, name: str) -> SenderId | None:
    """Another account's approved sender ID that looks like this name, or None."""
    with platform_scope(reason="sender IDs of all accounts are compared"):
        approved = SenderId.objects.filter(look=fold_sender(name), status=SenderId.Status.APPROVED)
        return approved.exclude(tenant_id=tenant_id).select_related("tenant").order_by("pk").first()


def list_senders(tenant_id: int) -> QuerySet[SenderId]:
    """All of a tenant's sender IDs, whatever their status, by name."""
    return SenderId.objects.filter(tenant_id=tenant_id).order_by("name")


def find_number_owner(gateway_account_id: int, recipient: str, text: str) -> int | None:
    """The tenant whose number a handset wrote to: by the first word where one has claimed it there, else the tenant
    that has the number to itself. None: the number is nobody's. In platform scope."""
    words = fold_words(text)[:1]
    owners = dict(
        InboundNumber.objects.filter(
            gateway_account_id=gateway_account_id,
            recipient=recipient.lstrip("+"),
            folded_keyword__in=["", *words],
            is_active=True,
            tenant__is_active=True,
        ).values_list("folded_keyword", "tenant_id")
    )
    for word in (*words, ""):
        if word in owners:
            return int(owners[word])
    return None
