"""Which connection carries a message: ordered rules, first match, in plain Python.

Rules are compiled once per audience; a decision is made per kind of number (its head and operator) and kept, so that a
million messages cost a few decisions. Where several connections share a kind, the number itself says which one it goes
to: the same number under the same rule always takes the same way.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from enum import StrEnum
from functools import cached_property, partial
from itertools import accumulate
from typing import Any, Final, NamedTuple
from zlib import crc32

from smscore import operator_of, prepare_text
from smscore.billing_profile import STANDARD, BillingProfile, estimate_parts
from smscore.encoding import Encoding, needs_unicode

NATIONAL: Final = frozenset({Encoding.GSM7_TR_SINGLE, Encoding.GSM7_TR_LOCKING})
OPERATOR_DIGITS: Final = 6
"""`operator_of` looks no further than +90 and a block of three."""
FULL: Final = 100


class Purpose(StrEnum):
    """What a message is for, as rules see it."""

    COMMERCIAL = "commercial"
    INFORMATIONAL = "informational"
    OTP = "otp"


class Why(StrEnum):
    """What a decision says about a connection of the rule."""

    CHOSEN = "chosen"
    SHARED = "shared"  # takes other numbers of the same kind
    DEARER = "dearer"
    LATER = "later"  # of a later tier: a fallback
    RESTING = "resting"  # its circuit is open
    RETURNING = "returning"  # coming back slowly: takes a part of its numbers
    INACTIVE = "inactive"
    SENDER = "sender"  # the sender ID is not approved there
    NUMBER = "number"  # carries no numbers of this kind
    ENCODING = "encoding"  # cannot carry the text, or not as it was rendered
    LENGTH = "length"  # its provider takes no text of so many parts
    TRIED = "tried"  # refused these messages before


class Target(NamedTuple):
    """A connection of a rule. Lower tiers first; `cost` is per part, in the platform's money.

    obstacle  why it cannot be used at all: "" if it can
    share     percent of its traffic that its health lets through: 0 rests, 100 is well
    unicode   characters beyond GSM-7 and Turkish arrive
    prefixes  heads of the numbers that it carries; none: it carries all
    """

    account_id: int
    name: str
    tier: int = 1
    weight: int = 1
    cost: Decimal = Decimal(0)
    national_tables: bool = True
    reference_bits: int = 8
    profile: BillingProfile = STANDARD
    obstacle: str = ""
    share: int = FULL
    unicode: bool = True
    prefixes: tuple[str, ...] = ()

    def reaches(self, msisdn: str) -> bool:
        return not self.prefixes or msisdn.startswith(self.prefixes)

    def can_carry(self, encoding: str, reference_bits: int) -> bool:
        """A text counted with longer part headers fits shorter ones; not the other way round. What was rendered as
        UCS-2 may hold any character."""
        fits = self.national_tables if encoding in NATIONAL else self.unicode or encoding != Encoding.UCS2
        return fits and self.reference_bits <= reference_bits


class Rule(NamedTuple):
    """Empty conditions match everything. `by_share`: split by weight instead of taking the cheapest."""

    rule_id: int
    name: str
    is_own: bool
    position: int
    purpose: str
    operator: str
    prefix: str
    sender: str
    by_share: bool
    targets: tuple[Target, ...]

    @property
    def rank(self) -> tuple[bool, int, int, bool, bool, bool, int]:
        """Order of rules: the tenant's own first, then by position; among equals the more particular first."""
        particular = (not self.sender, not self.operator, not self.purpose)
        return not self.is_own, self.position, -len(self.prefix), *particular, self.rule_id

    @property
    def order(self) -> list[Target]:
        """Who comes after whom when one cannot."""
        return sorted(self.targets, key=lambda target: (target.tier, target.cost, target.account_id))

    def for_number(self, msisdn: str) -> Rule:
        """The rule for this number, or for all with this head: what does not carry it cannot be used."""
        return self._close({target.account_id for target in self.targets if not target.reaches(msisdn)})

    def for_batch(self, said: Iterable[Sequence[Any]]) -> Rule:
        """The rule for messages of whose connections this was `said` (a step's candidates): it stays true of their
        numbers. Who joined the rule since must carry all that the rule is for."""
        known = {account_id: why for account_id, _, why in said}
        unsaid = {t.account_id for t in self.targets if t.account_id not in known and not t.reaches(self.prefix)}
        return self._close(unsaid | {account_id for account_id, why in known.items() if why == Why.NUMBER})

    def _close(self, account_ids: set[int]) -> Rule:
        if not account_ids:
            return self
        return self._replace(
            targets=tuple(t._replace(obstacle=Why.NUMBER) if t.account_id in account_ids else t for t in self.targets)
        )


class Step(NamedTuple):
    """The record of a decision, shared by all messages for which it is the same.

    candidates  (connection, its name, Why), in the order in which they would be tried
    passed      names of rules that fitted as well but had no usable connection
    """

    account_id: int
    rule_id: int = 0
    rule_name: str = ""
    reference_bits: int = 8
    candidates: tuple[tuple[int, str, str], ...] = ()
    passed: tuple[str, ...] = ()


NO_STEP: Final = Step(0)


class Choice(NamedTuple):
    """Where a message goes, and how its text is counted there."""

    account_id: int
    national_tables: bool
    reference_bits: int
    profile: BillingProfile
    cost: Decimal
    step: Step
    unicode: bool = True

    def object_to(self, text: str) -> Why | None:
        """Why the text cannot go there: its characters do not arrive, or it has more parts than the provider takes."""
        if not self.unicode and needs_unicode(text):
            return Why.ENCODING
        most = self.profile.most_parts
        return Why.LENGTH if most < STANDARD.most_parts and self.prepare(text)[2] > most else None

    def prepare(self, text: str) -> tuple[str, Encoding, int]:
        """(normalised text, encoding, parts as they are billed)"""
        return self.preparer(text)

    @property
    def preparer(self) -> partial[tuple[str, Encoding, int]]:
        """`prepare` for a hot loop."""
        profile = replace(self.counting, most_parts=STANDARD.most_parts)
        if profile in (STANDARD, BillingProfile(national=False)):
            return partial(prepare_text, national=profile.national, reference_bits=self.reference_bits)
        return partial(_prepare_as_billed, profile, self.reference_bits)

    @property
    def counting(self) -> BillingProfile:
        """How parts are counted on this way: without Turkish tables where the rule or the provider has none."""
        return replace(self.profile, national=self.national_tables and self.profile.national)


def _prepare_as_billed(profile: BillingProfile, reference_bits: int, text: str) -> tuple[str, Encoding, int]:
    text, encoding, parts = prepare_text(text, national=profile.national, reference_bits=reference_bits)
    return text, encoding, estimate_parts(text, profile).parts if parts else 0


class Decision:
    """Connections for one kind of number: one, or several by share."""

    def __init__(self, choices: Sequence[tuple[int, Choice]]) -> None:
        self.choices = [choice for _, choice in choices]
        self.weights = [weight for weight, _ in choices]
        self._bounds = list(accumulate(self.weights))

    @property
    def is_shared(self) -> bool:
        return len(self.choices) > 1

    def choose_index(self, msisdn: str) -> int:
        if len(self.choices) == 1:
            return 0
        return bisect_right(self._bounds, crc32(msisdn.encode()) % self._bounds[-1])

    def choose(self, msisdn: str) -> Choice:
        return self.choices[self.choose_index(msisdn)]


class RouteBook:
    """The rules for one purpose and sender, asked a million times."""

    def __init__(self, rules: Iterable[Rule], *, purpose: str = "", sender: str = "") -> None:
        self._purpose, self._sender = purpose, sender
        self.rules = sorted(
            (r for r in rules if r.purpose in ("", purpose) and r.sender in ("", sender)), key=lambda rule: rule.rank
        )
        self._by_kind: dict[tuple[str, str], Decision | None] = {}
        self._without: dict[int, RouteBook] = {}

    def __bool__(self) -> bool:
        return bool(self.rules)

    @cached_property
    def head(self) -> int:
        """So many characters of a number say its kind."""
        carried = (prefix for rule in self.rules for target in rule.targets for prefix in target.prefixes)
        return max([OPERATOR_DIGITS, *(len(rule.prefix) for rule in self.rules), *map(len, carried)])

    @cached_property
    def heeds_operator(self) -> bool:
        return any(rule.operator for rule in self.rules)

    @cached_property
    def for_unicode(self) -> RouteBook:
        """The same rules for texts with characters beyond GSM-7 and Turkish: only over what carries them."""
        return self._close(Why.ENCODING, lambda target: not target.unicode)

    def without(self, account_id: int) -> RouteBook:
        """The same rules for texts of more parts than this connection takes."""
        if account_id not in self._without:
            self._without[account_id] = self._close(Why.LENGTH, lambda target: target.account_id == account_id)
        return self._without[account_id]

    def _close(self, why: Why, is_closed: Callable[[Target], bool]) -> RouteBook:
        def close(target: Target) -> Target:
            return target._replace(obstacle=why) if is_closed(target) and not target.obstacle else target

        rules = [rule._replace(targets=tuple(map(close, rule.targets))) for rule in self.rules]
        return RouteBook(rules, purpose=self._purpose, sender=self._sender)

    def decide(self, msisdn: str, operator: str = "") -> Decision | None:
        """For all numbers with the same head and operator; None if no rule has a connection for them.

        `operator` is where the number is known to be now; by default what its prefix hints at.
        """
        kind = msisdn[: self.head], operator
        try:
            return self._by_kind[kind]
        except KeyError:
            found = self._by_kind[kind] = self._decide(msisdn, operator or operator_of(msisdn).value)
            return found

    def find(self, msisdn: str, operator: str = "") -> Choice | None:
        decision = self.decide(msisdn, operator)
        return decision.choose(msisdn) if decision else None

    def find_for(self, text: str, msisdn: str, operator: str = "") -> Choice | None:
        """`find` for a message: another connection where the first one cannot carry it."""
        return self._look_for(text, msisdn, operator)[0]

    def find_obstacle(self, text: str, msisdn: str) -> Why | None:
        """Why `find_for` finds nothing for a number that has a connection; None if the number has none."""
        return self._look_for(text, msisdn, "")[1]

    def _look_for(self, text: str, msisdn: str, operator: str) -> tuple[Choice | None, Why | None]:
        book, choice, why = self, self.find(msisdn, operator), None
        while choice is not None and (objection := choice.object_to(text)):
            why = objection
            book = book.for_unicode if why is Why.ENCODING else book.without(choice.account_id)
            choice = book.find(msisdn, operator)
        return choice, why

    def _decide(self, msisdn: str, operator: str) -> Decision | None:
        passed: list[str] = []
        for rule in self.rules:
            if msisdn.startswith(rule.prefix) and rule.operator in ("", operator):
                fitting = rule.for_number(msisdn)
                usable = [target for target in fitting.order if not target.obstacle]
                if usable:
                    return _split(fitting, usable, tuple(passed))
                passed.append(rule.name)
        return None


def _split(rule: Rule, usable: list[Target], passed: tuple[str, ...]) -> Decision:
    """Weights of the usable connections. All of them resting: the first ones in order, and the messages wait."""
    awake = [target for target in usable if target.share] or [t._replace(share=FULL) for t in usable]
    pool = _list_equals(rule, awake)
    weights = {t.account_id: t.weight * t.share if len(pool) > 1 else t.share for t in pool}
    healthy = [t for t in awake if t.share == FULL and t.account_id not in weights]
    missing = sum((t.weight if len(pool) > 1 else 1) * (FULL - t.share) for t in pool)
    if missing and not any(t.share == FULL for t in pool):
        if healthy:  # what a returning connection does not take yet goes to the next one
            weights[healthy[0].account_id] = missing
        else:
            weights = {t.account_id: t.weight or 1 for t in pool}
    members = [t for t in awake if t.account_id in weights]
    return Decision(
        [(weights[t.account_id], _make_choice(rule, t, {m.account_id for m in members}, passed)) for t in members]
    )


def _list_equals(rule: Rule, awake: list[Target]) -> list[Target]:
    first = [target for target in awake if target.tier == awake[0].tier]
    sharing = [target for target in first if target.weight] if rule.by_share else []
    return sharing or first[:1]


def _make_choice(rule: Rule, chosen: Target, sharing: set[int], passed: tuple[str, ...]) -> Choice:
    candidates = tuple((t.account_id, t.name, str(_explain(t, chosen, sharing))) for t in rule.order)
    step = Step(chosen.account_id, rule.rule_id, rule.name, chosen.reference_bits, candidates, passed)
    return Choice(
        account_id=chosen.account_id,
        national_tables=chosen.national_tables,
        reference_bits=chosen.reference_bits,
        profile=chosen.profile,
        cost=chosen.cost,
        step=step,
        unicode=chosen.unicode,
    )


def _explain(target: Target, chosen: Target, sharing: set[int]) -> str:
    if target.account_id == chosen.account_id:
        return Why.CHOSEN
    if target.obstacle:
        return target.obstacle
    if target.share == 0:
        return Why.RESTING
    if target.account_id in sharing:
        return Why.RETURNING if target.share < FULL else Why.SHARED
    return Why.LATER if target.tier > chosen.tier else Why.DEARER if target.cost > chosen.cost else Why.LATER


class Fallback(NamedTuple):
    """The next connection for messages that must leave theirs (None: there is none now), and what was said of all."""

    target: Target | None
    candidates: tuple[tuple[int, str, str], ...]
    tried: tuple[int, ...] = ()


def choose_fallback(
    rule: Rule,
    *,
    account_id: int,
    encoding: str,
    reference_bits: int,
    tried: Iterable[int] = (),
    said: Iterable[Sequence[Any]] = (),
) -> Fallback:
    """The first well connection of the rule that can carry messages as they were rendered; a returning one only if
    none is well. `tried`: those that refused these very messages; `said`: candidates of their step. What was on its
    way over a connection without characters beyond Turkish holds none of them."""
    tried = set(tried)
    rule = rule.for_batch(said)
    if any(target.account_id == account_id and not target.unicode for target in rule.targets):
        rule = rule._replace(targets=tuple(target._replace(unicode=True) for target in rule.targets))
    answers: list[tuple[int, str, str]] = []
    fitting: list[Target] = []
    for target in rule.order:
        why = _object(target, account_id, tried, encoding, reference_bits)
        answers.append((target.account_id, target.name, why or Why.LATER))
        if not why:
            fitting.append(target)
    best = next((t for t in fitting if t.share == FULL), None) or next(iter(fitting), None)
    if best is not None:
        answers = [(pk, name, str(Why.CHOSEN if pk == best.account_id else why)) for pk, name, why in answers]
    return Fallback(best, tuple(answers), tuple(sorted(tried)))


def _object(target: Target, account_id: int, tried: set[int], encoding: str, reference_bits: int) -> str:
    if target.obstacle:
        return target.obstacle
    if target.account_id in tried:
        return Why.TRIED
    if target.account_id == account_id or target.share == 0:
        return Why.RESTING
    return "" if target.can_carry(encoding, reference_bits) else Why.ENCODING
