"""A5: no input yields 5xx. Every page with nonsense in every parameter that any of them reads."""

import pytest

from tests.conftest import Cast
from tests.guard.test_authorisation_matrix import PANEL, Page, address

PARAMETERS = [
    "q", "sort", "order", "list", "state", "kind", "source", "since", "until",
    "number", "name", "email", "role", "after", "before", "cursor", "page", "position",
    "version", "text", "title", "key", "amount", "label", "contact", "action", "group",
    "keyword", "reason", "msisdn", "sender", "keep", "filter", "phone", "now", "file",
]  # fmt: skip
NONSENSE = ["\x00", "9" * 400, "-1", "--5", "😀%'\"<[["]


@pytest.mark.parametrize("page", PANEL, ids=lambda page: page.name)
def test_nonsense_is_answered(page: Page, cast: Cast) -> None:
    url = address(page, cast)
    client = cast.client(cast.ayse)
    for value in NONSENSE:
        data = dict.fromkeys(PARAMETERS, value)
        for answer in (client.get(url, data), client.post(url, data)):
            assert answer.status_code < 500
            if answer.streaming:
                b"".join(answer)
