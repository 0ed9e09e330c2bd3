"""The one error a command shows to the person at the keyboard without a traceback."""


class DevError(Exception):
    """Something the person can act on; its text says what and how."""
