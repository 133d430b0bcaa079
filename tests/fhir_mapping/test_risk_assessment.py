import json
import xml.etree.ElementTree as ET

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mapping import outcome
from fhir_mapping.errors import Unusable
from fhir_mapping.identity import is_own, labels_of
from fhir_mapping.references import subject_id
from fhir_mapping.risk_assessment import basis, foretold, read, render, withdrawn, without_prediction
from fhir_mapping.survival import lost
from tests.fhir_mapping.spoken import (
    AT,
    BASES,
    FORECASTS,
    HEADING,
    HEADINGS,
    INSTANTS,
    SOURCES,
    TEXT,
    forecast,
)
from tests.fhir_mapping.validators import accepted_by_all
from twin_engine.twin import Risk

STATEMENTS = st.builds(foretold, HEADINGS, FORECASTS, amended=st.booleans()) | st.builds(
    withdrawn, HEADINGS, INSTANTS, st.lists(TEXT, max_size=3).map(tuple), BASES
)


def rendered_forecast(**changes):
    return render(foretold(HEADING, forecast(**changes)))


@settings(deadline=None)  # the validators are slow at first
@given(STATEMENTS)
def test_what_is_written_is_valid_for_all_and_reads_back_as_it_was_stated(statement):
    rendered = render(statement)
    body = orjson.dumps(rendered)
    assert accepted_by_all(rendered)
    ET.fromstring(rendered["text"]["div"])
    assert lost(rendered, json.loads(body)) == ()
    assert read(orjson.loads(body)) == statement


@given(FORECASTS)
def test_a_statement_holds_what_the_model_foretold(foretelling):
    statement = foretold(HEADING, foretelling)
    assert statement.basis == foretelling.basis
    for risk, prediction in zip(foretelling.risks, statement.predictions, strict=True):
        assert (prediction.outcome, prediction.grade) == (risk.outcome, risk.qualitative)
        if risk.probability is not None:
            assert 0 <= prediction.percent <= 100
            assert prediction.percent / 100 == pytest.approx(risk.probability, abs=1e-12)


def test_an_assessment_carries_all_that_the_clinician_and_the_auditor_need():
    rendered = rendered_forecast()
    (prediction,) = rendered["prediction"]
    assert prediction["probabilityDecimal"] == 14.6839
    assert prediction["outcome"]["coding"][0]["code"] == "49601007"
    assert prediction["qualitativeRisk"]["coding"][0] == {
        "system": outcome.RISK_PROBABILITY, "code": "moderate", "display": "Moderate likelihood",
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
    rendered = rendered_forecast(risks=(Risk("clinical-deterioration", None, qualitative="low-medium"),))
    coding = rendered["prediction"][0]["qualitativeRisk"]["coding"]
    assert coding == [{"system": outcome.GRADE, "code": "low-medium"}]


def test_the_narrative_is_escaped():
    rendered = rendered_forecast(notes=("<script>alert(1)</script>\x00\ufffe &amp;",))
    assert "<script" not in rendered["text"]["div"]
    ET.fromstring(rendered["text"]["div"])


def test_a_withdrawn_assessment_keeps_its_id_and_holds_no_number():
    resource = render(withdrawn(HEADING, AT, ("The blood pressure is too old.",), SOURCES[:1]))
    assert accepted_by_all(resource)
    assert (resource["id"], resource["status"]) == ("abc123", "cancelled")
    assert "prediction" not in resource
    assert "The blood pressure is too old." in resource["text"]["div"]
    assert basis(resource) == {SOURCES[0]}


def test_an_altered_assessment_is_taken_back_with_nothing_foretold():
    left = without_prediction(rendered_forecast())
    assert accepted_by_all(left)
    statement = read(left)
    assert (statement.status, statement.predictions, statement.basis) == ("cancelled", (), ())


def test_equal_forecasts_render_equal_bytes():
    assert orjson.dumps(rendered_forecast()) == orjson.dumps(rendered_forecast())


@pytest.mark.parametrize("missing", ["contained", "identifier", "subject", "note", "occurrencePeriod", "id"])
def test_an_assessment_of_somebody_else_is_refused(missing):
    theirs = {key: value for key, value in rendered_forecast().items() if key != missing}
    with pytest.raises(Unusable) as refused:
        read(theirs)
    assert (refused.value.code, refused.value.expression) == ("structure", "RiskAssessment")
    with pytest.raises(Unusable):
        read(rendered_forecast() | {"resourceType": "Observation"})


def test_a_server_may_add_and_reformat_but_not_drop_or_change():
    sent = rendered_forecast()
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
    sent = rendered_forecast()
    other = sent | {"subject": {"reference": "https://ehr.example/fhir/Patient/18"}}
    assert lost(sent, other) == ("subject.reference",)
    assert "id" in lost(sent, {key: value for key, value in sent.items() if key != "id"})
