import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta
from typing import get_args
from uuid import UUID

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.record import Action, Kind, Leaf, Operational, Outcome, Personal
from audit.sealing import Opened
from fhir_mapping import audit_event
from fhir_mapping.audit_event import read, render
from fhir_mapping.errors import Unusable
from tests.fhir_mapping.published import example
from tests.fhir_mapping.spoken import AT, SOURCES, TEXT
from tests.fhir_mapping.validators import accepted_by_all

MICROSECONDS = st.integers(0, 3_000_000_000_000_000)
LEAVES = st.builds(
    Leaf,
    st.uuids(version=4),
    MICROSECONDS,
    st.sampled_from(get_args(Kind)),
    st.sampled_from(get_args(Action)),
    st.sampled_from(get_args(Outcome)),
    st.binary(min_size=32, max_size=32),
    st.binary(min_size=32, max_size=32),
)
RESOURCES = st.lists(st.sampled_from([*SOURCES, "Consent/c1/_history/2"]) | TEXT, max_size=3).map(tuple)
WHOM = st.none() | st.from_regex(r"[a-z2-7]{32}", fullmatch=True)


@st.composite
def entries(draw):
    """Draw entries as the log opens them: whole, without the person, without the rest, without both."""
    subject, erased = draw(WHOM), draw(st.booleans())
    told = st.builds(
        Operational,
        tenant=TEXT,
        actor=TEXT,
        at=MICROSECONDS.map(lambda each: datetime.fromtimestamp(0, UTC) + timedelta(microseconds=each)),
        purpose=st.none() | st.sampled_from(["TREAT", "ETREAT"]),
        detail=st.just("") | TEXT,
        request=st.none() | TEXT,
        attributes=st.lists(st.tuples(st.just("leaf") | TEXT, TEXT), max_size=2).map(tuple),
        names_subject=st.just(subject is not None or erased),
    )
    personal = None if erased else Personal(subject, draw(RESOURCES))
    return Opened(draw(st.integers(0, 10**12)), draw(LEAVES), personal, draw(st.none() | told))


@settings(deadline=None)  # the validators are slow at first
@given(entries())
def test_an_entry_is_valid_for_all_and_reads_back_as_the_log_opened_it(entry):
    rendered = render(entry)
    assert accepted_by_all(rendered)
    ET.fromstring(rendered["text"]["div"])
    assert sum(agent["requestor"] for agent in rendered["agent"]) == 1
    assert read(orjson.loads(orjson.dumps(rendered))) == entry


def entry(kind, action="read", outcome="success", resources=(), **told):
    leaf = Leaf(UUID(int=7), 1_790_000_000_000_001, kind, action, outcome, bytes(32), bytes(32))
    body = Operational("north", "Practitioner/p", AT, "TREAT", "disclose: deny", "r-1", (), True)
    return Opened(12, leaf, Personal("twin1", resources), body)


def shape(event):
    """Return what an auditor's search finds of an event: its type and subtype, and the roles in it."""
    return (
        event["type"]["code"],
        {each["code"] for each in event["subtype"]},
        {each["type"]["coding"][0]["code"] for each in event["agent"]},
        {(each["type"]["code"], each.get("role", {}).get("code")) for each in event["entity"]},
    )


@pytest.mark.parametrize(
    ("kind", "action", "resources", "published"),
    [
        ("consent-decision", "execute", ["Consent/c1/_history/1"], "AuthZconsent-deny"),
        ("disclosure", "read", ["RiskAssessment/a/_history/1"], "PrivacyDisclosure-source"),
        ("pull", "read", ["Observation/1/_history/1"], "BasicReadClient"),
        ("assessment-write", "create", ["RiskAssessment/a/_history/1"], "BasicCreateClient"),
    ],
)
def test_an_event_has_the_shape_of_the_example_that_ihe_published(kind, action, resources, published):
    theirs = json.loads(example("balp", f"AuditEvent-ex-audit{published}.json"))
    ours = render(entry(kind, action, resources=tuple(resources)))
    their_type, their_subtypes, their_agents, their_entities = shape(theirs)
    our_type, our_subtypes, our_agents, our_entities = shape(ours)
    assert (our_type, ours["action"]) == (their_type, theirs["action"])
    assert our_subtypes & their_subtypes
    assert our_agents <= their_agents
    unlike = {("entry", None), ("XrequestId", None), ("2", "4")}
    assert our_entities - unlike <= their_entities
    assert set(ours) - {"period", "outcomeDesc", "purposeOfEvent", "text"} <= set(theirs)


def test_a_refusal_tells_its_outcome_and_why():
    event = render(entry("consent-decision", "execute", "minor-failure"))
    assert (event["outcome"], event["outcomeDesc"]) == ("4", "disclose: deny")
    assert event["purposeOfEvent"][0]["coding"][0]["code"] == "TREAT"


def test_what_was_erased_is_said_to_be_erased_and_leaves_the_leaf():
    whole = entry("disclosure", resources=SOURCES)
    event = render(Opened(whole.index, whole.leaf, None, None))
    assert "twin1" not in json.dumps(event)
    assert next(each["what"] for each in event["entity"]) == {"display": "erased"}
    assert read(event).leaf == whole.leaf


def test_every_kind_of_entry_has_a_pattern():
    assert set(audit_event.KINDS) == set(get_args(Kind))


def test_an_event_of_another_log_is_refused():
    with pytest.raises(Unusable):
        read(json.loads(example("balp", "AuditEvent-ex-auditBasicReadClient.json")))
