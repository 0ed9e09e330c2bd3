"""One log format: an event name plus fields, on the console in development, JSON in production."""

import logging
import os
import re

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware as StructlogMiddleware
from structlog.typing import EventDict, WrappedLogger

_render = (
    structlog.processors.JSONRenderer(ensure_ascii=False)
    if os.environ.get("PEYK_ENV") == "production"
    else structlog.dev.ConsoleRenderer(colors=False)
)


# The address a provider calls is a secret (GatewayAccount.push_token).
SECRET_IN_PATH = re.compile(r"(?<=/)[0-9a-f]{64}(?=/)")


class MaskSecretPaths(logging.Filter):
    """Django itself logs the path of what it answers with an error."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record.args, tuple):
            record.args = tuple(SECRET_IN_PATH.sub("…", a) if isinstance(a, str) else a for a in record.args)
        if isinstance(record.msg, str):
            record.msg = SECRET_IN_PATH.sub("…", record.msg)
        return True


def renderer(logger: WrappedLogger, name: str, event: EventDict) -> str:
    event.pop("_record", None)
    event.pop("_from_structlog", None)
    return str(_render(logger, name, event))


def drop_query(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Searches stand in query strings, and people search for numbers: those never reach a log."""
    request = event.get("request")
    if isinstance(request, str):
        event["request"] = request.partition("?")[0]
    return event


class RequestMiddleware(StructlogMiddleware):
    """Names a request by its path: what people search for are numbers, and those do not belong in logs."""

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {SECRET_IN_PATH.sub('…', request.path)}"


structlog.configure(
    processors=[
        structlog.contextvars.merge_contextvars,
        drop_query,
        structlog.stdlib.filter_by_level,
        structlog.processors.TimeStamper(fmt="iso"),
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.processors.format_exc_info,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
