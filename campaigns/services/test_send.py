"""A test send: the campaign's text to one number, through the engine like any other message, and charged."""

from datetime import timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from billing.selectors import load_price_list
from billing.selectors.prices import NoTariff
from contacts.models import Contact
from gateways.routing.rules import Choice, Why
from messaging.models import SendRun
from messaging.rows import MessageRow
from messaging.selectors import list_messages
from messaging.services import RunTerms, create_send_run, mark_run_ready, start_send_run, write_messages
from optout.selectors import load_suppressed
from smscore import Msisdn, operator_of
from smscore.encoding import list_beyond_turkish

from ..models import Campaign
from ..selectors import characters, lengths
from ..selectors.checks import list_problems
from ..selectors.composition import MOST_PARTS, compose
from ..selectors.problems import STOP, Problem
from ..selectors.routes import load_campaign_book
from .errors import NotReady, NumberSuppressed
from .gate import lock_campaign
from .trail import record_step

DOUBLE_CLICK: Final = timedelta(seconds=5)
BLOCKING = {"no_text", "unknown_fields", "too_many_parts", "no_sender", "sender_not_approved", "characters", "too_long"}


@transaction.atomic
def send_test(*, campaign: Campaign, msisdn: Msisdn, contact: Contact | None, actor: User) -> SendRun:
    """Send the text as `contact` would get it (without one, fields stay as typed) to `msisdn`. Returns its run.

    Raises NotReady, NumberSuppressed, NotEnoughCredits; nothing is written then. It goes at any hour, before bulk
    traffic. The caller nudges the senders after commit. The same text to the same number within seconds is a double
    click: it is sent once, and the first run is the answer.
    """
    problems = [p for p in list_problems(campaign) if p.level == STOP and p.code in BLOCKING]
    composition = compose(campaign, campaign.tenant)
    text = composition.preview(msisdn, contact.name if contact else "", contact.attributes if contact else {})
    route = _find_route(campaign, text, msisdn)
    unit = _find_price(campaign.tenant_id, msisdn)
    if isinstance(route, Problem):
        problems, route = problems or [route], None
    elif route is None or unit is None:
        problems.append(Problem("no_route", "check", STOP, "no_route"))
    if problems or route is None or unit is None or campaign.sender is None:
        raise NotReady(problems)
    if load_suppressed(campaign.tenant_id, [msisdn]):
        raise NumberSuppressed
    text, encoding, parts = route.prepare(text)
    if parts > MOST_PARTS:
        raise NotReady([Problem("too_many_parts", "message", STOP, "too_many_parts")])
    price = unit * parts
    lock_campaign(campaign.pk)
    repeated = _find_repeat(campaign, msisdn, text)
    if repeated is not None:
        return repeated
    with transaction.atomic():
        run = create_send_run(
            tenant_id=campaign.tenant_id,
            origin_type="test",
            origin_id=campaign.pk,
            terms=RunTerms(
                sender=campaign.sender.name,
                content_class=campaign.content_class or SendRun.ContentClass.INFORMATIONAL,
                priority=SendRun.Priority.TEST,
                time_zone=campaign.tenant.zone.key,
            ),
        )
        row = MessageRow(
            contact.pk if contact else None,
            msisdn,
            text,
            encoding,
            parts,
            price,
            operator_of(msisdn).value,
        )
        write_messages(
            run_id=run.pk,
            tenant_id=campaign.tenant_id,
            gateway_account_id=route.account_id,
            rows=[row],
            step=route.step,
        )
        mark_run_ready(run.pk)
        start_send_run(run_id=run.pk, tenant_id=campaign.tenant_id)
    record_step(campaign, "campaign.tested", actor, run=run.pk, parts=parts)
    return run


def _find_route(campaign: Campaign, text: str, msisdn: Msisdn) -> Choice | Problem | None:
    """The connection for this text to this number; a Problem where only its characters or length stand against it."""
    book = load_campaign_book(campaign)
    route = book.find_for(text, msisdn)
    why = book.find_obstacle(text, msisdn) if route is None else None
    if why is Why.LENGTH:
        return lengths.make_problem(1)
    return characters.make_problem(campaign, list_beyond_turkish(text), 1) if why is Why.ENCODING else route


def _find_price(tenant_id: int, msisdn: str) -> Decimal | None:
    """Credits per part; None where no tariff covers the number."""
    try:
        return load_price_list(tenant_id).price_per_part(msisdn)
    except NoTariff:
        return None


def _find_repeat(campaign: Campaign, msisdn: str, text: str) -> SendRun | None:
    """The run of the same test a moment ago. The campaign is locked, so that the second click sees the first."""
    runs = SendRun.objects.filter(
        tenant_id=campaign.tenant_id,
        origin_type="test",
        origin_id=campaign.pk,
        created_at__gt=timezone.now() - DOUBLE_CLICK,
    ).order_by("-pk")
    for run in runs[:5]:
        if list_messages(run).filter(msisdn=msisdn, text=text).exists():
            return run
    return None
