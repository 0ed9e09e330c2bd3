from .credits import (
    hold_credits,
    open_credit_account,
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
    "hold_credits",
    "open_credit_account",
    "settle_credits",
    "top_up_credits",
    "transfer_credits",
]
