"""Settings of one SMPP account: what the contract with the operator says, with careful defaults."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, Self

from gateways.base import BadSettings
from gateways.types import Reason

BIND_MODES: Final = ("transceiver", "separate", "transmitter", "receiver")
LONG_MODES: Final = ("udh8", "udh16", "sar", "payload")
ID_BASES: Final = ("opaque", "dec", "hex")
MESSAGE_MODES: Final = {"default": 0, "datagram": 1, "transaction": 2, "store": 3}
INTERFACE_VERSIONS: Final = {"3.3": 0x33, "3.4": 0x34, "5.0": 0x50}
MAX_WINDOW: Final = 10_000
MAX_VALIDITY: Final = 99 * 86_400  # what the relative form can say without years

CHOICES: Final[Mapping[str, tuple[str, ...]]] = {
    "bind_mode": BIND_MODES,
    "interface_version": tuple(INTERFACE_VERSIONS),
    "message_mode": tuple(MESSAGE_MODES),
    "validity_form": ("relative", "absolute", "none"),
    "long_mode": LONG_MODES,
    "answer_id_base": ID_BASES,
    "receipt_id_base": ID_BASES,
    "receipt_id_source": ("parameter", "text"),
    "receipt_mark": ("esm_class", "text"),
    "id_policy": ("first", "last"),
    "outbound_alphabet": ("gsm7", "packed", "latin1"),
    "inbound_alphabet": ("gsm7", "latin1", "ascii"),
}
OCTETS: Final[Mapping[str, int]] = {
    "system_id": 15,
    "password": 8,
    "system_type": 12,
    "service_type": 5,
    "address_range": 40,
}
_OCTET = (0, 255)
RANGES: Final[Mapping[str, tuple[float, float]]] = {
    "port": (1, 65_535),
    "window_size": (1, MAX_WINDOW),
    "tps": (0, math.inf),
    "bind_ton": _OCTET,
    "bind_npi": _OCTET,
    "source_ton_alpha": _OCTET,
    "source_npi_alpha": _OCTET,
    "source_ton_number": _OCTET,
    "source_npi_number": _OCTET,
    "source_ton_short": _OCTET,
    "source_npi_short": _OCTET,
    "dest_ton": _OCTET,
    "dest_npi": _OCTET,
    "protocol_id": _OCTET,
    "priority_flag": (0, 3),
    "data_coding_gsm7": _OCTET,
    "data_coding_turkish": _OCTET,
    "data_coding_ucs2": _OCTET,
    "registered_delivery": (0, 31),
    "validity_seconds": (0, MAX_VALIDITY),
}
POSITIVE: Final = (
    "connect_timeout",
    "bind_timeout",
    "answer_timeout",
    "enquire_link_seconds",
    "enquire_link_timeout",
)


@dataclass(frozen=True, slots=True)
class SmppSettings:
    """One bind. Times in seconds; ``tps`` counts submits (parts) a second, 0 = no limit of ours.

    system_id/password/system_type  octets limits of SMPP: 15, 8, 12
    bind_mode         transceiver; separate: a transmitter and a receiver that work as one link; or one of the two alone
    interface_version what the bind claims to speak
    address_range     with bind_ton and bind_npi: the numbers a receiver wants, where the operator asks for them
    window_size       unanswered submits on this bind (contract value; 10 unless the operator says otherwise)
    message_mode      messaging mode of esm_class: default, datagram, transaction (forward), store (and forward)
    registered_delivery  1 a receipt of the final state, 2 of failure only, 3 of success only (5.0); +16 intermediate
    validity_seconds  where the message names none; validity_form: relative, absolute (UTC) or none (never sent)
    long_mode         how a long text travels: udh8, udh16, sar (TLVs), payload (the centre splits)
    answer_id_base    how the centre writes ids in submit_sm_resp, and receipt_id_base in receipts: ``opaque``
    receipt_id_base   compares as it stands; where both are dec/hex, ids are kept as decimal
    receipt_id_source which id of a receipt is meant where both are there: of the TLV (parameter) or of the text
    receipt_mark      text: the operator sends receipts without the receipt bits; known by ``id:`` and ``stat:``
    outbound_alphabet how GSM-7 texts are written: gsm7 (one septet an octet), packed (as on the air), or latin1 (plain
                      GSM-7 texts only; a character that Latin-1 lacks, such as €, is refused)
    id_policy         which part's id stands for a long message: first or last
    inbound_alphabet  what data_coding 0 means in messages from handsets: gsm7, latin1 or ascii
    system_error_is_unknown   0x08 means "unknown" at this operator, not "not taken"
    send_token        carry our message identity in vendor TLV 0x1400 (our simulator journals it)
    error_reasons     operator's err codes → reason class, over the usual GSM table
    tls_certificate_file  our own certificate with its key (PEM), where the operator asks for one
    """

    host: str = "127.0.0.1"
    port: int = 2775
    system_id: str = ""
    password: str = field(default="", repr=False)
    system_type: str = ""
    bind_mode: str = "transceiver"
    interface_version: str = "3.4"
    address_range: str = ""
    bind_ton: int = 0
    bind_npi: int = 0
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
    message_mode: str = "default"
    protocol_id: int = 0
    priority_flag: int = 0
    data_coding_gsm7: int = 0
    data_coding_turkish: int = 0
    data_coding_ucs2: int = 8
    registered_delivery: int = 1
    validity_seconds: int = 0
    validity_form: str = "relative"
    long_mode: str = "udh8"
    answer_id_base: str = "opaque"
    receipt_id_base: str = "opaque"
    receipt_id_source: str = "parameter"
    receipt_mark: str = "esm_class"
    id_policy: str = "first"
    outbound_alphabet: str = "gsm7"
    inbound_alphabet: str = "gsm7"
    system_error_is_unknown: bool = False
    send_token: bool = False
    error_reasons: Mapping[str, str] = field(default_factory=dict)
    tls: bool = False
    tls_verify: bool = True
    tls_ca_file: str = ""
    tls_certificate_file: str = ""
    tls_server_name: str = ""
    public_only: bool = False  # connect to public addresses only: a tenant's own connection (gateways.hosts)

    @classmethod
    def from_mapping(cls, values: Mapping[str, Any]) -> Self:
        """Raises BadSettings naming the field that is unknown, of the wrong kind, or cannot work."""
        known = {f.name: f.default for f in fields(cls)}
        strange = sorted(set(values) - set(known))
        if strange:
            raise BadSettings(f"unknown setting: {strange[0]}")
        for name, value in values.items():
            _check_kind(name, value, known[name])
        settings = cls(**values)
        settings.check()
        return settings

    def check(self) -> None:
        """Raises BadSettings."""
        for name, most in OCTETS.items():
            _check_octets(name, getattr(self, name), most)
        for name, allowed in CHOICES.items():
            if getattr(self, name) not in allowed:
                raise BadSettings(f"{name}: one of {', '.join(allowed)}")
        for name, (least, largest) in RANGES.items():
            if not least <= getattr(self, name) <= largest:
                raise BadSettings(f"{name}: {least} or more" if largest == math.inf else f"{name}: {least}..{largest}")
        for name in POSITIVE:
            if not 0 < getattr(self, name) < math.inf:
                raise BadSettings(f"{name}: more than 0")
        if not self.host.strip():
            raise BadSettings("host: a name or an address")
        if (self.answer_id_base == "opaque") != (self.receipt_id_base == "opaque"):
            raise BadSettings("answer_id_base: opaque on both sides or on neither")
        for code, reason in self.error_reasons.items():
            if not isinstance(code, str) or reason not in _REASONS:
                raise BadSettings(f"error_reasons: {code!r} must name one of {', '.join(sorted(_REASONS))}")


_REASONS: Final = frozenset(str(reason) for reason in Reason if reason)


def _check_kind(name: str, value: Any, default: Any) -> None:
    """Settings come out of JSON that people edit: a text where a number belongs must not fail later, elsewhere."""
    if default is MISSING:
        if not isinstance(value, Mapping):
            raise BadSettings(f"{name}: an object")
    elif isinstance(default, bool):
        if not isinstance(value, bool):
            raise BadSettings(f"{name}: true or false")
    elif isinstance(default, str):
        if not isinstance(value, str):
            raise BadSettings(f"{name}: a text")
    elif isinstance(value, bool) or not isinstance(value, (int, float)) or math.isnan(value):
        raise BadSettings(f"{name}: a number")
    elif isinstance(default, int) and not isinstance(value, int):
        raise BadSettings(f"{name}: a whole number")


def _check_octets(name: str, value: str, most: int) -> None:
    if not value.isascii() or "\x00" in value or len(value) > most:
        raise BadSettings(f"{name}: at most {most} plain characters")
