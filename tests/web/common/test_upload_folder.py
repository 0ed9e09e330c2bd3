"""Uploads wait on the disk: /tmp is memory in the containers."""

import os
import time
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile, TemporaryUploadedFile
from django.urls import reverse

from common.uploads import prepare_upload_folder
from contacts.views import imports


def test_an_upload_waits_in_the_house(cast, monkeypatch):
    seen = []

    def look(*, file, **_names):
        assert isinstance(file, TemporaryUploadedFile)
        seen.append(Path(file.temporary_file_path()).parent)
        raise imports.FileProblem("empty_file")

    monkeypatch.setattr(imports, "create_import", look)
    big = SimpleUploadedFile("liste.csv", b"x" * (settings.FILE_UPLOAD_MAX_MEMORY_SIZE + 1))
    assert cast.client(cast.ayse).post(reverse("contacts:import_upload"), {"file": big}).status_code == 200
    assert seen == [settings.VAR_DIR / "uploads"]


def test_what_a_killed_process_left_goes_with_the_next_start(tmp_path, settings):
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    prepare_upload_folder()
    old, fresh = (settings.FILE_UPLOAD_TEMP_DIR / name for name in ("old.upload", "fresh.upload"))
    for path in (old, fresh):
        path.write_bytes(b"x")
    os.utime(old, (time.time() - 90_000,) * 2)
    prepare_upload_folder()
    assert list(settings.FILE_UPLOAD_TEMP_DIR.iterdir()) == [fresh]
