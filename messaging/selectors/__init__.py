from .doubt import find_doubt, is_history_missing
from .recipients import iter_recipients, list_messages, list_recipients
from .runs import (
    MinuteCount,
    OperatorCount,
    ReasonCount,
    RunTotals,
    StateCount,
    get_run,
    get_run_totals,
    list_operators,
    list_reasons,
    list_run_minutes,
)
from .stalls import Stall, find_stall

__all__ = [
    "MinuteCount",
    "OperatorCount",
    "ReasonCount",
    "RunTotals",
    "Stall",
    "StateCount",
    "find_doubt",
    "find_stall",
    "get_run",
    "get_run_totals",
    "is_history_missing",
    "iter_recipients",
    "list_messages",
    "list_operators",
    "list_reasons",
    "list_recipients",
    "list_run_minutes",
]
