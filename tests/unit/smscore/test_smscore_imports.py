"""smscore knows the standard library, phonenumbers and itself."""

import ast
import sys
from pathlib import Path

import pytest

import smscore

MODULES = sorted(Path(smscore.__file__).parent.glob("*.py"))
DOES_IO = {"socket", "subprocess", "asyncio", "http", "urllib", "sqlite3", "os", "pathlib", "io", "logging"}


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports(path):
    allowed = (sys.stdlib_module_names - DOES_IO) | {"phonenumbers", "smscore"}
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            assert node.level == 0
            names = [node.module or ""]
        assert {name.split(".")[0] for name in names} <= allowed


def test_the_public_face_is_there():
    for name in smscore.__all__:
        assert hasattr(smscore, name)
    assert {"segment", "render", "parse_msisdn"} <= set(smscore.__all__)
