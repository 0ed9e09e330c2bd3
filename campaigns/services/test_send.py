"""A test send: the campaign's text to one number, through the engine like any other message, and charged."""

from django.db import transaction

from accounts.models import User
from billing.selectors import load_price_list
from contacts.models import Contact
from gateways.selectors import load_routes
from messaging.models import SendRun
from messaging.rows import MessageRow
from messaging.services import create_send_run, mark_run_ready, start_send_run, write_messages
from optout.selectors import load_suppressed
from smscore import Msisdn, operator_of, segment

from ..models import Campaign
from ..selectors.checks import STOP, Problem, list_problems
from ..selectors.composition import MOST_PARTS, compose
from ..selectors.routing import RouteTable
from .errors import NotReady, NumberSuppressed
from .trail import record_step

BLOCKING = {"no_text", "unknown_fields", "too_many_parts", "no_sender", "sender_not_approved"}


@transaction.atomic
def send_test(*, campaign: Campaign, msisdn: Msisdn, contact: Contact | None, actor: User) -> SendRun:
    """Send the text as `contact` would get it (without one, fields stay as typed) to `msisdn`. Returns its run.

    Raises NotReady, NumberSuppressed, NotEnoughCredits; nothing is written then. It goes at any hour, before bulk
    traffic. The caller nudges the senders after commit.
    """
    problems = [p for p in list_problems(campaign) if p.level == STOP and p.code in BLOCKING]
    route = RouteTable(load_routes(campaign.tenant_id)).find(msisdn)
    if route is None:
        problems.append(Problem("no_route", "check", STOP, "no_route"))
    if problems or route is None or campaign.sender is None:
        raise NotReady(problems)
    if load_suppressed(campaign.tenant_id, [msisdn]):
        raise NumberSuppressed
    composition = compose(campaign, campaign.tenant)
    text = composition.preview(msisdn, contact.name if contact else "", contact.attributes if contact else {})
    segmentation = segment(text, national=route.national_tables)
    if segmentation.parts > MOST_PARTS:
        raise NotReady([Problem("too_many_parts", "message", STOP, "too_many_parts")])
    price = load_price_list(campaign.tenant_id).price_per_part(msisdn) * segmentation.parts
    with transaction.atomic():
        run = create_send_run(
            tenant_id=campaign.tenant_id,
            origin_type="test",
            origin_id=campaign.pk,
            sender=campaign.sender.name,
            content_class=campaign.content_class or SendRun.ContentClass.INFORMATIONAL,
            priority=SendRun.Priority.TEST,
            time_zone=campaign.tenant.time_zone,
        )
        row = MessageRow(
            contact.pk if contact else None,
            msisdn,
            segmentation.text,
            segmentation.encoding,
            segmentation.parts,
            price,
            operator_of(msisdn).value,
        )
        write_messages(
            run_id=run.pk, tenant_id=campaign.tenant_id, gateway_account_id=route.gateway_account_id, rows=[row]
        )
        mark_run_ready(run.pk)
        start_send_run(run_id=run.pk, tenant_id=campaign.tenant_id)
    record_step(campaign, "campaign.tested", actor, run=run.pk, parts=segmentation.parts)
    return run
