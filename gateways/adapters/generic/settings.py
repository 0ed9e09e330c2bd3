"""The settings of a provider that we have no adapter for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from gateways.adapters.generic.shape import Shape, compile_shape
from gateways.base import BadSettings
from gateways.http.settings import HttpSettings, secret

NUMBER_FORMATS = ("digits", "e164", "national")
DEFAULT_SEND: Mapping[str, Any] = {
    "body": '{"from": "[sender]", "to": "[number]", "text": "[text]"}',
}
DEFAULT_ANSWER: Mapping[str, Any] = {"id": {"path": "id"}}


@dataclass(frozen=True, slots=True, kw_only=True)
class GenericSettings(HttpSettings):
    """The groups are explained in docs/gateways.md, "A provider without an adapter".

    login, password  what [login] and [password] stand for; the password is kept encrypted
    auth             none (the templates carry the login), basic, bearer, or the name of a header for the password
    number_format    digits (905…), e164 (+905…), national (5…, Turkish numbers only)
    receipt_numbers  how receipts write them: empty as number_format, or national
    send, answer     the call that sends, and how what it says is read
    receipt          receipts that the provider pushes; poll: receipts that are asked for
    balance          the call that asks for the balance; also the connection test
    """

    login: str = ""
    password: str = secret()
    auth: str = "none"
    number_format: str = "digits"
    receipt_numbers: str = ""
    send: Mapping[str, Any] = field(default_factory=dict)
    answer: Mapping[str, Any] = field(default_factory=dict)
    receipt: Mapping[str, Any] = field(default_factory=dict)
    poll: Mapping[str, Any] = field(default_factory=dict)
    balance: Mapping[str, Any] = field(default_factory=dict)

    def check(self) -> None:
        HttpSettings.check(self)
        if self.number_format not in NUMBER_FORMATS:
            raise BadSettings(f"number_format: {', '.join(NUMBER_FORMATS)}")
        if self.receipt_numbers not in ("", "national"):
            raise BadSettings("receipt_numbers: national or empty")
        if self.auth != "none":
            self.require("password")
        if not self.auth.isascii() or not self.auth.replace("-", "").isalnum():
            raise BadSettings("auth: none, basic, bearer or the name of a header")
        for name in ("login", "password"):
            if any(ord(character) < 32 for character in getattr(self, name)):
                raise BadSettings(f"{name}: has a line break in it")
        in_headers = self.compile().list_header_names()
        if self.auth not in ("none", "basic"):
            in_headers |= {"password"}
        self.require_plain(*sorted(in_headers & {"login", "password"}))

    def compile(self) -> Shape:
        """Raises BadSettings naming the field."""
        send, answer = self.send or DEFAULT_SEND, self.answer or DEFAULT_ANSWER
        return compile_shape(send, answer, self.receipt, self.poll, self.balance)
