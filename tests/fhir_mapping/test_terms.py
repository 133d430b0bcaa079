import time
import tomllib
from importlib import resources

import pytest

from fhir_mapping import terms

TABLE = tomllib.loads(resources.files("fhir_mapping").joinpath("codes.toml").read_text())
SNOMED, ICD, GM = (TABLE["systems"][name] for name in ("snomed", "icd10cm", "icd10gm"))
RXNORM, ATC, PCS = (TABLE["systems"][name] for name in ("rxnorm", "atc", "icd10pcs"))
CORONARY = {"cardiovascular-disease", "ischaemic-heart-disease"}
PERIPHERAL = {"cardiovascular-disease", "peripheral-arterial-disease", "vascular-disease"}
NARROWER = [
    ("type-1-diabetes", "diabetes"),
    ("type-2-diabetes", "diabetes"),
    ("myocardial-infarction", "cardiovascular-disease"),
    ("myocardial-infarction", "vascular-disease"),
    ("ischaemic-heart-disease", "cardiovascular-disease"),
    ("stroke", "cardiovascular-disease"),
    ("peripheral-arterial-disease", "cardiovascular-disease"),
    ("peripheral-arterial-disease", "vascular-disease"),
]


@pytest.mark.parametrize(
    ("system", "code", "names"),
    [
        (SNOMED, "44054006", {"diabetes", "type-2-diabetes"}),
        (ICD, "E10.65", {"diabetes", "type-1-diabetes"}),
        (ICD, "E13.9", {"diabetes"}),
        (ICD, "I25.10", {"cardiovascular-disease", "ischaemic-heart-disease"}),
        (ICD, "I25", {"cardiovascular-disease"}),
        (ICD, "I25.2", {"cardiovascular-disease", "myocardial-infarction", "vascular-disease"}),
        (ICD, "I60.9", {"cardiovascular-disease", "stroke", "subarachnoid-haemorrhage"}),
        (ICD, "I63.9", {"cardiovascular-disease", "stroke", "stroke-or-thromboembolism"}),
        (ICD, "G45.9", {"cardiovascular-disease", "stroke-or-thromboembolism"}),
        (ICD, "G45.4", set()),
        (ICD, "I70.0", {"vascular-disease"}),
        (ICD, "E11.51", {"diabetes", "type-2-diabetes", *PERIPHERAL}),
        (GM, "E10.50", {"diabetes", "type-1-diabetes", *PERIPHERAL}),
        (ICD, "E11.59", {"diabetes", "type-2-diabetes"}),
        (SNOMED, "22298006", {"cardiovascular-disease", "myocardial-infarction", "vascular-disease"}),
        (SNOMED, "399957001", PERIPHERAL),
        (SNOMED, "266257000", {"cardiovascular-disease", "stroke-or-thromboembolism"}),
        (ICD, "I11.0", {"hypertension", "heart-failure"}),
        (ICD, "I48.0", {"atrial-fibrillation"}),
        (ICD, "I48.92", set()),
        (GM, "I42.80", {"arrhythmogenic-right-ventricular-cardiomyopathy"}),
        (ICD, "I42.8", set()),
        (ICD, "J96.12", {"hypercapnic-respiratory-failure"}),
        (ICD, "J96.02", set()),
        (ICD, "O24.419", {"pregnancy"}),
        (ICD, "O24.011", {"diabetes", "type-1-diabetes", "pregnancy"}),
        (SNOMED, "15777000", set()),
        (ICD, "R73.03", set()),
        (ICD, "S06.0X0A", set()),
        (ICD, "e11.9", {"diabetes", "type-2-diabetes"}),
        (None, "E11", set()),
        (SNOMED, None, set()),
    ],
)
def test_a_diagnosis_is_known_by_code_or_prefix_as_all_that_it_is(system, code, names):
    assert terms.conditions(system, code) == names


def test_gestational_diabetes_is_no_diabetes():
    assert "diabetes" not in terms.conditions(ICD, "O24.419")


@pytest.mark.parametrize(
    ("system", "code", "names"),
    [
        (SNOMED, "232717009", CORONARY),
        (PCS, "02703DZ", CORONARY),
        (PCS, "0273346", CORONARY),
        (PCS, "02100Z9", CORONARY),
        (PCS, "027L0ZZ", set()),
        (SNOMED, "18286008", set()),
        (SNOMED, "302497006", set()),
        (PCS, "5A1D70Z", set()),
        (ICD, "0270", set()),
        (None, None, set()),
    ],
)
def test_a_procedure_tells_of_a_condition(system, code, names):
    assert terms.procedures(system, code) == names


@pytest.mark.parametrize(
    ("system", "code", "names"),
    [
        (RXNORM, "83367", {"statin"}),
        (RXNORM, "6918", {"antihypertensive", "beta-blocker"}),
        (ATC, "C07AA07", {"antihypertensive", "beta-blocker", "antiarrhythmic"}),
        (ATC, "A10AB05", {"insulin", "fast-acting-insulin"}),
        (ATC, "A10AE56", {"insulin", "long-acting-insulin", "glp1-agonist"}),
        (ATC, "A10BD20", {"metformin", "sglt2-inhibitor"}),
        (ATC, "B01AF02", {"anticoagulant"}),
        (ATC, "B01AC04", set()),
        (ATC, "c10aa05", {"statin"}),
        (ATC, "C10BA04", {"statin"}),
        (ATC, "C10BA10", set()),
        (ATC, "C02CA04", {"antihypertensive"}),
        (ATC, "C02KX01", set()),
        (ATC, "C03XA01", set()),
        (RXNORM, "Atorvastatin", set()),
        (SNOMED, "83367", set()),
    ],
)
def test_a_medication_is_of_every_class_that_its_code_names(system, code, names):
    assert terms.treatments(system, code) == names


@pytest.mark.parametrize(
    ("display", "names"),
    [
        ("Atorvastatin 15 MG Oral Tablet", {"statin"}),
        ("Nystatin 100 UNT/MG Topical Cream", set()),
        ("Lisinopril 3 MG", {"antihypertensive"}),
        ("Metoprolol 12 mg", {"antihypertensive", "beta-blocker"}),
        ("Insulin lispro", {"insulin"}),
        ("Paracetamol", set()),
    ],
)
def test_a_name_suggests_classes(display, names):
    assert terms.resembling(display) == names


@pytest.mark.parametrize(
    ("system", "code", "role"),
    [(terms.ROLES, "NMTH", "NMTH"), (SNOMED, "66839005", "FTH"), (SNOMED, "1", None), (None, "FTH", None)],
)
def test_a_relative_is_named_by_the_role_code(system, code, role):
    assert terms.relation(system, code) == role


def test_every_procedure_tells_of_a_condition_of_the_list():
    assert set(TABLE["condition"]) >= terms.TOLD_BY_PROCEDURES
    assert terms.LASTING >= terms.TOLD_BY_PROCEDURES


def test_no_prefix_of_a_class_is_within_another_prefix_of_the_same_class():
    for name, entry in TABLE["treatment"].items():
        for code in entry["atc"]:
            assert not [one for one in entry["atc"] if one != code and code.startswith(one)], name


def test_a_narrower_kind_is_always_the_wider_one_too():
    for narrow, wide in NARROWER:
        for code in TABLE["condition"][narrow]["snomed"]:
            assert wide in terms.conditions(SNOMED, code)
        for code in TABLE["condition"][narrow]["icd10"]:
            assert wide in terms.conditions(ICD, code)
    for narrow, wide in (("warfarin", "anticoagulant"), ("fast-acting-insulin", "insulin")):
        for code in TABLE["treatment"][narrow]["rxnorm"]:
            assert wide in terms.treatments(RXNORM, code)


def test_an_overlong_code_is_read_no_further_than_the_longest_prefix():
    started = time.process_time()
    assert terms.treatments(ATC, "C10AA05" + "0" * 1_000_000) == {"statin"}
    assert time.process_time() - started < 1
