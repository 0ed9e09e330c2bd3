"""Movements of credits. Every one has a reference that makes a repeat harmless."""

from decimal import Decimal

from django.db import transaction

from accounts.models import Tenant, User
from accounts.scope import platform_scope
from accounts.services import record_audit
from billing.models import CreditAccount, LedgerTransaction

from .errors import ReferenceReused
from .posting import Line, Movement, ensure_platform_account, get_account_id, lock_accounts, post_movement

KIND = LedgerTransaction.Kind


def open_credit_account(tenant: Tenant) -> CreditAccount:
    """The tenant's purse, made with nothing in it if there is none yet."""
    with platform_scope(reason="open a credit account"):
        ensure_platform_account(CreditAccount.Kind.ISSUED)
        ensure_platform_account(CreditAccount.Kind.USED)
        account, _ = CreditAccount.objects.get_or_create(tenant=tenant, defaults={"kind": CreditAccount.Kind.TENANT})
    return account


def top_up_credits(*, tenant: Tenant, amount: Decimal, reference: str, actor: User | None, note: str = "") -> bool:
    """Hand credits out. False if this reference was handed out before. Raises ReferenceReused, ValueError (≤ 0)."""
    _check_amount(amount)
    account = open_credit_account(tenant)
    with platform_scope(reason="top-up"):
        issued = ensure_platform_account(CreditAccount.Kind.ISSUED)
        lines = [Line(issued, None, available=-amount), Line(account.pk, tenant.pk, available=amount)]
        movement = Movement(KIND.TOP_UP, tenant.pk, reference, note=note, actor_id=actor.pk if actor else None)
        is_new = post_movement(movement, lines)
        if is_new:
            data = {"amount": str(amount), "reference": reference, "note": note}
            record_audit(tenant=tenant, actor=actor, action="credits.topped_up", data=data)
    return is_new


def transfer_credits(
    *, from_tenant: Tenant, to_tenant: Tenant, amount: Decimal, reference: str, actor: User | None
) -> bool:
    """Pass credits to another account. False on a repeat. Raises NotEnoughCredits, ReferenceReused, ValueError."""
    _check_amount(amount)
    if from_tenant.pk == to_tenant.pk:
        raise ValueError("a transfer needs two accounts")
    giver, taker = open_credit_account(from_tenant), open_credit_account(to_tenant)
    actor_id = actor.pk if actor else None
    with platform_scope(reason="transfer between accounts"):
        issued = ensure_platform_account(CreditAccount.Kind.ISSUED)
        lock_accounts([giver.pk, taker.pk, issued])
        # Two movements over the issuing account, so that each side sees one of its own and nothing of the other's.
        back = Movement(KIND.TRANSFER, from_tenant.pk, reference, note=f"→ {to_tenant.name}"[:200], actor_id=actor_id)
        out = Movement(KIND.TRANSFER, to_tenant.pk, reference, note=f"← {from_tenant.name}"[:200], actor_id=actor_id)
        is_new = post_movement(
            back, [Line(giver.pk, from_tenant.pk, available=-amount), Line(issued, None, available=amount)]
        )
        if is_new:
            given = [Line(issued, None, available=-amount), Line(taker.pk, to_tenant.pk, available=amount)]
            if not post_movement(out, given):
                raise ReferenceReused(reference)  # in the taker's ledger by another hand: nothing may get lost between
            data = {"amount": str(amount), "reference": reference, "to": to_tenant.name, "from": from_tenant.name}
            record_audit(tenant=from_tenant, actor=actor, action="credits.transferred", data=data)
            record_audit(tenant=to_tenant, actor=actor, action="credits.received", data=data)
    return is_new


def hold_credits(*, tenant_id: int, run_id: int, amount: Decimal) -> bool:
    """Set the whole cost of a run aside. False if it is set aside already. Raises NotEnoughCredits, nothing changed."""
    if amount == 0:
        return True
    _check_amount(amount)
    with transaction.atomic():
        account_id = get_account_id(tenant_id)
        line = Line(account_id, tenant_id, available=-amount, reserved=amount)
        return post_movement(Movement(KIND.HOLD, tenant_id, f"run:{run_id}:hold", run_id=run_id), [line])


def _check_amount(amount: Decimal) -> None:
    if amount <= 0:
        raise ValueError("an amount of credits is more than 0")
