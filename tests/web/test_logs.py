"""What stands in the log in the end: the line that is written, in production (JSON) and in development."""

import json
import logging
import sys

import pytest
import structlog
from django.db import IntegrityError, connection

from smsplatform import logging as lines
from smsplatform.logging import RequestMiddleware, drop_query, make_formatter, mask

NUMBER = "+905321112233"
TEXT = "Merhaba\n\nAyşe, kodun 4711, iyi günler"
BOTH = pytest.mark.parametrize("is_json", [True, False], ids=["production", "development"])


def fail_with_variables():
    password = "cok-gizli-parola"  # noqa: F841
    raise ValueError(f"no such number: {NUMBER}")


def write(is_json, message, *args, name="messaging.tasks", exc_info=None, **fields):
    record = logging.getLogger(name).makeRecord(
        name, logging.WARNING, __file__, 1, message, args, exc_info, extra=fields or None
    )
    return make_formatter(is_json=is_json).format(record)


def catch(work):
    try:
        work()
    except Exception:
        return sys.exc_info()
    raise AssertionError("nothing was raised")


def test_a_line_of_production_has_all_fields():
    line = json.loads(write(True, "engine.run_stalled", run=7, tenant=3, cause="no_link"))
    assert line.pop("timestamp").endswith("Z")
    assert line == {
        "event": "engine.run_stalled",
        "level": "warning",
        "logger": "messaging.tasks",
        "run": 7,
        "tenant": 3,
        "cause": "no_link",
    }


def test_a_line_of_development_has_all_fields():
    line = write(False, "engine.run_stalled", run=7, tenant=3, cause="no_link")
    for part in ("warning", "engine.run_stalled", "messaging.tasks", "run=7", "tenant=3", "cause=no_link"):
        assert part in line


@BOTH
def test_a_traceback_is_text_without_variables(is_json):
    line = write(is_json, "engine.duty_failed", exc_info=catch(fail_with_variables))
    text = json.loads(line)["exception"] if is_json else line
    assert "Traceback (most recent call last):" in text
    assert 'raise ValueError(f"no such number: {NUMBER}")' in text
    assert "ValueError: no such number: …2233" in text
    assert "cok-gizli" not in line
    assert NUMBER not in line


@BOTH
@pytest.mark.django_db
def test_values_of_a_row_stay_out_of_a_traceback(is_json):
    def write_twice():
        with connection.cursor() as cursor:
            cursor.execute("CREATE TEMP TABLE sent (msisdn text UNIQUE, body text CHECK (length(body) < 30))")
            cursor.execute("INSERT INTO sent VALUES (%s, %s)", [NUMBER, TEXT])

    fault = catch(write_twice)
    assert fault[0] is IntegrityError and "kodun 4711" in str(fault[1])
    line = write(is_json, "engine.database_error", exc_info=fault, error=str(fault[1])[:300])
    assert "kodun" not in line and "2233" not in line
    assert "violates check constraint" in line and "DETAIL: …" in line
    assert line.count("direct cause") == 1, "what comes after the values is still there"


@BOTH
def test_numbers_are_masked_wherever_they_stand(is_json):
    nested = {"numbers": [NUMBER, ("05321112244",)], "of": object}
    line = write(is_json, "sent to %s", "905321112255", about=nested, error=ValueError(NUMBER))
    for digits in ("2233", "2244", "2255"):
        assert f"…{digits}" in line
    assert "532111" not in line


def test_ids_are_not_masked():
    for text in ("8c9b1f6e-0000-4000-8000-123456789012", "4611686018427387", "2026-11-25T11:02:44.053123Z", "1234567"):
        assert mask(text) == text


@BOTH
def test_lines_of_structlog_are_alike(is_json, caplog):
    structlog.get_logger("django_structlog").warning("request_failed", code=500, number=NUMBER)
    line = make_formatter(is_json=is_json).format(caplog.records[-1])
    assert "request_failed" in line and "warning" in line and "django_structlog" in line
    assert "…2233" in line and NUMBER not in line


def test_what_celery_adds_about_a_task_is_left_out():
    line = write(True, "Task failed", name="celery.app.trace", data={"args": "('Merhaba Ayşe',)"})
    assert "Merhaba" not in line


def test_a_request_is_named_by_its_path(rf):
    request = rf.get("/contacts/", {"q": "05321112233"})
    assert RequestMiddleware.format_request(request) == "GET /contacts/"
    line = json.loads(write(True, "Not Found: %s", "/contacts/", name="django.request", request=request))
    assert line["request"] == "GET /contacts/", "Django hands over the request itself"


def test_an_address_that_a_provider_calls_is_left_out():
    line = write(True, "Busy: %s", f"/gateways/{'0a' * 32}/inbound", name="django.request")
    assert json.loads(line)["event"] == "Busy: /gateways/…/inbound"


@pytest.mark.django_db
def test_a_searched_number_is_not_logged(cast):
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars, drop_query]) as entries:
        answer = cast.client(cast.ayse).get("/contacts/nowhere/", {"q": "05321234107"})
    assert answer.status_code == 404
    requests = [entry["request"] for entry in entries if "request" in entry]
    assert requests and all(request == "GET /contacts/nowhere/" for request in requests)
    assert drop_query in structlog.get_config()["processors"]


def test_the_settings_use_this_format(settings):
    assert settings.LOGGING["formatters"]["console"]["()"] == f"{lines.__name__}.make_formatter"
    assert [handler["formatter"] for handler in settings.LOGGING["handlers"].values()] == ["console"]
