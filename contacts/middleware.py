"""Refuses bodies that no upload may have, before a byte of them is read."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation

MULTIPART_ROOM = 1 << 20  # boundaries and the other fields of the form


class UploadLimitMiddleware:
    """Stands before CSRF, which reads the whole body to find its token: a gigabyte would be on our disk by then."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0  # Django reads nothing then
        if length <= settings.IMPORT_MAX_BYTES + MULTIPART_ROOM:
            return self.get_response(request)
        language = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, settings.LANGUAGE_CODE)
        with translation.override(language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE):
            response = render(request, "413.html", {"limit_mb": settings.IMPORT_MAX_BYTES // 2**20}, status=413)
        response["Connection"] = "close"
        return response
