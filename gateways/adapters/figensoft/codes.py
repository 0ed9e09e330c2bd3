"""Figensoft (Posta Güvercini), JSON API: its codes, beside what they mean to us.

Body codes as a client's live tests met them; delivery codes out of another client's table, where some are given as
ranges. That the JSON API reports with the same delivery codes is likely, not written.
"""

from __future__ import annotations

from gateways.http.refusals import DEFERRED, REJECTED, Refusal
from gateways.types import DeliveryState, Reason

DONE = 200
SERVER_ERROR = 500
"""A wrong login, or their own trouble: the same code."""
# Not "login": a database that lets their server not in says "Login failed".
LOGIN_WORDS = ("kullanıcı adı", "şifre", "parola", "password")
"""In the text of a 500. Their exact words are written down nowhere."""
NO_RECORD = frozenset({2040})

_NOT_NOW, _NEVER = Refusal(DEFERRED, Reason.SYSTEM, 30.0), Refusal(REJECTED, Reason.OTHER)
REFUSALS = {
    "400": Refusal(REJECTED, Reason.OTHER, spoiled=True),
    "1010": _NOT_NOW,
    "1020": _NOT_NOW,
    "1030": _NEVER,
    "1040": _NEVER,
    "1050": _NEVER,
    "1060": Refusal(REJECTED, Reason.BAD_ADDRESS),
    "1063": _NEVER,
    "1064": _NEVER,
    "1070": Refusal(REJECTED, Reason.OTHER, spoiled=True),  # too many receivers: in halves
    "1080": _NEVER,
    "1090": Refusal(REJECTED, Reason.BAD_CONTENT, spoiled=True),
    "2020": _NOT_NOW,
    "2030": _NEVER,
    "2050": _NEVER,
    "7020": _NOT_NOW,
    "7030": _NEVER,
    "7040": _NEVER,
    "7050": _NEVER,
}

_D, _U = (DeliveryState.DELIVERED, Reason.NONE), DeliveryState.UNDELIVERED
_WAITING = (DeliveryState.ACCEPTED, Reason.NONE)
_UNKNOWN = (DeliveryState.UNKNOWN, Reason.NONE)
STATUS: dict[int, tuple[DeliveryState, Reason]] = {
    110: _WAITING,
    120: _WAITING,
    200: _WAITING,
    300: _WAITING,
    400: _D,
    401: _WAITING,
    402: (_U, Reason.OTHER),
    403: (_U, Reason.EXPIRED),
    404: (_U, Reason.UNKNOWN_SUBSCRIBER),
    405: (_U, Reason.NETWORK),
    406: (_U, Reason.REFUSED),
    407: (_U, Reason.NETWORK),
    408: (_U, Reason.ABSENT_SUBSCRIBER),
    409: (_U, Reason.REFUSED),
    411: (_U, Reason.HANDSET_FULL),
    412: (_U, Reason.ABSENT_SUBSCRIBER),
    413: (_U, Reason.REFUSED),
    414: (_U, Reason.UNKNOWN_SUBSCRIBER),
    421: (_U, Reason.OTHER),
    422: (_U, Reason.OTHER),
    423: (_U, Reason.OTHER),
    424: (_U, Reason.NO_CONSENT),
    425: (_U, Reason.BAD_ADDRESS),
    426: (_U, Reason.OTHER),
    -200: (_U, Reason.OTHER),
    -201: (_U, Reason.BAD_ADDRESS),
    -202: (_U, Reason.REFUSED),
    -203: (_U, Reason.EXPIRED),
    -205: (_U, Reason.BAD_CONTENT),
    -207: (_U, Reason.REFUSED),
    -208: (_U, Reason.NO_BALANCE),
    -210: (_U, Reason.EXPIRED),
    -220: (_U, Reason.NO_BALANCE),
    -222: (_U, Reason.BLOCKED_BY_RECIPIENT),
    -223: (_U, Reason.REFUSED),
    -241: (_U, Reason.NO_CONSENT),
    -242: (_U, Reason.BLOCKED_BY_RECIPIENT),
    -243: (_U, Reason.NO_CONSENT),
    -250: (_U, Reason.DELETED),
    -260: (_U, Reason.NO_BALANCE),
    -261: (_U, Reason.REFUSED),
    -262: (_U, Reason.BAD_SENDER),
    -263: (_U, Reason.BAD_CONTENT),
    -270: (_U, Reason.NO_ROUTE),
    -426: (_U, Reason.OTHER),
    -441: (_U, Reason.OTHER),
    -444: (_U, Reason.BLOCKED_BY_RECIPIENT),
    -447: (_U, Reason.BAD_CONTENT),
    -462: (_U, Reason.NO_BALANCE),
    -10001: (_U, Reason.NO_BALANCE),
    -14241: (_U, Reason.NO_BALANCE),
    # Addressing by national id or tax number, which is not ours.
    **dict.fromkeys((-211, -212, -213, -214, -470, -471, -475, -2478), (_U, Reason.OTHER)),
    **dict.fromkeys(range(-3099, -2999), (_U, Reason.OTHER)),
}
"""410, 420 and -20 say "unknown" themselves: like every code that is not here, they move nothing."""
NOT_FINAL = frozenset({"0", "false"})


def find_state(status: str, final: str, *, trusts_flag: bool) -> tuple[DeliveryState, Reason]:
    """What a status row says. A failure, or a code nobody knows, that calls itself not final is still waiting."""
    is_open = trusts_flag and final.strip().lower() in NOT_FINAL
    try:
        state, reason = STATUS.get(int(status), _UNKNOWN)
    except ValueError:
        state, reason = _UNKNOWN
    if is_open and state is not DeliveryState.DELIVERED:
        return _WAITING
    return state, reason
