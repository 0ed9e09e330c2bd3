from .credits import (
    capture_credits,
    hold_credits,
    open_credit_account,
    release_credits,
    top_up_credits,
    transfer_credits,
)
from .errors import NoCreditAccount, NotEnoughCredits, ReferenceReused
from .settlement import Settlement, settle_credits

__all__ = [
    "NoCreditAccount",
    "NotEnoughCredits",
    "ReferenceReused",
    "Settlement",
    "capture_credits",
    "hold_credits",
    "open_credit_account",
    "release_credits",
    "settle_credits",
    "top_up_credits",
    "transfer_credits",
]
