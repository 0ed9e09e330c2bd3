"""What an import would do, from the first rows of the file. Reads only."""

from collections import Counter
from dataclasses import dataclass, field
from itertools import islice

from common.tabular.detection import FileSettings
from common.tabular.problems import FileProblem
from common.tabular.reading import iter_records
from smscore import RejectReason, normalise_msisdn

from ..models import ContactImport
from ..selectors.fields import load_field_kinds
from ..tabular.headers import MSISDN
from ..tabular.normalising import MAX_VALUE_IN_REPORT, ImportPlan, Reject, RowNormaliser, clean_text, normalise_value
from .imports import read_columns
from .uploads import locate_rows

CHECKED_ROWS = 50_000
SHOWN_ROWS = 8
SHOWN_BAD_ROWS = 4


@dataclass(frozen=True, slots=True)
class PreviewCell:
    """`text` as it will be stored; `raw` where the file says it differently; `reason` if it makes the row bad."""

    text: str
    raw: str = ""
    reason: str = ""
    is_used: bool = True


@dataclass(frozen=True, slots=True)
class PreviewRow:
    number: int
    cells: list[PreviewCell]
    reason: str = ""  # of the row as a whole


@dataclass(slots=True)
class Preview:
    headers: list[str]
    rows: list[PreviewRow] = field(default_factory=list)
    checked_count: int = 0
    is_whole_file: bool = True
    valid_count: int = 0
    duplicate_count: int = 0
    rejected_counts: dict[str, int] = field(default_factory=dict)
    problem: FileProblem | None = None

    @property
    def rejected_count(self) -> int:
        return sum(self.rejected_counts.values())


def preview_import(*, contact_import: ContactImport, mapping: dict[str, str | None]) -> Preview:
    """Check the first rows under a mapping. `problem` says what stands in the way (no telephone column …)."""
    settings = FileSettings.from_json(contact_import.settings)
    headers = read_columns(contact_import)
    preview = Preview(headers)
    path = locate_rows(contact_import.stored_path, settings.kind)
    try:
        records = list(islice(iter_records(path, settings.encoding, settings.delimiter), CHECKED_ROWS + 1))
    except FileProblem as problem:
        preview.problem = problem
        return preview
    preview.is_whole_file = len(records) <= CHECKED_ROWS
    del records[CHECKED_ROWS:]
    try:
        plan = ImportPlan.from_mapping(mapping, load_field_kinds(contact_import.tenant_id), len(headers))
    except FileProblem as problem:
        preview.problem = problem
        plan = None
    rejects = _count(preview, records, plan, settings.header_row) if plan else {}
    preview.rows = _show(records, plan, settings.header_row, rejects)
    return preview


def _count(preview: Preview, records: list[list[str]], plan: ImportPlan, header_row: int) -> dict[int, Reject]:
    chunk = next(RowNormaliser(plan, header_row).iter_chunks(iter(records), len(records)))
    preview.checked_count = chunk.row_count
    preview.valid_count = len(chunk.contacts)
    preview.duplicate_count = chunk.duplicate_count
    preview.rejected_counts = dict(Counter(reject.reason for reject in chunk.rejects).most_common())
    return {reject.row_number: reject for reject in chunk.rejects}


def _show(
    records: list[list[str]], plan: ImportPlan | None, header_row: int, rejects: dict[int, Reject]
) -> list[PreviewRow]:
    """The first rows, and the first bad ones if none of those is bad."""
    filled = (
        number for number, row in enumerate(records[header_row:], header_row + 1) if any(cell.strip() for cell in row)
    )
    numbers = list(islice(filled, SHOWN_ROWS))
    bad = [number for number in rejects if number not in numbers]
    if not any(number in rejects for number in numbers):
        numbers = numbers[: SHOWN_ROWS - SHOWN_BAD_ROWS] + bad[:SHOWN_BAD_ROWS] if bad else numbers
    return [_show_row(number, records[number - 1], plan, rejects.get(number)) for number in numbers]


def _show_row(number: int, row: list[str], plan: ImportPlan | None, reject: Reject | None) -> PreviewRow:
    if plan is None:
        return PreviewRow(number, [PreviewCell(cell[:MAX_VALUE_IN_REPORT]) for cell in row])
    fields = {column.column: column for column in plan.fields}
    cells = []
    for index in range(plan.column_count):
        raw = (row[index] if index < len(row) else "")[:MAX_VALUE_IN_REPORT]
        if index == plan.phone:
            number_or_reason = normalise_msisdn(raw)
            if isinstance(number_or_reason, RejectReason):
                cells.append(PreviewCell(raw, reason=number_or_reason.value))
            else:
                cells.append(PreviewCell(number_or_reason, raw=raw))
        elif index in fields:
            text = normalise_value(clean_text(raw), fields[index].kind) if raw.strip() else ""
            is_culprit = reject is not None and reject.field == fields[index].key
            if text is None or is_culprit:
                cells.append(PreviewCell(raw, reason=reject.reason if reject and is_culprit else ""))
            else:
                cells.append(PreviewCell(text))
        else:
            cells.append(PreviewCell(clean_text(raw), is_used=index in (plan.name, plan.surname)))
    is_known = reject is None or reject.field == MSISDN or any(cell.reason for cell in cells)
    return PreviewRow(number, cells, "" if is_known or reject is None else reject.reason)
