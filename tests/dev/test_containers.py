"""The production files, as far as they can be checked without a container engine."""

import contextlib
import importlib.util
import json
import re
import subprocess
import sys
from typing import Any

import psycopg2
import pytest
import yaml
from celery.app.task import extract_exec_options
from django.core.management import get_commands

from devtools.environment import ROOT
from devtools.places import Place
from devtools.processes import ALL, application
from devtools.stack import Stack, start_servers
from devtools.supervisor import Supervisor
from smsplatform.celery import app

COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
SERVICES = COMPOSE["services"]
OURS = ["migrate", "web", "worker", "urgent", "senders", "beat"]
EXAMPLE_TEXT = (ROOT / ".env.example").read_text()
EXAMPLE = dict(re.findall(r"^(?:# )?([A-Z_]+)=(.*)$", EXAMPLE_TEXT, re.M))
READ = set(re.findall(r'\benv(?:\.\w+)?\("(\w+)"', (ROOT / "smsplatform" / "settings.py").read_text()))
FOR_DEVELOPMENT = {name for name in READ if name == "DEBUG" or name.startswith("SIMULATOR_")}
REQUIRED = {"SECRET_KEY": "s", "PUBLIC_URL": "https://panel.example.com", "EMAIL_URL": "consolemail://"}


def queues(command: list[str]) -> set[str]:
    return set(command[command.index("-Q") + 1].split(",")) if "-Q" in command else set()


def read_settings(**environment: str) -> dict[str, Any]:
    """The settings as a process with this environment, and nothing else in it, sees them."""
    code = (
        "import json; from smsplatform import settings;"
        "values = {name: value for name, value in vars(settings).items() if name.isupper()};"
        "print(json.dumps(values, default=lambda value: type(value).__name__))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], check=False, capture_output=True, text=True, cwd=ROOT, env=environment
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_every_service_is_there():
    assert set(SERVICES) == {"postgres", "valkey", *OURS}


@pytest.mark.parametrize("name", ["worker", "urgent", "senders", "beat"])
def test_modules_and_options_of_the_commands_exist(name):
    command = SERVICES[name]["command"]
    assert command[:5] == ["python", "-m", "celery", "-A", "smsplatform"]
    usage = subprocess.run(
        [sys.executable, *command[1:6], "--help"], check=False, capture_output=True, text=True, cwd=ROOT
    )
    assert usage.returncode == 0, usage.stderr
    options = {word.split("=")[0] for word in command[5:] if re.match(r"--?[a-zA-Z]", word)}
    assert [option for option in options if option not in usage.stdout] == []


def test_the_image_starts_what_exists():
    text = (ROOT / "Dockerfile").read_text()
    for module in re.findall(r'"-m", "([\w.]+)"|"gunicorn", "([\w.]+)"', text):
        assert importlib.util.find_spec(next(filter(None, module))), module
    for source in re.findall(r"^COPY (?!--from)(.+) \S+$", text, re.M):
        assert all((ROOT / name).exists() for name in source.split())
    assert re.search(r"^USER (?!root)", text, re.M)


def test_production_listens_to_the_queues_that_dev_run_listens_to(tmp_path):
    ports = {"web": 1, "smpp": 2, "control": 3, "providers": 4}
    stack = Stack(Place("test"), Supervisor(tmp_path), {"SIMULATOR_JOURNAL": ""}, ports)
    table = {process.name: process for process in application(stack)}
    assert set(table) == set(ALL)
    heard = {name: queues(table[name].command) for name in ("worker", "urgent", "senders")}
    assert heard == {name: queues(SERVICES[name]["command"]) for name in heard}
    # What is urgent must not wait until a process is done with an import.
    assert heard == {"worker": {"default", "bulk"}, "urgent": {"urgent"}, "senders": {"senders"}}


def test_every_variable_is_in_the_example_and_nothing_more():
    used = set(re.findall(r"\$\{(\w+)", COMPOSE_TEXT))
    assert used == set(EXAMPLE)


def test_the_example_names_the_defaults():
    optional = dict(re.findall(r"\$\{(\w+):-([^}]*)\}", COMPOSE_TEXT))
    assert {name: EXAMPLE[name] for name in optional} == optional
    assert set(re.findall(r"^(\w+)=", EXAMPLE_TEXT, re.M)) == set(EXAMPLE) - set(optional)


def test_every_setting_is_given_to_the_application_and_documented():
    """A value in .env that no container gets would be ignored without a word."""
    given = set(SERVICES["web"]["environment"])
    assert given == READ - FOR_DEVELOPMENT
    documented = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "operations.md").read_text()))
    assert given - documented == set()
    a_machine_more = (ROOT / "docs" / "scaling.md").read_text()
    assert [name for name in (*REQUIRED, "DATABASE_URL", "REDIS_URL") if f"`{name}`" not in a_machine_more] == []
    assert FOR_DEVELOPMENT - set(re.findall(r"`(\w+)`", (ROOT / "CONTRIBUTING.md").read_text())) == set()


def test_settings_that_are_left_out_have_the_defaults_of_the_program():
    environment = SERVICES["web"]["environment"]
    optional = {name: value[:-1].split(":-")[1] for name, value in environment.items() if ":-" in str(value)}
    assert read_settings(**REQUIRED, **optional) == read_settings(**REQUIRED)


def test_mail_leaves_for_the_server_that_is_named():
    settings = read_settings(**REQUIRED | {"EMAIL_URL": "smtp+tls://peyk%40x:p%2Fw@mail.example.com:587"})
    assert settings["EMAIL_BACKEND"] == "django.core.mail.backends.smtp.EmailBackend"
    assert (settings["EMAIL_HOST"], settings["EMAIL_PORT"]) == ("mail.example.com", 587)
    assert (settings["EMAIL_HOST_USER"], settings["EMAIL_HOST_PASSWORD"]) == ("peyk@x", "p/w")
    assert settings["EMAIL_USE_TLS"] is True
    assert settings["EMAIL_TIMEOUT"] > 0


@pytest.mark.parametrize("name", REQUIRED)
def test_production_does_not_start_without(name):
    given = {key: value for key, value in REQUIRED.items() if key != name}
    with pytest.raises(AssertionError, match=f"Set the {name} environment variable"):
        read_settings(**given)


@pytest.mark.parametrize("said", [{}, {"PEYK_ENV": "prod"}, {"PEYK_ENV": "production"}])
def test_who_says_nothing_gets_the_locks_of_production(said):
    settings = read_settings(**REQUIRED, **said)
    locks = ("IS_PRODUCTION", "GUARD_TENANT_HOSTS", "TOTP_REQUIRED", "SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE")
    assert [settings[name] for name in locks] == [True] * len(locks)
    assert settings["DEBUG"] is False


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_locked_down(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["depends_on"]["postgres"] == {"condition": "service_healthy"}


def test_logs_do_not_fill_the_disk():
    for service in SERVICES.values():
        assert service["logging"]["options"] == {"max-size": "50m", "max-file": "5"}


def test_the_application_does_not_connect_as_superuser():
    assert SERVICES["web"]["environment"]["DATABASE_URL"].startswith("postgres://peyk:")
    role = (ROOT / "deploy" / "10-application-role.sh").read_text()
    assert "NOSUPERUSER" in role
    assert "NOBYPASSRLS" in role
    assert "POSTGRES_USER" not in SERVICES["postgres"]["environment"]


@pytest.mark.parametrize("script", [".ci/run", "deploy/10-application-role.sh"])
def test_scripts_parse(script):
    assert subprocess.run(["bash", "-n", str(ROOT / script)], check=False).returncode == 0


def test_every_task_goes_where_a_worker_listens():
    app.autodiscover_tasks(force=True)
    wanted = {
        "messaging.tasks.drain": "senders",
        "messaging.tasks.ring_senders": "urgent",
        "messaging.tasks.turn_months": "default",
        "messaging.tasks.compare_charges": "default",
        "campaigns.tasks.walk_audience": "bulk",
        "contacts.tasks.run_import": "bulk",
    }
    own = [name for name in app.tasks if not name.startswith("celery.")]
    # As `apply_async` does: what a task's decorator says wins over the settings.
    options = {name: extract_exec_options(app.tasks[name]) for name in own}
    found = {name: app.amqp.router.route(options[name], name)["queue"].name for name in own}
    assert wanted.items() <= found.items()
    assert set(found.values()) <= {"default", "bulk", "urgent", "senders"}


def test_operations_happen_in_a_container_and_not_on_a_checkout():
    text = (ROOT / "docs" / "operations.md").read_text()
    assert re.findall(r"\./dev manage \w+", text) == []
    commands = set(re.findall(r"docker compose exec (?:-T )?web python manage\.py (\w+)", text))
    assert {"rotate_secrets", "check_engine", "list_partitions"} <= commands
    assert commands <= set(get_commands())


def test_the_database_logs_neither_statements_nor_rows_of_errors(tmp_path, monkeypatch):
    """A PostgreSQL with the options of production: what it writes about a refused row says nothing of it."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    options = dict(re.findall(r"^(\w+)=(.+)$", "\n".join(SERVICES["postgres"]["command"]), re.M))
    assert options["wal_buffers"] == "64MB"
    place = Place("test-log")
    place.wait_and_take()
    try:
        with Supervisor(tmp_path) as supervisor:
            chosen = {name: value for name, value in options.items() if name.startswith("log_")}
            stack = start_servers(place, supervisor, needs=("postgres",), is_disposable=True, settings=chosen)
            with contextlib.closing(psycopg2.connect(stack.environment["DATABASE_URL"])) as connection:
                cursor = connection.cursor()
                cursor.execute("CREATE TEMP TABLE sent (msisdn text, body text CHECK (length(body) < 5))")
                with pytest.raises(psycopg2.IntegrityError, match="5321112233"):
                    cursor.execute("INSERT INTO sent VALUES ('+905321112233', 'Merhaba')")
            log = supervisor.log_path("postgres").read_text()
    finally:
        place.release()
    assert "sent_body_check" in log
    assert "5321112233" not in log and "Merhaba" not in log
