"""The whole product on ports and data of its own, as `./dev run` starts it, and a browser in front of it.

Package scope, not session: Playwright's event loop must be gone before tests outside this folder touch the ORM or
run loops of their own, and so must the workers that take their processors.
"""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from urllib.request import ProxyHandler, Request, build_opener

import psycopg2
import pytest
from django.db.backends.postgresql.psycopg_any import sql
from playwright.sync_api import Browser, Page, sync_playwright

from devtools import valkey
from devtools.commands.test import find_chromium
from devtools.places import Place
from devtools.ports import pick_port
from devtools.preparation import prepare_database
from devtools.processes import application, choose_ports
from devtools.stack import Stack, django_environment
from devtools.supervisor import Supervisor

from .browsing import BROWSER_OPTIONS, WIDE, Size, open_watched_page
from .marketer import Marketer
from .showroom import Showroom, furnish

# The demo's operator brings some receipts late by many seconds, and twice; that is for people to look at.
PUNCTUAL = {"receipt_delay": [50, 400], "late_receipt_ratio": 0.0, "double_receipt_ratio": 0.0}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    here = Path(__file__).parent
    for item in items:
        if item.path.is_relative_to(here):
            item.add_marker(pytest.mark.browser)


@dataclass
class RunningPeyk:
    """A started stack: where it answers, who may sign in, and its management commands."""

    stack: Stack
    address: str
    logins: dict[str, str]  # e-mail → password

    @property
    def journal(self) -> Path:
        return Path(self.stack.environment["SIMULATOR_JOURNAL"])

    def script_operator(self, **changes: object) -> None:
        """Changes how the operator simulator behaves from now on."""
        url = self.stack.environment["SIMULATOR_CONTROL_URL"] + "/script"
        request = Request(url, json.dumps(changes).encode(), {"Content-Type": "application/json"})
        with build_opener(ProxyHandler({})).open(request, timeout=5) as answer:
            assert answer.status == 200

    def run_checker(self) -> None:
        """The engine's invariants, from the database and the journal; raises with the violations."""
        self.stack.run_manage("check_engine", "--journal", str(self.journal))


@pytest.fixture(scope="package")
def chromium() -> Path:
    found = os.environ.get("PEYK_CHROMIUM") or find_chromium()
    if not found:
        pytest.skip("NO CHROMIUM on this machine, browser tests do not run (Debian: apt-get install chromium)")
    return Path(found)


def make_database(url: str, name: str) -> str:
    """An empty database beside the test database; returns its URL."""
    connection = psycopg2.connect(url)
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))
            cursor.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
    finally:
        connection.close()
    return url.rsplit("/", 1)[0] + f"/{name}"


@pytest.fixture(scope="package")
def peyk(chromium: Path) -> Iterator[RunningPeyk]:
    """`chromium` comes first: without it nothing is worth starting."""
    place = Place("test-e2e")
    place.wait_and_take()
    place.clear()
    try:
        with Supervisor(place.logs) as supervisor:
            stack = Stack(place, supervisor, django_environment(place))
            stack.environment["DATABASE_URL"] = make_database(os.environ["DATABASE_URL"], "peyk_e2e")
            # A broker of its own: whatever other tests have left in theirs must not reach these workers.
            port = pick_port()
            supervisor.start(valkey.server(place, port, is_durable=False))
            stack.environment["REDIS_URL"] = valkey.url(port)
            prepare_database(stack, with_demo=True)
            choose_ports(stack, 0)
            supervisor.start(*application(stack))
            logins = json.loads((place.work / "demo.json").read_text())["logins"]
            address = f"http://127.0.0.1:{stack.ports['web']}"
            running = RunningPeyk(stack, address, {row["email"]: row["password"] for row in logins})
            running.script_operator(**PUNCTUAL)
            yield running
    finally:
        place.release()


@pytest.fixture(scope="package")
def browser(chromium: Path) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=BROWSER_OPTIONS)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def sessions() -> dict[str, object]:
    """Cookies of those who have signed in: once per person, the sign-in is rate-limited like everybody's."""
    return {}


OpenPage = Callable[..., Page]


@pytest.fixture
def open_page(peyk: RunningPeyk, browser: Browser, tmp_path: Path) -> Iterator[OpenPage]:
    """`open_page(size=…)`: a page of a fresh browser profile. Fails the test on JavaScript errors, refusals by the
    content security policy, answers of 500 and requests that leave this machine."""
    with ExitStack() as opened:

        def open_one(size: Size = WIDE, **options: object) -> Page:
            return opened.enter_context(open_watched_page(browser, peyk.address, size, **options))

        yield open_one


@pytest.fixture
def page(open_page: OpenPage) -> Page:
    """Signed out."""
    return open_page()


@pytest.fixture
def sign_in(peyk: RunningPeyk, open_page: OpenPage, sessions: dict[str, object]) -> Callable[..., Marketer]:
    """`sign_in("ayse@demo.peyk", size=…)`: a marketer with the panel open."""

    def sign_in_as(email: str, size: Size = WIDE, **options: object) -> Marketer:
        marketer = Marketer(open_page(size, storage_state=sessions.get(email), **options))
        if email not in sessions:
            marketer.sign_in(email, peyk.logins[email])
            sessions[email] = marketer.page.context.storage_state()
        return marketer

    return sign_in_as


@pytest.fixture
def ayse(sign_in: Callable[..., Marketer]) -> Marketer:
    return sign_in("ayse@demo.peyk")


@pytest.fixture(scope="package")
def furnished() -> list[Showroom]:
    return []


@pytest.fixture
def showroom(furnished: list[Showroom], sign_in: Callable[..., Marketer], tmp_path: Path) -> Showroom:
    if not furnished:
        furnished.append(furnish(sign_in("ayse@demo.peyk"), tmp_path))
    return furnished[0]


@pytest.fixture(autouse=True)
def nothing_has_died(request: pytest.FixtureRequest) -> Iterator[None]:
    """No process of the stack ends during a test."""
    yield
    if "peyk" in request.fixturenames:
        supervisor = request.getfixturevalue("peyk").stack.supervisor
        assert not supervisor.list_ended(), "ended during the test"
