"""Base class of tenant tasks: the scope is set at the edge, from the `tenant_id` that every task takes."""

from typing import Any

from celery import Task

from .scope import tenant_scope


class TenantTask(Task):
    """Runs inside one scope (one transaction). Long work sets `opens_own_scopes` and scopes each piece itself."""

    opens_own_scopes = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        tenant_id = kwargs.get("tenant_id")
        if not isinstance(tenant_id, int):
            raise TypeError(f"{self.name} must be called with tenant_id=<int>")
        if self.opens_own_scopes:
            return super().__call__(*args, **kwargs)
        with tenant_scope(tenant_id):
            return super().__call__(*args, **kwargs)
