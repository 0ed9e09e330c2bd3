"""What still waits for a connection. Messages live in a layer above, which registers how it counts."""

from collections.abc import Callable

_counters: list[Callable[[int], int]] = []


def register_waiting(count: Callable[[int], int]) -> None:
    """`count(gateway_account_id)`: things that need the connection to be kept. Called once, at start."""
    _counters.append(count)


def count_waiting(gateway_account_id: int) -> int:
    return sum(count(gateway_account_id) for count in _counters)
