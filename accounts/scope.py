"""Tenant scope: whose rows this code may touch. Set once at the edge (request, task, command).

A scope opens a transaction and tells PostgreSQL about itself with `set_config(..., is_local => true)`, so that
row-level security applies to every statement inside, raw SQL included, and nothing leaks to the connection's next user.
Work that must commit in pieces opens one scope per piece.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import TypeVar

from django.db import connection, transaction

Item = TypeVar("Item")


class NoTenantScope(RuntimeError):
    """A tenant's table was touched outside `tenant_scope` or `platform_scope`."""


class ForeignTenantRow(RuntimeError):
    """A row of another tenant came in or would have gone out."""


@dataclass(frozen=True, slots=True)
class Scope:
    tenant_id: int | None  # None: platform scope
    reason: str = ""

    @property
    def is_platform(self) -> bool:
        return self.tenant_id is None


_current: ContextVar[Scope | None] = ContextVar("tenant_scope", default=None)


def current_scope() -> Scope | None:
    return _current.get()


def require_scope() -> Scope:
    scope = _current.get()
    if scope is None:
        raise NoTenantScope("open tenant_scope(...) or platform_scope(reason=...) first")
    return scope


@contextmanager
def tenant_scope(tenant_id: int) -> Iterator[Scope]:
    """Everything inside sees and writes rows of this tenant only (and reads rows shared by the platform)."""
    if not isinstance(tenant_id, int):
        raise TypeError("tenant_scope takes the tenant's primary key")
    with _entered(Scope(tenant_id)) as scope:
        yield scope


@contextmanager
def platform_scope(*, reason: str) -> Iterator[Scope]:
    """Sees every tenant: sweeps, receipts, admin, sign-in. The reason says why in one phrase."""
    with _entered(Scope(None, reason)) as scope:
        yield scope


def set_database_scope(cursor, scope: Scope | None) -> None:  # type: ignore[no-untyped-def]
    """Tell the open transaction whose rows it may touch. For code with its own cursor (the engine)."""
    tenant = "" if scope is None or scope.is_platform else str(scope.tenant_id)
    platform = "on" if scope is not None and scope.is_platform else ""
    cursor.execute(
        "SELECT set_config('app.tenant', %s, true), set_config('app.platform', %s, true)", [tenant, platform]
    )


@contextmanager
def _entered(scope: Scope) -> Iterator[Scope]:
    outer = _current.get()
    nested = connection.in_atomic_block
    with transaction.atomic():
        token = _current.set(scope)
        try:
            with connection.cursor() as cursor:
                set_database_scope(cursor, scope)
            yield scope
        finally:
            _current.reset(token)
        if (
            nested and not connection.needs_rollback
        ):  # the settings outlive a savepoint; a rolled back one restores them itself
            with connection.cursor() as cursor:
                set_database_scope(cursor, outer)


def stream_in_scope(tenant_id: int, produce: Callable[[], Iterator[Item]]) -> Iterator[Item]:
    """For streaming responses: they run after the request's transaction, so they open a scope of their own.

    The scope is entered for each step of the producer, never across a `yield`: a context variable set in a generator
    would leak into whoever consumes it. One transaction is held open for the
    whole stream (server-side cursors need it).
    """
    with transaction.atomic():
        scope = Scope(tenant_id)
        with connection.cursor() as cursor:
            set_database_scope(cursor, scope)
        token = _current.set(scope)
        try:
            iterator = produce()
        finally:
            _current.reset(token)
        while True:
            token = _current.set(scope)
            try:
                item = next(iterator)
            except StopIteration:
                return
            finally:
                _current.reset(token)
            yield item
