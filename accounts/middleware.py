"""Edges of a request: whose tenant, which language. Net 2 of the five."""

import time
from collections.abc import Callable

from django.conf import settings
from django.contrib.auth import logout
from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.middleware.locale import LocaleMiddleware as DjangoLocaleMiddleware
from django.shortcuts import render
from django.urls import reverse
from django.utils import timezone, translation

from .actor import Actor
from .models import Tenant
from .preferences import THEME_COOKIE, chosen_language, remember
from .scope import platform_scope, tenant_scope
from .second_step import ask_for_second_step, lacks_second_step
from .selectors import find_default_membership, find_role

SESSION_TENANT = "tenant"
SESSION_BEGAN, SESSION_SEEN = "began_at", "seen_at"  # seconds since the epoch
SEEN_STEP_SECONDS = 60  # a session is written at most so often


class LocaleMiddleware(DjangoLocaleMiddleware):
    """Turkish by default: the browser's language counts only once the user has chosen (profile, else cookie)."""

    def process_request(self, request: HttpRequest) -> None:
        translation.activate(chosen_language(request))
        request.LANGUAGE_CODE = translation.get_language()

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response = super().process_response(request, response)
        user = getattr(request, "user", None)
        if user is not None and user.is_authenticated:
            stale = request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME) != user.language
            if stale or request.COOKIES.get(THEME_COOKIE) != user.theme:
                remember(response, language=user.language, theme=user.theme)
        return response


class SessionAgeMiddleware:
    """Signs out after SESSION_IDLE_SECONDS without an act of the person, and SESSION_COOKIE_AGE after the sign-in.

    What a page fetches by itself is no act: those requests say X-Poll.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.user.is_authenticated:
            session, now = request.session, int(time.time())
            began_at = session.get(SESSION_BEGAN, now)
            seen_at = session.get(SESSION_SEEN, now)
            if now - began_at >= settings.SESSION_COOKIE_AGE or now - seen_at >= settings.SESSION_IDLE_SECONDS:
                logout(request)
            elif SESSION_BEGAN not in session:
                session[SESSION_BEGAN] = session[SESSION_SEEN] = now
            elif now - seen_at >= SEEN_STEP_SECONDS and "X-Poll" not in request.headers:
                session[SESSION_SEEN] = now
        return self.get_response(request)


class ScopeMiddleware:
    """Sets `request.actor` and runs the view inside the tenant's scope (one transaction, rolled back on any error)."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.actor = None  # type: ignore[attr-defined]
        user = request.user
        if not user.is_authenticated:
            return self.get_response(request)
        if user.is_staff and request.path.startswith(reverse("admin:index")):
            if lacks_second_step(user):
                return ask_for_second_step(request)
            with platform_scope(reason="platform admin"):
                return self._respond(request)
        actor = self._find_actor(request)
        if actor is None:
            return self.get_response(request)
        request.actor = actor  # type: ignore[attr-defined]
        with tenant_scope(actor.tenant.pk), timezone.override(actor.tenant.zone):
            return self._respond(request)

    def _respond(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if response.status_code >= 500 or getattr(request, "view_raised", False):
            transaction.set_rollback(True)
        return response

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        request.view_raised = True  # type: ignore[attr-defined]
        if isinstance(exception, ValueError) and "NUL (0x00)" in str(exception):
            # PostgreSQL has no room for the character and nobody types it: the sender's fault wherever it stood (A5).
            return render(request, "400.html", status=400)
        return None

    @staticmethod
    def _find_actor(request: HttpRequest) -> Actor | None:
        chosen = request.session.get(SESSION_TENANT)
        if chosen:
            tenant = Tenant.objects.select_related("parent").filter(public_id=chosen, is_active=True).first()
            role = find_role(request.user, tenant) if tenant else None  # type: ignore[arg-type]
            if tenant and role:
                return Actor(request.user, tenant, role[0], via_agency=role[1])  # type: ignore[arg-type]
            del request.session[SESSION_TENANT]
        first = find_default_membership(request.user)  # type: ignore[arg-type]
        return Actor(request.user, first.tenant, first.role) if first is not None else None  # type: ignore[arg-type]
