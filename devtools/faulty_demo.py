"""./dev faults demo: the servers are killed in the middle of a demo run."""

from __future__ import annotations


def run_faulty_demo(arguments: list[str]) -> int:
    raise NotImplementedError
