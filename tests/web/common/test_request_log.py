"""What a refused request leaves in the log: the path, never what was searched for."""

import pytest
import structlog

from smsplatform.logging import drop_query

pytestmark = pytest.mark.django_db


def test_a_searched_number_is_not_logged(cast):
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars, drop_query]) as entries:
        answer = cast.client(cast.ayse).get("/contacts/nowhere/", {"q": "05321234107"})
    assert answer.status_code == 404
    requests = [entry["request"] for entry in entries if "request" in entry]
    assert requests and all(request == "GET /contacts/nowhere/" for request in requests)
    assert drop_query in structlog.get_config()["processors"]
