"""Columns of values as PostgreSQL array literals: one string each, read by the server in one go.

A Python list would become `ARRAY[1,2,…]`, an expression whose every element goes through the SQL parser: for 5,000
rows that took longer than the update they were for.
"""

from collections.abc import Iterable


def int_array(values: Iterable[int | None]) -> str:
    """For `%s::bigint[]` (or int[]); None becomes NULL."""
    return "{" + ",".join(["NULL" if value is None else str(value) for value in values]) + "}"


def text_array(values: Iterable[str]) -> str:
    """For `%s::text[]`; any text but NUL, no NULLs."""
    items = list(values)
    if not items:
        return "{}"
    joined = '","'.join(items)
    # Two quotes per element are ours; more, or a backslash, and some element needs escapes.
    if "\\" in joined or joined.count('"') != 2 * (len(items) - 1):
        joined = '","'.join(item.replace("\\", "\\\\").replace('"', '\\"') for item in items)
    return '{"' + joined + '"}'
