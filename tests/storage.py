"""Where uploads of a test go. Imported by the conftest of the tests that write any."""

import pytest


@pytest.fixture(autouse=True)
def storage(settings, tmp_path):
    """Uploads of a test stay in its own folder."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": tmp_path / "media"},
        },
    }
    return tmp_path / "media"
