"""Texts to use again."""

from django.db import IntegrityError, transaction

from accounts.models import Tenant, User
from accounts.services import record_audit

from ..models import MessageTemplate


class TemplateNameTaken(Exception):
    """Another template of the account has this name (case aside)."""


def save_template(
    *, tenant: Tenant, actor: User, name: str, text: str, template: MessageTemplate | None = None
) -> MessageTemplate:
    """Create, or change the one given. Raises TemplateNameTaken."""
    template = template or MessageTemplate(tenant=tenant, created_by=actor)
    template.name, template.text = name, text
    try:
        with transaction.atomic():
            template.save()
    except IntegrityError as error:
        raise TemplateNameTaken(name) from error
    return template


@transaction.atomic
def delete_template(*, template: MessageTemplate, actor: User) -> None:
    """Delete it; campaigns that were made from it keep their text."""
    record_audit(tenant=template.tenant, actor=actor, action="template.deleted", target=template.name)
    template.delete()
