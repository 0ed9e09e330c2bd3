from django.apps import AppConfig


class ReportingConfig(AppConfig):
    name = "reporting"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from billing.run_names import register_finder

        from .selectors.run_names import find_run_names

        register_finder(find_run_names)
