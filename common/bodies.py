"""How large a request's body may be: small everywhere, larger only where a page says so, refused before it is read."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import Resolver404, resolve

View = TypeVar("View", bound=Callable[..., Any])

MULTIPART_ROOM = 1 << 20  # boundaries and the other fields of the form


def accepts_upload(limit: Callable[[], int]) -> Callable[[View], View]:
    """Mark a view as taking a file of up to `limit()` bytes from people who are signed in. Outermost decorator."""

    def decorate(view: View) -> View:
        view.upload_limit = limit  # type: ignore[attr-defined]
        return view

    return decorate


class BodyLimitMiddleware:
    """Stands behind authentication and before any view: CSRF reads the whole body to find its token, so a gigabyte
    would be on our disk by then. A body without a declared length is read as empty by Django."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            length = int(request.META.get("CONTENT_LENGTH") or 0)
        except ValueError:
            length = 0  # Django reads nothing then
        if length <= settings.DATA_UPLOAD_MAX_MEMORY_SIZE:
            return self.get_response(request)
        limit = find_upload_limit(request)
        if limit is not None and length <= limit + MULTIPART_ROOM:
            return self.get_response(request)
        context = {"is_upload": limit is not None, "limit_mb": (limit or 0) // 2**20, "page": request.path}
        response = render(request, "413.html", context, status=413)
        response["Connection"] = "close"  # what is still on its way is not read
        return response


def find_upload_limit(request: HttpRequest) -> int | None:
    """Bytes that the addressed page takes as a file, or None: no file belongs there, or nobody is signed in."""
    if not request.user.is_authenticated:
        return None
    try:
        view = resolve(request.path_info).func
    except Resolver404:
        return None
    limit: Callable[[], int] | None = getattr(view, "upload_limit", None)
    return limit() if limit else None
