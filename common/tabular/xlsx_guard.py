"""Look at an XLSX before anything unpacks it: a ZIP of XML can be a bomb, and XML can fetch and multiply.

Limits of reliability.md, section 7. What passes here still goes to a child process with limits of its own.
"""

import zipfile
import zlib
from pathlib import Path
from typing import Final

from .problems import FileProblem

MAX_ENTRIES: Final = 2000
MAX_UNPACKED_BYTES: Final = 1 << 30
MAX_RATIO: Final = 100
# Below this size no ratio hurts; a small sheet of equal rows may well exceed it.
HARMLESS_BYTES: Final = 10 << 20
_CHUNK_BYTES: Final = 1 << 20
_FORBIDDEN: Final = (b"<!DOCTYPE", b"<!ENTITY")
_LONGEST: Final = max(map(len, _FORBIDDEN)) - 1
_UTF16: Final = (b"\xff\xfe", b"\xfe\xff", b"<\0", b"\0<")


def check_workbook(path: Path) -> None:
    """FileProblem "not_a_table" (some other ZIP), "damaged_excel", "unsafe_excel"."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            if len(entries) > MAX_ENTRIES:
                raise FileProblem("unsafe_excel")
            names = {entry.filename for entry in entries}
            if "[Content_Types].xml" not in names or "xl/workbook.xml" not in names:
                raise FileProblem("not_a_table")
            if len(names) != len(entries):
                raise FileProblem("unsafe_excel")  # two parts of one name: readers disagree on which counts
            _check_sizes(entries)
            for entry in entries:
                _check_entry(archive, entry)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        # RuntimeError: an entry with a password.
        raise FileProblem("damaged_excel") from error


def _check_sizes(entries: list[zipfile.ZipInfo]) -> None:
    unpacked = sum(entry.file_size for entry in entries)
    packed = sum(entry.compress_size for entry in entries)
    if unpacked > MAX_UNPACKED_BYTES or (unpacked > HARMLESS_BYTES and unpacked > packed * MAX_RATIO):
        raise FileProblem("unsafe_excel")


def _check_entry(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> None:
    """Unpack once: the checksum proves the declared size, and no XML part may declare a type or entities."""
    is_xml = entry.filename.endswith((".xml", ".rels", ".vml"))
    tail = b""
    with archive.open(entry) as part:
        while chunk := part.read(_CHUNK_BYTES):
            if not is_xml:
                continue
            if not tail and chunk.startswith(_UTF16):
                raise FileProblem("unsafe_excel")
            window = tail + chunk
            if any(word in window for word in _FORBIDDEN):
                raise FileProblem("unsafe_excel")
            tail = window[-_LONGEST:]
