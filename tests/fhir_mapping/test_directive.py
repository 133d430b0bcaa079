import json
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from consent.period import ALWAYS, Period
from consent.policy import Directive, Provision
from fhir_mapping import consent
from fhir_mapping.directive import render
from tests.fhir_mapping.published import examples
from tests.fhir_mapping.validators import accepted_by_all

INSTANTS = st.integers(0, 3_000_000_000_000_000).map(
    lambda each: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=each)
)
PERIODS = st.builds(Period, st.none() | INSTANTS, st.none() | INSTANTS).filter(lambda span: span.ordered)
TYPES = st.sampled_from(["permit", "deny"])


def sets(*values):
    return st.frozensets(st.sampled_from(values))


def provisions(types, inner):
    return st.builds(
        Provision,
        type=types,
        period=st.just(ALWAYS) | PERIODS,
        actors=sets("Practitioner/1", "https://ehr.example/fhir/X", "urn:oid:1.2|7", "|8", "#contained"),
        actions=sets("access", "disclose"),
        purposes=sets("TREAT", "HRESCH"),
        classes=sets("Observation", "RiskAssessment"),
        codes=sets("http://loinc.org|8480-6", "|local"),
        data_period=st.none() | PERIODS,
        labels=sets("R", "PSY", "HIV", "N"),
        data=sets("Observation/1", "Condition/2"),
        unknown=st.booleans(),
        provisions=inner,
    )


EXCEPTIONS = st.recursive(
    provisions(TYPES, st.just(())),  # FHIR requires the type of every exception
    lambda inner: provisions(TYPES, st.lists(inner, max_size=2).map(tuple)),
    max_leaves=3,
)
INNER = st.lists(EXCEPTIONS, max_size=2).map(tuple)
ROOTS = provisions(TYPES, INNER) | st.builds(Provision, st.none(), provisions=INNER)


@st.composite
def directives(draw):
    base = draw(st.none() | TYPES)
    rule = {"permit": {"OPTIN"}, "deny": {"OPTOUT"}}.get(base, set())
    return Directive(
        id=draw(st.from_regex(r"[A-Za-z0-9\-.]{3,20}", fullmatch=True)),
        version=draw(st.sampled_from(["1", "sha256-0123456789abcdef"])),
        status=draw(st.sampled_from(["draft", "proposed", "active", "rejected", "inactive"])),
        scope=draw(st.sampled_from(["patient-privacy", "research", ""])),
        categories=draw(sets("59284-0", "IDSCL")),
        root=draw(ROOTS),
        policies=draw(sets("https://a.example/policy", "urn:b", "cric", "OPTIN", "OPTOUT")) | rule,
        controller=draw(st.sampled_from([None, "Organization/1", "Organization/1,Organization/2", ",#org"])),
        date_time=draw(st.none() | INSTANTS),
        base=base,
        unknown=draw(st.booleans()),
    )


@settings(deadline=None)  # the validators are slow at first
@given(directives())
def test_a_directive_is_written_and_read_back_the_same(directive):
    rendered = render(directive, "Patient/17")
    assert accepted_by_all(rendered)
    assert consent.read(orjson.loads(orjson.dumps(rendered))) == directive


@pytest.mark.parametrize(
    "path",
    [*examples("consent-pcf", "ex-*sent-*.json"), *examples("hl7-r4-examples", "Consent-*.json")],
    ids=lambda path: path.stem if path else "absent",
)
def test_what_is_understood_of_a_published_consent_survives(path):
    directive = consent.read(json.loads(path.read_bytes()))
    assert consent.read(render(directive, "Patient/17")) == directive
    assert accepted_by_all(render(directive, "Patient/17"))


def test_a_selection_that_neither_permits_nor_denies_is_in_doubt_when_read():
    vague = Directive("c", "1", "active", "research", frozenset(), Provision(None, labels=frozenset({"R"})))
    assert consent.read(render(vague, "Patient/17")).unknown
