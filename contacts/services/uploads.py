"""Uploaded files on disk: stored under the tenant's folder, checked by content, gone when the import is over."""

import contextlib
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Protocol

from django.conf import settings
from django.core.files.storage import FileSystemStorage, default_storage

from common.ids import uuid7
from common.tabular.detection import FileSettings, detect_csv, detect_kind, read_sample
from common.tabular.problems import FileProblem
from common.tabular.xlsx import convert_workbook

from ..tabular.headers import detect_header_row

SOURCE_NAME = "source"
ROWS_NAME = "rows.csv"
NEW_ROWS_NAME = "rows.csv.new"


class UploadFile(Protocol):
    """What Django's File and UploadedFile have."""

    @property
    def name(self) -> str | None: ...

    def chunks(self) -> Iterable[bytes]: ...


def store_upload(tenant_id: int, file: UploadFile) -> tuple[str, int]:
    """Write the upload to a folder of its own; return its path in the storage and its size in bytes.

    FileProblem "too_large" as soon as the limit is passed, "empty_file".
    """
    stored = f"tenants/{tenant_id}/imports/{uuid7()}/{SOURCE_NAME}"
    path = locate(stored)
    path.parent.mkdir(parents=True, exist_ok=True)
    size, limit = 0, settings.IMPORT_MAX_BYTES
    try:
        with path.open("xb") as target:
            for chunk in file.chunks():
                size += len(chunk)
                if size > limit:
                    raise FileProblem("too_large", limit_mb=limit // 2**20)
                target.write(chunk)
        if not size:
            raise FileProblem("empty_file")
    except BaseException:
        discard_upload(stored)
        raise
    return stored, size


def locate(stored_path: str) -> Path:
    """The upload's place on this machine."""
    storage = default_storage
    if not isinstance(storage, FileSystemStorage):
        raise NotImplementedError("imports need a file system that web and workers share")
    return Path(storage.path(stored_path))


def locate_rows(stored_path: str, kind: str) -> Path:
    """The table as text: the upload itself, or what was made of a spreadsheet."""
    source = locate(stored_path)
    return source if kind == "csv" else source.with_name(ROWS_NAME)


def detect_settings(stored_path: str) -> FileSettings:
    """How to read an upload, by its content. FileProblem if it is no table that we read."""
    path = locate(stored_path)
    if detect_kind(path) == "xlsx":
        found = open_workbook(stored_path, sheet="")
        keep_rows(stored_path)
        return found
    found = detect_csv(path)
    found.header_row = detect_header_row(read_sample(path, found))
    return found


def open_workbook(stored_path: str, sheet: str) -> FileSettings:
    """Turn one sheet of an XLSX (the first with rows if `sheet` is empty) into a text table beside it, which is the
    one that is read only after `keep_rows`. FileProblem."""
    target = locate_new_rows(stored_path)
    converted = convert_workbook(locate(stored_path), target, sheet=sheet)
    found = FileSettings(kind="xlsx", sheet=converted.sheet, sheets=converted.sheets)
    found.header_row = detect_header_row(read_sample(target, found))
    return found


def locate_new_rows(stored_path: str) -> Path:
    return locate(stored_path).with_name(NEW_ROWS_NAME)


def keep_rows(stored_path: str) -> None:
    """The sheet that was opened last takes the place of the one before."""
    locate_new_rows(stored_path).replace(locate(stored_path).with_name(ROWS_NAME))


def discard_upload(stored_path: str) -> None:
    """Remove the upload and all that was made of it; quiet if it is gone."""
    if not stored_path:
        return
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(locate(stored_path).parent)
