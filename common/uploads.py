"""Where a request's files wait until a view has read them."""

import time
from contextlib import suppress
from pathlib import Path
from typing import Final

from django.conf import settings

_DAY_SECONDS: Final = 24 * 3600


def prepare_upload_folder() -> None:
    """Make the folder; remove from it what processes that were killed have left."""
    folder = Path(settings.FILE_UPLOAD_TEMP_DIR)
    folder.mkdir(parents=True, exist_ok=True)
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # another process may be at it
            if path.is_file() and path.stat().st_mtime < time.time() - _DAY_SECONDS:
                path.unlink()
