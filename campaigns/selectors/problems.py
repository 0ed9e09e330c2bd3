"""What a check finds: the shape of one finding."""

from typing import Final, NamedTuple

STOP: Final = "stop"
WARN: Final = "warn"


class Problem(NamedTuple):
    """One finding. `step`: recipients, message, schedule or check. `level`: stop (no launch) or warn."""

    code: str
    step: str
    level: str
    message: str
