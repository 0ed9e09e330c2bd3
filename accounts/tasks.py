from importlib import import_module

from celery import shared_task
from django.conf import settings

from .invitations import email_invitation
from .tasks_base import TenantTask


@shared_task(base=TenantTask)
def send_invitation(*, user_id: int, tenant_id: int, inviter: str) -> None:
    email_invitation(user_id=user_id, tenant_id=tenant_id, inviter=inviter)


@shared_task
def clear_sessions() -> None:
    """Tick: rows of sessions that are over; Django leaves them."""
    import_module(settings.SESSION_ENGINE).SessionStore.clear_expired()
