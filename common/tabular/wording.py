"""Texts for what is wrong with a file, and with a cell that should hold a telephone number."""

from django.utils.translation import gettext_noop

FILE_PROBLEMS = {
    "empty_file": gettext_noop("The file is empty."),
    "too_large": gettext_noop(
        "The file is larger than %(limit_mb)s MB. Split it and upload the parts one after another."
    ),
    "not_a_table": gettext_noop(
        "This is neither a CSV nor an Excel file. Save your list as CSV or XLSX and try again."
    ),
    "old_excel": gettext_noop("This is an old Excel file (.xls). Open it in Excel, save it as .xlsx and upload that."),
    "encrypted_excel": gettext_noop("The Excel file has a password. Save it without one and upload it again."),
    "damaged_excel": gettext_noop("The Excel file is damaged and cannot be read."),
    "unsafe_excel": gettext_noop("The Excel file unpacks to far too much, or holds unsafe parts. It was not opened."),
    "excel_too_heavy": gettext_noop("The Excel file is too large to be read. Save it as CSV and upload that."),
    "no_sheet": gettext_noop("The Excel file has no sheet with rows in it."),
    "wrong_encoding": gettext_noop("The file is not written in %(encoding)s. Choose another character encoding."),
    "header_only": gettext_noop("The file has a header row and nothing below it."),
    "too_many_columns": gettext_noop("Row %(row)s has %(count)s columns; %(limit)s are allowed."),
    "cell_too_long": gettext_noop(
        "Row %(row)s has a cell with more than %(limit)s characters. Often a quotation mark is missing there."
    ),
    "excel_cell_too_long": gettext_noop(
        "Row %(row)s has a cell with more than %(limit)s characters. Shorten it and upload it again."
    ),
}
# By the value of smscore's RejectReason.
REJECT_REASONS = {
    "empty": gettext_noop("No number"),
    "not_a_number": gettext_noop("Not a telephone number"),
    "damaged_by_spreadsheet": gettext_noop("Excel has cut the number's digits (9,05E+11)"),
    "several_numbers": gettext_noop("More than one number in the cell"),
    "too_short": gettext_noop("Too few digits"),
    "too_long": gettext_noop("Too many digits"),
    "landline": gettext_noop("Landline"),
    "special_number": gettext_noop("Special number (444, 850 …)"),
    "unknown_country": gettext_noop("Unknown country code"),
    "ambiguous": gettext_noop("Ambiguous number: 0 too many or a country code"),
    "invalid": gettext_noop("Not a mobile number"),
}
