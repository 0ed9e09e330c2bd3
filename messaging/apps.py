from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class MessagingConfig(AppConfig):
    name = "messaging"
    verbose_name = pgettext_lazy("application", "Sending")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from gateways.waiting import register_waiting

        from . import checks  # noqa: F401 - registers the database check
        from .services.health import count_waiting_messages

        register_waiting(count_waiting_messages)
