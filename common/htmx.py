"""A page and the part of it that HTMX fetches share one address."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.cache import patch_vary_headers


def render_page_or_part(request: HttpRequest, *, page: str, part: str, context: dict[str, Any]) -> HttpResponse:
    """`part` (a template's name) for a request of HTMX, `page` for everything else; they know it by `is_partial`."""
    is_partial = bool(request.htmx and not request.htmx.boosted)  # type: ignore[attr-defined]
    response = render(request, part if is_partial else page, {**context, "is_partial": is_partial})
    patch_vary_headers(response, ["HX-Request"])  # or "Back" shows the part that the browser has kept as the page
    return response
