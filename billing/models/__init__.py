from .ledger import CreditAccount, LedgerEntry, LedgerTransaction
from .tariff import Tariff

__all__ = ["CreditAccount", "LedgerEntry", "LedgerTransaction", "Tariff"]
