"""Numbers as the reader's language writes them: 148.230 and %96,4 in Turkish, 148,230 and 96.4% in English."""

from decimal import ROUND_HALF_UP, Decimal

from django.utils.formats import number_format
from django.utils.translation import get_language

Number = int | float | Decimal


def format_count(value: Number) -> str:
    """A whole number with thousands separators."""
    return number_format(int(value), decimal_pos=0, use_l10n=True, force_grouping=True)


def format_credits(value: Number) -> str:
    """Credits: whole where they are whole, else up to four decimals (what the ledger keeps) without trailing zeros."""
    amount = Decimal(value).quantize(Decimal("0.0001"), rounding=ROUND_HALF_UP)
    text = f"{amount:f}".rstrip("0").rstrip(".")
    decimals = len(text.partition(".")[2])
    return number_format(amount, decimal_pos=decimals, use_l10n=True, force_grouping=True)


def format_percent(ratio: Number, decimals: int = 1) -> str:
    """A ratio (0.964) as a percentage. Turkish puts the sign in front."""
    share = (Decimal(str(ratio)) * 100).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    number = number_format(share, decimal_pos=decimals, use_l10n=True, force_grouping=True)
    return f"%{number}" if (get_language() or "").startswith("tr") else f"{number}%"
