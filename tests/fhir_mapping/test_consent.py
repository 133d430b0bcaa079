import contextlib
import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping import consent
from fhir_mapping.errors import Unusable
from tests.fhir_mapping.published import example, examples

BASE = {
    "resourceType": "Consent",
    "id": "c",
    "status": "active",
    "scope": {"coding": [{"system": consent.SCOPE, "code": "patient-privacy"}]},
    "category": [{"coding": [{"system": "http://loinc.org", "code": "59284-0"}]}],
}
RESTRICTED = {"authoredby", "encounter", "purpose"}


def understood(directive):
    level, deeper = [directive.root], True
    while deeper:
        if any(each.unknown for each in level):
            return False
        deeper = level = [kid for each in level for kid in each.provisions]
    return not directive.unknown


@pytest.mark.parametrize(
    "path", examples("consent-pcf", "ex-*sent-*.json"), ids=lambda path: path.stem if path else "absent"
)
def test_ihe_consent_is_understood_or_marked(path):
    directive = consent.read(json.loads(path.read_bytes()))
    not_understood = {
        "ex-consent-intermediate-authoredby",
        "ex-consent-intermediate-not-authoredby",
        "ex-consent-intermediate-encounter",
        "ex-consent-intermediate-not-encounter",
        "ex-consent-intermediate-purpose",
    }
    assert understood(directive) == (path.stem not in not_understood)
    assert directive.root.type == ("deny" if "reject" in path.stem or "dissent" in path.stem else "permit")
    assert (directive.scope, directive.categories) == ("patient-privacy", {"59284-0"})


def test_exception_for_one_practitioner_keeps_its_type_actor_and_label():
    directive = consent.read(
        json.loads(example("consent-pcf", "ex-consent-advanced-normal-focused-psy.json"))
    )
    (exception,) = directive.root.provisions
    assert (exception.type, exception.labels, exception.actors) == (
        "permit",
        {"PSY"},
        {"Practitioner/ex-practitioner"},
    )
    assert directive.root.purposes == {"TREAT", "HPAYMT", "HOPERAT"}


@pytest.mark.parametrize(
    "path", examples("hl7-r4-examples", "Consent-*.json"), ids=lambda path: path.stem if path else "absent"
)
def test_hl7_consent_is_read(path):
    directive = consent.read(json.loads(path.read_bytes()))
    assert directive.base in ("permit", "deny")


def test_a_consent_without_provision_has_only_its_policy_rule():
    opted_out = BASE | {"policyRule": {"coding": [{"code": "OPTOUT"}]}}
    directive = consent.read(opted_out)
    assert (directive.base, directive.root.type, directive.unknown) == ("deny", None, False)


@pytest.mark.parametrize(
    "element",
    [
        {"actor": [{"role": {"coding": [{"code": "CST"}]}, "reference": {"reference": "Organization/1"}}]},
        {"actor": [{"role": {"coding": [{"code": "IRCP"}]}, "reference": {"display": "anyone"}}]},
        {"action": [{"text": "collect"}]},
        {"class": [{"code": "Observation"}]},
        {"code": [{"text": "labs"}]},
        {"securityLabel": [{"system": "urn:local", "code": "R"}]},
        {"period": {"start": "soon"}},
        {"dataPeriod": {"end": "2020-02-30"}},
        {"modifierExtension": [{"url": "urn:x"}]},
    ],
)
def test_what_is_not_understood_is_marked(element):
    assert consent.read(BASE | {"provision": {"type": "permit"} | element}).root.unknown


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.sampled_from(["permit", "deny", "active", "2026"]),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                [
                    "type",
                    "provision",
                    "actor",
                    "purpose",
                    "coding",
                    "code",
                    "system",
                    "period",
                    "start",
                    "data",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(
    st.dictionaries(
        st.sampled_from(["status", "scope", "category", "provision", "policyRule", "dateTime"]), JSON
    )
)
def test_any_consent_is_read_or_refused_and_nothing_else(elements):
    with contextlib.suppress(Unusable):
        consent.read(BASE | elements)
