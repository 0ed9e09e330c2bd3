"""Python's cyclic garbage collector in processes that hold a great many rows at a time."""

import gc


def calm_collector() -> None:
    """Thousands of rows are alive at any moment, none of them in a cycle: by default the collector would walk all of
    them, and all of Django, again and again (a seventh of a sender's time, in pauses of 100 ms; a twentieth of a
    snapshot's)."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 20, 100)
