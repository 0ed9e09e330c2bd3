"""The platform's opt-out words, which hold for every tenant (turkish-rules.md section 5)."""

from typing import Any

from django.apps import AppConfig
from django.db import connections

from accounts.scope import platform_scope
from smscore.keywords import OPT_OUT_KEYWORDS

PLATFORM_KEYWORDS = (*OPT_OUT_KEYWORDS, "RED", "ÇIK")


def ensure_platform_keywords(sender: AppConfig, using: str, **kwargs: Any) -> None:
    """After `migrate` (and `flush`, which tests use): without any word, a reply would not be heard.

    Adds nothing once staff have edited the list, only when it is empty.
    """
    from .models import OptOutKeyword

    if OptOutKeyword._meta.db_table not in connections[using].introspection.table_names():
        return
    with platform_scope(reason="platform opt-out keywords"):
        if not OptOutKeyword.objects.filter(tenant=None).exists():
            OptOutKeyword.objects.bulk_create(OptOutKeyword(tenant=None, keyword=word) for word in PLATFORM_KEYWORDS)
