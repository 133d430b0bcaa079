"""DiagnosticReport -> what is told by the Observations that it contains, and by its coded conclusion.

A contained Observation is read like any other, as of the report's subject and time where it names none, and
its source is the report; one that is about another than the report is not used. Results that are resources
of their own are read as such.

A report that is ``registered``, ``preliminary`` or ``unknown`` waits for its final version. Of a ``partial``
one, each Observation is used whose own status says that it is final.

A conclusion that is coded as a condition of the list is what one examination suggests, not yet a diagnosis
by whoever treats the person: it stands as not confirmed until a Condition says so. What a genomics report
says only in words or in a document is listed.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from fhir_mapping import observation
from fhir_mapping.condition import doubtful, named
from fhir_mapping.errors import Problem
from fhir_mapping.lenient import objects
from fhir_mapping.mapped import IRRELEVANT, MODIFIED, Mapped, Origin, modified
from fhir_mapping.references import parse
from fhir_mapping.shapes import CodeableConcept, Shape, Text, view

_KIND = "DiagnosticReport"
_RETRACTED = frozenset({"cancelled", "entered-in-error"})
_WAITING = frozenset({"registered", "preliminary", "unknown"})
_GENETICS = "GE"  # HL7 table 0074, diagnostic service section
# What a contained Observation takes over where it says nothing itself.
_SHARED = ("subject", "effectiveDateTime", "effectivePeriod", "issued")
_TIMES = ("effectiveDateTime", "effectivePeriod", "effectiveTiming", "effectiveInstant")
_WORDS = ("conclusion", "presentedForm")


class _Report(Shape, frozen=True, kw_only=True):
    status: Text
    category: tuple[CodeableConcept, ...] = ()
    conclusion_code: tuple[CodeableConcept, ...] = ()


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a DiagnosticReport; one that tells of nothing that a model knows is irrelevant."""
    seen = view(resource, _Report)
    parts = [_contained(each, place, resource, origin) for place, each in _observations(resource)]
    told = [part for part in (*parts, _concluded(seen, origin), _written(seen, resource)) if part.relevant]
    if not told:
        return IRRELEVANT
    if seen.status in _RETRACTED:
        text = "the report was cancelled or entered in error"
        return Mapped(reasons=(Problem("retracted", text, f"{_KIND}.status"),))
    if seen.status in _WAITING:
        return Mapped(reasons=(Problem("status", "the report is not yet final", f"{_KIND}.status"),))
    return Mapped(
        tuple(item for part in told for item in part.items),
        reasons=tuple(problem for part in told for problem in part.reasons),
    )


def _observations(resource: dict[str, Any]) -> list[tuple[str, dict[str, Any]]]:
    return [
        (f"{_KIND}.contained[{place}]", each)
        for place, each in enumerate(objects(resource.get("contained")))
        if each.get("resourceType") == "Observation"
    ]


def _contained(part: dict[str, Any], place: str, report: dict[str, Any], origin: Origin) -> Mapped:
    """Map one contained Observation; its problems are placed within the report."""
    timed = any(name in part for name in _TIMES)
    shared = {
        name: report[name] for name in _SHARED if name in report and not (timed and name.startswith("eff"))
    }
    mapped = observation.read({**shared, **part}, origin)
    if mapped.relevant and modified(part):
        mapped = Mapped(reasons=(Problem("modifier", MODIFIED, "Observation"),))
    elif mapped.relevant and not _same_subject(part, report):
        text = "the observation is about another than the report"
        mapped = Mapped(reasons=(Problem("reference", text, "Observation.subject"),))
    placed = tuple(
        replace(problem, expression=problem.expression.replace("Observation", place, 1))
        for problem in mapped.reasons
    )
    return replace(mapped, reasons=placed)


def _same_subject(part: dict[str, Any], report: dict[str, Any]) -> bool:
    """Tell whether an Observation names nobody, or the one whom the report is about."""
    own, whole = part.get("subject"), report.get("subject", {})
    if own is None or own == whole:
        return True
    one, other = parse(own.get("reference")), parse(whole.get("reference"))
    return one is not None and other is not None and (one.type, one.id) == (other.type, other.id)


def _concluded(seen: _Report, origin: Origin) -> Mapped:
    names = sorted({name for concept in seen.conclusion_code for name in named(concept)})
    if not names:
        return IRRELEVANT
    text = "a conclusion of a report is not yet a diagnosis"
    return Mapped(doubtful(names, origin), reasons=(Problem("status", text, f"{_KIND}.conclusionCode"),))


def _written(seen: _Report, resource: dict[str, Any]) -> Mapped:
    genetic = any(coding.code == _GENETICS for concept in seen.category for coding in concept.coding)
    text = "what a genomics report says in words or in a document is not read"
    reasons = tuple(Problem("value", text, f"{_KIND}.{name}") for name in _WORDS if name in resource)
    return Mapped(reasons=reasons) if genetic and reasons else IRRELEVANT
