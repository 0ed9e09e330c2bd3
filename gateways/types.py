"""What passes between the engine and a gateway adapter: plain values, no Django, no I/O.

The three kinds made once per message are named tuples: immutable like a frozen dataclass, but several
times cheaper to make, and a database row becomes one with ``OutboundMessage._make(row)``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from gateways.findings import Finding
from smscore.parts import DecodedPart


class OutcomeKind(StrEnum):
    """What is known about one submit (reliability.md, section 5).

    accepted   the gateway has it; ``provider_message_id`` may be empty (accepted, but flagged)
    rejected   definite and permanent: it will not be sent, money goes back
    deferred   definite and temporary: nothing was taken, the same message may be submitted again later
    not_sent   proven: no byte was handed to the network; may be submitted again at once
    unknown    it may or may not have been taken; never repeated by the system
    """

    ACCEPTED = "accepted"
    REJECTED = "rejected"
    DEFERRED = "deferred"
    NOT_SENT = "not_sent"
    UNKNOWN = "unknown"


class Reason(StrEnum):
    """Classes of failure, the same for every provider; the provider's own code travels beside it.

    The first block has the values of ``smscore.reasons.FailureReason`` and may end a message; the second
    says why something is deferred, not sent or unknown.
    """

    NONE = ""
    EXPIRED = "expired"
    REFUSED = "refused"
    DELETED = "deleted"
    UNKNOWN_SUBSCRIBER = "unknown_subscriber"
    ABSENT_SUBSCRIBER = "absent_subscriber"
    BLOCKED_BY_RECIPIENT = "blocked_by_recipient"
    HANDSET_FULL = "handset_full"
    NO_CONSENT = "no_consent"
    NETWORK = "network"
    BAD_ADDRESS = "bad_address"
    BAD_SENDER = "bad_sender"
    BAD_CONTENT = "bad_content"
    NO_ROUTE = "no_route"
    NO_BALANCE = "no_balance"
    THROTTLED = "throttled"
    OTHER = "other"

    QUEUE_FULL = "queue_full"
    SYSTEM = "system"
    LOGIN = "login"
    PARTIAL = "partial"
    TIMEOUT = "timeout"
    LINK_LOST = "link_lost"
    MALFORMED = "malformed"
    WITHDRAWN = "withdrawn"
    SPOILED = "spoiled"


class DeliveryState(StrEnum):
    """What a receipt says. ``accepted`` (ENROUTE, ACCEPTD) and ``unknown`` move nothing."""

    DELIVERED = "delivered"
    UNDELIVERED = "undelivered"
    ACCEPTED = "accepted"
    UNKNOWN = "unknown"


class OutboundMessage(NamedTuple):
    """One message to one number.

    token             the engine's identity of the message (its primary key); comes back in the outcome, and
                      goes along where the account's settings say so
    msisdn            E.164 with ``+``
    sender            sender ID as approved: letters, a short code, or E.164 with ``+``
    text              rendered text, final
    encoding          smscore encoding name (``gsm7``, ``gsm7-tr-single``, ``gsm7-tr-locking``, ``ucs2``)
    parts             how many parts smscore counted (what is billed and what the rate counts)
    validity_seconds  how long the network tries; 0 = the gateway's own default
    reference         joins the parts of a long message, 1..65535; must not repeat for one recipient within
                      minutes; 0 = taken from the token
    content_class     ``commercial`` or ``informational``: providers ask, because consent is checked by it
    """

    token: int
    msisdn: str
    sender: str
    text: str
    encoding: str = "gsm7"
    parts: int = 1
    validity_seconds: int = 0
    reference: int = 0
    content_class: str = "informational"


class SubmitOutcome(NamedTuple):
    """What became of one submitted message.

    code                 the provider's own code, as text (SMPP: ``0x00000058``); empty if accepted
    retry_after_seconds  for ``deferred``: not before this, nor before the engine's own schedule has it
    part_ids             every part's provider id, in order (receipts come per part); the first/last of
                         them is ``provider_message_id`` (a setting of the adapter)
    late                 the answer came after this message had been reported ``unknown``: it heals
    evidence             raw answer where it could not be understood; never a secret
    job                  what the provider must be asked about to learn the rest, in the adapter's own words: the
                         same for all messages of a call. Empty where receipts come by themselves
    """

    token: int
    kind: OutcomeKind
    provider_message_id: str = ""
    code: str = ""
    reason: Reason = Reason.NONE
    retry_after_seconds: float = 0.0
    part_ids: tuple[str, ...] = ()
    late: bool = False
    evidence: str = ""
    job: str = ""


TOKEN_DIGITS = 18  # of a number that fits a database key


class DeliveryEvent(NamedTuple):
    """One receipt. ``occurred_at`` is the provider's own text (zone unknown), parsed by the reader if wanted.

    msisdn   the recipient, E.164 with ``+`` where the provider gives a full number
    job_id   set by providers that number jobs, not messages: match by (job, number)
    code     the provider's error code as it came
    client_reference   our own name of the message, where the provider tells it: the ``token`` it was sent with, or what
             an adapter made of it
    billed_parts, price   what the provider charges for what this id names (the message; a part where parts have ids of
             their own), where it says so: 0 and "" if not; the price is a plain decimal number in the account's money
    """

    provider_message_id: str
    msisdn: str
    state: DeliveryState
    reason: Reason = Reason.NONE
    code: str = ""
    occurred_at: str = ""
    sender: str = ""
    job_id: str = ""
    client_reference: str = ""
    billed_parts: int = 0
    price: str = ""

    @property
    def token(self) -> int:
        """The message that the reference names; 0 if it is none of ours."""
        reference = self.client_reference
        is_ours = reference.isascii() and reference.isdecimal() and len(reference) <= TOKEN_DIGITS
        return int(reference) if is_ours else 0


class InboundMessage(NamedTuple):
    """A message from a handset (MO). A long one comes in pieces: ``reference``, ``part`` of ``parts``.

    piece   the octets of a piece, where the provider gives them: a character may be cut between two pieces, so
            only the octets of all of them read right
    """

    msisdn: str
    recipient: str
    text: str
    reference: int = 0
    part: int = 1
    parts: int = 1
    provider_message_id: str = ""
    occurred_at: str = ""
    piece: DecodedPart | None = None


class UnreadableEvent(NamedTuple):
    """A stored raw event that the adapter cannot read: kept and shown, moves nothing."""

    why: str


GatewayEvent = DeliveryEvent | InboundMessage | UnreadableEvent


class PullJob(NamedTuple):
    """Something to ask a provider about. ``tries``: how often it was asked; ``message_count`` 0: not known."""

    pk: int
    job: str
    message_count: int
    tries: int


class JobsWanted(NamedTuple):
    """What a link would ask about now.

    most_messages  that the jobs may have together, if there is more than one
    first_seconds  after which a new job is due
    searches       also jobs whose messages are not counted; where the first one is a search, all are
    skips_settled  forget jobs that are a message whose end is known: its receipt came by itself
    """

    most_messages: int
    most_jobs: int
    first_seconds: float
    searches: bool = True
    skips_settled: bool = False


class PullProgress(NamedTuple):
    """How far a provider has been asked; committed in the transaction that stores what it said (R1).

    cursors    stream → cursor
    closed     jobs (pk) with nothing left to ask
    later      jobs (pk) to be asked again, and after how many seconds
    found      jobs that this answer named, and their messages: to be asked about from now on
    """

    cursors: tuple[tuple[str, str], ...] = ()
    closed: tuple[int, ...] = ()
    later: tuple[tuple[int, float], ...] = ()
    found: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an adapter can do; the engine asks this, never the provider's name.

    batch_size           most messages of one submit call (1: one request a message)
    mixed_texts          n:n: one call may carry a different text for each number
    own_ids              the provider takes our id and can be asked for it (clears unknown)
    id_per_message       False: one id for the whole job; receipts match by (job, number)
    receipts             "push", "pull", "both" or "none"
    receipts_per_part    each part of a long message has a receipt of its own, also where no answer told its id
    receipts_by          how they are pulled: "job" (by what answers named) or "cursor" (everything that is new)
    jobs_per_query       how many jobs one query may name
    receipt_queries_per_minute / receipt_rows_per_query   the provider's limits when pulling; 0 = none known
    tells_charges        receipts say how many parts are billed, or at what price
    finds_unknown        it can be asked what it took at a certain time (clears unknown)
    requests_per_second  the provider's limit on calls; 0 = none known
    inbound_pull_seconds how often to ask for messages from handsets; 0 = they are not pulled
    national_tables      Turkish shift tables survive the route
    prefixes             heads of the numbers that it carries (``+90``), none for all; see ``Gateway.list_prefixes``
    widens_turkish       any Turkish letter makes a text a Turkish one for the provider, ö and others of GSM-7 too
    unicode              characters beyond GSM-7 and Turkish arrive; see ``Gateway.carries_unicode``
    suffix_reserve       units the operator appends to every text (Turkey: 5), where the provider bills them
    """

    batch_size: int = 1
    mixed_texts: bool = True
    own_ids: bool = False
    id_per_message: bool = True
    receipts: str = "push"
    receipts_per_part: bool = False
    receipts_by: str = "cursor"
    jobs_per_query: int = 1
    receipt_queries_per_minute: int = 0
    receipt_rows_per_query: int = 0
    tells_charges: bool = False
    finds_unknown: bool = False
    requests_per_second: float = 0.0
    balance: bool = False
    inbound: bool = False
    inbound_pull_seconds: float = 0.0
    national_tables: bool = False
    prefixes: tuple[str, ...] = ()
    widens_turkish: bool = False
    unicode: bool = True
    suffix_reserve: int = 0


@dataclass(frozen=True, slots=True)
class CheckResult:
    """Answer of a connection test.

    code       the provider's own code or the name of the error, as text
    diagnosis  what the provider said in its own words, where it did; never a secret
    finding    what is wrong; `gateways.wording.diagnosis` has the words and the remedy for people
    """

    ok: bool
    code: str = ""
    diagnosis: str = ""
    finding: Finding = Finding.UNNAMED
