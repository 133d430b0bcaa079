import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consent.decision import decide
from consent.period import Period
from consent.policy import load_policy
from consent.rules import RULES
from tests.consent.sample import NOW, STRICT, consent, directives, provisions, request, requests, rule

DENY = load_policy("deny")
SILENT = load_policy("treat-when-silent")
PERMIT = consent(rule("permit"))
DISSENT = consent(rule("deny"))
many = st.lists(directives, max_size=4).map(tuple)
policies = st.sampled_from([STRICT, DENY, SILENT])


@pytest.mark.parametrize("act", ["collect", "use", "disclose"])
@pytest.mark.parametrize(
    ("policy", "given_consents", "permitted"),
    [
        (DENY, (), False),
        (DENY, (PERMIT,), True),
        (DENY, (DISSENT,), False),
        (SILENT, (), True),
        (SILENT, (PERMIT,), True),
        (SILENT, (DISSENT,), False),
        (SILENT, (PERMIT, replace(DISSENT, id="2", controller="Organization/1")), False),
    ],
)
def test_deny_overrides_and_silence_follows_the_policy(act, policy, given_consents, permitted):
    assert decide(request(act=act), given_consents, policy).permitted is permitted


@pytest.mark.parametrize("policy", [DENY, SILENT])
@pytest.mark.parametrize("consents", [(), (PERMIT,), (DISSENT,), (consent(rule(None, unknown=True)),)])
def test_a_consent_lookup_does_not_depend_on_what_the_consents_say(policy, consents):
    lookup = request(act="consent-lookup", classes=frozenset({"Patient", "Consent"}))
    assert decide(lookup, consents, policy).permitted


@pytest.mark.parametrize("classes", [(), ("Observation",), ("Patient", "Observation")])
def test_a_consent_lookup_reads_patient_and_consent_only(classes):
    assert not decide(request(act="consent-lookup", classes=frozenset(classes)), (), SILENT).permitted


@pytest.mark.parametrize("act", ["consent-lookup", "collect", "use", "disclose"])
def test_a_restriction_stops_every_act(act):
    asked = request(act=act, classes=frozenset({"Patient"}), restricted=True)
    assert decide(asked, (PERMIT,), SILENT).reason == "gdpr: processing is restricted (Art. 18)"
    assert not decide(asked, (PERMIT,), SILENT).permitted
    assert decide(replace(asked, restricted=False), (PERMIT,), SILENT).permitted


def test_silence_never_covers_data_that_needs_consent():
    assert not decide(request(act="use", labels=frozenset({"42CFRPart2"})), (), SILENT).permitted
    assert decide(request(act="use", labels=frozenset({"42CFRPart2"})), (PERMIT,), SILENT).permitted


def test_silence_for_one_purpose_is_not_silence_for_another():
    assert not decide(request(purpose="HRESCH"), (), SILENT).permitted


def test_a_consent_the_tenant_does_not_list_neither_permits_nor_denies():
    proxy = consent(rule("permit"), categories=frozenset({"proxy"}))
    assert not decide(request(), (proxy,), DENY).permitted
    assert decide(request(), (replace(proxy, root=rule("deny")),), SILENT).permitted
    assert not decide(request(), (replace(PERMIT, scope="adr"),), DENY).permitted


def test_every_ruling_is_shown_and_names_its_consent():
    decision = decide(request(), (PERMIT,), DENY)
    assert {ruling.rule for ruling in decision.rulings} == {"gdpr", "hipaa", "smart", "patient"}
    assert [r.directive for r in decision.rulings if r.verdict == "permit"] == ["Consent/1/_history/1"]
    assert decision.reason == "patient: a Consent permits it"
    assert decide(request(), (), DENY).reason == "no rule permits it"


@given(requests, many)
def test_silence_denies_under_the_default_policy(asked, some):
    if not any(each.status == "active" for each in some) and asked.act != "consent-lookup":
        assert not decide(asked, some, DENY).permitted


@given(requests, many, provisions(st.just("deny")), policies)
def test_adding_a_deny_never_widens(asked, some, denial, policy):
    another = consent(denial, id="new", policies=frozenset(), controller="Organization/new")
    if decide(asked, (*some, another), policy).permitted:
        assert decide(asked, some, policy).permitted


@given(requests, many, policies, st.randoms(use_true_random=False))
def test_the_order_of_consents_changes_nothing(asked, some, policy, rng: random.Random):
    shuffled = tuple(rng.sample(some, len(some)))
    before, after = decide(asked, some, policy), decide(asked, shuffled, policy)
    assert before == after


@given(requests, provisions(st.sampled_from(["permit", "deny"])), policies)
def test_the_order_of_provisions_changes_nothing(asked, root, policy):
    turned = replace(root, provisions=root.provisions[::-1])
    assert (
        decide(asked, (consent(root),), policy).permitted
        == decide(asked, (consent(turned),), policy).permitted
    )


@given(
    requests,
    directives,
    st.sampled_from(["inactive", "rejected", "draft", "proposed", "entered-in-error", ""]),
)
def test_a_consent_that_is_not_active_is_as_if_absent(asked, directive, status):
    gone = replace(directive, status=status)
    assert decide(asked, (gone,), SILENT).permitted == decide(asked, (), SILENT).permitted


@given(requests, many, policies)
def test_without_a_granted_scope_nothing_reaches_another_system(asked, some, policy):
    assert not decide(replace(asked, scopes=frozenset()), some, policy).permitted or asked.act == "use"


anything = st.none() | st.booleans() | st.integers() | st.text() | st.just(float("nan")) | st.just(NOW)
odd = st.lists(anything | st.lists(anything), max_size=3)


@given(
    st.dictionaries(
        st.sampled_from(["act", "purpose", "actors", "at", "classes", "labels", "scopes", "data_period"]),
        anything | odd,
    ),
    st.lists(directives | anything, max_size=2).map(tuple) | anything,
    policies | anything,
)
def test_odd_values_are_answered_and_never_raise(changes, some, policy):
    assert decide(request(**changes), some, policy).permitted in (True, False)


def odd_directives():
    fields = ["id", "version", "status", "scope", "categories", "policies", "date_time", "base", "root"]
    return st.builds(
        lambda directive, changes: replace(directive, **changes),
        directives,
        st.dictionaries(st.sampled_from(fields), anything | odd, min_size=1, max_size=2),
    )


@given(requests, odd_directives(), policies)
def test_malformed_consents_are_answered_and_never_raise(asked, directive, policy):
    assert decide(asked, (directive,), policy).permitted in (True, False)


def test_a_broken_rule_denies():
    assert decide(request(), None, SILENT).reason == "patient: rule failed"
    naive = NOW.replace(tzinfo=None)
    dated = consent(rule("permit", period=Period(NOW)))
    assert not decide(request(at=naive), (dated,), DENY).permitted


def test_a_rule_that_answers_nonsense_denies():
    rules = {**RULES, "odd": lambda *_: ("yes",)}
    assert decide(request(), (PERMIT,), SILENT, rules).reason == "odd: rule failed"
    assert not decide(request(), (PERMIT,), SILENT, rules).permitted
