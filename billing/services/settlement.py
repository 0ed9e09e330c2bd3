"""Captures and releases in bulk: what the engine calls once per flush, whatever the number of runs in it."""

from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from typing import NamedTuple

from django.db import connection

from billing.models import CreditAccount, LedgerTransaction
from common.ids import uuid7

from .errors import NoCreditAccount, NotEnoughCredits
from .posting import ZERO, Line, ensure_platform_account, insert_entries

CAPTURE = LedgerTransaction.Kind.CAPTURE
RELEASE = LedgerTransaction.Kind.RELEASE


class Settlement(NamedTuple):
    """Held credits of one run that were used (capture) or come back (release)."""

    tenant_id: int
    run_id: int
    kind: str
    amount: Decimal
    message_count: int
    reference: str


def settle_credits(settlements: Sequence[Settlement]) -> int:
    """Write captures and releases, each once per (tenant, reference); returns how many were new.

    In the caller's transaction, as its last step. Platform scope if any is a capture. Raises NotEnoughCredits where
    more would be resolved than is held, NoCreditAccount.
    """
    wanted = [s for s in settlements if s.amount]
    new = _insert_transactions(wanted)
    if not new:
        return 0
    accounts = _find_accounts({s.tenant_id for _, s in new})
    used_id = ensure_platform_account(CreditAccount.Kind.USED) if any(s.kind == CAPTURE for _, s in new) else 0
    entries: list[tuple[int, Line]] = []
    for transaction_id, s in new:
        account_id = accounts[s.tenant_id]
        if s.kind == CAPTURE:
            entries.append((transaction_id, Line(account_id, s.tenant_id, reserved=-s.amount)))
            entries.append((transaction_id, Line(used_id, None, available=s.amount)))
        else:
            entries.append((transaction_id, Line(account_id, s.tenant_id, available=s.amount, reserved=-s.amount)))
    insert_entries(entries)
    _change_balances([line for _, line in entries])
    return len(new)


def _insert_transactions(settlements: Sequence[Settlement]) -> list[tuple[int, Settlement]]:
    if not settlements:
        return []
    by_key = {(s.tenant_id, s.reference): s for s in settlements}
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO billing_ledgertransaction"
            " (public_id, kind, tenant_id, reference, run_id, message_count, note, created_at)"
            " SELECT v.*, '', now() FROM unnest(%s::uuid[], %s::text[], %s::bigint[], %s::text[], %s::bigint[],"
            " %s::int[]) v ON CONFLICT (tenant_id, reference) DO NOTHING RETURNING id, tenant_id, reference",
            [
                [str(uuid7()) for _ in by_key],
                [str(s.kind) for s in by_key.values()],
                [s.tenant_id for s in by_key.values()],
                [s.reference for s in by_key.values()],
                [s.run_id for s in by_key.values()],
                [s.message_count for s in by_key.values()],
            ],
        )
        return [(row[0], by_key[row[1], row[2]]) for row in cursor.fetchall()]


def _find_accounts(tenant_ids: set[int]) -> dict[int, int]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT tenant_id, id FROM billing_creditaccount WHERE tenant_id = ANY(%s)", [sorted(tenant_ids)]
        )
        found: dict[int, int] = dict(cursor.fetchall())
    for tenant_id in tenant_ids - set(found):
        raise NoCreditAccount(tenant_id)
    return found


def _change_balances(lines: Sequence[Line]) -> None:
    """One update per account, in the order of their keys: every writer of balances goes that way."""
    available: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
    reserved: defaultdict[int, Decimal] = defaultdict(lambda: ZERO)
    for line in lines:
        available[line.account_id] += line.available
        reserved[line.account_id] += line.reserved
    with connection.cursor() as cursor:
        for account_id in sorted(available):
            cursor.execute(
                "UPDATE billing_creditaccount SET available = available + %s, reserved = reserved + %s"
                " WHERE id = %s AND reserved + %s >= 0",
                [available[account_id], reserved[account_id], account_id, reserved[account_id]],
            )
            if cursor.rowcount != 1:
                raise NotEnoughCredits(available=ZERO, needed=-reserved[account_id])
