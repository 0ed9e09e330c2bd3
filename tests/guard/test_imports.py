"""The house's import contracts (pyproject.toml, [tool.importlinter])."""

import subprocess
import sys

from devtools.commands.lint import CHECKS
from devtools.environment import ROOT


def test_imports_keep_their_contracts():
    command = [sys.executable, *CHECKS["import contracts"]]
    result = subprocess.run(command, check=False, cwd=ROOT, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_application_is_under_contract():
    """An app that nobody listed would be free to import what it likes."""
    import tomllib

    listed = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["root_packages"]
    apps = {path.parent.name for path in ROOT.glob("*/apps.py")} | {"smscore", "smsplatform"}
    assert apps == set(listed)
