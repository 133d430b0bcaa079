"""Patient -> the person as the engine knows them. Names and identifiers are never kept.

Sex for clinical use is what HL7's ``patient-sexParameterForClinicalUse`` says of the present time, else the
administrative gender. Where sex at birth is recorded and contradicts the gender, and no sex for clinical use
settles it, the sex is unknown: an equation that differs by sex must not be chosen by guess.

An age needs a full day of birth. A year or a month alone would give an interval of ages, and equations that
turn with a birthday would have to be asked twice and could disagree; so the age counts as unknown. Any
``deceased[x]`` but a plain ``false`` says that the person has died, be its date as vague as it may.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from fhir_mapping.errors import Problem
from fhir_mapping.instants import day, last, moment
from fhir_mapping.mapped import Mapped, Origin
from fhir_mapping.shapes import CodeableConcept, Period, Shape, Text, view
from twin_engine.twin import Sex, Subject

# Elements that nothing is read from and that are no modifiers, which could change what the rest means.
UNREAD = frozenset(
    {
        "address", "communication", "contact", "contained", "generalPractitioner", "identifier", "language",
        "managingOrganization", "maritalStatus", "multipleBirthBoolean", "multipleBirthInteger", "name",
        "photo", "telecom", "text",
    }
)  # fmt: skip
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
_OLDEST = 130
_DATES_OF_DEATH = frozenset({"deceasedDateTime", "_deceasedDateTime"})
_UNKNOWN = Problem("absent", "the sex for clinical use is not known", "Patient.gender")
_UNSAID = Problem("absent", "whether the person has died is not said", "Patient.deceased")
_UNSETTLED = Problem("value", "the records of sex differ and none is for clinical use", "Patient.gender")
_AT_BIRTH: dict[str, Sex] = {"F": _FEMALE, "M": _MALE}


class _Inner(Shape, frozen=True):
    url: Text
    value_codeable_concept: CodeableConcept | None = None
    value_period: Period | None = None


class _Extension(Shape, frozen=True):
    url: Text
    value_code: Text | None = None
    extension: tuple[_Inner, ...] = ()


class _Patient(Shape, frozen=True):
    gender: Literal["male", "female", "other", "unknown"] | None = None
    birth_date: Text | None = None
    deceased_boolean: bool | None = None
    extension: tuple[_Extension, ...] = ()


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a Patient."""
    patient = view(resource, _Patient)
    problems: list[Problem] = []
    sex = _sex(patient, origin.now, problems)
    birth = _birth(patient.birth_date, origin.now, problems)
    deceased = _deceased(resource, patient, problems)
    return Mapped(subject=Subject(sex, birth, deceased, origin.source), reasons=tuple(problems))


def _deceased(resource: dict[str, Any], patient: _Patient, problems: list[Problem]) -> bool:
    if patient.deceased_boolean is None and "_deceasedBoolean" in resource:
        problems.append(_UNSAID)
        return True
    # A date that is only said to be unknown (``_deceasedDateTime``) is the date of a death too.
    return patient.deceased_boolean is True or bool(resource.keys() & _DATES_OF_DEATH)


def _birth(text: str | None, now: datetime, problems: list[Problem]) -> date | None:
    birth, at = day(text), moment(text)
    if birth is not None and at is not None and not at.after(now):
        return _of_the_living(birth, now, problems)
    if at is not None and at.after(now):
        problems.append(Problem("time", "the day of birth lies in the future", "Patient.birthDate"))
    elif at is not None:
        vague = "of the birth only the year or the month is known, and an age needs the day"
        problems.append(Problem("absent", vague, "Patient.birthDate"))
    else:
        problems.append(Problem("absent", "the full day of birth is not known", "Patient.birthDate"))
    return None


def _of_the_living(birth: date, now: datetime, problems: list[Problem]) -> date | None:
    if now.year - birth.year - ((now.month, now.day) < (birth.month, birth.day)) <= _OLDEST:
        return birth
    problems.append(Problem("range", "nobody is as old as the day of birth says", "Patient.birthDate"))
    return None


def _sex(patient: _Patient, now: datetime, problems: list[Problem]) -> Sex | None:
    stated = _clinical_codes(patient, now)
    if stated:
        sexes = {_CLINICAL.get(code or "") for code in stated}
        if len(sexes) == 1:
            return _settled(sexes.pop(), problems)
        problems.append(_UNSETTLED)
        return None
    gender: Sex | None = patient.gender if patient.gender in ("female", "male") else None
    at_birth = {_AT_BIRTH.get(each.value_code or "") for each in patient.extension if each.url == BIRTH_SEX}
    if gender is None:
        problems.append(_UNKNOWN)
    elif at_birth - {None, gender}:
        problems.append(_UNSETTLED)
        return None
    return gender


def _settled(sex: Sex | None, problems: list[Problem]) -> Sex | None:
    """Return the one sex stated; one that is neither female nor male typical is no sex of an equation."""
    if sex is None:
        problems.append(_UNKNOWN)
    return sex


def _clinical_codes(patient: _Patient, now: datetime) -> set[str | None]:
    return {
        coding.code
        for extension in patient.extension
        if extension.url == CLINICAL_USE and _holds(extension, now)
        for inner in extension.extension
        if inner.url == "value" and inner.value_codeable_concept
        for coding in inner.value_codeable_concept.coding
    }


def _holds(extension: _Extension, now: datetime) -> bool:
    """Tell whether the statement is about the present; one whose period cannot be read is."""
    for inner in extension.extension:
        if inner.url == "period" and inner.value_period is not None:
            begin, end = moment(inner.value_period.start), last(inner.value_period.end)
            if (begin is not None and begin.after(now)) or (end is not None and end < now):
                return False
    return True
