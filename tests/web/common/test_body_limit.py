"""Large bodies: only pages that take files, only signed-in people, and never read before the check."""

import io

import pytest
from django.urls import reverse

pytestmark = pytest.mark.django_db


class Unread(io.BytesIO):
    def read(self, *size):
        raise AssertionError("the body was read")

    readline = readlines = __iter__ = read


def announce(client, url, size, content_type="multipart/form-data; boundary=x"):
    """POST whose body claims to be `size` bytes and fails the test when it is read."""
    return client.generic(
        "POST", url, b"-", content_type=content_type, CONTENT_LENGTH=str(size), **{"wsgi.input": Unread()}
    )


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "application/x-www-form-urlencoded"])
@pytest.mark.parametrize("name", ["contacts:group_add", "optout:keyword_add", "account_login", "admin:index"])
def test_other_pages_take_little(cast, name, content_type):
    answer = announce(cast.client(cast.ayse), reverse(name), 3_000_000, content_type)
    assert answer.status_code == 413 and answer["Connection"] == "close"
    assert "Bu sayfa tek seferde bu kadarını almaz" in answer.content.decode()


def test_an_address_that_does_not_exist_takes_little(cast):
    assert announce(cast.client(cast.ayse), "/nowhere/", 3_000_000).status_code == 413


def test_a_visitor_uploads_nothing(client):
    assert announce(client, reverse("contacts:import_upload"), 3_000_000).status_code == 413


@pytest.mark.parametrize(("name", "limit"), [("contacts:import_upload", "200 MB"), ("optout:add", "20 MB")])
def test_pages_that_take_files_name_their_limit_and_lead_back(cast, name, limit):
    answer = announce(cast.client(cast.ayse), reverse(name), 1 << 30)
    assert answer.status_code == 413 and answer["Connection"] == "close"
    text = answer.content.decode()
    assert limit in text and f'href="{reverse(name)}"' in text


@pytest.mark.parametrize("name", ["contacts:import_upload", "optout:add"])
def test_a_file_above_the_small_limit_is_read_where_files_belong(cast, name):
    with pytest.raises(AssertionError, match="the body was read"):
        announce(cast.client(cast.ayse), reverse(name), 3_000_000)


def test_fields_that_are_too_long_are_told_plainly(cast):
    """Within the file limit of the page, but typed: Django notices while it reads."""
    numbers = "05321234107\n" * 250_000
    answer = cast.client(cast.ayse).post(reverse("optout:add"), {"numbers": numbers, "reason": "x"})
    assert answer.status_code == 413
