from celery import shared_task

from accounts.scope import platform_scope
from accounts.tasks_base import TenantTask

from .services import group_removal, import_run


@shared_task(base=TenantTask, opens_own_scopes=True)
def run_import(*, import_id: int, tenant_id: int) -> None:
    import_run.run_import(import_id=import_id, tenant_id=tenant_id)


@shared_task(base=TenantTask, opens_own_scopes=True)
def remove_group(*, group_id: int, tenant_id: int) -> None:
    group_removal.remove_group(group_id=group_id, tenant_id=tenant_id)


@shared_task
def sweep_imports() -> None:
    """What a lost nudge or a dead worker left, lists on their way out too, and uploads that nobody went on with."""
    with platform_scope(reason="sweep of imports"):
        waiting = import_run.requeue_stale_imports()
        import_run.discard_abandoned_uploads()
        removals = group_removal.list_stalled_removals()
    for import_id, tenant_id in waiting:
        run_import.delay(import_id=import_id, tenant_id=tenant_id)
    for group_id, tenant_id in removals:
        remove_group.delay(group_id=group_id, tenant_id=tenant_id)
