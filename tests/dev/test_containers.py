"""The production files, as far as they can be checked without a container engine."""

import importlib.util
import re
import subprocess
import sys

import pytest
import yaml
from celery.app.task import extract_exec_options

from devtools.environment import ROOT
from devtools.places import Place
from devtools.processes import ALL, application
from devtools.stack import Stack
from devtools.supervisor import Supervisor
from smsplatform.celery import app

COMPOSE = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
OURS = ["migrate", "web", "worker", "urgent", "senders", "beat"]


def queues(command: list[str]) -> set[str]:
    return set(command[command.index("-Q") + 1].split(",")) if "-Q" in command else set()


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
    used = set(re.findall(r"\$\{(\w+)", (ROOT / "docker-compose.yml").read_text()))
    given = set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.M))
    assert used == given


def test_every_setting_given_to_the_application_is_read():
    settings = (ROOT / "smsplatform" / "settings.py").read_text()
    names = SERVICES["web"]["environment"]
    assert [name for name in names if f'"{name}"' not in settings] == []


@pytest.mark.parametrize("name", OURS)
def test_our_containers_are_locked_down(name):
    service = SERVICES[name]
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["depends_on"]["postgres"] == {"condition": "service_healthy"}


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
