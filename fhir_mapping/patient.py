"""Patient -> the person as the engine knows them. Names and identifiers are never kept.

Sex for clinical use is what HL7's ``patient-sexParameterForClinicalUse`` says, else the administrative
gender. Where sex at birth is recorded and contradicts the gender, and no sex for clinical use settles it,
the sex is unknown: an equation that differs by sex must not be chosen by guess. An age needs a full day
of birth.
"""

from __future__ import annotations

from typing import Any, Literal

from fhir_mapping.errors import Problem
from fhir_mapping.instants import day, moment
from fhir_mapping.mapped import Mapped, Origin
from fhir_mapping.shapes import CodeableConcept, Shape, Text, view
from twin_engine.twin import Sex, Subject

CLINICAL_USE = "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse"
BIRTH_SEX = "http://hl7.org/fhir/us/core/StructureDefinition/us-core-birthsex"
_FEMALE: Sex = "female"
_MALE: Sex = "male"
_CLINICAL: dict[str, Sex] = {
    "female-typical": _FEMALE,
    "male-typical": _MALE,
    "female": _FEMALE,
    "male": _MALE,
}
_UNSETTLED = Problem("value", "the records of sex differ and none is for clinical use", "Patient.gender")
_AT_BIRTH: dict[str, Sex] = {"F": _FEMALE, "M": _MALE}


class _Inner(Shape, frozen=True):
    url: Text
    value_codeable_concept: CodeableConcept | None = None


class _Extension(Shape, frozen=True):
    url: Text
    value_code: Text | None = None
    extension: tuple[_Inner, ...] = ()


class _Patient(Shape, frozen=True):
    gender: Literal["male", "female", "other", "unknown"] | None = None
    birth_date: Text | None = None
    deceased_boolean: bool | None = None
    deceased_date_time: Text | None = None
    extension: tuple[_Extension, ...] = ()


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a Patient."""
    patient = view(resource, _Patient)
    problems: list[Problem] = []
    sex = _sex(patient, problems)
    birth = day(patient.birth_date)
    at = moment(patient.birth_date)
    if birth is None:
        problems.append(Problem("absent", "the full day of birth is not known", "Patient.birthDate"))
    elif at is not None and at.after(origin.now):
        birth = None
        problems.append(Problem("time", "the day of birth lies in the future", "Patient.birthDate"))
    deceased = patient.deceased_boolean is True or patient.deceased_date_time is not None
    return Mapped(subject=Subject(sex, birth, deceased, origin.source), reasons=tuple(problems))


def _sex(patient: _Patient, problems: list[Problem]) -> Sex | None:
    stated = _clinical_codes(patient)
    if stated:
        sexes = {_CLINICAL.get(code or "") for code in stated}
        if len(sexes) == 1:
            return sexes.pop()
        problems.append(_UNSETTLED)
        return None
    gender: Sex | None = patient.gender if patient.gender in ("female", "male") else None
    at_birth = {_AT_BIRTH.get(each.value_code or "") for each in patient.extension if each.url == BIRTH_SEX}
    if gender is None:
        problems.append(Problem("absent", "the sex for clinical use is not known", "Patient.gender"))
    elif at_birth - {None, gender}:
        problems.append(_UNSETTLED)
        return None
    return gender


def _clinical_codes(patient: _Patient) -> set[str | None]:
    return {
        coding.code
        for extension in patient.extension
        if extension.url == CLINICAL_USE
        for inner in extension.extension
        if inner.url == "value" and inner.value_codeable_concept
        for coding in inner.value_codeable_concept.coding
    }
