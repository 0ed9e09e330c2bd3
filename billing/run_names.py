"""What the send runs of credit movements are called. Billing knows their numbers only; who knows more says so here.

An app above registers its finder when it is loaded (`AppConfig.ready`), so that no import points upward.
"""

from collections.abc import Callable, Collection, Mapping
from typing import NamedTuple


class RunName(NamedTuple):
    text: str
    url: str = ""  # of a page about the run; "" if there is none


Finder = Callable[[int, Collection[int]], Mapping[int, RunName]]
"""(tenant id, run ids) → names of those it knows."""

_finders: list[Finder] = []


def register_finder(finder: Finder) -> None:
    if finder not in _finders:
        _finders.append(finder)


def find_run_names(tenant_id: int, run_ids: Collection[int]) -> dict[int, RunName]:
    """Names by run id, in the reader's language; runs that nobody knows are left out."""
    names: dict[int, RunName] = {}
    if run_ids:
        for finder in _finders:
            names |= finder(tenant_id, run_ids)
    return names
