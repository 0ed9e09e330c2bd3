"""What kind of file this is and how to read it, judged by its content. The name of a file says nothing."""

import codecs
import re
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from .problems import FileProblem
from .reading import iter_records

ENCODINGS = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16 LE",
    "utf-16-be": "UTF-16 BE",
    "cp1254": "Windows-1254",
    "iso8859-9": "ISO-8859-9",
}
DELIMITERS = (";", "\t", "|", ",")  # where two cut as well, a comma is rather a decimal one
SAMPLE_ROWS = 60
CHUNK_BYTES = 1 << 20

_ZIP = b"PK\x03\x04"
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_C1_BYTES = re.compile(rb"[\x80-\x9f]")
# Control characters that no text holds; a stray ^Z at the end is how DOS programs close a file.
_CONTROL = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")


@dataclass(slots=True)
class FileSettings:
    """How to read a file. Detected, shown, changeable; kept as JSON with the import."""

    kind: str = "csv"  # csv | xlsx
    encoding: str = "utf-8"
    delimiter: str = ","
    header_row: int = 1  # 1-based; 0: the file has no header
    sheet: str = ""
    sheets: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "FileSettings":
        return cls(**{name: data[name] for name in cls.__slots__ if name in data})


def detect_kind(path: Path) -> str:
    """Return "csv" or "xlsx". FileProblem for an empty file, an old or a locked Excel file."""
    with path.open("rb") as file:
        head = file.read(8)
        if not head:
            raise FileProblem("empty_file")
        if head.startswith(_ZIP):
            return "xlsx"
        if head != _OLE:
            return "csv"
        # An XLSX with a password is an OLE container with the ZIP, encrypted, inside.
        tail = b""
        while chunk := file.read(CHUNK_BYTES):
            if _ENCRYPTED in tail + chunk:
                raise FileProblem("encrypted_excel")
            tail = chunk[-len(_ENCRYPTED) :]
    raise FileProblem("old_excel")


def detect_csv(path: Path) -> FileSettings:
    """Return how to read a text table; its header is for the caller to find. FileProblem if it is no text or empty."""
    encoding = detect_encoding(path)
    verify_text(path, encoding)
    return FileSettings(encoding=encoding, delimiter=detect_delimiter(path, encoding))


def detect_encoding(path: Path) -> str:
    """Byte order mark, else UTF-16 by its zero bytes, else UTF-8 if the whole file is, else Turkish 8-bit."""
    with path.open("rb") as file:
        head = file.read(4096)
    if head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    if head.startswith(codecs.BOM_UTF8):
        return "utf-8"
    if len(head) >= 4 and b"\0" in head:
        even, odd = head[0::2].count(0), head[1::2].count(0)
        if odd > len(head) // 4 and even == 0:
            return "utf-16-le"
        if even > len(head) // 4 and odd == 0:
            return "utf-16-be"
        raise FileProblem("not_a_table")
    if _decodes(path, "utf-8"):
        return "utf-8"
    # The two differ only in 0x80–0x9F, which ISO-8859-9 leaves to control characters.
    with path.open("rb") as file:
        while chunk := file.read(CHUNK_BYTES):
            if _C1_BYTES.search(chunk):
                return "cp1254"
    return "iso8859-9"


def verify_text(path: Path, encoding: str) -> None:
    """Read the whole file as text.

    FileProblem "wrong_encoding" where bytes do not fit, "not_a_table" where it is no text.
    """
    decoder = codecs.getincrementaldecoder(codec_of(encoding))("strict")
    done = False
    seen_text = False
    with path.open("rb") as file:
        while not done:
            chunk = file.read(CHUNK_BYTES)
            done = not chunk
            try:
                text = decoder.decode(chunk, final=done)
            except UnicodeError as error:
                raise FileProblem("wrong_encoding", encoding=ENCODINGS.get(encoding, encoding)) from error
            if _CONTROL.search(text):
                raise FileProblem("not_a_table")
            seen_text = seen_text or bool(text.strip())
    if not seen_text:
        raise FileProblem("empty_file")


def codec_of(encoding: str) -> str:
    """The codec that also swallows a byte order mark."""
    return "utf-8-sig" if encoding == "utf-8" else encoding


def detect_delimiter(path: Path, encoding: str) -> str:
    """The character that cuts most lines into the same number of cells, and into the most."""
    with path.open(encoding=codec_of(encoding), newline="") as file:
        first = file.readline(20)
        if match := re.match(r"sep=(.)\r?\n", first):  # what Excel writes for itself
            return match[1] if match[1] in DELIMITERS else ","
    best, best_score = ",", 0.0
    for delimiter in DELIMITERS:
        try:
            sample = read_sample(path, FileSettings(encoding=encoding, delimiter=delimiter))
        except FileProblem:
            continue
        widths = Counter(len(row) for _, row in sample if any(row))
        if not widths:
            continue
        width, share = max(widths.items(), key=lambda item: (item[1], item[0]))
        score = share / widths.total() * (width - 1) ** 0.5
        if score > best_score:
            best, best_score = delimiter, score
    return best


def read_sample(path: Path, settings: FileSettings, limit: int = SAMPLE_ROWS) -> list[tuple[int, list[str]]]:
    """The first rows with something in them, each with its number in the file."""
    sample = []
    for number, row in enumerate(iter_records(path, settings.encoding, settings.delimiter), 1):
        if any(cell.strip() for cell in row) and not is_separator_line(number, row, settings.delimiter):
            sample.append((number, row))
            if len(sample) >= limit:
                break
    return sample


def is_separator_line(number: int, row: list[str], delimiter: str) -> bool:
    """Excel's `sep=;`, read with that delimiter or another."""
    return number == 1 and row[0].startswith("sep=") and not "".join(row).strip().removeprefix("sep=").strip(delimiter)


def _decodes(path: Path, encoding: str) -> bool:
    decoder = codecs.getincrementaldecoder(encoding)("strict")
    try:
        with path.open("rb") as file:
            while chunk := file.read(CHUNK_BYTES):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True
