import xml.etree.ElementTree as ET
from datetime import timedelta

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fhir_mapping.errors import Unusable
from fhir_mapping.guidance_response import Guidance, guidance, read, render
from fhir_mapping.requirement import Need
from tests.fhir_mapping.spoken import AT, FORECASTS, HEADING, HEADINGS, REFUSALS, SOURCES, forecast
from tests.fhir_mapping.validators import accepted_by_all
from twin_engine.model import Inputs, Signal, registered
from twin_engine.twin import Reason, Refusal

INPUTS = Inputs(
    signals=(Signal("systolic-blood-pressure", "mm[Hg]", max_age=timedelta(days=365)),),
    findings=(Signal("smoking-status", "", max_age=timedelta(minutes=90)),),
    conditions=("diabetes",),
    treatments=("statin",),
)
GUIDANCE = st.builds(guidance, HEADINGS, FORECASTS | REFUSALS, st.just(INPUTS))


@settings(deadline=None)  # the validators are slow at first
@given(GUIDANCE)
def test_an_answer_is_valid_for_all_and_reads_back_as_it_was_given(given_answer):
    rendered = render(given_answer)
    assert accepted_by_all(rendered)
    ET.fromstring(rendered["text"]["div"])
    assert read(orjson.loads(orjson.dumps(rendered))) == given_answer


def refusal(*reasons):
    made = tuple(Reason(code, signal, f"{signal}: {code}.") for code, signal in reasons)
    return render(guidance(HEADING, Refusal("cardiovascular-disease", AT, made, SOURCES[:1]), INPUTS))


def test_a_refusal_names_the_inputs_that_would_let_the_model_speak():
    answer = refusal(
        ("missing-input", "systolic-blood-pressure"),
        ("stale-input", "smoking-status"),
        ("missing-input", "birth-date"),
        ("unconfirmed", "diabetes"),
        ("unconfirmed", "statin"),
    )
    assert answer["status"] == "data-required"
    pressure, smoking, birth, diabetes, statin = answer["dataRequirement"]
    assert {"system": "http://loinc.org", "code": "8480-6"} in pressure["codeFilter"][0]["code"]
    assert pressure["dateFilter"][0]["valueDuration"]["value"] == 365
    assert smoking["dateFilter"][0]["valueDuration"] == {
        "value": 5400, "unit": "s", "system": "http://unitsofmeasure.org", "code": "s",
    }  # fmt: skip
    assert birth == {"type": "Patient", "mustSupport": ["birthDate"]}
    assert [each["type"] for each in (smoking, diabetes, statin)] == [
        "Observation", "Condition", "MedicationRequest",
    ]  # fmt: skip


@pytest.mark.parametrize("code", ["out-of-scope", "out-of-range"])
def test_where_no_data_would_help_none_is_asked_for(code):
    answer = refusal(("missing-input", "systolic-blood-pressure"), (code, "birth-date"))
    assert answer["status"] == "failure"
    assert "dataRequirement" not in answer
    *_, messages = answer["contained"]
    assert [issue["details"]["coding"][0]["code"] for issue in messages["issue"]] == ["missing-input", code]


def test_every_input_of_every_model_can_be_asked_for():
    for model in registered().values():
        for signal in (*model.inputs.signals, *model.inputs.findings):
            lacking = Refusal("any", AT, (Reason("missing-input", signal.name, "Not known."),))
            asked = render(guidance(HEADING, lacking, model.inputs))
            assert accepted_by_all(asked)
            (wanted,) = asked["dataRequirement"]
            assert len(wanted["codeFilter"][0]["code"]) > 1, signal.name


def test_a_forecast_stands_whole_in_the_output():
    answer = render(Guidance(HEADING, forecast()))
    assert answer["status"] == "success"
    assert answer["moduleCanonical"] == "urn:didymos:model:prevent|1.0.0"
    output = answer["contained"][1]["parameter"]
    (prediction,) = (each["part"] for each in output if each["name"] == "prediction")
    assert {"name": "probability", "valueDecimal": 0.146839} in prediction
    assert "14.7 %" in answer["text"]["div"]


def test_a_need_without_signal_asks_for_nothing():
    assert refusal(("unit", ""))["status"] == "failure"
    assert Need("Patient", "sex").within is None


def test_an_answer_of_somebody_else_is_refused():
    with pytest.raises(Unusable):
        read(render(Guidance(HEADING, forecast())) | {"contained": []})
