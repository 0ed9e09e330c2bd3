"""Base of every model that belongs to a tenant, and its guarded manager.

Net 1 of the five (architecture, section 5). The guard sits where queries are compiled, so `count()`, `update()`,
`exists()`, iteration and sub-queries all pass it; row-level security (net 3) stands behind it for raw SQL.
"""

from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from django.db import models
from django.db.models.sql import Query

from .scope import ForeignTenantRow, NoTenantScope, current_scope, require_scope

_guarded_classes: dict[type[Query], type[Query]] = {}


class GuardedQueryMixin:
    """A query that refuses to compile outside a scope."""

    def get_compiler(self, *args: Any, **kwargs: Any) -> Any:
        if current_scope() is None:
            raise NoTenantScope(f"query on {self.model._meta.label} without a tenant scope")  # type: ignore[attr-defined]
        return super().get_compiler(*args, **kwargs)  # type: ignore[misc]

    def chain(self, klass: type[Query] | None = None) -> Any:
        return super().chain(guarded(klass) if klass else None)  # type: ignore[misc]


def guarded(klass: type[Query]) -> type[Query]:
    """The guarded twin of a query class (Query, UpdateQuery …)."""
    if issubclass(klass, GuardedQueryMixin):
        return klass
    if klass not in _guarded_classes:
        _guarded_classes[klass] = type(f"Guarded{klass.__name__}", (GuardedQueryMixin, klass), {})
    return _guarded_classes[klass]


M = TypeVar("M", bound=models.Model)


class TenantQuerySet(models.QuerySet[M]):
    def __init__(self, model=None, query=None, using=None, hints=None):  # type: ignore[no-untyped-def]
        super().__init__(model, query or guarded(Query)(model), using, hints)

    def _raw_delete(self, using):  # type: ignore[no-untyped-def]
        require_scope()  # Django swaps the query's class here, past the guard
        return super()._raw_delete(using)

    def bulk_create(self, objs, *args: Any, **kwargs: Any):  # type: ignore[no-untyped-def]
        objs = list(objs)
        for obj in objs:
            check_own_row(obj)
        return super().bulk_create(objs, *args, **kwargs)


class TenantManager(models.Manager.from_queryset(TenantQuerySet)):  # type: ignore[misc]
    """Filters by the scope's tenant; rows shared by the platform (tenant NULL) only where the model says so."""

    def get_queryset(self) -> models.QuerySet:
        queryset = super().get_queryset()
        scope = current_scope()
        if scope is None or scope.is_platform:
            return queryset  # without a scope it raises when it runs
        own = models.Q(tenant_id=scope.tenant_id)
        if getattr(self.model, "shared_rows_visible", False):
            own |= models.Q(tenant_id=None)
        return queryset.filter(own)


def check_own_row(obj: models.Model) -> None:
    """Raise unless the row belongs to the scope's tenant. Platform scope may touch any row."""
    scope = require_scope()
    if not scope.is_platform and obj.tenant_id != scope.tenant_id:  # type: ignore[attr-defined]
        raise ForeignTenantRow(f"{obj._meta.label} of tenant {obj.tenant_id} in the scope of {scope.tenant_id}")  # type: ignore[attr-defined]


class GuardedModel(models.Model):
    """Shared machinery of TenantOwned and PlatformShared."""

    if TYPE_CHECKING:
        objects: ClassVar[models.Manager[Self]]
    else:
        objects = TenantManager()

    class Meta:
        abstract = True
        base_manager_name = "objects"

    def __str__(self) -> str:
        """For staff; models with a name of their own say that."""
        return f"{self._meta.verbose_name} {self.pk}"

    @classmethod
    def from_db(cls, db: str | None, field_names: Any, values: Any) -> Any:  # type: ignore[override]
        obj = super().from_db(db, field_names, values)
        scope = current_scope()
        if scope is not None and not scope.is_platform and "tenant_id" in obj.__dict__:
            allowed = (scope.tenant_id, None) if getattr(cls, "shared_rows_visible", False) else (scope.tenant_id,)
            if obj.__dict__["tenant_id"] not in allowed:
                raise ForeignTenantRow(f"{cls._meta.label} of another tenant was read")
        return obj

    def save(self, *args: Any, **kwargs: Any) -> None:
        check_own_row(self)
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> Any:
        check_own_row(self)
        return super().delete(*args, **kwargs)


class TenantOwned(GuardedModel):
    """A row of exactly one tenant. Its table needs `EnableRowLevelSecurity` in the migration that creates it."""

    tenant = models.ForeignKey("accounts.Tenant", on_delete=models.PROTECT, related_name="+", db_index=False)

    class Meta(GuardedModel.Meta):
        abstract = True


class TenantOrPlatformOwned(GuardedModel):
    """A row of one tenant, or of the platform (tenant NULL) and then readable by every tenant."""

    shared_rows_visible = True
    tenant = models.ForeignKey(
        "accounts.Tenant", on_delete=models.PROTECT, related_name="+", null=True, blank=True, db_index=False
    )

    class Meta(GuardedModel.Meta):
        abstract = True
