from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class AccountsConfig(AppConfig):
    name = "accounts"
    verbose_name = pgettext_lazy("application", "Accounts and members")
    default_auto_field = "django.db.models.BigAutoField"
