"""A form that a service may refuse although it is filled in right: the refusal is told at the field it is about."""

from collections.abc import Callable

from django import forms
from django.contrib import messages
from django.http import HttpRequest
from django.utils.translation import gettext as _

from ..services.contacts import NumberTaken
from ..services.fields import FieldRefused
from ..services.groups import GroupRefused
from ..wording import describe_field_problem, describe_group_problem


def submit_form(request: HttpRequest, form: forms.Form, *, save: Callable[[], object], at: str, done: str) -> bool:
    """Whether the form was sent, right, and `save` took it; then `done` is told on the next page.

    A refusal becomes an error of the field `at`.
    """
    if request.method != "POST" or not form.is_valid():
        return False
    try:
        save()
    except FieldRefused as refused:
        form.add_error(at, describe_field_problem(refused.code))
    except GroupRefused as refused:
        form.add_error(at, describe_group_problem(refused.code))
    except NumberTaken:
        form.add_error(at, _("This number is in your contacts already."))
    else:
        messages.success(request, done)
        return True
    return False
