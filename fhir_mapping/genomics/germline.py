"""Whether a report is of the person's germline: its genomic source class (LOINC 48002-0) and its specimen.

What a source class says counts as germline only where it says so plainly; anything else that stands there,
a contradiction or an answer of another code system too, leaves the report unused.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from fhir_mapping.codes import LOINC
from fhir_mapping.errors import Problem
from fhir_mapping.genomics import terms
from fhir_mapping.genomics.parts import concept, words
from fhir_mapping.lenient import as_object, objects

SOURCE_CLASS = "48002-0"
# The older profile states it in an extension.
_EXTENSION = "http://hl7.org/fhir/StructureDefinition/observation-geneticsGenomicSourceClass"
_SOMATIC = re.compile(r"somatic|tumou?r|neoplas|cancer|biops", re.IGNORECASE)
_FETAL = re.compile(r"\bfo?etal|\bfo?etus", re.IGNORECASE)
_UNKNOWN = "unknown"
_REFUSED = {
    "somatic": "a somatic variant says nothing of the germline",
    "fetal": "a variant of a fetus says nothing of the person",
    _UNKNOWN: "whether it is of the germline is not understood",
}


def stated(resource: dict[str, Any]) -> str | None:
    """Return the origin in the germline that is stated first (``germline``, ``de-novo``)."""
    return next((one for one in _answers(resource) if one not in _REFUSED), None)


def other_genome(resource: dict[str, Any]) -> Problem | None:
    """Return why a report is not known to be of the person's germline; None where nothing speaks against."""
    answers = {*_answers(resource)}
    told = next((text for answer, text in _REFUSED.items() if answer in answers), None)
    if told:
        return Problem(
            "value", told, "Observation.extension" if _extensions(resource) else "Observation.component"
        )
    specimen = as_object(resource.get("specimen")).get("display")
    if not answers and isinstance(specimen, str) and _SOMATIC.search(specimen):
        text = "the specimen may be of a tumour, and whether the result is of the germline is not said"
        return Problem("value", text, "Observation.specimen")
    return None


def _answers(resource: dict[str, Any]) -> Iterator[str]:
    for component in objects(resource.get("component")):
        codings = objects(as_object(component.get("code")).get("coding"))
        if any(coding.get("code") == SOURCE_CLASS for coding in codings):
            yield from _read(concept(component))
    for extension in _extensions(resource):
        yield from _read(concept(extension))


def _extensions(resource: dict[str, Any]) -> list[dict[str, Any]]:
    return [one for one in objects(resource.get("extension")) if one.get("url") == _EXTENSION]


def _read(value: object) -> Iterator[str]:
    """Yield what one source class says: it is of the germline only where a LOINC answer or a word says so."""
    said = " ".join(words(value))
    codings = objects(as_object(value).get("coding"))
    known = [
        answer
        for coding in codings
        if (answer := terms.ORIGIN.get(str(coding.get("code")))) is not None
        and (coding.get("system") == LOINC or answer in _REFUSED)
    ]
    loinc = any(coding.get("system") == LOINC for coding in codings)
    if not known and not loinc and any(word.lower() == "germline" for word in words(value)):
        known = ["germline"]
    yield from known or [_UNKNOWN]
    if _SOMATIC.search(said):
        yield "somatic"
    if _FETAL.search(said):
        yield "fetal"
