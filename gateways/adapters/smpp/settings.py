"""Settings of one SMPP account: what the contract with the operator says, with careful defaults."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Self

from gateways.base import BadSettings

BIND_MODES = ("transceiver", "transmitter", "receiver")
LONG_MODES = ("udh8", "udh16", "sar", "payload")
ID_BASES = ("opaque", "dec", "hex")
MAX_WINDOW = 10_000


@dataclass(frozen=True, slots=True)
class SmppSettings:
    """One bind. Times in seconds; ``tps`` counts submits (parts) a second, 0 = no limit of ours.

    system_id/password/system_type  octets limits of SMPP: 15, 8, 12
    window_size       unanswered submits on this bind (contract value; 10 unless the operator says otherwise)
    long_mode         how a long text travels: udh8, udh16, sar (TLVs), payload (the centre splits)
    answer_id_base    how the centre writes ids in submit_sm_resp, and receipt_id_base in receipts: ``opaque``
    receipt_id_base   compares as it stands; where both are dec/hex, ids are kept as decimal
    id_policy         which part's id stands for a long message: first or last
    system_error_is_unknown   0x08 means "unknown" at this operator, not "not taken"
    send_token        carry our message identity in vendor TLV 0x1400 (our simulator journals it)
    error_reasons     operator's err codes → reason class, over the usual GSM table
    """

    host: str = "127.0.0.1"
    port: int = 2775
    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""
    bind_mode: str = "transceiver"
    window_size: int = 10
    tps: float = 10.0
    connect_timeout: float = 10.0
    bind_timeout: float = 10.0
    answer_timeout: float = 30.0
    enquire_link_seconds: float = 20.0
    enquire_link_timeout: float = 10.0
    source_ton_alpha: int = 5
    source_npi_alpha: int = 0
    source_ton_number: int = 1
    source_npi_number: int = 1
    source_ton_short: int = 3
    source_npi_short: int = 0
    dest_ton: int = 1
    dest_npi: int = 1
    service_type: str = ""
    protocol_id: int = 0
    priority_flag: int = 0
    data_coding_gsm7: int = 0
    data_coding_turkish: int = 0
    data_coding_ucs2: int = 8
    registered_delivery: int = 1
    validity_seconds: int = 0
    long_mode: str = "udh8"
    answer_id_base: str = "opaque"
    receipt_id_base: str = "opaque"
    id_policy: str = "first"
    system_error_is_unknown: bool = False
    send_token: bool = False
    error_reasons: Mapping[str, str] = field(default_factory=dict)
    tls: bool = False
    tls_verify: bool = True
    tls_ca_file: str = ""
    tls_server_name: str = ""

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Raises BadSettings naming the field that is unknown or cannot work."""
        known = {f.name for f in fields(cls)}
        strange = sorted(set(values) - known)
        if strange:
            raise BadSettings(f"unknown setting: {strange[0]}")
        settings = cls(**values)
        settings.check()
        return settings

    def check(self) -> None:
        """Raises BadSettings."""
        _check_octets("system_id", self.system_id, 15)
        _check_octets("password", self.password, 8)
        _check_octets("system_type", self.system_type, 12)
        _check_octets("service_type", self.service_type, 5)
        for name, value, allowed in (
            ("bind_mode", self.bind_mode, BIND_MODES),
            ("long_mode", self.long_mode, LONG_MODES),
            ("answer_id_base", self.answer_id_base, ID_BASES),
            ("receipt_id_base", self.receipt_id_base, ID_BASES),
            ("id_policy", self.id_policy, ("first", "last")),
        ):
            if value not in allowed:
                raise BadSettings(f"{name}: one of {', '.join(allowed)}")
        if (self.answer_id_base == "opaque") != (self.receipt_id_base == "opaque"):
            raise BadSettings("answer_id_base: opaque on both sides or on neither")
        if not 1 <= self.window_size <= MAX_WINDOW:
            raise BadSettings(f"window_size: 1..{MAX_WINDOW}")
        if not 1 <= self.port <= 65535:
            raise BadSettings("port: 1..65535")
        if self.tps < 0:
            raise BadSettings("tps: 0 or more")
        for name in ("connect_timeout", "bind_timeout", "answer_timeout", "enquire_link_seconds"):
            if getattr(self, name) <= 0:
                raise BadSettings(f"{name}: more than 0")


def _check_octets(name: str, value: str, most: int) -> None:
    if not value.isascii() or "\x00" in value or len(value) > most:
        raise BadSettings(f"{name}: at most {most} plain characters")
