"""What the models ask for and tell is what the mapping reads and writes, by name and by unit."""

import tomllib
from dataclasses import replace
from datetime import timedelta
from importlib import resources

import msgspec
import numpy as np
import pytest

from fhir_mapping import codes, resource, ucum
from tests.twin_engine.models.ukpds.people import ITEMS
from tests.twin_engine.people import AT, MAN, WOMAN, aged, forecast, refusal
from twin_engine.model import registered
from twin_engine.models.cha2ds2vasc import Cha2ds2Vasc
from twin_engine.models.ukpds import Ukpds
from twin_engine.specimen import ordinary
from twin_engine.twin import UNREAD_MEDICATION, Condition, Forecast, Item, Measurement

TABLE = tomllib.loads(resources.files("fhir_mapping").joinpath("codes.toml").read_text())
TARGETS = codes.TARGETS.values()
UNITS = {target.name: target.unit for target in TARGETS if isinstance(target, codes.Signal)}
ANSWERS = {
    target.name: {*target.answers.values()} for target in TARGETS if isinstance(target, codes.Question)
}
MODELS = [pytest.param(model, id=name) for name, model in sorted(registered().items())]
SNOMED, ICD, PCS = (TABLE["systems"][name] for name in ("snomed", "icd10cm", "icd10pcs"))


@pytest.mark.parametrize("model", MODELS)
def test_a_signal_is_read_in_the_unit_that_the_model_takes(model):
    for signal in model.inputs.signals:
        assert signal.unit == UNITS[signal.name], signal.name


@pytest.mark.parametrize("model", MODELS)
def test_whatever_a_model_asks_for_has_codes(model):
    inputs = model.inputs
    for finding in inputs.findings:
        assert set(finding.values) <= ANSWERS[finding.name], finding.name
    assert {*inputs.conditions, *inputs.relatives} <= set(TABLE["condition"])
    assert {*inputs.treatments, *inputs.doses} <= {*TABLE["treatment"], UNREAD_MEDICATION}
    assert set(inputs.genes) <= set(codes.GENES.values())


@pytest.mark.parametrize("unit", ["%%", "mg per dL", ""])
def test_what_is_no_unit_of_ucum_is_seen(unit):
    with pytest.raises(ucum.Incommensurable):
        ucum.factor_and_offset(unit, unit)


def evident(model) -> tuple[Item, ...]:
    """Return ordinary evidence of five days, every hour."""
    items = ordinary(model, "female", AT).items
    timed = [item for item in items if isinstance(item, Measurement)]
    earlier = (
        msgspec.structs.replace(
            item, time=item.time - timedelta(hours=hours), source=f"{item.source}-{hours}"
        )
        for hours in range(1, 120)
        for item in timed
    )
    return (*items, *earlier)


@pytest.mark.parametrize("model", MODELS)
def test_what_a_model_tells_is_in_units_of_ucum(model):
    subject = ordinary(model, "female", AT).subject
    evidence = replace(ordinary(model, "female", AT), items=evident(model)).evidence()
    state = model.assimilate(model.prior(subject, AT), evidence, AT)
    told = [
        each for each in model.forecast(state, AT, np.random.default_rng(1)) if isinstance(each, Forecast)
    ]
    assert told
    for course in (course for each in told for course in each.courses):
        assert course.unit == UNITS[course.signal]
    for summary in (summary for each in told for summary in each.summaries):
        assert summary.name in codes.DERIVED
        assert ucum.factor_and_offset(summary.unit, summary.unit) == (1, 0)


def recorded(kind: str, system: str, code: str, **elements) -> tuple[Item, ...]:
    """Return what the engine learns of one coded record."""
    stored = {
        "resourceType": kind,
        "id": code.replace(".", "-"),
        "meta": {"versionId": "1"},
        "subject": {"reference": "Patient/1"},
        "code": {"coding": [{"system": system, "code": code}]},
    }
    return resource.read(stored | elements, AT).items


def diagnosed(system: str, code: str, **elements) -> tuple[Item, ...]:
    return recorded("Condition", system, code, **elements)


# A woman of the source's baseline, save that her diabetes is a coded record.
SIXTY = aged(WOMAN, 60)
MEASURED = tuple(item for item in ITEMS if not isinstance(item, Condition))
DIABETES = diagnosed(ICD, "E11.9", onsetDateTime="2018-03-15")


def risks(*items: Item) -> dict[str, float]:
    return {risk.outcome: risk.probability for risk in forecast(Ukpds(), SIXTY, *MEASURED, *items).risks}


def test_the_ukpds_model_speaks_for_a_coded_type_2_diabetes():
    told = risks(*DIABETES)
    assert told["myocardial-infarction-10y"] == pytest.approx(
        risks(ITEMS[-1])["myocardial-infarction-10y"], rel=0.01
    )


@pytest.mark.parametrize(
    ("system", "code", "outcome", "gone"),
    [
        (SNOMED, "22298006", "myocardial-infarction-10y", False),
        (ICD, "I25.2", "myocardial-infarction-10y", False),
        (SNOMED, "53741008", "ischaemic-heart-disease-10y", True),
        (ICD, "I25.10", "ischaemic-heart-disease-10y", True),
        (SNOMED, "230690007", "stroke-10y", False),
        (ICD, "I63.9", "stroke-10y", False),
        (SNOMED, "84114007", "heart-failure-10y", True),
    ],
)
def test_a_coded_history_changes_what_the_ukpds_model_tells(system, code, outcome, gone):
    before, after = risks(*DIABETES), risks(*DIABETES, *diagnosed(system, code))
    assert after["death-10y"] > before["death-10y"]
    assert (outcome not in after) == gone
    assert gone or after[outcome] > before[outcome]


@pytest.mark.parametrize(("system", "code"), [(SNOMED, "399957001"), (ICD, "I70.213"), (ICD, "E11.51")])
def test_a_coded_peripheral_disease_raises_the_risk_of_the_ukpds_model(system, code):
    assert risks(*DIABETES, *diagnosed(system, code))["amputation-10y"] > risks(*DIABETES)["amputation-10y"]


def test_a_bypass_is_a_history_of_ischaemic_heart_disease():
    bypass = recorded("Procedure", PCS, "02100Z9", status="completed", performedDateTime="2019-04-02")
    assert "ischaemic-heart-disease-10y" not in risks(*DIABETES, *bypass)


@pytest.mark.parametrize(("system", "code"), [(SNOMED, "266257000"), (ICD, "I25")])
def test_a_code_that_does_not_say_which_disease_it_was_is_refused(system, code):
    told = refusal(Ukpds(), SIXTY, *MEASURED, *DIABETES, *diagnosed(system, code))
    assert {(reason.code, reason.signal) for reason in told.reasons} == {
        ("unconfirmed", "cardiovascular-disease")
    }


FIBRILLATION = diagnosed(ICD, "I48.0")


@pytest.mark.parametrize(
    ("system", "code", "points"),
    [
        (ICD, "I63.9", 2),
        (ICD, "G45.9", 2),
        (ICD, "G45.4", 0),
        (ICD, "I60.9", 0),
        (ICD, "I74.3", 2),
        (ICD, "Z86.73", 2),
        (SNOMED, "230690007", 2),
        (SNOMED, "266257000", 2),
        (SNOMED, "22298006", 1),
        (SNOMED, "399957001", 1),
        (ICD, "I70.0", 1),
        (ICD, "I25.10", 0),
        (ICD, "I11.0", 2),
        (ICD, "E11.9", 1),
        (ICD, "E11.51", 2),
    ],
)
def test_cha2ds2_vasc_counts_a_coded_record_as_all_that_it_is(system, code, points):
    told = forecast(Cha2ds2Vasc(), aged(MAN, 60), *FIBRILLATION, *diagnosed(system, code))
    assert told.score == points


def test_two_records_of_one_disease_count_once_in_cha2ds2_vasc():
    records = (*diagnosed(SNOMED, "22298006"), *diagnosed(ICD, "I25.2"), *diagnosed(ICD, "I73.9"))
    assert forecast(Cha2ds2Vasc(), aged(MAN, 60), *FIBRILLATION, *records).score == 1
