from dataclasses import replace
from datetime import UTC, datetime

import pytest

from consent.evaluation import evaluate
from consent.period import Period
from tests.consent.sample import GATEWAY, NOW, consent, request, rule


def only(*some: str) -> frozenset[str]:
    return frozenset(some)


PAST = Period(end=datetime(2026, 1, 1, tzinfo=UTC))
YEAR_2022 = Period(datetime(2022, 1, 1, tzinfo=UTC), datetime(2022, 12, 31, 23, 59, 59, tzinfo=UTC))
MAY_2022 = Period(datetime(2022, 5, 1, tzinfo=UTC), datetime(2022, 5, 2, tzinfo=UTC))
TURN_2022 = Period(datetime(2021, 12, 1, tzinfo=UTC), datetime(2022, 2, 1, tzinfo=UTC))


def chain(depth: int, verdict: str = "permit"):
    provision = rule(verdict)
    for _ in range(depth):
        provision = rule(verdict, provision)
    return provision


@pytest.mark.parametrize(
    ("root", "changes", "finding"),
    [
        # base
        (rule("permit"), {}, "permit"),
        (rule("deny"), {}, "deny"),
        (rule(None), {}, "indeterminate"),
        # period
        (rule("permit", period=PAST), {}, "silent"),
        (rule("deny", period=PAST), {}, "silent"),
        (rule("permit", period=Period(NOW, NOW)), {}, "permit"),
        (rule(None, period=PAST, unknown=True), {}, "silent"),
        # actor
        (rule("permit", actors=only(GATEWAY, "Practitioner/1")), {}, "permit"),
        (rule("permit", actors=only("Practitioner/1")), {}, "silent"),
        (rule("deny", actors=only("Practitioner/1")), {}, "silent"),
        (rule("permit", actors=only("Practitioner/1")), {"actors": only()}, "silent"),
        (rule("deny", actors=only("Practitioner/1")), {"actors": only()}, "deny"),
        # action
        (rule("permit", actions=only("collect")), {}, "permit"),
        (rule("permit", actions=only("use")), {}, "silent"),
        (rule("permit", actions=only("access")), {}, "silent"),
        (rule("deny", actions=only("access")), {}, "deny"),
        # purpose
        (rule("permit", purposes=only("TREAT")), {}, "permit"),
        (rule("permit", purposes=only("TREAT")), {"purpose": "BTG"}, "permit"),
        (rule("permit", purposes=only("BTG")), {}, "silent"),
        (rule("deny", purposes=only("PurposeOfUse")), {}, "deny"),
        (rule("permit", purposes=only("HRESCH")), {}, "silent"),
        # class
        (rule("permit", classes=only("Observation")), {}, "permit"),
        (rule("permit", classes=only("Observation")), {"classes": only("Observation", "Condition")}, "deny"),
        (rule("permit", classes=only("Observation")), {"classes": only()}, "deny"),
        (rule("deny", classes=only("Observation")), {"classes": only("Observation", "Condition")}, "deny"),
        (rule("deny", classes=only("Observation")), {"classes": only()}, "deny"),
        (rule("deny", classes=only("Condition")), {}, "silent"),
        # code and instance
        (rule("permit", rule("deny", codes=only("s|1"))), {"codes": only("s|2")}, "permit"),
        (rule("permit", rule("deny", codes=only("s|1"))), {"codes": only("s|1", "s|2")}, "deny"),
        (rule("permit", rule("deny", codes=only("s|1"))), {}, "deny"),
        (rule("permit", data=only("Observation/1")), {"data": only("Observation/1")}, "permit"),
        (
            rule("permit", data=only("Observation/1")),
            {"data": only("Observation/1", "Observation/2")},
            "deny",
        ),
        (rule("permit", data=only("Observation/1")), {}, "deny"),
        # clinical period: a denial overlaps, a permission encloses
        (rule("permit", data_period=YEAR_2022), {"data_period": MAY_2022}, "permit"),
        (rule("permit", data_period=YEAR_2022), {"data_period": TURN_2022}, "deny"),
        (rule("permit", data_period=YEAR_2022), {}, "deny"),
        (rule("deny", data_period=YEAR_2022), {"data_period": TURN_2022}, "deny"),
        (rule("deny", data_period=YEAR_2022), {"data_period": PAST}, "deny"),
        (rule("deny", data_period=MAY_2022), {"data_period": Period(NOW, NOW)}, "silent"),
        (rule("deny", data_period=YEAR_2022), {}, "deny"),
        # nested provisions are read by their own type
        (rule("deny", rule("deny", actors=only(GATEWAY))), {}, "deny"),
        (rule("deny", rule("permit", actors=only(GATEWAY))), {}, "permit"),
        (rule("deny", rule("permit", actors=only("Practitioner/1"))), {}, "deny"),
        (rule("permit", rule("permit"), rule("deny")), {}, "deny"),
        (rule("permit", rule("deny", rule("permit", classes=only("Observation")))), {}, "permit"),
        (rule("permit", rule("deny", rule("permit"), rule("deny"))), {}, "deny"),
        (rule("permit", rule("deny", rule("permit", classes=only("Condition")))), {}, "deny"),
        (rule("permit", rule("deny", period=PAST)), {}, "permit"),
        (rule("permit", rule("deny"), actors=only("Practitioner/1")), {}, "silent"),
        (rule("deny", rule("permit", actors=only(GATEWAY)), purposes=only("HRESCH")), {}, "silent"),
        (rule("deny", rule("deny", actors=only(GATEWAY)), purposes=only("HRESCH")), {}, "deny"),
        # not understood
        (rule("permit", unknown=True), {}, "indeterminate"),
        (rule("permit", rule(None)), {}, "indeterminate"),
        (rule("permit", rule("maybe")), {}, "indeterminate"),
        (rule("permit", rule("permit", rule("permit", unknown=True))), {}, "indeterminate"),
        (rule("permit", rule("deny", period=Period(NOW, PAST.end))), {}, "indeterminate"),
        (rule("permit", period=Period(NOW, PAST.end)), {}, "indeterminate"),
        (rule("permit", data_period=Period(NOW, PAST.end)), {}, "indeterminate"),
        (chain(8), {}, "permit"),
        (chain(9), {}, "indeterminate"),
        (chain(500), {}, "indeterminate"),
    ],
)
def test_one_consent_answers_by_the_table(root, changes, finding):
    assert evaluate(consent(root), request(**changes)) == finding


@pytest.mark.parametrize(
    ("base", "root_type", "finding"),
    [
        ("permit", None, "permit"),
        ("deny", None, "deny"),
        ("permit", "deny", "deny"),
        ("deny", "permit", "permit"),
    ],
)
def test_the_policy_rule_is_the_base_where_the_root_names_none(base, root_type, finding):
    assert evaluate(consent(rule(root_type), base=base), request()) == finding


def test_a_consent_not_understood_as_a_whole_is_indeterminate():
    assert evaluate(replace(consent(rule("permit")), unknown=True), request()) == "indeterminate"
