"""Benchmarks.

Each module has `run(args) -> dict`; `./dev bench NAME` calls it and prints the dict as JSON.
"""
