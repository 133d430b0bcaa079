import pytest
from hypothesis import given

from consent.decision import decide
from consent.policy import load_policy
from consent.purposes import PURPOSES, broader
from consent.rules import RULES
from tests.consent.sample import STRICT, consent, request, requests, rule

PERMIT = (consent(rule("permit")),)


@pytest.mark.parametrize("name", RULES)
@given(asked=requests)
def test_every_rule_answers_under_its_own_name_with_known_verdicts(name, asked):
    rulings = RULES[name](asked, PERMIT, STRICT)
    assert rulings
    assert all(each.rule == name and each.reason for each in rulings)
    assert {each.verdict for each in rulings} <= {"permit", "deny", "silent"}


@pytest.mark.parametrize("name", sorted(set(RULES) - {"patient"}))
@given(asked=requests)
def test_only_the_patient_and_the_policy_permit(name, asked):
    assert all(each.verdict != "permit" for each in RULES[name](asked, PERMIT, STRICT))


@pytest.mark.parametrize(
    ("labels", "enforces", "permitted"),
    [
        ((), False, True),
        (("N",), False, True),
        (("R",), False, False),
        (("PSY",), False, False),
        (("PSY",), True, True),
    ],
)
def test_a_labelled_prediction_goes_only_to_a_recipient_that_enforces_labels(labels, enforces, permitted):
    asked = request(act="disclose", labels=frozenset(labels), recipient_enforces_labels=enforces)
    assert decide(asked, PERMIT, STRICT).permitted is permitted


@pytest.mark.parametrize("purpose", ["HLEGAL", "HMARKT", "", "treat"])
def test_a_purpose_without_registered_basis_is_denied_even_with_consent(purpose):
    asked = request(purpose=purpose)
    assert any(each.verdict == "deny" for each in RULES["gdpr"](asked, PERMIT, STRICT))
    assert not decide(asked, PERMIT, STRICT).permitted


def test_a_purpose_the_tenant_does_not_allow_is_denied_even_with_consent():
    assert not decide(request(purpose="HOPERAT"), PERMIT, STRICT).permitted


def test_breaking_the_glass_is_emergency_treatment_is_treatment():
    assert list(broader("BTG")) == ["BTG", "ETREAT", "TREAT", "PurposeOfUse"]


@pytest.mark.parametrize("purpose", PURPOSES.values(), ids=lambda each: each.code)
def test_every_registered_purpose_has_a_basis_and_leads_to_the_top(purpose):
    assert purpose.basis
    assert list(broader(purpose.code))[-1] == "PurposeOfUse"


@pytest.mark.parametrize("name", ["deny", "treat-when-silent"])
def test_named_policies_allow_only_registered_purposes(name):
    policy = load_policy(name)
    assert policy.purposes <= PURPOSES.keys()
    assert policy.lookups <= policy.purposes
    assert {purpose for _, purpose in policy.silence} <= policy.purposes
