from django.apps import AppConfig
from django.utils.translation import pgettext_lazy


class CampaignsConfig(AppConfig):
    name = "campaigns"
    verbose_name = pgettext_lazy("application", "Campaigns")
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from contacts.services.groups import protect_groups

        from .selectors.campaigns import list_users_of_group

        protect_groups(list_users_of_group)
