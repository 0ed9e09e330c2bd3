"""The routing rules as they concern a campaign."""

from gateways.routing.book import load_book
from gateways.routing.rules import RouteBook
from smscore.billing_profile import STANDARD, BillingProfile

from ..models import Campaign


def load_campaign_book(campaign: Campaign) -> RouteBook:
    sender = campaign.sender.name if campaign.sender else ""
    return load_book(campaign.tenant_id, purpose=campaign.content_class, sender=sender)


def find_counting(book: RouteBook, msisdn: str) -> BillingProfile:
    """How parts are counted on the way to this number; by the standard where no way is known."""
    choice = book.find(msisdn)
    return choice.counting if choice else STANDARD
