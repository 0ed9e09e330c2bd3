from ..models import Tenant, User


def update_profile(
    *, user: User, full_name: str | None = None, language: str | None = None, theme: str | None = None
) -> User:
    """Change what a person may change about themselves; None leaves a field as it is."""
    changes = {"full_name": full_name, "language": language, "theme": theme}
    changed = [name for name, value in changes.items() if value is not None and getattr(user, name) != value]
    for name in changed:
        setattr(user, name, changes[name])
    if changed:
        user.save(update_fields=changed)
    return user


def remember_tenant(*, user: User, tenant: Tenant) -> None:
    """The person's next session begins there."""
    user.last_tenant = tenant
    user.save(update_fields=["last_tenant"])
