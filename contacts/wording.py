"""Texts for the codes that services and files answer with, in the language of whoever reads them."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop, ngettext

from common.tabular import wording as tables

FILE_PROBLEMS = {
    **tables.FILE_PROBLEMS,
    "no_phone_column": gettext_noop("No column holds telephone numbers. Say which one does."),
    "duplicate_headers": gettext_noop(
        "Columns %(first)s and %(second)s have the same header, “%(header)s”. Choose “Do not import” for one of them."
    ),
    "duplicate_target": gettext_noop("Columns %(first)s and %(second)s go to the same field. Change one of them."),
    "unknown_field": gettext_noop("There is no field called “%(field)s”."),
    "unknown_column": gettext_noop("The file has no column %(column)s."),
    "unknown_header": gettext_noop("The file has no column called “%(header)s”."),
    "settings_changed": gettext_noop(
        "The sheet or the way the file is read has been changed meanwhile. Check the columns again, then import."
    ),
    "already_started": gettext_noop("This import has started already."),
    "gave_up": gettext_noop("The import stopped again and again and was given up. What came in so far stays."),
    "file_gone": gettext_noop("The uploaded file is not there any more. Upload it again."),
}
REJECT_REASONS = {
    **tables.REJECT_REASONS,
    "extra_cells": gettext_noop("More cells than the header"),
    "name_too_long": gettext_noop("Name longer than 200 characters"),
    "not_a_numeric_value": gettext_noop("Not a number"),
    "not_a_date": gettext_noop("Not a date"),
}
FIELD_PROBLEMS = {
    "bad_label": gettext_noop("A field's name begins with a letter and holds letters, digits, spaces, - and . only."),
    "too_long": gettext_noop("The name is too long."),
    "reserved": gettext_noop("This name belongs to the contact's own name or number."),
    "taken": gettext_noop("There is a field with this name already."),
    "too_many": gettext_noop("No more fields can be added."),
    "importing": gettext_noop(
        "An import is under way. Wait until it is over, or cancel it, before you rename or delete a field."
    ),
}
GROUP_PROBLEMS = {
    "empty": gettext_noop("Give the list a name."),
    "too_long": gettext_noop("The name is too long."),
    "taken": gettext_noop("There is a list with this name already."),
    "removing": gettext_noop("The list of this name is being deleted. Wait until it is gone, or take another name."),
    "importing": gettext_noop("An import into this list is under way. Wait until it is over, or cancel it."),
    "gone": gettext_noop("The list has been deleted meanwhile."),
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


def describe_group_users(names: Sequence[str]) -> str:
    text = ngettext(
        "The campaign %(names)s uses this list and is not sent yet. Take the list out of it, or delete it, first.",
        "The campaigns %(names)s use this list and are not sent yet. Take the list out of them, or delete them, first.",
        len(names),
    )
    return text % {"names": ", ".join(f"“{name}”" for name in names)}
