"""What a connection test found. The words for people, with the remedy, are in ``gateways.wording.diagnosis``."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator
from enum import StrEnum


class Finding(StrEnum):
    UNNAMED = ""  # the adapter's own words say it
    CONNECTED = "connected"
    BAD_SETTINGS = "bad_settings"
    FORBIDDEN_HOST = "forbidden_host"  # an address inside our own network
    UNKNOWN_HOST = "unknown_host"  # DNS
    CONNECTION_REFUSED = "connection_refused"  # nobody listens on that port
    UNREACHABLE = "unreachable"  # no route, reset while connecting
    CONNECT_TIMEOUT = "connect_timeout"
    BAD_CERTIFICATE = "bad_certificate"
    TLS_FAILED = "tls_failed"  # the other end does not speak TLS, or not ours
    LOGIN_REFUSED = "login_refused"
    LOGIN_OR_SERVER = "login_or_server"  # an answer that may mean either
    ALREADY_BOUND = "already_bound"  # the login is in use as often as the contract allows
    WRONG_PROTOCOL = "wrong_protocol"  # somebody answers, but not this provider's protocol
    NO_ANSWER = "no_answer"  # connected, then silence
    CLOSED = "closed"  # connected, then hung up without a word
    NOT_NOW = "not_now"  # the provider asks to wait
    REFUSED = "refused"  # a definite refusal that is not about the login
    UNREADABLE = "unreadable"  # an answer that the adapter cannot read
    UNSUPPORTED = "unsupported"  # the adapter has no test
    FAULT = "fault"  # ours


class ForbiddenHost(OSError):
    """The host of a tenant's own connection leads into our network; nothing was sent to it."""


def find_connect_failure(error: BaseException) -> Finding:
    """Why a connection could not be made, from an exception and whatever caused it."""
    causes = list(_walk(error))
    table: tuple[tuple[type[BaseException], Finding], ...] = (
        (ForbiddenHost, Finding.FORBIDDEN_HOST),
        (socket.gaierror, Finding.UNKNOWN_HOST),
        (ssl.SSLCertVerificationError, Finding.BAD_CERTIFICATE),
        (ssl.SSLError, Finding.TLS_FAILED),
        (ConnectionRefusedError, Finding.CONNECTION_REFUSED),
        (TimeoutError, Finding.CONNECT_TIMEOUT),
    )
    for kind, finding in table:
        if any(isinstance(cause, kind) for cause in causes):
            return finding
    return Finding.UNREACHABLE


def _walk(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__
