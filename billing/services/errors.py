from decimal import Decimal


class NotEnoughCredits(Exception):
    """The account holds less than the movement needs. Nothing was changed."""

    def __init__(self, available: Decimal, needed: Decimal) -> None:
        super().__init__(f"{needed} credits needed, {available} available")
        self.available = available
        self.needed = needed


class NoCreditAccount(LookupError):
    """The tenant has no credit account: `open_credit_account` was never called for it."""


class ReferenceReused(ValueError):
    """A reference names one movement for ever; this one came back with another kind or amount."""
