"""What the tests of bad input share: a fingerprint of every table, and an answer read as a user reads it."""

import html
import re
from collections.abc import Iterator
from contextlib import contextmanager

from django.db import connection

from accounts.models import User
from accounts.scope import platform_scope
from tests.conftest import Cast

# A request may touch the session, and a flash message lives there.
VOLATILE = ("django_session",)


def read_fingerprints() -> dict[str, str]:
    """Table → digest over all its rows, of all tenants."""
    with platform_scope(reason="test"), connection.cursor() as cursor:
        tables = [name for name in connection.introspection.table_names(cursor) if name not in VOLATILE]
        found = {}
        for table in tables:
            name = connection.ops.quote_name(table)
            cursor.execute(f"SELECT md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), '')) FROM {name} t")
            found[table] = cursor.fetchone()[0]
    return found


@contextmanager
def nothing_changes() -> Iterator[None]:
    """Fails if a row anywhere was added, changed or removed inside."""
    before = read_fingerprints()
    yield
    after = read_fingerprints()
    assert [table for table in before if after[table] != before[table]] == []


def speak(cast: Cast, language: str, *people: User) -> None:
    """The people read the panel in that language from now on."""
    for person in people or (cast.ayse,):
        person.language = language
        person.save(update_fields=["language"])


def read_alert(response) -> str:
    """The visible text of an answer that is no crash."""
    assert response.status_code < 500
    body = re.sub(r"<(script|style|template).*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())
