"""Texts for the codes that services and files answer with, in the language of whoever reads them."""

from collections.abc import Mapping
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as noop

FILE_PROBLEMS = {
    "empty_file": noop("The file is empty."),
    "too_large": noop("The file is larger than %(limit_mb)s MB. Split it and upload the parts one after another."),
    "not_a_table": noop("This is neither a CSV nor an Excel file. Save your list as CSV or XLSX and try again."),
    "old_excel": noop("This is an old Excel file (.xls). Open it in Excel, save it as .xlsx and upload that."),
    "encrypted_excel": noop("The Excel file has a password. Save it without one and upload it again."),
    "damaged_excel": noop("The Excel file is damaged and cannot be read."),
    "unsafe_excel": noop("The Excel file unpacks to far more than a list of people needs, so it was not opened."),
    "excel_too_heavy": noop("The Excel file is too large to be read. Save it as CSV and upload that."),
    "no_sheet": noop("The Excel file has no sheet with rows in it."),
    "wrong_encoding": noop("The file is not written in %(encoding)s. Choose another character encoding."),
    "header_only": noop("The file has a header row and nothing below it."),
    "too_many_columns": noop("Row %(row)s has %(count)s columns; %(limit)s are allowed."),
    "cell_too_long": noop(
        "Row %(row)s has a cell with more than %(limit)s characters. Often a quotation mark is missing there."
    ),
    "no_phone_column": noop("No column holds telephone numbers. Say which one does."),
    "duplicate_headers": noop(
        "Columns %(first)s and %(second)s have the same header, “%(header)s”. Choose “Do not import” for one of them."
    ),
    "duplicate_target": noop("Columns %(first)s and %(second)s go to the same field. Change one of them."),
    "unknown_field": noop("There is no field called “%(field)s”."),
    "unknown_column": noop("The file has no column %(column)s."),
    "unknown_header": noop("The file has no column called “%(header)s”."),
    "already_started": noop("This import has started already."),
    "file_gone": noop("The uploaded file is not there any more. Upload it again."),
}
REJECT_REASONS = {
    "empty": noop("No number"),
    "not_a_number": noop("Not a telephone number"),
    "damaged_by_spreadsheet": noop("Excel has cut the number's digits (9,05E+11)"),
    "several_numbers": noop("More than one number in the cell"),
    "too_short": noop("Too few digits"),
    "too_long": noop("Too many digits"),
    "landline": noop("Landline"),
    "special_number": noop("Special number (444, 850 …)"),
    "unknown_country": noop("Unknown country code"),
    "ambiguous": noop("Ambiguous number: 0 too many or a country code"),
    "invalid": noop("Not a mobile number"),
    "extra_cells": noop("More cells than the header"),
    "name_too_long": noop("Name longer than 200 characters"),
    "not_a_numeric_value": noop("Not a number"),
    "not_a_date": noop("Not a date"),
}
FIELD_PROBLEMS = {
    "bad_label": noop("A field's name begins with a letter and holds letters, digits, spaces, - and . only."),
    "reserved": noop("This name belongs to the contact's own name or number."),
    "taken": noop("There is a field with this name already."),
    "too_many": noop("No more fields can be added."),
}
GROUP_PROBLEMS = {
    "empty": noop("Give the list a name."),
    "too_long": noop("The name is too long."),
    "taken": noop("There is a list with this name already."),
}


def describe_file_problem(code: str, params: Mapping[str, Any]) -> str:
    text = FILE_PROBLEMS.get(code)
    return _(text) % params if text else code


def describe_reason(reason: str) -> str:
    text = REJECT_REASONS.get(reason)
    return _(text) if text else reason


def describe_field_problem(code: str) -> str:
    return _(FIELD_PROBLEMS[code])


def describe_group_problem(code: str) -> str:
    return _(GROUP_PROBLEMS[code])
