"""One log format: an event name plus fields, on the console in development, JSON in production."""

import logging
import re
from typing import Any

import structlog
from django.http import HttpRequest
from django_structlog.middlewares import RequestMiddleware as StructlogMiddleware
from structlog.typing import EventDict, Processor, WrappedLogger

from common.addresses import find_visitor_address

# The address a provider calls is a secret (GatewayAccount.push_token).
SECRET_IN_PATH = re.compile(r"(?<=/)[0-9a-f]{64}(?=/)")
# A phone number, wherever it stands; a UUID is matched to be left alone, ids of 16 digits and more are not.
UUID_OR_NUMBER = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b|\+?(?<!\d)\d{10,15}(?!\d)")
# What PostgreSQL adds to an error are values of rows: numbers and texts. They end where the error ends.
ROW_IN_ERROR = re.compile(
    r"\b(DETAIL|CONTEXT|QUERY|LINE \d+): .*?(?=\n\n(?:The above exception|During handling of)|\Z)", re.DOTALL
)


def mask(text: str) -> str:
    """The text without push addresses and rows of the database; of a number the last four digits are left."""
    text = SECRET_IN_PATH.sub("…", text)
    text = ROW_IN_ERROR.sub(r"\1: …", text)
    return UUID_OR_NUMBER.sub(lambda found: found[0] if "-" in found[0] else "…" + found[0][-4:], text)


def mask_values(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    return {key: _mask_value(value) for key, value in event.items()}


def _mask_value(value: Any) -> Any:
    match value:
        case None | bool() | int() | float():
            return value
        case str():
            return mask(value)
        case dict():
            return {key: _mask_value(one) for key, one in value.items()}
        case list() | tuple() | set():
            return [_mask_value(one) for one in value]
        case _:
            return mask(repr(value))


def drop_query(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Searches stand in query strings, and people search for numbers: those never reach a log."""
    request = event.get("request")
    if isinstance(request, HttpRequest):
        event["request"] = RequestMiddleware.format_request(request)
    elif isinstance(request, str):
        event["request"] = request.partition("?")[0]
    return event


def drop_arguments(logger: WrappedLogger, name: str, event: EventDict) -> EventDict:
    """Celery hands over all there is to a task, its arguments and the traceback once more, as one field."""
    if str(event.get("logger", "")).startswith("celery"):
        event.pop("data", None)
    return event


# What every line gets, whoever wrote it. Exceptions become text here: without the variables of their frames.
COMMON: list[Processor] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_log_level,
    structlog.stdlib.add_logger_name,
    structlog.processors.TimeStamper(fmt="iso"),
    structlog.processors.format_exc_info,
    drop_query,
]


def make_formatter(*, is_json: bool) -> logging.Formatter:
    """Of the lines of both kinds: the standard library's, whose fields come as `extra`, and structlog's."""
    render: Processor
    if is_json:
        render = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        render = structlog.dev.ConsoleRenderer(colors=False, exception_formatter=structlog.dev.plain_traceback)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[structlog.stdlib.ExtraAdder(), *COMMON, drop_arguments],
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, mask_values, render],
    )


class RequestMiddleware(StructlogMiddleware):
    """Names a request by its path: what people search for are numbers, and those do not belong in logs."""

    @classmethod
    def bind_ip(cls, request: HttpRequest) -> None:
        structlog.contextvars.bind_contextvars(ip=str(find_visitor_address(request) or ""))

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {SECRET_IN_PATH.sub('…', request.path)}"


structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *COMMON,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)
