"""Messages from handsets (MO): whose they are, and whether they ask us to stop."""

from collections.abc import Iterable, Mapping

from django.db import connection

from gateways.models import GatewayAccount
from gateways.selectors.senders import find_number_owner
from gateways.types import InboundMessage as ArrivedMessage
from messaging.models import InboundMessage
from messaging.months import ids_of_months
from optout.selectors import find_opt_out_keyword
from optout.services import record_opt_out
from smscore.keywords import fold_words
from smscore.parts import DecodedPart, join_parts
from smscore.udh import UserDataHeader

from .partitions import MESSAGES, find_source

OWNER_DAYS = 30
PIECE_HOURS = 24
GAP = " […] "
"""Stands in a long message for the pieces that have not come."""


def lock_long_messages(messages: Iterable[tuple[int, ArrivedMessage]]) -> None:
    """Wait for whoever else stores pieces of the same long messages, (connection, message) each: pieces come over
    several binds at once, and two processes that find no beginning would begin twice. In a transaction."""
    keys = {
        "\x1f".join((str(account_id), message.msisdn, message.recipient, str(message.reference)))
        for account_id, message in messages
        if message.parts > 1
    }
    if keys:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT pg_advisory_xact_lock(lock) FROM (SELECT DISTINCT hashtextextended(key, 0) AS lock"
                " FROM unnest(%s::text[]) AS key ORDER BY 1) AS locks",
                [sorted(keys)],
            )


def record_inbound(*, gateway_account_id: int, message: ArrivedMessage) -> InboundMessage:
    """Store a message from a handset and act on an opt-out word in it. In platform scope.

    What comes over a tenant's own connection is that tenant's: it may invent numbers and words as it likes. Over the
    platform's it belongs to the tenant whose number it was sent to (by keyword, or the whole number), else to the one
    whose opt-out code it names, else to whoever wrote to that handset last through that connection (30 days); found
    for nobody, it is kept for the platform. Pieces of a long message become one row, in any order; it shows what has
    come, with a mark where something is missing, and takes late pieces for a day.
    """
    # A text column takes no NUL. Refused, the message would come again for ever, with all that came beside it.
    message = message._replace(text=message.text.replace("\x00", ""))
    known = _find_known(gateway_account_id, message)
    if known is not None:
        return known
    stored = _find_begun(gateway_account_id, message)
    is_new = stored is None
    if stored is None:
        stored = InboundMessage(
            gateway_account_id=gateway_account_id,
            msisdn=message.msisdn[:16],
            recipient=message.recipient[:20],
            text=message.text,
            reference=message.reference,
            part_count=message.parts,
            provider_message_id=message.provider_message_id[:80],
        )
    if message.parts > 1:
        stored.pieces[str(message.part)] = _write_piece(message)
        stored.text = join_pieces(stored.pieces, message.parts)
    # The first piece has the words that say whose it is; it may come last.
    if is_new or message.part == 1:
        stored.tenant_id = _find_tenant(gateway_account_id, message)
    if message.parts <= 1 or "1" in stored.pieces:
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


def _find_begun(gateway_account_id: int, message: ArrivedMessage) -> InboundMessage | None:
    """The stored beginning of a long message that this piece belongs to; None if this is the first of it.

    References come round again: a piece that is there already, with another text, begins a message of its own.
    """
    if message.parts <= 1:
        return None
    begun = (
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
    )
    written = _write_piece(message)
    found: InboundMessage | None = begun.first()
    if found is None or found.pieces.get(str(message.part), written) != written:
        return None
    return found


def _write_piece(message: ArrivedMessage) -> str | list[str | int]:
    """A piece as JSON: its text, or [text, octets in hex, data coding, single shift, locking shift]."""
    piece = message.piece
    if piece is None:
        return message.text
    return [message.text, piece.body.hex(), piece.data_coding, piece.header.single_shift, piece.header.locking_shift]


def join_pieces(pieces: Mapping[str, str | list[str | int]], total: int) -> str:
    """The text of a long message from the pieces that came, GAP for those that did not.

    Neighbours are read as one from their octets: phones cut characters between pieces.
    """
    result: list[str] = []
    run: list[DecodedPart] = []
    is_in_gap = False
    for number in range(1, total + 1):
        piece = pieces.get(str(number))
        if isinstance(piece, list):
            run.append(_read_piece(piece, number))
            is_in_gap = False
            continue
        result.append(join_parts(run))
        run = []
        if piece is not None:
            result.append(piece)
        elif not is_in_gap:
            result.append(GAP)
        is_in_gap = piece is None
    result.append(join_parts(run))
    return "".join(result).replace("\x00", "")


def _read_piece(piece: list[str | int], number: int) -> DecodedPart:
    text, octets, coding, single, locking = piece
    header = UserDataHeader(sequence=number, single_shift=int(single), locking_shift=int(locking))
    return DecodedPart(str(text), header, bytes.fromhex(str(octets)), int(coding))


def _act_on_keyword(stored: InboundMessage) -> None:
    # From a short number or a name nobody can be kept out: the message stays in the inbox for a person to act on.
    if stored.tenant_id is None or stored.keyword or not stored.msisdn.startswith("+"):
        return
    keyword = find_opt_out_keyword(stored.tenant_id, stored.text)
    if keyword:
        stored.keyword = keyword[:20]
        record_opt_out(tenant_id=stored.tenant_id, msisdn=stored.msisdn, source="reply", reason=keyword)


def _find_tenant(gateway_account_id: int, message: ArrivedMessage) -> int | None:
    owner: int | None = GatewayAccount.objects.values_list("tenant_id", flat=True).filter(pk=gateway_account_id).first()
    return (
        owner
        or find_number_owner(gateway_account_id, message.recipient, message.text)
        or _find_by_code(message.text)
        or _find_by_last_message(gateway_account_id, message.msisdn)
    )


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
            "SELECT coalesce(min(month), 0), coalesce(max(month), 0) FROM messaging_sendrun"
            " WHERE started_at > now() - %s * interval '1 day'",
            [OWNER_DAYS],
        )
        first, last = cursor.fetchone()
        messages = find_source(MESSAGES, ids_of_months(first, last)) if last else MESSAGES
        cursor.execute(
            "SELECT m.tenant_id FROM messaging_sendrun r"  # noqa: S608 - names of ours
            f" JOIN {messages} m ON m.run_id = r.id AND m.msisdn = %s"
            " JOIN messaging_messagebatch b ON b.id = m.batch_id AND b.gateway_account_id = %s"
            " WHERE r.started_at > now() - %s * interval '1 day'"
            " AND m.state NOT IN ('queued', 'suppressed', 'cancelled', 'failed', 'rejected')"
            " ORDER BY m.submitted_at DESC LIMIT 1",
            [msisdn, gateway_account_id, OWNER_DAYS],
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None
