"""The demo's patients: made-up people, each with a part to play, and histories that hang together.

Levels follow age and sex, and move together within a person: heavier people tend to higher pressure and lower
HDL cholesterol. Sizes are those of an ordinary outpatient clinic, chosen by hand; nothing here is an estimate
from data, and nobody is meant.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

import numpy as np

from gateway.demonstration import diabetes
from gateway.demonstration import resources as fhir
from gateway.demonstration.diabetes import Diary
from gateway.demonstration.resources import Resource
from gateway.demonstration.ward import Bedside, Body, oxygen_scale, vital_signs

YEAR = timedelta(days=365.25)
VISITS = 6
_LAST_VISIT = timedelta(days=21)
_TREATED_FOR = 2.2 * YEAR
_STATIN_LEAVES = 0.78  # of total cholesterol
_BEFORE_STATIN = 18.0  # mg/dL more, the reason for the drug
_FAMILIAL = 35.0  # mg/dL more with a variant of the LDL receptor
_TABLETS_LOWER = 12.0  # mm[Hg] systolic

SMOKING = {
    "never": fhir.concept(fhir.SNOMED, "266919005", "Never smoked tobacco"),
    "former": fhir.concept(fhir.SNOMED, "8517006", "Ex-smoker"),
    "current": fhir.concept(fhir.SNOMED, "449868002", "Smokes tobacco daily"),
}
DIABETES = fhir.concept(fhir.SNOMED, "44054006", "Diabetes mellitus type 2")
STATIN = fhir.concept(fhir.RXNORM, "617310", "atorvastatin 20 MG Oral Tablet")
ANTIHYPERTENSIVE = fhir.concept(fhir.RXNORM, "314076", "lisinopril 10 MG Oral Tablet")

# Deviations from the mean of age and sex:
# body mass index, systolic pressure, total and HDL cholesterol, creatinine.
_SPREAD = np.array([3.5, 9.0, 20.0, 9.0, 0.11])
_TOGETHER = np.array(
    [
        [1.0, 0.3, 0.1, -0.35, 0.1],
        [0.3, 1.0, 0.15, 0.0, 0.1],
        [0.1, 0.15, 1.0, 0.1, 0.0],
        [-0.35, 0.0, 0.1, 1.0, 0.0],
        [0.1, 0.1, 0.0, 0.0, 1.0],
    ]
)
_ORDINARY = 1.5  # deviations; nobody in the demo is further out


@dataclass(frozen=True, slots=True)
class Role:
    """A part in the demo; ``shows`` says why it is there."""

    name: str
    gender: Literal["female", "male"]
    age: int
    shows: str
    smoking: Literal["never", "former", "current"] = "never"
    diabetes: bool = False
    statin: bool = False
    antihypertensive: bool = False
    lipids: bool = True
    consent: Literal["permit", "deny"] | None = None
    bedside: Bedside | None = None
    genes: bool = False
    dirty: bool = False
    pump: bool = False

    @property
    def id(self) -> str:
        return f"demo-{self.name}"


ROLES = (
    Role("ada", "female", 52, "treated pressure, measured for years", antihypertensive=True),
    Role("boris", "male", 61, "diabetes, smoking and both treatments", "current", True, True, True),
    Role("carl", "male", 45, "stopped smoking, untreated", "former"),
    Role("doris", "female", 68, "statin since two years", statin=True),
    Role("emil", "male", 74, "diabetes and treated pressure", "former", diabetes=True, antihypertensive=True),
    Role("frieda", "female", 57, "in hospital, steady", bedside=Bedside(0.05)),
    Role("gustav", "male", 66, "in hospital, gets worse", "former", bedside=Bedside(0.15, worsens=True)),
    Role("hanna", "female", 71, "in hospital, on oxygen", bedside=Bedside(0.3, oxygen=2.0)),
    Role("ilse", "female", 38, "gene panel", genes=True, statin=True),
    Role("jakob", "male", 58, "denies", "current", consent="deny"),
    Role("klara", "female", 49, "permits, then withdraws", consent="permit"),
    Role("ludwig", "male", 55, "no lipids were ever measured", lipids=False),
    Role("marta", "female", 63, "a wrong unit and an impossible value", dirty=True),
    Role("nora", "female", 24, "too young for a cardiovascular estimate"),
    Role("olga", "female", 34, "type 1 diabetes, with sensor and pump", pump=True),
)


@dataclass(frozen=True, slots=True)
class DemoPatient:
    """A role with a body and the resources that the hospital holds about it.

    ``diary`` is that of a person with a sensor and a pump.
    """

    role: Role
    body: Body
    resources: tuple[Resource, ...]
    diary: Diary | None = None


def cohort(now: datetime, rng: np.random.Generator) -> tuple[DemoPatient, ...]:
    """Return every role's patient, with a history up to ``now``; each draws from a stream of its own."""
    return tuple(_enrolled(role, now, own) for role, own in zip(ROLES, rng.spawn(len(ROLES)), strict=True))


def lipids(stem: str, role: Role, body: Body, at: datetime, rng: np.random.Generator) -> tuple[Resource, ...]:
    """Return total and HDL cholesterol of one blood sample."""
    total = body.cholesterol * rng.normal(1, 0.03)
    hdl = body.hdl * rng.normal(1, 0.03)
    return (
        fhir.measurement(f"{stem}-cholesterol", role.id, fhir.CHOLESTEROL, total, at),
        fhir.measurement(f"{stem}-hdl", role.id, fhir.HDL, hdl, at),
    )


def pressure(stem: str, role: Role, body: Body, at: datetime, rng: np.random.Generator) -> Resource:
    """Return one sitting's blood pressure."""
    systolic = body.systolic + rng.normal(0, 3)
    diastolic = 42 + 0.29 * systolic + rng.normal(0, 3)
    return fhir.blood_pressure(f"{stem}-pressure", role.id, systolic, diastolic, at)


def _enrolled(role: Role, now: datetime, rng: np.random.Generator) -> DemoPatient:
    body = _body(role, rng)
    resources = tuple(_history(role, body, now, rng))
    if not role.pump:
        return DemoPatient(role, body, resources)
    diary = diabetes.lived(now, rng)
    return DemoPatient(role, body, (*resources, *diabetes.history(role.id, diary, now)), diary)


def _body(role: Role, rng: np.random.Generator) -> Body:
    deviations = np.clip(rng.multivariate_normal(np.zeros(5), _TOGETHER), -_ORDINARY, _ORDINARY) * _SPREAD
    female, age = role.gender == "female", role.age
    means = np.array(
        [
            25 + 0.08 * (min(age, 60) - 20) + 2.5 * role.diabetes,
            (117 + 0.4 * (age - 25)) if female else (120 + 0.35 * (age - 25)),
            _cholesterol(role),
            (58 if female else 48) - 4 * (role.smoking == "current") - 3 * role.diabetes,
            (0.72 if female else 0.92) + 0.004 * max(age - 45, 0),
        ]
    )
    height = rng.normal(165 if female else 178, 5)
    levels = (float(level) for level in means + deviations)
    return Body(height, *levels)


def _cholesterol(role: Role) -> float:
    usual = 190 + 0.9 * (min(role.age, 60) - 30) + _FAMILIAL * role.genes
    return (usual + _BEFORE_STATIN) * _STATIN_LEAVES if role.statin else usual


def _history(role: Role, body: Body, now: datetime, rng: np.random.Generator) -> Iterator[Resource]:
    yield fhir.patient(role.id, role.name.capitalize(), role.gender, _born(role, now))
    if role.consent is not None:
        yield fhir.consent(f"{role.id}-consent", role.id, role.consent, now - YEAR)
    yield from _problems_and_drugs(role, now)
    yield _smoking(role, now - _LAST_VISIT)
    for visit in range(VISITS):
        at = now - _LAST_VISIT - (VISITS - 1 - visit) * YEAR + timedelta(days=rng.uniform(-15, 15))
        yield from _visit(f"{role.id}-visit-{visit + 1}", role, _on_that_day(role, body, now - at), at, rng)
    if role.bedside is not None:
        yield from _admission(role, role.bedside, body, now, rng)
    if role.genes:
        yield from _gene_panel(role, now - 3 * YEAR)
    if role.dirty:
        yield from _dirt(role, now - timedelta(days=2))


def _born(role: Role, now: datetime) -> date:
    return (now - role.age * YEAR - timedelta(days=120)).date()


def _problems_and_drugs(role: Role, now: datetime) -> Iterator[Resource]:
    if role.diabetes:
        yield fhir.condition(f"{role.id}-diabetes", role.id, DIABETES, now - 5 * YEAR)
    since = now - _TREATED_FOR
    if role.statin:
        yield fhir.prescription(f"{role.id}-statin", role.id, STATIN, since)
    if role.antihypertensive:
        yield fhir.prescription(f"{role.id}-antihypertensive", role.id, ANTIHYPERTENSIVE, since)


def _smoking(role: Role, at: datetime) -> Resource:
    code = fhir.concept(fhir.LOINC, "72166-2", "Tobacco smoking status")
    return fhir.finding(f"{role.id}-smoking", role.id, "social-history", code, SMOKING[role.smoking], at)


def _on_that_day(role: Role, body: Body, ago: timedelta) -> Body:
    """Take off ageing, and the treatments where they had not begun."""
    years, untreated = ago / YEAR, ago > _TREATED_FOR
    return Body(
        body.height,
        body.mass_index - 0.1 * years,
        body.systolic - 0.5 * years + _TABLETS_LOWER * (role.antihypertensive and untreated),
        (body.cholesterol - years) / (_STATIN_LEAVES if role.statin and untreated else 1.0),
        body.hdl,
        body.creatinine - 0.004 * years,
    )


def _visit(stem: str, role: Role, body: Body, at: datetime, rng: np.random.Generator) -> Iterator[Resource]:
    mass_index = body.mass_index + rng.normal(0, 0.2)
    weight = mass_index * (body.height / 100) ** 2
    yield pressure(stem, role, body, at, rng)
    yield fhir.measurement(f"{stem}-height", role.id, fhir.HEIGHT, body.height, at)
    yield fhir.measurement(f"{stem}-weight", role.id, fhir.WEIGHT, weight, at)
    yield fhir.measurement(f"{stem}-bmi", role.id, fhir.BMI, mass_index, at)
    yield fhir.measurement(f"{stem}-creatinine", role.id, fhir.CREATININE, body.creatinine, at)
    if role.lipids:
        yield from lipids(stem, role, body, at, rng)


def _admission(
    role: Role, bedside: Bedside, body: Body, now: datetime, rng: np.random.Generator
) -> Iterator[Resource]:
    yield oxygen_scale(f"{role.id}-oxygen-scale", role.id, now - timedelta(hours=22))
    for turn in range(6):
        at = now - timedelta(hours=4 * (6 - turn)) + timedelta(hours=3)
        yield from vital_signs(f"{role.id}-round-{turn + 1}", role.id, bedside, body, at, rng)


def _gene_panel(role: Role, at: datetime) -> Iterator[Resource]:
    panel = (
        ("HGNC:6547", "LDLR", "NM_000527.5:c.301G>A", ("LA6668-3", "Pathogenic")),
        ("HGNC:10959", "SLCO1B1", "NM_006446.5:c.521T>C", ("LA26333-7", "Uncertain significance")),
        ("HGNC:20001", "PCSK9", None, None),
    )
    for gene, symbol, change, meaning in panel:
        parts = [_part("48018-6", "Gene studied [ID]", "http://www.genenames.org/geneId", gene, symbol)]
        if change is not None and meaning is not None:
            hgvs = "http://varnomen.hgvs.org"
            parts.append(_part("48004-6", "DNA change (c.HGVS)", hgvs, change, change))
            parts.append(_part("53034-5", "Allelic state", fhir.LOINC, "LA6706-1", "Heterozygous"))
            parts.append(_part("53037-8", "Clinical significance", fhir.LOINC, *meaning))
        yield fhir.variant(f"{role.id}-gene-{symbol.lower()}", role.id, change is not None, parts, at)


def _part(code: str, display: str, system: str, answer: str, text: str) -> tuple[Resource, Resource]:
    return fhir.concept(fhir.LOINC, code, display), fhir.concept(system, answer, text)


def _dirt(role: Role, at: datetime) -> Iterator[Resource]:
    """A cholesterol in a unit of length, and a pressure ten times too high."""
    wrong = fhir.measurement(f"{role.id}-dirty-cholesterol", role.id, fhir.CHOLESTEROL, 201, at)
    yield wrong | {"valueQuantity": wrong["valueQuantity"] | {"unit": "mm", "code": "mm"}}
    yield fhir.blood_pressure(f"{role.id}-dirty-pressure", role.id, 1280, 82, at)
