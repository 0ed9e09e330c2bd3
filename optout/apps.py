from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import pgettext_lazy


class OptoutConfig(AppConfig):
    name = "optout"
    verbose_name = pgettext_lazy("application", "Opt-outs")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from .platform_keywords import ensure_platform_keywords

        post_migrate.connect(ensure_platform_keywords, sender=self)
