"""Language and theme of a person: the profile when signed in, else the cookie. The cookie follows the profile."""

from django.conf import settings
from django.http import HttpRequest, HttpResponseBase

from .models import User

THEME_COOKIE = "theme"
COOKIE_SECONDS = 365 * 24 * 3600


def chosen_language(request: HttpRequest) -> str:
    """Turkish unless somebody chose: the browser's own wish does not count."""
    user = getattr(request, "user", None)
    language = (
        user.language
        if user is not None and user.is_authenticated
        else request.COOKIES.get(settings.LANGUAGE_COOKIE_NAME, "")
    )
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE


def chosen_theme(request: HttpRequest) -> str:
    """auto, light or dark."""
    user = getattr(request, "user", None)
    theme = user.theme if user is not None and user.is_authenticated else request.COOKIES.get(THEME_COOKIE, "")
    return theme if theme in User.Theme.values else User.Theme.AUTO


def remember(response: HttpResponseBase, *, language: str = "", theme: str = "") -> None:
    """Write the choice into cookies, so that the sign-in page speaks and looks the same."""
    for name, value in ((settings.LANGUAGE_COOKIE_NAME, language), (THEME_COOKIE, theme)):
        if value:
            response.set_cookie(
                name,
                value,
                max_age=COOKIE_SECONDS,
                samesite="Lax",
                httponly=True,
                secure=settings.SESSION_COOKIE_SECURE,
            )
