import json
import subprocess
import sys
from math import isclose

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fhir_mapping import codes, ucum, units, units_table
from fhir_mapping.units import Analyte, Scale

SIGNALS = {target.name: target for target in codes.TARGETS.values() if isinstance(target, codes.Signal)}
GLUCOSE = Analyte(180.156)


@st.composite
def measured(draw):
    signal = draw(st.sampled_from(sorted(SIGNALS.values(), key=lambda each: each.name)))
    text = draw(st.sampled_from(sorted(signal.scales)))
    return signal.scales[text], draw(st.floats(signal.low, signal.high))


@given(measured())
def test_a_number_comes_back_from_every_unit_of_every_signal(case):
    scale, value = case
    there = scale.inverse().apply(value)
    assert isclose(scale.apply(there), value, rel_tol=1e-9, abs_tol=1e-7)


@given(st.floats(-1e6, 1e6), st.floats(1e-3, 1e3), st.floats(-500, 500))
def test_a_scale_and_its_inverse_undo_each_other(value, factor, offset):
    scale = Scale(factor, offset)
    there = scale.inverse()
    assert isclose(there.factor * (value * factor + offset) + there.offset, value, rel_tol=1e-9, abs_tol=1e-6)


def test_the_table_is_what_ucumvert_computes_now():
    computed = units_table.computed()
    assert units_table.written(computed) == units_table.FILE.read_text()
    assert {name: tuple(line) for name, line in json.loads(units_table.FILE.read_text()).items()} == computed


def test_a_process_that_maps_never_loads_ucumvert():
    program = (
        "import sys, fhir_mapping.observation; sys.exit('ucumvert' in sys.modules or 'pint' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


# Exact by definition: international yard and pound (1959), the kelvin scale, the katal, the litre; the
# conventional millimetre of mercury (ISO 80000-4) and centimetre of water.
@pytest.mark.parametrize(
    ("unit", "to", "value", "expected"),
    [
        ("[in_i]", "cm", 1, 2.54),
        ("[ft_i]", "[in_i]", 1, 12),
        ("[lb_av]", "g", 1, 453.59237),
        ("[lb_av]", "[oz_av]", 1, 16),
        ("[stone_av]", "[lb_av]", 1, 14),
        ("Cel", "K", 0, 273.15),
        ("[degF]", "Cel", -40, -40),
        ("[degF]", "Cel", 212, 100),
        ("[degF]", "K", 32, 273.15),
        ("kat/L", "U/L", 1, 6e7),
        ("dm3", "l", 1, 1),
        ("dl", "mL", 1, 100),
        ("mm[Hg]", "Pa", 1, 133.322387415),
        ("cm[H2O]", "Pa", 1, 98.0665),
        ("ng/dl", "ng/L", 1, 10),
        ("10*3/uL", "/L", 1, 1e9),
        ("mL/min/{1.73_m2}", "L/d/{1.73_m2}", 100, 144),
    ],
)
def test_units_of_the_same_kind_are_converted(unit, to, value, expected):
    assert units.scale(unit, to).apply(value) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "to", "analyte", "value", "expected"),
    [
        ("mg/dL", "mmol/L", GLUCOSE, 180.156, 10),
        ("mmol/L", "mg/dL", GLUCOSE, 5.55, 99.98658),
        ("mg/L", "umol/L", Analyte(100), 1, 10),
        ("mg/mmol", "mg/g", units.analyte("creatinine"), 3, 26.52),
        ("mg/g", "g/mol", units.analyte("creatinine"), 8.84, 1),
        ("meq/L", "mmol/L", Analyte(39.098, 1), 4, 4),
        ("meq/L", "mmol/L", Analyte(40.078, 2), 5, 2.5),
        ("mmol/L", "meq/L", Analyte(40.078, 2), 2.5, 5),
        ("meq/L", "mg/dL", Analyte(40.078, 2), 5, 10.0195),
        ("ueq/L", "umol/L", Analyte(24.305, 2), 5, 2.5),
    ],
)
def test_mass_substance_and_charge_meet_in_the_analyte(unit, to, analyte, value, expected):
    assert units.scale(unit, to, analyte).apply(value) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("unit", "to", "analyte"),
    [
        ("K/uL", "10*3/uL", None),
        ("M/uL", "10*6/uL", None),
        ("pH", "[pH]", None),
        ("MG", "mg", None),
        ("mg/dl", "mmol/L", None),
        ("mg/dL", "Cel", GLUCOSE),
        ("meq/L", "mmol/L", None),
        ("meq/L", "mmol/L", GLUCOSE),
        ("[iU]/L", "U/L", None),
        ("[iU]", "U", None),
        ("[diop]", "1", None),
        ("IU/L", "U/L", None),
        ("x10^3/uL", "10*3/uL", None),
        ("mmol/L of something", "mmol/L", None),
        ("g%", "g/dL", None),
        ("", "mg", None),
    ],
)
def test_what_no_law_joins_is_refused(unit, to, analyte):
    with pytest.raises(ucum.Incommensurable):
        units.scale(unit, to, analyte)


def test_a_unit_is_converted_to_itself_without_being_understood():
    assert units.scale("[pH]", "[pH]").identity
    assert units.scale("{score}", "1").identity


# Factors as laboratories publish them (SI conversion tables of JAMA and the RCPA; NGSP for HbA1c; KDIGO 2012
# for the albumin-creatinine ratio), to the digits that they print.
@pytest.mark.parametrize(
    ("name", "unit", "value", "expected", "digits"),
    [
        ("glucose", "mmol/L", 5.55, 100, 0),
        ("interstitial-glucose", "mmol/L", 10, 180, 0),
        ("total-cholesterol", "mmol/L", 5.17, 200, 0),
        ("triglycerides", "mmol/L", 1.69, 150, 0),
        ("creatinine", "µmol/L", 88.4, 1, 10),
        ("urea-nitrogen", "mmol/L", 0.357, 1, 2),
        ("urea", "mg/dL", 6.006, 1, 3),
        ("urate", "umol/L", 59.48, 1, 3),
        ("bilirubin", "umol/L", 17.1, 1, 2),
        ("calcium", "mmol/L", 2.5, 10.02, 2),
        ("calcium", "mEq/L", 5, 10.02, 2),
        ("magnesium", "mmol/L", 0.8, 1.94, 2),
        ("magnesium", "mEq/L", 1.6, 1.94, 2),
        ("phosphate", "mmol/L", 1.29, 4.0, 1),
        ("lactate", "mg/dL", 9.008, 1, 3),
        ("sodium", "mEq/L", 140, 140, 10),
        ("hemoglobin", "mmol/L", 9.31, 15.0, 1),
        ("hemoglobin", "g/L", 150, 15, 10),
        ("hematocrit", "L/L", 0.45, 45, 10),
        ("c-peptide", "nmol/L", 0.331, 1, 2),
        ("nt-probnp", "pmol/L", 14.8, 125, 0),
        ("alanine-aminotransferase", "µkat/L", 0.5, 30, 10),
        ("urine-albumin-creatinine-ratio", "mg/mmol", 3.39, 30, 0),
        ("hba1c", "mmol/mol", 48, 6.5, 1),
        ("hba1c", "mmol/mol", 53, 7.0, 1),
        ("hba1c", "mmol/mol", 42, 6.0, 1),
        ("hba1c", "mmol/mol", 75, 9.0, 1),
        ("troponin-t", "ng/mL", 0.014, 14, 10),
        ("arterial-oxygen-pressure", "kPa", 13.3, 100, 0),
        ("intracranial-pressure", "cmH2O", 27.2, 20, 0),
        ("body-temperature", "°F", 98.6, 37, 10),
        ("qrs-duration", "s", 0.12, 120, 10),
    ],
)
def test_laboratory_conversions_agree_with_the_published_factors(name, unit, value, expected, digits):
    assert round(SIGNALS[name].scales[unit].apply(value), digits) == expected


@pytest.mark.parametrize(
    ("name", "texts"),
    [
        ("leukocytes", ("K/uL", "K/ul", "x10^3/uL", "thou/uL", "10^9/L", "x10*9/L", "G/L", "10*9/L")),
        ("erythrocytes", ("M/uL", "x10E6/uL", "T/L", "10*12/L")),
        ("alanine-aminotransferase", ("IU/L", "U/L", "[iU]/L", "units/L")),
        ("hemoglobin", ("gm/dL", "g/dl")),
        ("arterial-ph", ("pH", "[pH]", "1", "{pH}")),
        ("glasgow-coma-score", ("(score)", "{score}", "score", "1")),
        ("inr", ("INR", "{INR}", "1")),
        ("egfr", ("mL/min/1.73m2", "mL/min/1.73 m²")),
        ("heart-rate", ("beats/min", "bpm", "/min", "264864")),
        ("potassium", ("mEq/L", "mmol/l", "258813002")),
        ("urine-albumin-creatinine-ratio", ("mg/g{creat}", "mcg/mg", "µg/mg creat", "μg/mg creat")),
    ],
)
def test_what_servers_write_is_read_as_the_unit_that_they_mean(name, texts):
    assert all(SIGNALS[name].scales[text].identity for text in texts)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("body-temperature", "K/uL"),
        ("leukocytes", "K"),
        ("leukocytes", "10*6/uL"),
        ("body-weight", "G"),
        ("glucose", "MG"),
        ("glucose", "mg"),
        ("hemoglobin", "G/L"),
        ("egfr", "mL/min"),
        ("potassium", "mg/dL of K"),
        ("calcium", "U/L"),
        ("arterial-ph", "nmol/L"),
    ],
)
def test_a_unit_that_means_another_thing_is_not_accepted(name, text):
    assert text not in SIGNALS[name].scales


def test_no_spelling_is_without_use_and_none_overrides_a_unit():
    accepted = {text for signal in SIGNALS.values() for text in signal.scales}
    assert set(units._TABLE["alias"]) <= accepted
    for text, unit in units._TABLE["alias"].items():
        assert not any(
            text == unit or text == signal.unit for signal in SIGNALS.values() if unit in signal.scales
        )


def test_the_agreed_factors_lie_within_a_thousandth_of_the_molar_masses():
    """Sums of the standard atomic weights: C27H46O, C57H104O6 (triolein), C4H7N3O."""
    exact = {"cholesterol": 386.66, "triglyceride": 885.43, "creatinine": 113.12}
    for name, mass in exact.items():
        assert isclose(units.analyte(name).molar_mass, mass, rel_tol=1e-3)
