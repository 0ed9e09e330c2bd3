"""Who is at the keyboard of a command that the audit trail must name."""

from django.core.management.base import CommandError

from accounts.models import User


def find_staff(email: str) -> User:
    """Raises CommandError unless it is the address of somebody of the platform's staff."""
    person = User.objects.filter(email__iexact=email, is_staff=True, is_active=True).first()
    if person is None:
        raise CommandError(f"{email} is nobody of the platform's staff")
    return person
