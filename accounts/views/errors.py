from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.defaults import bad_request as default_bad_request


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """The page was open too long, or cookies are off; says so instead of a bare 403."""
    return render(request, "403_csrf.html", status=403)


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """A form whose fields are too long is told so, wherever Django noticed it."""
    if isinstance(exception, RequestDataTooBig):
        return render(request, "413.html", status=413)
    return default_bad_request(request, exception)  # type: ignore[return-value]
