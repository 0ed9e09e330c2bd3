"""What stands between a draft and its launch: a list of problems, each naming the step that mends it."""

from collections.abc import Iterable
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from accounts.models import Tenant
from billing.selectors import get_balance
from contacts.models import ContactField
from gateways.models import GatewayAccount, SenderId
from gateways.routing.book import list_ways
from gateways.services.approvals import list_obstacles
from gateways.wording.obstacles import describe_obstacle
from messaging.models import MessageBatch, SendRun
from smscore import Template, count_parts
from smscore.lint import HintCode, Severity, check_text, find_commercial_words, has_opt_out

from ..models import Campaign
from . import characters, lengths
from .characters import write_shortest
from .composition import MOST_PARTS, compose, find_unknown_fields
from .freshness import LISTS, PRICES, TEXT, find_change
from .problems import STOP, WARN, Problem


def list_problems(campaign: Campaign, *, now: datetime | None = None) -> list[Problem]:
    """Everything found on the draft itself; what needs the real audience is in `list_audience_problems`."""
    tenant = campaign.tenant
    fields = list(ContactField.objects.filter(tenant=tenant))
    problems = []
    if not campaign.group_links.filter(is_excluded=False).exists():
        problems.append(Problem("no_lists", "recipients", STOP, _("Choose at least one list to send to.")))
    problems += list_text_problems(campaign, tenant, fields)
    problems += characters.find_text_problems(campaign)
    problems += lengths.find_text_problems(campaign)
    problems += _check_sender(campaign)
    problems += _check_class(campaign)
    if campaign.scheduled_at is not None and campaign.scheduled_at <= (now or timezone.now()):
        problems.append(
            Problem("schedule_past", "schedule", STOP, _("The chosen time is over. Choose a later one, or send now."))
        )
    return problems


def list_text_problems(campaign: Campaign, tenant: Tenant, fields: Iterable[ContactField]) -> list[Problem]:
    """Stops in the text: empty, a field nobody has, too long even without any value."""
    if not campaign.text.strip():
        return [Problem("no_text", "message", STOP, _("Write the message."))]
    fields = list(fields)
    template = compose(campaign, tenant).template
    problems = []
    unknown = find_unknown_fields(template, fields)
    if unknown:
        problems.append(Problem("unknown_fields", "message", STOP, word_unknown_fields(unknown, fields)))
    parts = count_shortest_parts(template, campaign.transliterate)
    if parts > MOST_PARTS:
        problems.append(Problem("too_many_parts", "message", STOP, word_too_many_parts(parts)))
    return problems


def count_shortest_parts(template: Template, without_turkish: bool) -> int:
    """Parts for a recipient whose values are as short as can be."""
    return count_parts(write_shortest(template, without_turkish))[1]


def word_unknown_fields(unknown: Iterable[str], fields: Iterable[ContactField]) -> str:
    """What to tell people whose text names fields that no contact has: which, and what there is."""
    names = ", ".join(f"[{name}]" for name in unknown)
    own = [pgettext("field", "Name"), pgettext("field", "First name")]
    available = ", ".join(f"[{label}]" for label in [*own, *(field.label for field in fields)])
    return _("There is no field called %(names)s. You can use: %(available)s.") % {
        "names": names,
        "available": available,
    }


def word_too_many_parts(parts: int) -> str:
    """What to tell people whose message is over the limit of parts."""
    return _("The message is %(parts)d parts long; at most %(most)d can be sent. Shorten it.") % {
        "parts": parts,
        "most": MOST_PARTS,
    }


def list_hints(campaign: Campaign, tenant: Tenant) -> list[Problem]:
    """Warnings on the content that stop nothing by themselves."""
    text = compose(campaign, tenant).template.text
    hints = check_text(text, commercial=campaign.content_class == SendRun.ContentClass.COMMERCIAL)
    words = {
        HintCode.SHORT_LINK: _("Operators often block short links such as %(detail)s. Use your own address."),
        HintCode.SHOUTING: _("The message is written in capitals almost throughout; filters like that little."),
        HintCode.INVISIBLE_CHARACTERS: _("The message holds invisible characters, usually pasted along."),
        HintCode.OPERATOR_CODE: _("The operator adds its code (%(detail)s) itself; take it out of the text."),
    }
    return [
        Problem(hint.code, "message", WARN, words[hint.code] % {"detail": ", ".join(hint.detail)})
        for hint in hints
        if hint.code in words and hint.severity != Severity.STOP
    ]


def list_audience_problems(campaign: Campaign) -> list[Problem]:
    """Problems of a prepared campaign: stale, nobody left, what connections do not carry, too little credit."""
    snapshot = campaign.snapshot
    problems = []
    if change := find_change(campaign, snapshot):
        problems.append(Problem("audience_stale", "check", STOP, word_change(change)))
    if snapshot.message_count == 0:
        problems.append(
            Problem("nobody_left", "recipients", STOP, _("Nobody is left to send to. See who was left out, and why."))
        )
    problems += characters.find_prepared_problems(campaign)
    problems += lengths.find_prepared_problems(campaign)
    balance = get_balance(campaign.tenant_id)
    if snapshot.credits > balance.available:
        problems.append(Problem("not_enough_credits", "check", STOP, _("Not enough credit.")))
    return problems


def word_change(change: str) -> str:
    """Why a prepared audience is not to be sent to any more (`freshness.find_change`)."""
    return {
        LISTS: _("The lists or their contacts have changed since the audience was prepared. Prepare it again."),
        TEXT: _("Your opt-out code has changed since the audience was prepared. Prepare it again."),
        PRICES: _("Prices have changed since the audience was prepared. Prepare it again."),
    }[change]


def _check_sender(campaign: Campaign) -> list[Problem]:
    if campaign.sender is None:
        return [Problem("no_sender", "message", STOP, _("Choose a sender ID."))]
    if campaign.sender.status != SenderId.Status.APPROVED:
        message = _("The sender ID %(name)s is not approved.") % {"name": campaign.sender.name}
        return [Problem("sender_not_approved", "message", STOP, message)]
    return _check_connections(campaign, campaign.sender)


def _check_connections(campaign: Campaign, sender: SenderId) -> list[Problem]:
    """Operators approve sender IDs each on their own. Of a prepared campaign it is known which connections it takes;
    before, one that may not be among them only warns."""
    is_known = campaign.run_id is not None and campaign.status in (Campaign.Status.READY, Campaign.Status.SCHEDULED)
    if is_known:
        used = MessageBatch.objects.filter(run_id=campaign.run_id).values("gateway_account_id")
        ways = list(GatewayAccount.objects.filter(pk__in=used))
    else:
        ways = list_ways(campaign.tenant_id)
    obstacles = list_obstacles(sender, ways)
    stops = is_known or len(obstacles) == len(ways)
    code, level = ("sender_not_approved", STOP) if stops else ("sender_partly_approved", WARN)
    return [Problem(code, "message", level, describe_obstacle(sender.name, obstacle)) for obstacle in obstacles]


def _check_class(campaign: Campaign) -> list[Problem]:
    text = compose(campaign, campaign.tenant).template.text
    if not campaign.content_class:
        return [Problem("no_class", "message", STOP, _("Say whether the message is commercial or informational."))]
    if campaign.content_class == SendRun.ContentClass.COMMERCIAL:
        if text and not has_opt_out(text):
            message = _(
                "A commercial message must say how to opt out. Your account has no opt-out code yet; "
                "add a line such as “RET FIRMA yaz 4609'a gönder” to the text."
            )
            return [Problem("no_opt_out", "message", STOP, message)]
        return []
    words = find_commercial_words(campaign.text)
    if words and not campaign.class_reason.strip():
        message = _(
            "“%(words)s” sounds like advertising. Make the message commercial, or say why it is informational."
        ) % {"words": "”, “".join(words)}
        return [Problem("class_reason", "message", STOP, message)]
    return []
