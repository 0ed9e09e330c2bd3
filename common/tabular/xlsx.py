"""The only way an XLSX of a stranger is read: looked at, then parsed in a child process with limits of its own."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from django.conf import settings

from .problems import FileProblem
from .xlsx_guard import check_workbook

PARSER_SECONDS = 150


class ConvertedSheet(NamedTuple):
    sheet: str
    sheets: list[str]


def convert_workbook(source: Path, target: Path, *, sheet: str = "") -> ConvertedSheet:
    """Write one sheet of an XLSX (the first with rows if `sheet` is empty) to `target` as CSV in UTF-8. FileProblem."""
    answer = _parse(source, target, sheet, "")
    return ConvertedSheet(answer["sheet"], answer["sheets"])


def convert_sheets(source: Path, folder: Path) -> list[tuple[str, Path]]:
    """Write every sheet with rows that is not hidden into `folder`, as `convert_workbook` does: name and file of each.
    FileProblem."""
    answer = _parse(source, folder, "", "whole")
    return [(name, folder / f"{index}.csv") for index, name in enumerate(answer["sheets"])]


def _parse(source: Path, target: Path, sheet: str, is_whole: str) -> dict[str, Any]:
    check_workbook(source)
    command = [sys.executable, "-m", "common.tabular.xlsx_child", str(source), str(target), sheet, is_whole]
    environment = {"PATH": os.defpath, "LC_ALL": "C.UTF-8", "PYTHONPATH": str(settings.BASE_DIR)}
    try:
        done = subprocess.run(  # noqa: S603  # our own interpreter, no shell
            command, env=environment, capture_output=True, timeout=PARSER_SECONDS, check=False
        )
    except subprocess.TimeoutExpired as error:
        raise FileProblem("excel_too_heavy") from error
    if done.returncode:
        # Killed by a limit, or the parser gave up: out of memory ends it by a signal or MemoryError.
        is_limit = done.returncode < 0 or b"MemoryError" in done.stderr or b"allocation" in done.stderr
        raise FileProblem("excel_too_heavy" if is_limit else "damaged_excel")
    answer: dict[str, Any] = json.loads(done.stdout)
    if "problem" in answer:
        raise FileProblem(answer["problem"], **answer["params"])
    return answer
