"""The one place that writes the ledger: a movement, its lines and the balances they change, together (M1, M3).

Lock order: balances are touched in the order of their account's primary key, after everything else of the caller's
transaction (run → messages → roll-ups → balances), because the platform's balances are everybody's.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from billing.models import CreditAccount
from common.ids import uuid7

from .errors import NoCreditAccount, NotEnoughCredits, ReferenceReused

ZERO = Decimal(0)


class Line(NamedTuple):
    """Change of one account. The lines of a movement add up to zero over `available` and `reserved` together."""

    account_id: int
    tenant_id: int | None
    available: Decimal = ZERO
    reserved: Decimal = ZERO


class Movement(NamedTuple):
    """What a ledger transaction is for; (tenant, reference) names it once and for all."""

    kind: str
    tenant_id: int
    reference: str
    run_id: int | None = None
    note: str = ""
    message_count: int = 0
    actor_id: int | None = None


def get_account_id(tenant_id: int) -> int:
    """Raises NoCreditAccount."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT id FROM billing_creditaccount WHERE tenant_id = %s", [tenant_id])
        row = cursor.fetchone()
    if row is None:
        raise NoCreditAccount(tenant_id)
    return int(row[0])


def ensure_platform_account(kind: CreditAccount.Kind) -> int:
    """Primary key of the platform's `issued` or `used` account, made when first needed. Platform scope only."""
    with connection.cursor() as cursor:
        query = "SELECT id FROM billing_creditaccount WHERE tenant_id IS NULL AND kind = %s"
        cursor.execute(query, [kind.value])
        row = cursor.fetchone()
        if row is None:
            cursor.execute(
                "INSERT INTO billing_creditaccount (tenant_id, kind, available, reserved) VALUES (NULL, %s, 0, 0)"
                " ON CONFLICT (kind) WHERE tenant_id IS NULL DO NOTHING",
                [kind.value],
            )
            cursor.execute(query, [kind.value])
            row = cursor.fetchone()
    assert row is not None
    return int(row[0])


def lock_accounts(account_ids: Sequence[int]) -> None:
    """For a caller that posts several movements in one transaction: take the balances' locks in their order first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT 1 FROM billing_creditaccount WHERE id = ANY(%s) ORDER BY id FOR UPDATE", [sorted(set(account_ids))]
        )


def post_movement(movement: Movement, lines: Sequence[Line]) -> bool:
    """Write a movement once. False if its reference is in the ledger already (a repeat, nothing done).

    Raises NotEnoughCredits where a line would take more than there is, ReferenceReused where the reference was
    used for another kind or amount. The caller's transaction must be rolled back (or a savepoint) on an exception.
    """
    if sum(line.available + line.reserved for line in lines) != 0:
        raise ValueError("the lines of a movement must add up to zero")
    transaction_id = _insert_transaction(movement)
    if transaction_id is None:
        _check_repeat(movement, lines)
        return False
    for line in sorted(lines, key=lambda line: line.account_id):
        _change_balance(line)
    insert_entries([(transaction_id, line) for line in lines])
    return True


def insert_entries(entries: Sequence[tuple[int, Line]]) -> None:
    """Append ledger lines (transaction id, line) in one statement."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_ledgerentry (transaction_id, account_id, tenant_id, available_delta, reserved_delta)"
            " SELECT * FROM unnest(%s::bigint[], %s::bigint[], %s::bigint[], %s::numeric[], %s::numeric[])",
            [
                [transaction_id for transaction_id, _ in entries],
                [line.account_id for _, line in entries],
                [line.tenant_id for _, line in entries],
                [line.available for _, line in entries],
                [line.reserved for _, line in entries],
            ],
        )


def _insert_transaction(movement: Movement) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_ledgertransaction"
            " (public_id, kind, tenant_id, reference, run_id, note, message_count, actor_id, created_at)"
            " VALUES (%s, %s, %s, %s, %s, %s, %s, %s, now())"
            " ON CONFLICT (tenant_id, reference) DO NOTHING RETURNING id",
            [uuid7(), *movement],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


def _change_balance(line: Line) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE billing_creditaccount SET available = available + %(available)s, reserved = reserved + %(reserved)s"
            " WHERE id = %(id)s AND (kind = 'issued' OR available + %(available)s >= 0)"
            " AND reserved + %(reserved)s >= 0",
            {"id": line.account_id, "available": line.available, "reserved": line.reserved},
        )
        if cursor.rowcount == 1:
            return
        cursor.execute("SELECT available, reserved FROM billing_creditaccount WHERE id = %s", [line.account_id])
        row = cursor.fetchone()
    if row is None:
        raise NoCreditAccount(line.tenant_id)
    if row[0] + line.available < 0:
        raise NotEnoughCredits(available=row[0], needed=-line.available)
    raise NotEnoughCredits(available=row[1], needed=-line.reserved)


def _check_repeat(movement: Movement, lines: Sequence[Line]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT t.kind, e.account_id, sum(e.available_delta), sum(e.reserved_delta)"
            " FROM billing_ledgertransaction t JOIN billing_ledgerentry e ON e.transaction_id = t.id"
            " WHERE t.tenant_id = %s AND t.reference = %s GROUP BY 1, 2",
            [movement.tenant_id, movement.reference],
        )
        written = {(kind, account): (available, reserved) for kind, account, available, reserved in cursor.fetchall()}
    for line in lines:
        # In a tenant's scope the other side's lines are out of sight; its own decide.
        if line.tenant_id != movement.tenant_id:
            continue
        available = sum((x.available for x in lines if x.account_id == line.account_id), ZERO)
        reserved = sum((x.reserved for x in lines if x.account_id == line.account_id), ZERO)
        if written.get((movement.kind, line.account_id)) != (available, reserved):
            raise ReferenceReused(movement.reference)
