"""Logs name pages, not what was searched for there: that is often a number."""

from smsplatform.logging import RequestMiddleware


def test_a_request_is_named_by_its_path(rf):
    request = rf.get("/contacts/", {"q": "05321112233"})
    assert RequestMiddleware.format_request(request) == "GET /contacts/"
