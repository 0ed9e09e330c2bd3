"""The e-mail to somebody who was added to an account: to choose a password, or to accept."""

from allauth.account.forms import default_token_generator
from allauth.account.utils import user_pk_to_url_str
from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils.translation import override

from .models import Membership, Tenant, User


def email_invitation(*, user_id: int, tenant_id: int, inviter: str) -> None:
    """Nothing is sent to a member who already signs in."""
    user = User.objects.get(pk=user_id)
    if not user.has_usable_password():
        token = default_token_generator.make_token(user)
        path = reverse("account_reset_password_from_key", kwargs={"uidb36": user_pk_to_url_str(user), "key": token})
    elif Membership.objects.filter(user=user, tenant_id=tenant_id, is_pending=True).exists():
        path = reverse("accounts:invitation_list")
    else:
        return
    tenant = Tenant.objects.get(pk=tenant_id)
    context = {
        "knows_us": user.has_usable_password(),
        "tenant": tenant,
        "inviter": inviter,
        "url": f"{settings.PUBLIC_URL}{path}",
    }
    with override(user.language):
        subject = render_to_string("accounts/email/invitation_subject.txt", context).strip()
        body = render_to_string("accounts/email/invitation.txt", context)
    send_mail(subject, body, None, [user.email])
