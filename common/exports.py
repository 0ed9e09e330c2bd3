"""Files for spreadsheets, written while they are downloaded: memory does not grow with the rows.

Both kinds are formula-safe: a text that a spreadsheet would calculate is led by an apostrophe. Telephone numbers go
out as text (XLSX) or bare digits (CSV), so that no program turns them into 9,05E+11.
"""

import csv
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from io import RawIOBase, StringIO
from xml.sax.saxutils import escape

from django.http import StreamingHttpResponse
from django.utils.translation import get_language

Row = Sequence[object]

CONTENT_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}
ROWS_PER_CHUNK = 1000
SHEET_ROWS = 1_048_576  # Excel's limit, header included
_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r", "\x00")
_NOT_IN_XML = {code: None for code in range(32) if code not in (9, 10, 13)} | {0xFFFE: None, 0xFFFF: None}


class MsisdnCell(str):
    """An E.164 number: known to be harmless, so not led by an apostrophe."""

    __slots__ = ()


def neutralise(text: str) -> str:
    """A text that no spreadsheet takes for a formula."""
    return "'" + text if text.startswith(_FORMULA_STARTS) else text


def export_response(*, kind: str, name: str, header: Row, rows: Iterable[Row]) -> StreamingHttpResponse:
    """Answer with a download. `kind`: "csv" or "xlsx"; `name`: file name without ending, ASCII.

    `rows` is read while the answer leaves, after the request's transaction: wrap it in `stream_in_scope`, and put
    labels and time zone into it beforehand. Cells: str, MsisdnCell, int, Decimal, datetime (in local time) or None.
    """
    titles = [str(title) for title in header]
    if kind == "csv":
        chunks = write_csv(titles, rows, delimiter=";" if get_language() == "tr" else ",")
    elif kind == "xlsx":
        chunks = write_xlsx(titles, rows)
    else:
        raise ValueError(f"unknown kind of export: {kind}")
    response = StreamingHttpResponse(chunks, content_type=CONTENT_TYPES[kind])
    response["Content-Disposition"] = f'attachment; filename="{name}.{kind}"'
    response["Cache-Control"] = "no-store"
    return response


def write_csv(header: Row, rows: Iterable[Row], *, delimiter: str = ";") -> Iterator[bytes]:
    """UTF-8 with a byte order mark, which Excel needs to read Turkish letters; CRLF.

    Excel splits at the list separator of its locale: a semicolon in Turkish.
    """
    buffer = StringIO()
    writer = csv.writer(buffer, delimiter=delimiter)
    buffer.write("\ufeff")
    writer.writerow([_as_csv(cell) for cell in header])
    for number, row in enumerate(rows, 1):
        writer.writerow([_as_csv(cell) for cell in row])
        if number % ROWS_PER_CHUNK == 0:
            yield _empty(buffer)
    yield _empty(buffer)


def write_xlsx(header: Row, rows: Iterable[Row]) -> Iterator[bytes]:
    """A workbook with one sheet (more past Excel's row limit), compressed while it is written."""
    sink = _Sink()
    sheet_count = 0
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED, compresslevel=3) as archive:
        remaining = iter(rows)
        first: Row | None = next(remaining, None)
        while sheet_count == 0 or first is not None:
            sheet_count += 1
            with archive.open(f"xl/worksheets/sheet{sheet_count}.xml", "w", force_zip64=True) as sheet:
                sheet.write(_SHEET_OPENS + _xml_row(header, style=1))
                written = 1
                pending: list[bytes] = []
                while first is not None and written < SHEET_ROWS:
                    pending.append(_xml_row(first))
                    written += 1
                    if len(pending) >= ROWS_PER_CHUNK:
                        sheet.write(b"".join(pending))
                        pending.clear()
                        yield sink.take()
                    first = next(remaining, None)
                sheet.write(b"".join(pending) + _SHEET_CLOSES)
            yield sink.take()
        for path, content in _list_package_files(sheet_count):
            archive.writestr(path, content)
    yield sink.take()


class _Sink(RawIOBase):
    """Takes what the archive writes and hands it on; cannot be rewound, so sizes follow the data."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: bytes) -> int:  # type: ignore[override]
        self._pieces.append(bytes(data))
        return len(data)

    def take(self) -> bytes:
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken


def _empty(buffer: StringIO) -> bytes:
    content = buffer.getvalue().encode()
    buffer.seek(0)
    buffer.truncate()
    return content


def _as_csv(cell: object) -> str:
    if cell is None:
        return ""
    if isinstance(cell, MsisdnCell):
        return cell.lstrip("+")
    if isinstance(cell, datetime):
        return cell.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(cell, Decimal):
        return _plain(cell)
    if isinstance(cell, int):
        return str(cell)
    return neutralise(str(cell))


def _xml_row(row: Row, style: int = 3) -> bytes:
    return ("<row>" + "".join([_xml_cell(cell, style) for cell in row]) + "</row>").encode()


def _xml_cell(cell: object, style: int) -> str:
    if cell is None or cell == "":
        return "<c/>"
    if isinstance(cell, datetime):
        return f'<c s="2"><v>{_excel_days(cell):.8f}</v></c>'
    if isinstance(cell, Decimal):
        return f"<c><v>{_plain(cell)}</v></c>"
    if isinstance(cell, int):
        return f"<c><v>{cell}</v></c>"
    text = str(cell) if isinstance(cell, MsisdnCell) else neutralise(str(cell))
    text = escape(text.translate(_NOT_IN_XML))
    return f'<c s="{style}" t="inlineStr"><is><t xml:space="preserve">{text}</t></is></c>'


def _plain(number: Decimal) -> str:
    """Without exponent and without the zeros of the column's scale: 1.5000 → 1.5."""
    text = f"{number:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _excel_days(moment: datetime) -> float:
    """Excel knows no zones: the wall clock that `moment` shows, in days since 30 December 1899."""
    return (moment.replace(tzinfo=UTC) - datetime(1899, 12, 30, tzinfo=UTC)).total_seconds() / 86400


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_DOC = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_OFFICE = "application/vnd.openxmlformats-officedocument.spreadsheetml"
_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
_SHEET_OPENS = (
    f'{_XML}<worksheet xmlns="{_MAIN}"><sheetViews><sheetView workbookViewId="0">'
    '<pane ySplit="1" topLeftCell="A2" activePane="bottomLeft" state="frozen"/></sheetView></sheetViews>'
    '<cols><col min="1" max="26" width="18" customWidth="1"/></cols><sheetData>'
).encode()
_SHEET_CLOSES = b"</sheetData></worksheet>"
# Cell styles by number: 0 plain, 1 the header, 2 a time, 3 text that stays text when somebody edits it.
_STYLES = (
    f'{_XML}<styleSheet xmlns="{_MAIN}"><numFmts count="1">'
    '<numFmt numFmtId="164" formatCode="yyyy\\-mm\\-dd\\ hh:mm:ss"/></numFmts>'
    '<fonts count="2"><font/><font><b/></font></fonts><fills count="2"><fill><patternFill patternType="none"/></fill>'
    '<fill><patternFill patternType="gray125"/></fill></fills><borders count="1"><border/></borders>'
    '<cellStyleXfs count="1"><xf/></cellStyleXfs><cellXfs count="4"><xf/><xf fontId="1" applyFont="1"/>'
    '<xf numFmtId="164" applyNumberFormat="1"/><xf numFmtId="49" applyNumberFormat="1"/></cellXfs>'
    '<cellStyles count="1"><cellStyle name="Normal" xfId="0" builtinId="0"/></cellStyles></styleSheet>'
)


def _list_package_files(sheet_count: int) -> Iterator[tuple[str, str]]:
    numbers = range(1, sheet_count + 1)
    parts = "".join(
        f'<Override PartName="/xl/worksheets/sheet{n}.xml" ContentType="{_OFFICE}.worksheet+xml"/>' for n in numbers
    )
    yield (
        "[Content_Types].xml",
        f'{_XML}<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_OFFICE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/styles.xml" ContentType="{_OFFICE}.styles+xml"/>{parts}</Types>',
    )
    yield (
        "_rels/.rels",
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_DOC}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    )
    sheets = "".join(f'<sheet name="{n}" sheetId="{n}" r:id="rId{n}"/>' for n in numbers)
    yield (
        "xl/workbook.xml",
        f'{_XML}<workbook xmlns="{_MAIN}" xmlns:r="{_DOC}"><sheets>{sheets}</sheets></workbook>',
    )
    links = "".join(
        f'<Relationship Id="rId{n}" Type="{_DOC}/worksheet" Target="worksheets/sheet{n}.xml"/>' for n in numbers
    )
    yield (
        "xl/_rels/workbook.xml.rels",
        f'{_XML}<Relationships xmlns="{_PACKAGE}/relationships">{links}<Relationship Id="rId{sheet_count + 1}" '
        f'Type="{_DOC}/styles" Target="styles.xml"/></Relationships>',
    )
    yield "xl/styles.xml", _STYLES
