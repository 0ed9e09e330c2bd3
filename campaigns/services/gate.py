"""Who may touch a campaign while its audience is walked: walkers together, or one edit alone.

Row locks would not do: shared ones that overlap without a pause keep an exclusive one waiting for the whole walk.
Advisory locks are queued: a walker that comes after an edit waits for it, so an edit waits for one chunk at most.
"""

from typing import Final

from django.db import connection

from ..models import Campaign

_BASE: Final = 0x5045_594B << 32  # keys of this kind; no other advisory locks are taken so far


def pass_gate(campaign_id: int) -> None:
    """Walkers: until the transaction ends nobody else changes the campaign."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock_shared(%s)", [_BASE + campaign_id])


def close_gate(campaign_id: int) -> None:
    """Everybody else, before the row is locked: until the transaction ends nobody walks."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_BASE + campaign_id])


def lock_campaign(pk: int) -> Campaign:
    """The row, held until the transaction ends. Lock order everywhere: gate → campaign → run → credit account."""
    close_gate(pk)
    return Campaign.objects.select_for_update(of=("self",)).select_related("tenant", "sender", "updated_by").get(pk=pk)
