import xml.etree.ElementTree as ET
from datetime import timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mapping import codes, communication, detected_issue
from fhir_mapping.alert import WARNS, Alert, raised
from fhir_mapping.errors import Unusable
from fhir_mapping.risk_assessment import foretold, withdrawn
from tests.fhir_mapping.spoken import (
    AT,
    BASES,
    HEADING,
    HEADINGS,
    INSTANTS,
    SOURCES,
    TEXT,
    deterioration,
    forecast,
)
from tests.fhir_mapping.validators import accepted_by_all
from twin_engine.twin import Risk

ALERTS = st.builds(
    Alert,
    HEADINGS,
    st.sampled_from(sorted(codes.OUTCOMES)),
    st.sampled_from(["low", "low-medium", "high"]),
    st.sampled_from(["high", "moderate", "low"]),
    INSTANTS,
    st.just("RiskAssessment/abc/_history/3"),
    BASES,
    TEXT,
)
WAYS = pytest.mark.parametrize("way", [detected_issue, communication], ids=["issue", "communication"])


@WAYS
@settings(deadline=None)  # the validators are slow at first
@given(alert=ALERTS)
def test_a_warning_is_valid_for_all_and_reads_back_as_it_was_raised(way, alert):
    rendered = way.render(alert)
    assert accepted_by_all(rendered)
    ET.fromstring(rendered["text"]["div"])
    assert way.read(orjson.loads(orjson.dumps(rendered))) == alert


@pytest.mark.parametrize(
    ("grade", "severity"), [("low", None), ("low-medium", None), ("medium", "moderate"), ("high", "high")]
)
def test_news2_warns_from_the_urgent_threshold_on(grade, severity):
    alert = raised(foretold(HEADING, deterioration(grade)), 3)
    assert (alert and alert.severity) == severity
    if alert:
        assert alert.assessment == "RiskAssessment/abc123/_history/3"
        assert alert.basis == SOURCES
        assert alert.text.startswith(f"Clinical deterioration: {grade}. NEWS2: {grade} clinical risk.")


def test_a_risk_of_years_ahead_does_not_warn():
    high = Risk("total-cvd-10y", AT + timedelta(days=3652), 0.4, qualitative="high")
    assert raised(foretold(HEADING, forecast(risks=(high,))), 1) is None


def test_what_is_withdrawn_warns_no_more():
    assert raised(withdrawn(HEADING, AT, ("The signs are too old.",)), 2) is None


def test_every_outcome_that_warns_is_in_the_table_of_outcomes():
    assert set(WARNS) <= set(codes.OUTCOMES)


@WAYS
def test_a_warning_of_somebody_else_is_refused(way):
    theirs = way.render(raised(foretold(HEADING, deterioration("high")), 1)) | {"contained": []}
    with pytest.raises(Unusable):
        way.read(theirs)
