"""Rules as tables: which connection, in which order, and why."""

from collections import Counter
from decimal import Decimal

import pytest

from gateways.routing.rules import Purpose, RouteBook, Rule, Target, Why, choose_fallback
from smscore.billing_profile import BillingProfile

TURKCELL, VODAFONE, GERMAN = "+905321234567", "+905421234567", "+4915112345678"
NUMBERS = [f"+90532{n:07d}" for n in range(4000)]


def rule(pk, *targets, **changes):
    values = {
        "rule_id": pk,
        "name": f"rule {pk}",
        "is_own": False,
        "position": 100,
        "purpose": "",
        "operator": "",
        "prefix": "+",
        "sender": "",
        "by_share": False,
        "targets": tuple(targets) or (Target(pk, f"connection {pk}"),),
    }
    return Rule(**{**values, **changes})


def way(rules, msisdn=TURKCELL, operator="", **conditions):
    choice = RouteBook(rules, **conditions).find(msisdn, operator)
    return choice and choice.account_id


def counts(rules):
    book = RouteBook(rules)
    return Counter(book.find(number).account_id for number in NUMBERS)


@pytest.mark.parametrize(
    ("rules", "conditions", "expected"),
    [
        ([rule(1), rule(2, position=50)], {}, 2),
        ([rule(1), rule(2, is_own=True, position=900)], {}, 2),
        ([rule(1), rule(2, prefix="+90"), rule(3, prefix="+49")], {}, 2),
        ([rule(1), rule(2, operator="turkcell"), rule(3, operator="vodafone")], {}, 2),
        ([rule(1), rule(2, operator="vodafone")], {"operator": "vodafone"}, 2),  # ported: known better than the prefix
        ([rule(1), rule(2, purpose="otp")], {"purpose": Purpose.OTP}, 2),
        ([rule(1), rule(2, purpose="otp")], {"purpose": Purpose.COMMERCIAL}, 1),
        ([rule(1), rule(2, sender="MARKA")], {"sender": "MARKA"}, 2),
        ([rule(1), rule(2, sender="MARKA")], {"sender": "marka"}, 1),
        ([rule(1, prefix="+49")], {}, None),
        ([rule(1), rule(2, Target(2, "off", obstacle=Why.INACTIVE), position=1)], {}, 1),
        ([], {}, None),
    ],
    ids=[
        "lower position",
        "own before platform",
        "longer prefix",
        "operator by prefix",
        "operator as told",
        "purpose",
        "other purpose",
        "sender",
        "sender is exact",
        "no rule fits",
        "a rule without a usable connection is passed",
        "no rules",
    ],
)
def test_first_match(rules, conditions, expected):
    assert way(rules, **conditions) == expected


def test_a_passed_rule_is_named():
    off = rule(2, Target(2, "off", obstacle=Why.INACTIVE), position=1)
    assert RouteBook([rule(1), off]).find(TURKCELL).step.passed == ("rule 2",)


def test_least_cost_among_equals_and_tiers_before_cost():
    dear, cheap = Target(1, "dear", cost=Decimal("0.05")), Target(2, "cheap", cost=Decimal("0.03"))
    later = Target(3, "later", tier=2, cost=Decimal("0.01"))
    choice = RouteBook([rule(9, dear, later, cheap)]).find(TURKCELL)
    assert choice.account_id == 2
    assert [(pk, why) for pk, _, why in choice.step.candidates] == [(2, "chosen"), (1, "dearer"), (3, "later")]


def test_shares_are_kept_and_a_number_keeps_its_way():
    rules = [rule(9, Target(1, "a", weight=3), Target(2, "b", weight=1), Target(3, "c", tier=2), by_share=True)]
    found = counts(rules)
    assert found[1] == pytest.approx(3000, abs=120)
    assert found[3] == 0
    first, again = RouteBook(rules), RouteBook(rules)
    assert [first.find(n).account_id for n in NUMBERS[:200]] == [again.find(n).account_id for n in NUMBERS[:200]]


def test_who_rests_gets_nothing_who_returns_gets_its_part():
    resting = rule(9, Target(1, "a", share=0), Target(2, "b", tier=2))
    assert counts([resting]) == {2: 4000}
    returning = counts([rule(9, Target(1, "a", share=10), Target(2, "b", tier=2))])
    assert returning[1] == pytest.approx(400, abs=80)


def test_all_resting_messages_wait_at_the_first():
    assert way([rule(9, Target(1, "a", share=0), Target(2, "b", tier=2, share=0))]) == 1


def test_text_is_counted_as_the_connection_bills_it():
    turkish = "ğüş" * 50  # 150 letters: one part by the locking shift's ladder, two by the single shift
    standard = RouteBook([rule(1)]).find(TURKCELL)
    profile = BillingProfile(turkish_letter_cost=1)
    cheap = RouteBook([rule(1, Target(1, "a", profile=profile))]).find(TURKCELL)
    without = RouteBook([rule(1, Target(1, "a", national_tables=False))]).find(TURKCELL)
    assert [choice.prepare(turkish)[2] for choice in (standard, cheap)] == [2, 1]
    assert without.prepare("ğ" * 71)[1:] == ("ucs2", 2)
    suffixed = RouteBook([rule(1, Target(1, "a", profile=BillingProfile(suffix_units=5)))]).find(TURKCELL)
    assert (suffixed.prepare("a" * 155)[2], suffixed.prepare("a" * 156)[2]) == (1, 2)


def test_foreign_numbers_know_no_turkish_operator():
    assert way([rule(1), rule(2, operator="turkcell")], GERMAN) == 1


class TestFallback:
    RULE = rule(
        9,
        Target(1, "home"),
        Target(2, "off", tier=2, obstacle=Why.INACTIVE),
        Target(3, "resting", tier=2, share=0),
        Target(4, "no tables", tier=3, national_tables=False),
        Target(5, "long headers", tier=4, reference_bits=16),
        Target(6, "returning", tier=5, share=5),
        Target(7, "last", tier=6),
    )

    def find(self, encoding="gsm7-tr-single", bits=8, tried=()):
        found = choose_fallback(self.RULE, account_id=1, encoding=encoding, reference_bits=bits, tried=tried)
        return found.target and found.target.account_id, {pk: why for pk, _, why in found.candidates}

    def test_only_what_can_carry_the_text_as_rendered(self):
        target, why = self.find()
        assert target == 7
        assert why == {
            1: "resting",
            2: "inactive",
            3: "resting",
            4: "encoding",
            5: "encoding",
            6: "later",
            7: "chosen",
        }

    def test_plain_texts_may_go_where_tables_are_missing(self):
        assert self.find(encoding="gsm7")[0] == 4

    def test_longer_headers_only_for_texts_counted_with_them(self):
        assert self.find(bits=16)[0] == 5

    def test_never_back_to_who_refused(self):
        assert self.find(tried=[7])[0] == 6
        assert self.find(tried=[6, 7])[0] is None

    def test_unicode_only_where_it_arrives(self):
        rule9 = rule(9, Target(1, "home"), Target(2, "no emoji", tier=2, unicode=False), Target(3, "all", tier=3))
        found = choose_fallback(rule9, account_id=1, encoding="ucs2", reference_bits=8)
        assert found.target.account_id == 3
        assert found.candidates[1] == (2, "no emoji", "encoding")

    def test_what_a_connection_without_unicode_carried_holds_none(self):
        """Turkish letters counted as UCS-2, for instance: they may go on over one of its kind."""
        rule9 = rule(9, Target(1, "home", unicode=False), Target(2, "no emoji", tier=2, unicode=False))
        assert choose_fallback(rule9, account_id=1, encoding="ucs2", reference_bits=8).target.account_id == 2


class TestNumbers:
    TURKISH_ONLY = Target(1, "Turkey only", prefixes=("+90",))

    def test_other_numbers_take_the_next_connection(self):
        book = RouteBook([rule(9, self.TURKISH_ONLY, Target(2, "all", tier=2))])
        assert book.find(TURKCELL).account_id == 1
        abroad = book.find(GERMAN)
        assert (abroad.account_id, abroad.step.candidates) == (2, ((1, "Turkey only", "number"), (2, "all", "chosen")))

    def test_or_the_next_rule_or_none(self):
        own = rule(1, self.TURKISH_ONLY, is_own=True)
        assert way([own, rule(2)], GERMAN) == 2
        assert way([own], GERMAN) is None

    def test_numbers_are_told_apart_as_far_as_the_prefixes_say(self):
        far = Target(1, "a block", prefixes=("+4915112345",))
        book = RouteBook([rule(9, far, Target(2, "all", tier=2))])
        assert [book.find(number).account_id for number in (GERMAN, "+4915112399999")] == [1, 2]

    def test_no_fallback_that_does_not_carry_the_number(self):
        """What was said of the numbers stays true; who joined since must carry all that the rule is for."""
        home, all_ = Target(3, "home", share=0), Target(2, "all", tier=3)
        nine = rule(9, home, self.TURKISH_ONLY._replace(tier=2), all_)
        steps = [RouteBook([nine._replace(targets=(home._replace(share=100), *nine.targets[1:]))]).find(n).step
                 for n in (TURKCELL, GERMAN)]  # fmt: skip
        asked = {"account_id": 3, "encoding": "gsm7", "reference_bits": 8}
        turkish, abroad = (choose_fallback(nine, **asked, said=step.candidates) for step in steps)
        assert (turkish.target.account_id, abroad.target.account_id) == (1, 2)
        again = choose_fallback(nine, **asked, tried=[2], said=abroad.candidates)
        assert again.target is None and (1, "Turkey only", "number") in again.candidates
        joined = choose_fallback(nine, **asked, said=[(3, "home", "chosen"), (2, "all", "later")])
        assert joined.target.account_id == 2
        at_home = choose_fallback(nine._replace(prefix="+90"), **asked, said=[(3, "home", "chosen")])
        assert at_home.target.account_id == 1


class TestUnicode:
    PLAIN, EMOJI = "Işıl'ın çağrısı", "Afiyet olsun 🍰"

    def find(self, text, *rules):
        choice = RouteBook(rules).find_for(text, TURKCELL)
        return choice and (choice.account_id, choice.step)

    def test_the_next_connection_of_the_rule_that_carries_it(self):
        nine = rule(9, Target(1, "no emoji", unicode=False), Target(2, "all", tier=2))
        assert self.find(self.PLAIN, nine)[0] == 1
        account, step = self.find(self.EMOJI, nine)
        assert account == 2
        assert step.candidates == ((1, "no emoji", "encoding"), (2, "all", "chosen"))

    def test_or_the_next_rule(self):
        first = rule(1, Target(1, "no emoji", unicode=False), position=1)
        account, step = self.find(self.EMOJI, first, rule(2))
        assert (account, step.passed) == (2, ("rule 1",))

    def test_or_none(self):
        assert self.find(self.EMOJI, rule(1, Target(1, "no emoji", unicode=False))) is None

    def test_turkish_letters_are_no_obstacle_without_tables(self):
        """Figensoft counts them as UCS-2, and carries them."""
        without = rule(1, Target(1, "a", national_tables=False, unicode=False))
        assert self.find(self.PLAIN, without)[0] == 1

    def test_conditions_hold_for_the_detour(self):
        rules = [rule(1, Target(1, "no emoji", unicode=False)), rule(2, purpose="otp")]
        assert RouteBook(rules, purpose="commercial").find_for(self.EMOJI, TURKCELL) is None
        assert RouteBook(rules, purpose="otp").find_for(self.EMOJI, TURKCELL).account_id == 2

    @pytest.mark.parametrize("condition", [{"purpose": "otp"}, {"sender": "MARKA"}])
    def test_the_detour_is_looked_for_in_rules_with_conditions_too(self, condition):
        plain = Target(1, "no emoji", unicode=False)
        book = RouteBook([rule(1, plain, Target(2, "all", tier=2), **condition)], **condition)
        assert book.find_for(self.EMOJI, TURKCELL).account_id == 2


class TestLength:
    SHORT = Target(1, "short", profile=BillingProfile(most_parts=3))

    def find(self, text, *rules):
        choice = RouteBook(rules).find_for(text, TURKCELL)
        return choice and (choice.account_id, choice.step)

    def test_the_next_connection_of_the_rule_that_takes_it(self):
        nine = rule(9, self.SHORT, Target(2, "all", tier=2))
        assert [self.find("a" * length, nine)[0] for length in (459, 460)] == [1, 2]
        assert self.find("a" * 460, nine)[1].candidates == ((1, "short", "length"), (2, "all", "chosen"))

    def test_parts_are_those_that_its_provider_counts(self):
        suffixed = Target(1, "short", profile=BillingProfile(most_parts=3, suffix_units=5))
        nine = rule(9, suffixed, Target(2, "all", tier=2))
        assert [self.find("a" * length, nine)[0] for length in (454, 455)] == [1, 2]

    def test_or_the_next_rule_or_none(self):
        first = rule(1, self.SHORT, position=1)
        account, step = self.find("a" * 460, first, rule(2))
        assert (account, step.passed) == (2, ("rule 1",))
        assert self.find("a" * 460, first) is None

    def test_characters_and_length_both_count(self):
        """The first takes the characters and not the length, the second the length and not the characters."""
        nine = rule(9, self.SHORT, Target(2, "no emoji", tier=2, unicode=False), Target(3, "all", tier=3))
        assert self.find("🍰" * 200, nine)[0] == 3

    @pytest.mark.parametrize(
        ("text", "target", "why"),
        [
            ("a" * 460, SHORT, Why.LENGTH),
            ("🍰", Target(1, "no emoji", unicode=False), Why.ENCODING),
            ("a", Target(1, "off", obstacle=Why.INACTIVE), None),
        ],
    )
    def test_why_there_is_none(self, text, target, why):
        assert RouteBook([rule(9, target)]).find_obstacle(text, TURKCELL) == why
