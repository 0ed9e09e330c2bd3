"""Bring a text to the one form that is counted and sent."""

import re
import unicodedata

_CRLF = re.compile("\r+\n")
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")


def normalise(text: str) -> str:
    """Return `text` in NFC, CR LF as LF, lone surrogates as U+FFFD. Twice is the same as once.

    NFC because decomposed letters (macOS keyboards write ş as s + U+0327) are outside GSM-7 although the
    composed letter may be inside. Browsers send text areas with CR LF, which would cost two units a line. A
    lone surrogate (truncated JSON) cannot be encoded at all. A CR without LF is a character of the GSM
    alphabet and stays.
    """
    if "\r" in text:
        text = _CRLF.sub("\n", text)
    if not text.isascii():
        text = _LONE_SURROGATE.sub("�", text)
        if not unicodedata.is_normalized("NFC", text):
            text = unicodedata.normalize("NFC", text)
    return text
