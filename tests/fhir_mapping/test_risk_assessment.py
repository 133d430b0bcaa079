import json
import xml.etree.ElementTree as ET
from datetime import UTC, datetime, timedelta

import orjson
import pytest
from fhir.resources.R4B.riskassessment import RiskAssessment
from fhirclient.models import riskassessment as fhirclient_riskassessment
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping import codes, provenance, risk_assessment
from fhir_mapping.device import Software
from fhir_mapping.identity import is_own, labels_of
from fhir_mapping.references import subject_id
from fhir_mapping.risk_assessment import Assessment, basis, render, render_withdrawn
from fhir_mapping.survival import lost
from twin_engine.twin import Contribution, Forecast, Risk

AT = datetime(2026, 1, 15, 12, tzinfo=UTC)
SOFTWARE = Software(
    "prevent", "1.0.0", "AHA PREVENT 2023", "sha256:ab", ("doi:10.1161/CIRCULATIONAHA.123.067626",)
)
ASSESSMENT = Assessment(
    "abc123", "Patient/17", ("urn:didymos:hospital:demo", "abc123"), SOFTWARE, frozenset({"R", "PSY"})
)
SOURCES = (
    "Observation/1/_history/3",
    "Observation/2/_history/sha256-0123456789abcdef",
    "Patient/17/_history/1",
)
GRADES = ("low", "low-medium", "medium", "moderate", "high")
TEXT = st.text(min_size=1, max_size=40)
INSTANTS = st.integers(0, 3_000_000_000).map(lambda second: datetime.fromtimestamp(second, UTC))
RISKS = st.builds(
    Risk,
    outcome=st.sampled_from(sorted(codes.OUTCOMES)),
    until=st.none() | INSTANTS,
    probability=st.none() | st.floats(0, 1),
    low=st.none() | st.floats(0, 1),
    high=st.none() | st.floats(0, 1),
    qualitative=st.none() | st.sampled_from(GRADES),
)
FORECASTS = st.builds(
    Forecast,
    family=st.just("cardiovascular-disease"),
    at=INSTANTS,
    expires=INSTANTS,
    risks=st.lists(RISKS, min_size=1, max_size=4).map(tuple),
    basis=st.lists(st.sampled_from(SOURCES), unique=True).map(tuple),
    rationale=TEXT,
    contributions=st.lists(
        st.builds(Contribution, TEXT, TEXT, st.floats(-5, 5), st.none(), TEXT), max_size=2
    ).map(tuple),
    score=st.none() | st.floats(0, 20),
    trend=st.none() | TEXT,
    notes=st.lists(TEXT, max_size=2).map(tuple),
)


def forecast(**changes):
    fields = {
        "family": "cardiovascular-disease",
        "at": AT,
        "expires": AT + timedelta(days=30),
        "risks": (Risk("total-cvd-10y", AT + timedelta(days=3652), 0.146839, 0.1, 0.2, "moderate"),),
        "basis": SOURCES,
        "rationale": "Blood pressure and smoking weigh most.",
    }
    return Forecast(**(fields | changes))


@given(FORECASTS, st.booleans())
def test_what_we_write_is_valid_for_two_libraries_and_loses_nothing_on_the_way(foretold, amended):
    rendered = render(ASSESSMENT, foretold, amended=amended)
    body = orjson.dumps(rendered)
    assert (
        json.loads(RiskAssessment.model_validate_json(body).model_dump_json())["status"] == rendered["status"]
    )
    fhirclient_riskassessment.RiskAssessment(json.loads(body), strict=True)
    ET.fromstring(rendered["text"]["div"])
    assert lost(rendered, json.loads(body)) == ()
    assert basis(rendered) == set(foretold.basis)
    for risk, prediction in zip(foretold.risks, rendered["prediction"], strict=True):
        if risk.probability is not None:
            assert 0 <= prediction["probabilityDecimal"] <= 100
            assert prediction["probabilityDecimal"] / 100 == pytest.approx(risk.probability, abs=1e-12)


def test_an_assessment_carries_all_that_the_clinician_and_the_auditor_need():
    rendered = render(ASSESSMENT, forecast())
    (prediction,) = rendered["prediction"]
    assert prediction["probabilityDecimal"] == 14.6839
    assert prediction["outcome"]["coding"][0]["code"] == "49601007"
    assert prediction["qualitativeRisk"]["coding"][0] == {
        "system": risk_assessment.RISK_PROBABILITY, "code": "moderate", "display": "Moderate likelihood",
    }  # fmt: skip
    assert rendered["occurrencePeriod"]["end"] == "2026-02-14T12:00:00.000Z"
    assert rendered["performer"] == {"reference": "#model"}
    assert rendered["identifier"] == [{"system": "urn:didymos:hospital:demo", "value": "abc123"}]
    assert "10.1161" in rendered["method"]["text"]
    assert rendered["basis"][1] == {
        "reference": "Observation/2",
        "identifier": {"system": "urn:didymos:content-hash", "value": "sha256-0123456789abcdef"},
    }
    assert (subject_id(rendered), is_own(rendered), labels_of(rendered)) == ("17", True, {"R", "PSY"})
    assert "Not for sole use" in rendered["text"]["div"]


def test_a_grade_without_standard_code_keeps_its_own():
    rendered = render(
        ASSESSMENT, forecast(risks=(Risk("clinical-deterioration", None, qualitative="low-medium"),))
    )
    coding = rendered["prediction"][0]["qualitativeRisk"]["coding"]
    assert coding == [{"system": risk_assessment.GRADE, "code": "low-medium"}]


def test_the_narrative_is_escaped():
    hostile = "<script>alert(1)</script>\x00\ufffe &amp;"
    rendered = render(ASSESSMENT, forecast(notes=(hostile,)))
    assert "<script" not in rendered["text"]["div"]
    ET.fromstring(rendered["text"]["div"])


def test_a_withdrawn_assessment_keeps_its_id_and_holds_no_number():
    withdrawn = render_withdrawn(ASSESSMENT, AT, ("The blood pressure is too old.",), SOURCES[:1])
    RiskAssessment.model_validate(withdrawn)
    fhirclient_riskassessment.RiskAssessment(withdrawn, strict=True)
    assert (withdrawn["id"], withdrawn["status"]) == ("abc123", "cancelled")
    assert "prediction" not in withdrawn
    assert "The blood pressure is too old." in withdrawn["text"]["div"]
    assert basis(withdrawn) == {SOURCES[0]}


def test_equal_forecasts_render_equal_bytes():
    assert orjson.dumps(render(ASSESSMENT, forecast())) == orjson.dumps(render(ASSESSMENT, forecast()))


def test_a_server_may_add_and_reformat_but_not_drop_or_change():
    sent = render(ASSESSMENT, forecast())
    kept = json.loads(json.dumps(sent))
    kept["meta"] |= {"versionId": "4", "lastUpdated": "2026-01-15T12:00:01Z", "source": "urn:didymos#77"}
    kept["meta"]["tag"].insert(0, {"system": "urn:server", "code": "indexed"})
    kept["text"] = {"status": "generated", "div": "<div>server</div>"}
    kept["subject"]["reference"] = "https://ehr.example/fhir/Patient/17"
    kept["occurrencePeriod"]["end"] = "2026-02-14T13:00:00+01:00"
    kept["subject"]["display"] = "added"
    assert lost(sent, kept) == ()
    assert basis(kept) == basis(sent)
    del kept["prediction"][0]["rationale"]
    kept["prediction"][0]["probabilityDecimal"] = 14.68
    kept["basis"].pop()
    kept["meta"]["security"] = []
    kept["note"] = None
    assert set(lost(sent, kept)) == {
        "prediction[0].rationale",
        "prediction[0].probabilityDecimal",
        "basis[2]",
        "meta.security[0]",
        "meta.security[1]",
        "note",
    }


def test_another_patient_is_a_loss():
    sent = render(ASSESSMENT, forecast())
    other = sent | {"subject": {"reference": "https://ehr.example/fhir/Patient/18"}}
    assert lost(sent, other) == ("subject.reference",)
    assert "id" in lost(sent, {key: value for key, value in sent.items() if key != "id"})


def test_provenance_names_model_version_code_and_inputs():
    from fhir.resources.R4B.provenance import Provenance
    from fhirclient.models import provenance as fhirclient_provenance

    act = provenance.Act("pr1", "RiskAssessment/abc123/_history/2", AT, SOFTWARE, SOURCES, created=False)
    rendered = provenance.render(act)
    Provenance.model_validate(rendered)
    fhirclient_provenance.Provenance(rendered, strict=True)
    (device,) = rendered["contained"]
    assert [each["value"] for each in device["version"]] == ["1.0.0", "sha256:ab"]
    assert [each["what"]["reference"] for each in rendered["entity"]] == [
        "Observation/1/_history/3", "Observation/2", "Patient/17/_history/1",
    ]  # fmt: skip
    assert rendered["activity"]["coding"][0]["code"] == "UPDATE"
    assert is_own(rendered)
