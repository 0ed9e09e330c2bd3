"""The e-mail to somebody who was added to an account and has no password yet."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import override

from .models import Tenant, User


def email_invitation(*, user_id: int, tenant_id: int, inviter: str) -> None:
    """Nothing is sent to somebody who already signs in."""
    user = User.objects.get(pk=user_id)
    if user.has_usable_password():
        return
    tenant = Tenant.objects.get(pk=tenant_id)
    path = reverse(
        "account_reset_password_from_key",
        kwargs={"uidb36": user_pk_to_url_str(user), "key": default_token_generator.make_token(user)},
    )
    context = {"user": user, "tenant": tenant, "inviter": inviter, "url": f"{settings.PUBLIC_URL}{path}"}
    with override(user.language):
        subject = render_to_string("accounts/email/invitation_subject.txt", context).strip()
        body = render_to_string("accounts/email/invitation.txt", context)
    send_mail(subject, body, None, [user.email])
