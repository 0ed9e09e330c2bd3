"""The table adapter × case of docs/gateways.md, made from the contract's subclasses.

``python -m tests.gateways.coverage`` prints it, ``--write`` puts it into the document.
"""

from __future__ import annotations

import os
import sys
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules

import django

from tests.gateways.contract import GatewayContract
from tests.gateways.contract_stage import CASES

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "gateways.md"
BEGIN, END = "<!-- contract: made by python -m tests.gateways.coverage --write -->\n", "<!-- contract: end -->"


def list_contracts() -> list[type[GatewayContract]]:
    """Every subclass in ``test_contract_<slug>.py``, by slug."""
    package = import_module("tests.gateways")
    for module in iter_modules(package.__path__):
        if module.name.startswith("test_contract_"):
            import_module(f"tests.gateways.{module.name}")
    return sorted(_find_all(GatewayContract), key=lambda contract: (contract.slug, contract.column))


def _find_all(contract: type[GatewayContract]) -> list[type[GatewayContract]]:
    found = []
    for child in contract.__subclasses__():
        found += [*([child] if child.slug else []), *_find_all(child)]
    return found


def make_table() -> str:
    contracts = list_contracts()
    lines = [
        "| case | " + " | ".join(c.column or c.slug for c in contracts) + " |",
        "| --- |" + " --- |" * len(contracts),
    ]
    for case, title in CASES.items():
        lines.append(f"| {title} | " + " | ".join(_show(contract, case) for contract in contracts) + " |")
    notes = [
        f"- {contract.column or contract.slug}, {CASES[case]}: {reason}"
        for contract in contracts
        for case, reason in contract.not_applicable.items()
    ]
    return "\n".join([*lines, "", "Not applicable:", "", *notes, ""])


def _show(contract: type[GatewayContract], case: str) -> str:
    return "–" if case in contract.not_applicable else contract.marks.get(case, contract.mark)


def read_table() -> str:
    """What the document says now."""
    return DOCUMENT.read_text("utf-8").partition(BEGIN)[2].partition(END)[0]


def write_table() -> None:
    before, _, rest = DOCUMENT.read_text("utf-8").partition(BEGIN)
    DOCUMENT.write_text(before + BEGIN + make_table() + END + rest.partition(END)[2], "utf-8")


if __name__ == "__main__":
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "smsplatform.settings")
    os.environ.setdefault("PEYK_ENV", "test")
    django.setup()
    if "--write" in sys.argv[1:]:
        write_table()
    else:
        print(make_table())
