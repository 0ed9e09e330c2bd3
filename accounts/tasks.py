from celery import shared_task

from .invitations import email_invitation
from .tasks_base import TenantTask


@shared_task(base=TenantTask)
def send_invitation(*, user_id: int, tenant_id: int, inviter: str) -> None:
    email_invitation(user_id=user_id, tenant_id=tenant_id, inviter=inviter)
