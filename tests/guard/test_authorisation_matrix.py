"""Net 5: every URL is a panel page with a permission, or stands in the table below with its reason."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from django.urls import URLPattern, URLResolver, get_resolver, reverse

from accounts.roles import PERMISSIONS, role_allows
from accounts.scope import tenant_scope
from tests.conftest import Cast
from tests.guard.objects import CHOICES, OBJECTS

# Pages without a permission of their own. "anybody": open to visitors; "signed_in": about the person, not an account.
PUBLIC: dict[str, str] = {
    "accounts:preferences": "anybody",  # language and theme, the sign-in page has the switch
    "accounts:no_tenant": "signed_in",
    "accounts:switch": "signed_in",  # 404 unless the person has a role there
    "accounts:profile": "signed_in",
    "accounts:invitation_list": "signed_in",  # the person's own
    "accounts:invitation_accept": "signed_in",  # 404 unless the person is invited there
    "accounts:invitation_decline": "signed_in",
    "account_login": "anybody",
    "account_signup": "anybody",  # says that sign-up is closed
    "account_inactive": "anybody",
    "account_confirm_login_code": "anybody",
    "account_reset_password": "anybody",
    "account_reset_password_done": "anybody",
    "account_reset_password_from_key": "anybody",
    "account_reset_password_from_key_done": "anybody",
    "account_logout": "anybody",
    "account_reauthenticate": "signed_in",
    "account_change_password": "signed_in",
    "account_set_password": "signed_in",
    "push:receipts": "anybody",  # providers call it; the address is the secret, signatures where they sign
    "push:inbound": "anybody",
    "mfa_authenticate": "anybody",  # second step of signing in
    "mfa_reauthenticate": "signed_in",
    "mfa_index": "signed_in",
    "mfa_activate_totp": "signed_in",
    "mfa_deactivate_totp": "signed_in",
    "mfa_view_recovery_codes": "signed_in",
    "mfa_generate_recovery_codes": "signed_in",
    "mfa_download_recovery_codes": "signed_in",
}
STAFF_NAMESPACES = {"admin"}
KNOWN_PERMISSIONS = frozenset().union(*PERMISSIONS.values())


@dataclass(frozen=True)
class Page:
    name: str
    view: Any
    arguments: tuple[str, ...]

    @property
    def permission(self) -> str | None:
        return getattr(self.view, "permission", None)


def walk(patterns: list[Any], namespace: str = "", inherited: tuple[str, ...] = ()) -> Iterator[Page]:
    for pattern in patterns:
        own = (*inherited, *pattern.pattern.converters)
        if isinstance(pattern, URLResolver):
            inner = f"{namespace}{pattern.namespace}:" if pattern.namespace else namespace
            if pattern.namespace not in STAFF_NAMESPACES:
                yield from walk(pattern.url_patterns, inner, own)
        elif isinstance(pattern, URLPattern):
            regex_names = tuple(pattern.pattern.regex.groupindex)
            arguments = tuple(dict.fromkeys((*own, *regex_names)))
            yield Page(f"{namespace}{pattern.name or pattern.pattern}", pattern.callback, arguments)


PAGES = list(walk(get_resolver().url_patterns))
PANEL = [page for page in PAGES if page.permission]
WITH_ID = [page for page in PANEL if page.arguments and page.name not in CHOICES]
by_name = pytest.mark.parametrize("page", PANEL, ids=lambda page: page.name)
by_id = pytest.mark.parametrize("page", WITH_ID, ids=lambda page: page.name)


def address(page: Page, cast: Cast) -> str:
    with tenant_scope(cast.butik.pk):
        arguments = CHOICES.get(page.name) or (OBJECTS[page.name](cast) if page.arguments else {})
    return reverse(page.name, kwargs=arguments)


def test_every_url_is_in_the_matrix() -> None:
    unlisted = [page.name for page in PAGES if not page.permission and page.name not in PUBLIC]
    assert unlisted == [], "give these views @panel_view, or a row with a reason"
    assert PUBLIC.keys() - {page.name for page in PAGES} == set(), "rows without a URL"


def test_permissions_exist() -> None:
    assert {page.permission for page in PANEL} <= KNOWN_PERMISSIONS


def test_every_id_has_an_object() -> None:
    assert [page.name for page in WITH_ID if page.name not in OBJECTS] == [], "add them to tests/guard/objects.py"


@by_name
def test_visitors_are_sent_to_the_sign_in_page(page: Page, cast: Cast, client) -> None:  # type: ignore[no-untyped-def]
    url = address(page, cast)
    answers = [answer for answer in (client.get(url), client.post(url)) if answer.status_code != 405]
    assert answers
    for answer in answers:
        assert answer.status_code == 302
        assert answer["Location"].startswith(reverse("account_login"))


@by_id
def test_a_stranger_gets_404(page: Page, cast: Cast) -> None:
    url = address(page, cast)
    stranger = cast.client(cast.can)
    codes = {stranger.get(url).status_code, stranger.post(url).status_code}
    assert codes <= {404, 405}
    assert 404 in codes


@by_name
def test_roles_without_the_permission_get_403(page: Page, cast: Cast) -> None:
    url = address(page, cast)
    for user, role in ((cast.vildan, "viewer"), (cast.burak, "editor")):
        if not role_allows(role, page.permission or ""):
            person = cast.client(user)
            codes = {person.get(url).status_code, person.post(url).status_code}
            assert codes <= {403, 405}
            assert 403 in codes


@by_name
def test_the_owner_opens_every_page(page: Page, cast: Cast) -> None:
    owner = cast.client(cast.ayse)
    assert owner.get(address(page, cast)).status_code in (200, 302, 405)


def test_admin_is_for_staff(cast: Cast, client) -> None:  # type: ignore[no-untyped-def]
    url = reverse("admin:index")
    assert client.get(url).status_code == 302
    assert cast.client(cast.ayse).get(url).status_code == 302
