"""Credentials under the newest key. Run it after a new key was put first; afterwards the old one can go."""

from typing import NamedTuple

from accounts.scope import platform_scope
from common.crypto import DecryptionError, is_current

from ..models import GatewayAccount


class Rotation(NamedTuple):
    """`rotated` rows were encrypted anew, `current` were already; `unreadable` (primary keys) no key opens."""

    rotated: int
    current: int
    unreadable: list[int]


def rotate_secrets() -> Rotation:
    """Row by row, each in its own transaction: safe beside a running system, and to be broken off."""
    with platform_scope(reason="rotation of credentials"):
        ids = list(GatewayAccount.objects.exclude(secret="").order_by("pk").values_list("pk", flat=True))
    rotated, current, unreadable = 0, 0, []
    for pk in ids:
        with platform_scope(reason="rotation of credentials"):
            account = GatewayAccount.objects.select_for_update().filter(pk=pk).first()
            if account is None or is_current(account.secret):
                current += 1
                continue
            try:
                account.set_secret(account.get_secret())
            except DecryptionError:
                unreadable.append(pk)
                continue
            account.save(update_fields=["secret"])
            rotated += 1
    return Rotation(rotated, current, unreadable)
