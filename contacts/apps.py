from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class ContactsConfig(AppConfig):
    name = "contacts"
    verbose_name = pgettext_lazy("application", "Contacts")
    default_auto_field = "django.db.models.BigAutoField"
