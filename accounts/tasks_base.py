"""Base class of tenant tasks: the scope is set at the edge, from the `tenant_id` that every task takes."""

from typing import Any

from celery.contrib.django.task import DjangoTask
from django.db import transaction

from .scope import tenant_scope


class TenantTask(DjangoTask):
    """Runs inside one scope (one transaction). Long work sets `opens_own_scopes` and scopes each piece itself."""

    opens_own_scopes = False

    def delay_on_commit(self, *args: Any, **kwargs: Any) -> None:
        # The state is committed and a sweep finds it: a broker that is away must not turn that into an error page.
        transaction.on_commit(lambda: self.delay(*args, **kwargs), robust=True)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        tenant_id = kwargs.get("tenant_id")
        if not isinstance(tenant_id, int):
            raise TypeError(f"{self.name} must be called with tenant_id=<int>")
        if self.opens_own_scopes:
            return super().__call__(*args, **kwargs)
        with tenant_scope(tenant_id):
            return super().__call__(*args, **kwargs)
