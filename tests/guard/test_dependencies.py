"""What is installed is used, and what is imported is asked for by name."""

import re
from importlib.metadata import packages_distributions

import pytest

from devtools.environment import ROOT

# Used without a line of Python that names it.
WITHOUT_IMPORT = {
    "djangorestframework": "given for the REST API, which is to come",
    "argon2-cffi": "PASSWORD_HASHERS",
    "tzdata": "time zones of Python on machines that have none",
    "pytest-django": "fixtures of the tests",
    "ruff": "./dev lint",
    "mypy": "./dev lint",
    "django-stubs": "a plugin of mypy, see pyproject.toml",
    "pytest-xdist": "./dev test -n",
    "import-linter": "./dev lint",
}
FOLDERS = sorted(path.parent for path in ROOT.glob("*/__init__.py"))


def normalise(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def required(file):
    text = re.sub(r"#.*", "", (ROOT / file).read_text())
    return [normalise(name) for name in re.findall(r"^([\w.-]+)", text, re.M) if not name.startswith("-")]


@pytest.fixture(scope="module")
def code():
    """All of ours, as one text; a module that the settings or a command name counts like an import."""
    return "\n".join(path.read_text() for folder in FOLDERS for path in folder.rglob("*.py") if path != __file__)


@pytest.mark.parametrize("file", ["requirements.in", "requirements-local.in", "requirements-test.in"])
def test_everything_that_is_required_is_used(file, code):
    modules = {}
    for module, names in packages_distributions().items():
        for name in names:
            modules.setdefault(normalise(name), []).append(module)
    unused = [
        name
        for name in required(file)
        if name not in WITHOUT_IMPORT
        and not any(re.search(rf'(?:import|from) {module}\b|"{module}[".]', code) for module in modules[name])
    ]
    assert unused == []


def test_the_locks_agree_and_hold_what_is_required():
    locks = {}
    for name in ("requirements.lock", "requirements-local.lock", "requirements-test.lock"):
        pins = re.findall(r"^([\w.-]+)(?:\[[^]]*\])?==(\S+)", (ROOT / name).read_text(), re.M)
        locks[name] = {normalise(package): version for package, version in pins}
        assert [package for package in required(name.replace(".lock", ".in")) if package not in locks[name]] == []
    everything = locks["requirements-test.lock"]
    assert all(everything[package] == version for lock in locks.values() for package, version in lock.items())
