"""Messages from handsets (MO): whose they are, and whether they ask us to stop."""

from django.db import connection

from gateways.models import GatewayAccount
from gateways.types import InboundMessage as ArrivedMessage
from messaging.models import InboundMessage
from optout.selectors import find_opt_out_keyword
from optout.services import record_opt_out
from smscore.keywords import fold_words

OWNER_DAYS = 30
PIECE_HOURS = 24


def record_inbound(*, gateway_account_id: int, message: ArrivedMessage) -> InboundMessage:
    """Store a message from a handset and act on an opt-out word in it. In platform scope.

    It belongs to the tenant whose opt-out code it names, or else to whoever wrote to that number last through that
    connection (30 days); found for nobody, it is kept for the platform. Pieces of a long message become one.
    """
    # A text column takes no NUL. Refused, the message would come again for ever, with all that came beside it.
    message = message._replace(text=message.text.replace("\x00", ""))
    known = _find_known(gateway_account_id, message)
    if known is not None:
        return known
    stored = _join_piece(gateway_account_id, message)
    if stored is None:
        owner = GatewayAccount.objects.filter(pk=gateway_account_id).values_list("tenant_id", flat=True).first()
        stored = InboundMessage(
            tenant_id=_find_tenant(gateway_account_id, message) or owner,
            gateway_account_id=gateway_account_id,
            msisdn=message.msisdn[:16],
            recipient=message.recipient[:20],
            text=message.text,
            reference=message.reference,
            part_count=message.parts,
            provider_message_id=message.provider_message_id[:80],
            pieces={str(message.part): message.text} if message.parts > 1 else {},
        )
    _act_on_keyword(stored)
    stored.save()
    return stored


def _find_known(gateway_account_id: int, message: ArrivedMessage) -> InboundMessage | None:
    """The same message, told before: pushed and pulled, or in windows of time that overlap. Two tellers at the same
    moment take turns."""
    if not message.provider_message_id:
        return None
    with connection.cursor() as cursor:
        lock = f"inbound:{gateway_account_id}:{message.provider_message_id}"
        cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", [lock])
    known: InboundMessage | None = InboundMessage.objects.filter(
        gateway_account_id=gateway_account_id,
        provider_message_id=message.provider_message_id[:80],
        msisdn=message.msisdn[:16],
        part_count=message.parts,
    ).first()
    if known is not None and message.parts > 1 and str(message.part) not in known.pieces:
        return None
    return known


def _join_piece(gateway_account_id: int, message: ArrivedMessage) -> InboundMessage | None:
    """The stored beginning of a long message with this piece put in its place; None if this is the first."""
    if message.parts <= 1:
        return None
    stored: InboundMessage | None = (
        InboundMessage.objects.select_for_update()
        .filter(
            gateway_account_id=gateway_account_id,
            msisdn=message.msisdn[:16],
            recipient=message.recipient[:20],
            reference=message.reference,
            part_count=message.parts,
        )
        .extra(where=["received_at > now() - %s * interval '1 hour'"], params=[PIECE_HOURS])
        .order_by("-pk")
        .first()
    )
    if stored is None or (len(stored.pieces) == message.parts and str(message.part) not in stored.pieces):
        return None
    stored.pieces[str(message.part)] = message.text
    stored.text = "".join(stored.pieces[key] for key in sorted(stored.pieces, key=int))
    return stored


def _act_on_keyword(stored: InboundMessage) -> None:
    if stored.tenant_id is None or stored.keyword:
        return
    keyword = find_opt_out_keyword(stored.tenant_id, stored.text)
    if keyword:
        stored.keyword = keyword[:20]
        record_opt_out(tenant_id=stored.tenant_id, msisdn=stored.msisdn, source="reply", reason=keyword)


def _find_tenant(gateway_account_id: int, message: ArrivedMessage) -> int | None:
    return _find_by_code(message.text) or _find_by_last_message(gateway_account_id, message.msisdn)


def _find_by_code(text: str) -> int | None:
    """ "RET AYSEBUTIK": behind an opt-out word, a word that is somebody's opt-out code; of two tenants: nobody's.

    Without an opt-out word in front no code counts, and the first word never does: a code that is an everyday word
    ("EVET", "RET") would draw other accounts' replies to whoever chose it.
    """
    words = set(fold_words(text)[1:])
    if not words or find_opt_out_keyword(None, text) is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, opt_out_code FROM accounts_tenant WHERE opt_out_code <> '' AND is_active")
        found = [pk for pk, code in cursor.fetchall() if "".join(fold_words(code)) in words]
    return found[0] if len(found) == 1 else None


def _find_by_last_message(gateway_account_id: int, msisdn: str) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT m.tenant_id FROM messaging_sendrun r"
            " JOIN messaging_message m ON m.run_id = r.id AND m.msisdn = %s"
            " JOIN messaging_messagebatch b ON b.id = m.batch_id AND b.gateway_account_id = %s"
            " WHERE r.started_at > now() - %s * interval '1 day'"
            " AND m.state NOT IN ('queued', 'suppressed', 'cancelled', 'failed', 'rejected')"
            " ORDER BY m.submitted_at DESC LIMIT 1",
            [msisdn, gateway_account_id, OWNER_DAYS],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None
