"""The SMS domain in plain Python: no framework, no I/O.

The names below are the stable public face; tables and rarer functions are in the modules.
"""

from smscore.encoding import Encoding, forcing_characters
from smscore.msisdn import (
    InvalidMsisdn,
    Msisdn,
    RejectReason,
    mask_msisdn,
    normalise_msisdn,
    operator_of,
    parse_msisdn,
)
from smscore.normalisation import normalise
from smscore.placeholders import MissingValues, Template, compile_template, render
from smscore.segmentation import Segmentation, count_parts, prepare_text, segment

__all__ = [
    "Encoding",
    "InvalidMsisdn",
    "MissingValues",
    "Msisdn",
    "RejectReason",
    "Segmentation",
    "Template",
    "compile_template",
    "count_parts",
    "forcing_characters",
    "mask_msisdn",
    "normalise",
    "normalise_msisdn",
    "operator_of",
    "parse_msisdn",
    "prepare_text",
    "render",
    "segment",
]
