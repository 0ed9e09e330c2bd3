"""When a connection is in trouble: incidents with a beginning and an end, and one word to people at each.

The platform's connections concern its staff, an account's own its owners and administrators.
"""

import logging
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.mail import send_mail
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import override

from accounts.models import Membership, Role, User
from accounts.scope import platform_scope

from ..models import ConnectionFigures, ConnectionIncident, GatewayAccount, LinkStatus
from ..registry import UnknownGateway, get_gateway_class
from ..selectors.connections import Recent, describe_link, load_recent

log = logging.getLogger(__name__)
Kind = ConnectionIncident.Kind

FEWEST_ANSWERS = 20
BAD_SHARE, GOOD_SHARE = 0.8, 0.9
RECEIPTS_AFTER = timedelta(minutes=30)
RECEIPTS_LOOK_BACK = timedelta(minutes=60)
FEWEST_ACCEPTED = 50


def judge_connections(*, now: datetime | None = None) -> None:
    """Open and close incidents by the figures as they are. One transaction."""
    with platform_scope(reason="health of connections"):
        now = now or timezone.now()
        accounts = list(GatewayAccount.objects.all())
        ids = [account.pk for account in accounts]
        recent = load_recent(ids, now)
        links: dict[int, list[LinkStatus]] = {}
        for link in LinkStatus.objects.all():
            links.setdefault(link.gateway_account_id, []).append(link)
        open_ones = {
            (incident.gateway_account_id, incident.kind): incident
            for incident in ConnectionIncident.objects.filter(closed_at=None)
        }
        for account in accounts:
            state, code = describe_link(account, links.get(account.pk, []), now)
            own = {kind: incident for (pk, kind), incident in open_ones.items() if pk == account.pk}
            if state in ("off", "maintenance"):
                for incident in own.values():
                    _close(incident, now, tells=False)  # whoever stopped it knows
                continue
            _judge_login(account, state, code, own.get(Kind.LOGIN), now)
            _judge_refusals(account, recent.get(account.pk, Recent()), own.get(Kind.REFUSALS), now)
            _judge_receipts(account, own.get(Kind.RECEIPTS), now)


def _judge_login(
    account: GatewayAccount, state: str, code: str, incident: ConnectionIncident | None, now: datetime
) -> None:
    if state in ("refused", "stopped"):
        if incident is None:
            _open(account, Kind.LOGIN, code)
    elif state == "up" and incident is not None:  # between two tries it is "connecting": not over yet
        _close(incident, now)


def _judge_refusals(
    account: GatewayAccount, recent: Recent, incident: ConnectionIncident | None, now: datetime
) -> None:
    success = recent.success
    if incident is None:
        if success is not None and recent.answered >= FEWEST_ANSWERS and success < BAD_SHARE:
            _open(account, Kind.REFUSALS, f"{success:.0%}")
    elif success is None or success >= GOOD_SHARE:
        _close(incident, now)


def _judge_receipts(account: GatewayAccount, incident: ConnectionIncident | None, now: datetime) -> None:
    """Stale: enough was accepted half an hour to an hour ago, and no report has come since."""
    last = (
        ConnectionFigures.objects.filter(gateway_account=account, last_receipt_at__isnull=False)
        .order_by("-bucket")
        .values_list("last_receipt_at", flat=True)
        .first()
    )
    if incident is not None:
        if last is not None and last > incident.opened_at:
            _close(incident, now)
        return
    if not _has_receipts(account) or (last is not None and last > now - RECEIPTS_AFTER):
        return
    old = ConnectionFigures.objects.filter(
        gateway_account=account, bucket__gte=now - RECEIPTS_LOOK_BACK, bucket__lt=now - RECEIPTS_AFTER
    )
    if sum(old.values_list("accepted_count", flat=True)) >= FEWEST_ACCEPTED:
        _open(account, Kind.RECEIPTS, "")


def _has_receipts(account: GatewayAccount) -> bool:
    try:
        return get_gateway_class(account.adapter).capabilities.receipts != "none"
    except UnknownGateway:
        return False


def _open(account: GatewayAccount, kind: str, code: str) -> None:
    _incident, is_new = ConnectionIncident.objects.get_or_create(
        gateway_account=account, kind=kind, closed_at=None, defaults={"tenant": account.tenant, "code": code[:80]}
    )
    if is_new:
        log.warning("gateway.incident", extra={"account": account.pk, "kind": kind, "code": code})


def _close(incident: ConnectionIncident, now: datetime, *, tells: bool = True) -> None:
    incident.closed_at = now
    if not tells or incident.told_at is None:
        incident.told_at = incident.told_at or now
        incident.end_told_at = now
    incident.save(update_fields=["closed_at", "told_at", "end_told_at"])
    log.info("gateway.incident_over", extra={"account": incident.gateway_account_id, "kind": incident.kind})


def tell_people() -> int:
    """Mail what nobody was told yet; returns how many mails left. Outside any transaction.

    A mail that cannot be sent is tried again by the next sweep.
    """
    sent = 0
    with platform_scope(reason="mails about connections"):
        fresh = list(ConnectionIncident.objects.filter(told_at=None).values_list("pk", flat=True))
        over = list(
            ConnectionIncident.objects.filter(end_told_at=None)
            .exclude(closed_at=None)
            .exclude(told_at=None)
            .values_list("pk", flat=True)
        )
    for field, pks in (("told_at", fresh), ("end_told_at", over)):
        for pk in pks:
            sent += _tell(pk, field)
    return sent


def _tell(pk: int, field: str) -> int:
    """The row is marked first: two sweeps at once must not both write."""
    with platform_scope(reason="mails about connections"):
        if not ConnectionIncident.objects.filter(pk=pk, **{field: None}).update(**{field: timezone.now()}):
            return 0
        incident = ConnectionIncident.objects.select_related("gateway_account__tenant").get(pk=pk)
        people = list_people(incident.gateway_account)
    try:
        for person in people:
            _mail(incident, person, is_over=field == "end_told_at")
    except OSError:
        log.exception("gateway.incident_not_mailed", extra={"incident": pk})
        with platform_scope(reason="mails about connections"):
            ConnectionIncident.objects.filter(pk=pk).update(**{field: None})
        return 0
    return len(people)


def list_people(account: GatewayAccount) -> list[User]:
    """Who hears of this connection's trouble."""
    if account.tenant_id is None:
        return list(User.objects.filter(is_staff=True, is_active=True).order_by("pk"))
    members = Membership.objects.filter(
        tenant_id=account.tenant_id, is_pending=False, role__in=[Role.OWNER, Role.ADMIN], user__is_active=True
    ).select_related("user")
    return [member.user for member in members.order_by("pk")]


def _mail(incident: ConnectionIncident, person: User, *, is_over: bool) -> None:
    account = incident.gateway_account
    if account.tenant_id is None:
        path = reverse("admin:gateways_gatewayaccount_change", args=[account.pk])
    else:
        path = reverse("gateways:connection", args=[account.public_id])
    zone = account.tenant.zone if account.tenant is not None else ZoneInfo(settings.TIME_ZONE)
    with override(person.language), timezone.override(zone):
        context = {"incident": incident, "account": account, "person": person, "url": f"{settings.PUBLIC_URL}{path}"}
        name = "recovered" if is_over else "incident"
        subject = " ".join(render_to_string(f"gateways/email/{name}_subject.txt", context).split())
        body = render_to_string(f"gateways/email/{name}.txt", context)
    send_mail(subject, body, None, [person.email])
