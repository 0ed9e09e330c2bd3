from django.apps import AppConfig


class CommonConfig(AppConfig):
    name = "common"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from django.apps import apps

        from .field_names import name_fields
        from .uploads import prepare_upload_folder

        prepare_upload_folder()
        name_fields({config.label for config in apps.get_app_configs() if "site-packages" not in config.path})
