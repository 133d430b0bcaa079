import json
import tomllib
from collections import Counter
from pathlib import Path

import pytest

from fhir_mapping import codes
from fhir_mapping.observation import quantity
from tests.fhir_mapping.published import examples

FOLDER = Path(codes.__file__).parent
SIGNALS = {target.name: target for target in codes.TARGETS.values() if isinstance(target, codes.Signal)}
TABLE = tomllib.loads((FOLDER / "signals.toml").read_text())["signal"]
CODES = [code for entry in TABLE.values() for code in entry["codes"]]

# A healthy or an ordinary sick adult, in the unit of the signal.
TYPICAL = {
    "systolic-blood-pressure": (80, 120, 200), "diastolic-blood-pressure": (40, 80, 120),
    "mean-blood-pressure": (50, 90, 140), "arterial-systolic-pressure": (80, 120, 200),
    "arterial-diastolic-pressure": (40, 70, 110), "arterial-mean-pressure": (50, 85, 140),
    "central-venous-pressure": (-2, 6, 25), "heart-rate": (30, 70, 200), "respiratory-rate": (8, 16, 50),
    "oxygen-saturation": (60, 97, 100), "body-temperature": (32, 37, 41),
    "inhaled-oxygen-flow": (1, 15, 60), "inhaled-oxygen-fraction": (21, 40, 100),
    "end-tidal-carbon-dioxide": (15, 38, 70), "body-height": (50, 170, 210), "body-weight": (0.5, 70, 250),
    "body-mass-index": (13, 24, 60), "body-surface-area": (0.2, 1.9, 2.8),
    "waist-circumference": (50, 90, 170), "glucose": (20, 95, 1000), "fasting-glucose": (40, 90, 400),
    "capillary-glucose": (30, 110, 600), "interstitial-glucose": (40, 130, 400), "hba1c": (4, 5.5, 15),
    "beta-hydroxybutyrate": (0.1, 0.3, 12), "c-peptide": (0, 2, 15), "carbohydrate-intake": (5, 60, 200),
    "total-cholesterol": (70, 190, 500), "hdl-cholesterol": (15, 50, 110),
    "ldl-cholesterol": (10, 110, 400), "non-hdl-cholesterol": (30, 140, 450),
    "triglycerides": (30, 120, 5000), "creatinine": (0.3, 0.9, 15), "egfr": (3, 95, 140),
    "cystatin-c": (0.5, 0.9, 6), "urine-albumin-creatinine-ratio": (0, 10, 5000),
    "urea-nitrogen": (3, 14, 180), "urea": (1, 5, 60), "urate": (0.5, 5, 18), "sodium": (105, 140, 180),
    "potassium": (1.5, 4, 9), "chloride": (60, 103, 140), "bicarbonate": (4, 24, 50),
    "total-carbon-dioxide": (4, 25, 50), "calcium": (5, 9.5, 18), "magnesium": (0.5, 2, 8),
    "phosphate": (0.5, 3.5, 15), "osmolality": (230, 290, 400), "lactate": (0.3, 1, 25),
    "alanine-aminotransferase": (3, 25, 10000), "aspartate-aminotransferase": (3, 25, 15000),
    "alkaline-phosphatase": (10, 70, 2000), "gamma-glutamyl-transferase": (3, 30, 3000),
    "bilirubin": (0.1, 0.7, 40), "albumin": (1, 4.2, 5.5), "total-protein": (3, 7, 12),
    "c-reactive-protein": (0.1, 3, 500), "hs-c-reactive-protein": (0.1, 1, 20), "hemoglobin": (3, 14, 22),
    "hematocrit": (10, 42, 65), "erythrocytes": (1, 4.7, 8), "mean-corpuscular-volume": (55, 90, 130),
    "mean-corpuscular-hemoglobin": (15, 30, 42), "mean-corpuscular-hemoglobin-concentration": (25, 33, 39),
    "leukocytes": (0.1, 7, 400), "neutrophils": (0, 4, 60), "lymphocytes": (0, 2, 300),
    "platelets": (2, 250, 1500), "inr": (0.8, 1, 12), "troponin-i": (0, 5, 100000),
    "troponin-t": (0, 8, 20000), "nt-probnp": (5, 80, 70000),
    "left-ventricular-ejection-fraction": (10, 60, 75), "right-ventricular-ejection-fraction": (10, 55, 75),
    "premature-ventricular-contractions": (0, 50, 40000), "pr-interval": (80, 160, 400),
    "qrs-duration": (60, 90, 220), "qt-interval": (250, 400, 650), "corrected-qt-interval": (320, 420, 650),
    "intracranial-pressure": (-5, 10, 80), "cerebral-perfusion-pressure": (20, 70, 130),
    "brain-tissue-oxygen": (2, 25, 80), "electroencephalogram": (-500, 0, 500),
    "glasgow-coma-score": (3, 15, 15), "glasgow-coma-score-eye": (1, 4, 4),
    "glasgow-coma-score-verbal": (1, 5, 5), "glasgow-coma-score-motor": (1, 6, 6),
    "arterial-oxygen-pressure": (30, 90, 600), "arterial-carbon-dioxide-pressure": (12, 40, 120),
    "arterial-ph": (6.7, 7.4, 7.8), "base-excess": (-30, 0, 30), "pain-score": (0, 3, 10),
    "oswestry-disability-index": (0, 20, 90), "bone-density-t-score": (-6, -1, 4),
    "femur-bone-density": (0.4, 0.9, 1.6),
    "social-deprivation-index": (1, 5, 10),
} | {name: (-3, 0, 3) for name in SIGNALS if name.startswith("ecg-lead-")}  # fmt: skip


def test_every_signal_accepts_its_own_unit_as_it_is():
    for signal in SIGNALS.values():
        assert signal.unit in TABLE[signal.name]["units"]
        if signal.unit in signal.scales:
            assert signal.scales[signal.unit].identity


@pytest.mark.parametrize("name", sorted(SIGNALS))
def test_what_people_have_is_plausible(name):
    signal = SIGNALS[name]
    low, usual, high = TYPICAL[name]
    assert signal.low <= low <= usual <= high <= signal.high


# An ordinary value under the name of another unit.
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("body-weight", 70_000),
        ("body-height", 1.75),
        ("body-height", 1750),
        ("body-temperature", 98.6),
        ("body-temperature", 310),
        ("oxygen-saturation", 0.97),
        ("inhaled-oxygen-fraction", 0.4),
        ("systolic-blood-pressure", 16),
        ("hba1c", 48),
        ("total-cholesterol", 5.2),
        ("triglycerides", 1.4),
        ("creatinine", 80),
        ("calcium", 2.4),
        ("urate", 300),
        ("hemoglobin", 140),
        ("hematocrit", 0.45),
        ("albumin", 42),
        ("platelets", 250_000),
        ("erythrocytes", 4_700_000),
        ("arterial-oxygen-pressure", 0.1),
        ("arterial-ph", 40),
        ("qrs-duration", 0.09),
        ("left-ventricular-ejection-fraction", 0.6),
        ("pain-score", 45),
    ],
)
def test_a_slip_of_the_unit_is_not_plausible(name, value):
    assert not SIGNALS[name].low <= value <= SIGNALS[name].high


def test_conversions_agree_with_the_literature():
    cases = [
        ("total-cholesterol", "mmol/L", 5.0, 193.35),
        ("creatinine", "umol/L", 88.4, 1.0),
        ("creatinine", "mmol/L", 0.0884, 1.0),
        ("body-temperature", "[degF]", 98.6, 37.0),
        ("body-temperature", "K", 310.15, 37.0),
        ("body-height", "in", 70, 177.8),
        ("body-weight", "lb", 100, 45.359237),
        ("systolic-blood-pressure", "kPa", 16, 120.0098521353),
        ("inhaled-oxygen-fraction", "1", 0.21, 21.0),
    ]
    for name, unit, value, expected in cases:
        assert SIGNALS[name].scales[unit].apply(value) == expected


def test_no_code_stands_for_two_things():
    other = tomllib.loads((FOLDER / "codes.toml").read_text())
    every = [*CODES, *other["refused"], *other["genomics-refused"], *other["genomics"].values()]
    every += [code for entry in other["panel"].values() for code in entry["codes"]]
    every += [code for entry in other["finding"].values() for code in entry["codes"]]
    assert [code for code, count in Counter(every).items() if count > 1] == []


def test_a_panel_holds_signals_that_exist():
    for target in codes.TARGETS.values():
        if isinstance(target, codes.Panel):
            assert target.signals <= set(SIGNALS)


def test_a_device_code_is_known_by_both_names_of_its_system():
    by_name = codes.TARGETS["urn:iso:std:iso:11073:10101", "150456"]
    assert by_name is codes.TARGETS["urn:oid:2.16.840.1.113883.6.24", "150456"]
    assert by_name.name == "oxygen-saturation"


def test_the_ifcc_code_is_taken_in_ifcc_units_only():
    assert set(TABLE["hba1c"]["units"]) & set(codes.TARGETS[codes.LOINC, "59261-8"].scales) == {"mmol/mol"}
    assert "%" in codes.TARGETS[codes.LOINC, "4548-4"].scales


@pytest.mark.parametrize("code", [code for code in CODES if code.startswith("loinc|")])
def test_a_loinc_code_has_its_check_digit(code):
    number, digit = code.removeprefix("loinc|").split("-")
    doubled = str(2 * int(number[::-1][::2]))
    found = -sum(map(int, doubled + number[::-1][1::2])) % 10
    # 3150-6 (inhaled oxygen concentration, US Core pulse oximetry) is the one that breaks LOINC's own rule.
    assert found == int(digit) or code == "loinc|3150-6"


@pytest.mark.parametrize("code", [code for code in CODES if code.startswith("snomed|")])
def test_a_snomed_identifier_has_its_check_digit(code):
    """Verhoeff's dihedral check (SNOMED CT technical implementation guide, identifiers)."""
    position = [1, 5, 7, 6, 2, 8, 3, 0, 9, 4]
    check = 0
    for index, digit in enumerate(reversed(code.removeprefix("snomed|"))):
        each = int(digit)
        for _ in range(index % 8):
            each = position[each]
        check = _dihedral(check, each)
    assert check == 0


def _dihedral(left, right):
    turned, rotation = left >= 5, left % 5
    turns = (rotation - right) if turned else (rotation + right)
    return turns % 5 + 5 * (turned != (right >= 5))


@pytest.mark.parametrize("folder", ["synthea", "hl7-r4-examples"])
def test_every_unit_that_published_records_send_for_a_signal_is_read(folder):
    unread = set()
    for path in examples(folder):
        if not isinstance(path, Path):
            pytest.skip(f"the examples {folder} are absent")
        unread |= {each for each in _quantities(json.loads(path.read_bytes())) if each not in UNREAD}
    assert unread == set()


# Refused on purpose: a clearance without the body surface that its code names.
UNREAD = {("egfr", "mL/min", "mL/min")}


def _quantities(node):
    if isinstance(node, list):
        for each in node:
            yield from _quantities(each)
    if isinstance(node, dict):
        for coding in node.get("code", {}).get("coding", ()) if isinstance(node.get("code"), dict) else ():
            signal = codes.TARGETS.get((coding.get("system"), coding.get("code")))
            given = node.get("valueQuantity")
            if given and isinstance(signal, codes.Signal) and quantity.scale(signal, given) is None:
                yield signal.name, given.get("unit"), given.get("code")
        for each in node.values():
            yield from _quantities(each)
