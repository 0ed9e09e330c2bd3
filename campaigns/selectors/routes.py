"""The routing rules as they concern a campaign."""

from gateways.routing.book import load_book
from gateways.routing.rules import RouteBook

from ..models import Campaign


def load_campaign_book(campaign: Campaign) -> RouteBook:
    sender = campaign.sender.name if campaign.sender else ""
    return load_book(campaign.tenant_id, purpose=campaign.content_class, sender=sender)


def has_turkish_tables(book: RouteBook, msisdn: str) -> bool:
    """Turkish letters stay 7-bit on the way to this number; so they do by the standard where no way is known."""
    choice = book.find(msisdn)
    return choice is None or (choice.national_tables and choice.profile.national)
