from fhir_mapping import codes
from twin_engine.model import Inputs, Signal


def test_every_signal_accepts_its_own_unit_as_it_is():
    for target in codes.TARGETS.values():
        if isinstance(target, codes.Signal):
            assert target.scales[target.unit].apply(target.low) == target.low


def test_conversions_agree_with_the_literature():
    by_name = {target.name: target for target in codes.TARGETS.values() if isinstance(target, codes.Signal)}
    cases = [
        ("total-cholesterol", "mmol/L", 5.0, 193.35),
        ("creatinine", "umol/L", 88.4, 1.0),
        ("creatinine", "mmol/L", 0.0884, 1.0),
        ("body-temperature", "[degF]", 98.6, 37.0),
        ("body-temperature", "K", 310.15, 37.0),
        ("body-height", "in", 70, 177.8),
        ("body-weight", "lb", 100, 45.359237),
        ("systolic-blood-pressure", "kPa", 16, 120.009872),
        ("inhaled-oxygen-fraction", "1", 0.21, 21.0),
    ]
    for name, unit, value, expected in cases:
        assert by_name[name].scales[unit].apply(value) == expected


def test_searches_ask_only_for_what_the_models_declare_and_for_genomics():
    inputs = Inputs(
        signals=(Signal("systolic-blood-pressure", "mm[Hg]"),), findings=(Signal("pregnancy", ""),)
    )
    (kind, ((key, value),)), *others = codes.searches((inputs,))
    assert (kind, key) == ("Observation", "code")
    wanted = set(value.split(","))
    assert {f"{codes.LOINC}|{code}" for code in ("8480-6", "85354-9", "82810-3", "69548-6")} <= wanted
    assert f"{codes.LOINC}|2093-3" not in wanted
    assert others == [("Condition", ()), ("MedicationRequest", ()), ("MedicationStatement", ())]


def test_subscriptions_cover_every_type_and_are_never_filtered_by_status():
    criteria = codes.criteria()
    assert [each.partition("?")[0] for each in criteria] == [
        "Observation", "Condition", "MedicationRequest", "MedicationStatement", "Patient", "Consent",
    ]  # fmt: skip
    assert all("?" in each and "status=" not in each for each in criteria)


def test_diagnoses_are_known_by_code_and_by_prefix():
    snomed, icd = codes.SYSTEMS["snomed"], codes.SYSTEMS["icd10cm"]
    assert codes.condition(snomed, "44054006") == "diabetes"
    assert codes.condition(icd, "E11.65") == "diabetes"
    assert codes.condition(icd, "I25.10") == "cardiovascular-disease"
    for chronic in ("J96.12", "J96.22"):
        assert codes.condition(icd, chronic) == "hypercapnic-respiratory-failure"
    assert codes.condition(icd, "J96.02") is None
    unknown = [
        (snomed, "15777000"),
        (icd, "R73.03"),
        (icd, "O24.419"),
        (icd, "I48.0"),
        (None, "E11"),
        (snomed, None),
    ]
    assert [codes.condition(*code) for code in unknown[:2]] == [None, None]
    assert [codes.condition(*code) for code in unknown[3:]] == [None, None, None]
    assert codes.condition(icd, "O24.419") != "diabetes"


def test_a_name_is_only_ever_a_suspicion():
    assert codes.resembling("Atorvastatin 15 MG Oral Tablet") == "statin"
    assert codes.resembling("Nystatin 100 UNT/MG Topical Cream") is None
    assert codes.resembling("Lisinopril 3 MG") == "antihypertensive"
    assert codes.treatment(codes.SYSTEMS["rxnorm"], "Atorvastatin") is None
