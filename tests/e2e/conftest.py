"""The whole product on ports and data of its own, as `./dev run` starts it, and a browser in front of it."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg2
import pytest
from django.db.backends.postgresql.psycopg_any import sql

from devtools.places import Place
from devtools.preparation import prepare_database
from devtools.processes import application, choose_ports
from devtools.stack import Stack, django_environment
from devtools.supervisor import Supervisor


@dataclass
class RunningPeyk:
    """A started stack: where it answers, who may sign in, and its management commands."""

    stack: Stack
    address: str
    logins: dict[str, str]  # e-mail → password

    @property
    def journal(self) -> Path:
        return Path(self.stack.environment["SIMULATOR_JOURNAL"])


def make_database(url: str, name: str) -> str:
    """An empty database beside the test database; returns its URL."""
    with psycopg2.connect(url) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    connection.close()
    return url.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture(scope="session")
def peyk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPeyk]:
    place = Place("test-e2e")
    place.wait_and_take()
    place.clear()
    try:
        with Supervisor(place.logs) as supervisor:
            stack = Stack(place, supervisor, django_environment(place))
            stack.environment["DATABASE_URL"] = make_database(os.environ["DATABASE_URL"], "peyk_e2e")
            stack.environment["REDIS_URL"] = os.environ["REDIS_URL"]
            prepare_database(stack, with_demo=True)
            choose_ports(stack, 0)
            supervisor.start(*application(stack))
            logins = json.loads((place.work / "demo.json").read_text())["logins"]
            yield RunningPeyk(
                stack,
                f"http://127.0.0.1:{stack.ports['web']}",
                {row["email"]: row["password"] for row in logins},
            )
    finally:
        place.release()
