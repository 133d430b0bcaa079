"""What is searched for within one patient, and subscribed to: what the models declare as inputs.

Genomics Observations are always searched. Conditions and medications are searched whole: their code sets
are prefixes and classes, and a search by code would lose what a site codes otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from fhir_mapping import terms
from fhir_mapping.codes import TARGETS, Code, Genomic, Panel, Question, Signal
from twin_engine.model import Inputs

Search = tuple[str, tuple[tuple[str, str], ...]]

_ALWAYS = ("Condition", "MedicationRequest", "MedicationStatement")


def searches(inputs: Iterable[Inputs] | None = None) -> tuple[Search, ...]:
    """Return the searches that find what ``inputs`` declare (None: everything that can be mapped)."""
    declared = None if inputs is None else tuple(inputs)
    codes = ",".join(f"{system}|{code}" for system, code in _wanted(declared))
    others: tuple[Search, ...] = tuple((kind, ()) for kind in (*_ALWAYS, *_occasional(declared)))
    return (("Observation", (("code", codes),)), *others)


def criteria(inputs: Iterable[Inputs] | None = None) -> tuple[str, ...]:
    """Return the criteria of classic R4 Subscriptions to the types that ``inputs`` need.

    Observations are told of by every code of the tables, so that a model may come to want another. Never
    filtered by status, or a withdrawal (``entered-in-error``) would not be told. The question mark stands
    even without parameters: some servers insist on ``Type?``.
    """
    needed = {kind for kind, _ in searches(inputs)}
    clinical = tuple(
        f"{kind}?" + "&".join(f"{key}={value}" for key, value in parameters)
        for kind, parameters in searches()
        if kind in needed
    )
    return (*clinical, "Patient?", "Consent?")


def kinds(inputs: Iterable[Inputs] | None = None) -> tuple[str, ...]:
    """Return the types that are read for ``inputs``: what is searched, and what that may refer to."""
    return (*(kind for kind, _ in searches(inputs)), "Medication")


def _occasional(declared: tuple[Inputs, ...] | None) -> Iterator[str]:
    """Yield the types that are read only where a model has use for them."""
    if declared is None or any(terms.TOLD_BY_PROCEDURES.intersection(one.conditions) for one in declared):
        yield "Procedure"
    if declared is None or any(one.doses for one in declared):
        yield "MedicationAdministration"
    if declared is None or any(one.relatives for one in declared):
        yield "FamilyMemberHistory"
    if declared is None or any(one.genes for one in declared):
        yield "DiagnosticReport"
        yield "MolecularSequence"


def _wanted(declared: tuple[Inputs, ...] | None) -> Iterator[Code]:
    timed = (each for one in declared or () for each in (*one.signals, *one.findings))
    names = None if declared is None else {each.name for each in timed}
    for code, target in TARGETS.items():
        if names is None or isinstance(target, Genomic):
            yield code
        elif isinstance(target, Panel):
            if names & target.signals:
                yield code
        elif isinstance(target, Signal | Question) and target.name in names:
            yield code
