"""XML requests: every value escaped, what XML cannot carry refused before it is sent, secrets blanked out."""

import xml.etree.ElementTree as ET

import pytest

from gateways.base import Rejected
from gateways.http.scrub import Scrubber
from gateways.http.xml import write_element, write_request, write_text

TEXTS = [
    "Sayın Ayşe & Ali",
    "<b>]]></metin><metin>",
    "\"tırnak\" ve 'kesme'",
    "satır\nsatır\tsekme",
    "🍰 €[]{}",
    "",
]


@pytest.mark.parametrize("text", TEXTS)
def test_every_value_comes_back(text: str) -> None:
    root = write_element("pack", write_element("text", write_text(text)), {"org": text})
    parsed = ET.fromstring(write_request("/send", root).body)
    assert (parsed.findtext("text") or "", parsed.get("org")) == (text, text)
    assert len(list(parsed.iter())) == 2, "nothing got in"


@pytest.mark.parametrize("text", ["sayfa\fsonu", "\x00", "\x1b", "\ud83c", "\uffff"])
def test_what_xml_cannot_carry_spoils_one_message(text: str) -> None:
    for write in (write_text, lambda value: write_element("pack", attributes={"org": value})):
        with pytest.raises(Rejected) as refused:
            write(text)
        assert refused.value.spoiled


def test_a_secret_is_blanked_out_in_the_spelling_of_xml() -> None:
    secret = "şifre<&\"'>"
    written = write_element("pack", write_text(secret), {"pwd": secret})
    scrubbed = Scrubber([secret])(written)
    assert "şifre" not in scrubbed and scrubbed.count("***") == 2
