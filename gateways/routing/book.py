"""Routing rules from their tables to `rules`, with the health of connections as it is now."""

from collections.abc import Iterable, Sequence
from decimal import Decimal

from django.db import transaction
from django.db.models import Prefetch, Q, QuerySet
from django.utils import timezone

from accounts.models import User
from accounts.services import record_audit
from smscore.billing_profile import STANDARD, BillingProfile

from ..base import Gateway
from ..models import GatewayAccount, RouteRule, RouteTarget
from ..registry import UnknownGateway, get_gateway_class
from .rules import FULL, Purpose, RouteBook, Rule, Target, Why
from .sender_approval import list_unapproved

State = RouteRule.State


def load_book(tenant_id: int, *, purpose: str = "", sender: str = "") -> RouteBook:
    """The tenant's rules and the platform's, for one purpose (`gateways.routing.rules.Purpose`) and sender."""
    rows = list_rules(tenant_id).filter(state=State.ACTIVE)
    return RouteBook(compile_rules(rows, tenant_id=tenant_id, sender=sender), purpose=purpose, sender=sender)


def load_rules(rule_ids: Iterable[int], *, tenant_id: int, sender: str) -> dict[int, Rule]:
    """Rules by id, also those that are not in force any more: for messages that they decided about."""
    rows = list_rules(tenant_id).filter(pk__in=list(rule_ids))
    return {rule.rule_id: rule for rule in compile_rules(rows, tenant_id=tenant_id, sender=sender)}


def list_rules(tenant_id: int) -> QuerySet[RouteRule]:
    targets = RouteTarget.objects.select_related("gateway_account__health", "gateway_account__billed_profile")
    return RouteRule.objects.filter(Q(tenant_id=tenant_id) | Q(tenant_id=None)).prefetch_related(
        Prefetch("targets", queryset=targets.order_by("pk"))
    )


def compile_rules(rows: Iterable[RouteRule], *, tenant_id: int, sender: str) -> list[Rule]:
    rows = list(rows)
    accounts = {target.gateway_account_id for row in rows for target in row.targets.all()}
    unapproved = list_unapproved(tenant_id, sender, accounts)
    return [
        Rule(
            rule_id=row.pk,
            name=row.name,
            is_own=row.tenant_id is not None,
            position=row.position,
            purpose=row.purpose,
            operator=row.operator,
            prefix=row.prefix,
            sender=row.sender,
            by_share=row.balance == RouteRule.Balance.SHARE,
            targets=tuple(_compile_target(target, tenant_id, unapproved) for target in row.targets.all()),
        )
        for row in rows
    ]


def _compile_target(row: RouteTarget, tenant_id: int, unapproved: set[int]) -> Target:
    account = row.gateway_account
    # The platform's connection may have become a tenant's own after it was put into a rule: then it is nobody else's.
    is_active = row.is_active and account.is_active and account.tenant_id in (None, tenant_id)
    health = getattr(account, "health", None)
    return Target(
        account_id=account.pk,
        name=account.name,
        tier=row.tier,
        weight=row.weight,
        cost=row.cost_per_part,
        national_tables=row.national_tables and _carries_tables(account.adapter),
        reference_bits=account.reference_bits,
        profile=get_profile(account),
        obstacle=Why.INACTIVE if not is_active else Why.SENDER if account.pk in unapproved else "",
        unicode=carries_unicode(account),
        prefixes=_list_prefixes(account),
        share=0 if account.is_in_maintenance(timezone.now()) else health.share if health else FULL,
    )


def list_ways(tenant_id: int) -> list[GatewayAccount]:
    """Connections that a tenant's messages may leave over: of each rule that decides about some of them, the usable
    ones, fallbacks too. Whatever the sender ID, and whoever rests now."""
    rules = [
        rule._replace(targets=tuple(target._replace(share=FULL) for target in rule.targets))
        for rule in compile_rules(list_rules(tenant_id).filter(state=State.ACTIVE), tenant_id=tenant_id, sender="")
    ]
    by_id = {rule.rule_id: rule for rule in rules}
    carried = {prefix for rule in rules for target in rule.targets for prefix in target.prefixes}
    found: set[int] = set()
    for rule in rules:
        heads = {rule.prefix, *(prefix for prefix in carried if prefix.startswith(rule.prefix))}
        for purpose in [rule.purpose] if rule.purpose else ["", *Purpose]:
            book = RouteBook(rules, purpose=purpose, sender=rule.sender)
            for head in heads:
                decision = book.decide(head, rule.operator)
                if decision is not None:
                    decider = by_id[decision.choices[0].step.rule_id].for_number(head)
                    found |= {target.account_id for target in decider.targets if not target.obstacle}
    accounts = GatewayAccount.objects.filter(pk__in=found).select_related("billed_profile")
    return list(accounts.order_by("name", "pk"))


def find_way(account: GatewayAccount, prefixes: Sequence[str]) -> str:
    """The prefix of these for which its owner's plain rule uses the connection, "" if none."""
    rules = _list_plain(account, prefixes).filter(targets__gateway_account=account, targets__is_active=True)
    return rules.values_list("prefix", flat=True).first() or ""


def set_way(account: GatewayAccount, prefix: str, prefixes: Sequence[str]) -> None:
    """Of its owner's plain rules for these prefixes the connection is in the one for `prefix` from now on, or in none
    (""): behind those that are in it already, as their fallback."""
    RouteTarget.objects.filter(gateway_account=account, rule__in=_list_plain(account, prefixes)).delete()
    if prefix:
        rule = _list_plain(account, [prefix]).first()
        if rule is None:
            create_rule(name=account.name, accounts=[account], prefix=prefix, tenant_id=account.tenant_id)
        else:
            last = rule.targets.order_by("-tier").values_list("tier", flat=True).first() or 0
            RouteTarget(rule=rule, gateway_account=account, tier=last + 1, tenant_id=account.tenant_id).save()
    _list_plain(account, prefixes).filter(targets=None).update(state=State.OFF)


def _list_plain(account: GatewayAccount, prefixes: Sequence[str]) -> QuerySet[RouteRule]:
    """Rules in force of the connection's owner that ask for nothing but a prefix."""
    plain = RouteRule.objects.filter(tenant=account.tenant, purpose="", operator="", sender="")
    return plain.filter(prefix__in=prefixes, state=State.ACTIVE).order_by("position", "pk")


def _find_class(adapter: str) -> type[Gateway] | None:
    """None for an unknown one: nothing can be sent over it anyway."""
    try:
        return get_gateway_class(adapter)
    except UnknownGateway:
        return None


def _carries_tables(adapter: str) -> bool:
    """Turkish shift tables survive the adapter; where a rule says so as well, they are used."""
    cls = _find_class(adapter)
    return cls is None or cls.capabilities.national_tables


def get_profile(account: GatewayAccount) -> BillingProfile:
    """How staff say that the connection counts; else how its provider is known to."""
    said = getattr(account, "billed_profile", None)
    cls = _find_class(account.adapter)
    if said is not None or cls is None:
        return said.value if said is not None else STANDARD
    able = cls.capabilities
    return BillingProfile(suffix_units=able.suffix_reserve, widens_turkish=able.widens_turkish)


def _list_prefixes(account: GatewayAccount) -> tuple[str, ...]:
    cls = _find_class(account.adapter)
    return cls.list_prefixes(account.settings) if cls is not None else ()


def carries_unicode(account: GatewayAccount) -> bool:
    """Characters beyond GSM-7 and Turkish arrive over this connection."""
    cls = _find_class(account.adapter)
    return cls is None or cls.carries_unicode(account.settings)


def create_rule(
    *,
    name: str,
    accounts: Sequence[GatewayAccount],
    prefix: str = "+",
    tenant_id: int | None = None,
    **fields: str | int,
) -> RouteRule:
    """A rule in force with these connections, each a tier of its own in their order."""
    rule = RouteRule(name=name, prefix=prefix, tenant_id=tenant_id, **fields)
    rule.save()
    for tier, account in enumerate(accounts, 1):
        RouteTarget(rule=rule, gateway_account=account, tier=tier, tenant_id=tenant_id, cost_per_part=Decimal(0)).save()
    return rule


def apply_drafts(drafts: Iterable[RouteRule], *, actor: User) -> int:
    """Put drafts into force; the rules that they replace are turned off. Returns how many were drafts still."""
    applied = 0
    with transaction.atomic():
        for draft in drafts:
            if not RouteRule.objects.filter(pk=draft.pk, state=State.DRAFT).update(state=State.ACTIVE):
                continue
            if draft.replaces_id is not None:
                RouteRule.objects.filter(pk=draft.replaces_id).update(state=State.OFF)
            record_audit(tenant=draft.tenant, actor=actor, action="route.drafts_applied", target=draft.name)
            applied += 1
    return applied
