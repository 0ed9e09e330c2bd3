from .balance import Balance, get_balance, list_ledger
from .prices import PriceList, load_price_list

__all__ = ["Balance", "PriceList", "get_balance", "list_ledger", "load_price_list"]
