"""What can be wrong with a file as a whole. Texts for users are in `wording`."""

from typing import Any

# reliability.md, section 7: limits of an upload.
MAX_COLUMNS = 100
MAX_CELL_LENGTH = 2000


class FileProblem(Exception):
    """The file is refused and nothing was changed.

    `code` names the fault ("empty_file", "cell_too_long" …), `params` fill its text (row, column, limit …).
    """

    def __init__(self, code: str, **params: Any) -> None:
        super().__init__(f"{code} {params}" if params else code)
        self.code = code
        self.params = params
