"""The servers that ./dev test has started, asked from inside."""

import os

import pytest
from django.db import connection

from devtools import valkey
from devtools.places import VAR


def ask(query: str) -> tuple:
    with connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchone()


@pytest.mark.django_db
def test_the_application_is_bound_by_row_level_security():
    query = "SELECT rolsuper, rolbypassrls, rolcreaterole FROM pg_roles WHERE rolname = current_user"
    assert ask(query) == (False, False, False)


@pytest.mark.django_db
def test_commits_are_synchronous_even_in_tests():
    assert ask("SHOW synchronous_commit") == ("on",)


@pytest.mark.django_db
def test_the_superuser_is_not_reachable_through_the_network():
    settings = connection.settings_dict
    if not str(settings["HOST"]).startswith("127.") or not VAR.joinpath("pg-password").exists():
        pytest.skip("DATABASE_URL names another server")
    other = connection.copy()
    other.settings_dict = {**settings, "USER": "postgres"}
    with pytest.raises(Exception, match=r"no pg_hba\.conf entry|password authentication failed"):
        other.connect()


@pytest.mark.django_db
def test_text_sorts_and_folds_without_the_machines_locale():
    assert ask("SELECT lower('ÇĞÖŞÜ'), upper('çğöşü')") == ("çğöşü", "ÇĞÖŞÜ")


def test_valkey_asks_for_a_password():
    port = int(os.environ["REDIS_URL"].rsplit(":", 1)[1].split("/")[0])
    assert valkey.answers_ping(port)
    import redis

    with pytest.raises(redis.exceptions.AuthenticationError):
        redis.Redis(port=port).ping()
