"""What became of each event: every one ends in exactly one stated way."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from fhir_mapping.notification import Change
from twin_engine.store import EvidenceRecord
from twin_engine.twin import Finding, Forecast, Item, Measurement, Refusal

Outcome = Literal[
    "used",  # its version is in the basis of an assessment
    "superseded",  # a named version stands in its place
    "refused",  # the EHR does not let us read it
    "never-shown",  # the EHR told of a version that it then did not show
    "denied",
    "missing-input",
    "out-of-scope",  # no model speaks of such a patient
    "quarantined",
    "not-an-input",
    "consent-reviewed",
    "deleted",
    "rerouted",  # it is another patient's; that patient's twin has it now
    "unknown-patient",
]


@dataclass(frozen=True, slots=True)
class Account:
    """The end of one event; ``detail`` names versions and may identify, so it is stored sealed."""

    outcome: Outcome
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What holds after an update: the evidence by reference, and every model's answers."""

    evidence: Mapping[str, EvidenceRecord]
    answers: tuple[Forecast | Refusal, ...]
    strays: frozenset[str] = frozenset()
    seen: Mapping[str, EvidenceRecord] | None = None
    refused: frozenset[str] = frozenset()


def account(change: Change, standing: Standing) -> Account:
    """Return what became of ``change``."""
    reference = f"{change.type}/{change.id}"
    if change.type == "Consent":
        return Account("consent-reviewed")
    if reference in standing.strays:
        return Account("rerouted")
    if reference in standing.refused:
        return Account("refused", reference)
    record = standing.evidence.get(reference) or (standing.seen or {}).get(reference)
    if record is None:
        return Account("deleted", reference)
    source = f"{reference}/_history/{record.version}"
    if change.version is not None and change.version != record.version:
        return Account("never-shown" if newer(change.version, record.version) else "superseded", source)
    if any(isinstance(answer, Forecast) and source in answer.basis for answer in standing.answers):
        return Account("used", source)
    if record.reasons and not any(getattr(item, "confirmed", True) for item in record.items):
        return Account("quarantined", "; ".join(record.reasons))
    return _unused(source, record, standing)


def newer(told: str, here: str) -> bool:
    """Return whether a version number that was told is above the one that is shown."""
    return told.isdecimal() and here.isdecimal() and int(told) > int(here)


def _unused(source: str, record: EvidenceRecord, standing: Standing) -> Account:
    newer = _newer(record.items, standing)
    if newer is not None:
        return Account("superseded", newer)
    refusals = [answer for answer in standing.answers if isinstance(answer, Refusal)]
    if (record.items or record.subject is not None) and refusals:
        return _refused(refusals)
    return Account("not-an-input", source)


def _refused(refusals: list[Refusal]) -> Account:
    codes = {reason.code for refusal in refusals for reason in refusal.reasons}
    outcome: Outcome = "out-of-scope" if codes == {"out-of-scope"} else "missing-input"
    return Account(outcome, "; ".join(_words(refusal) for refusal in refusals))


def _words(refusal: Refusal) -> str:
    signals = sorted({reason.signal.replace("-", " ") for reason in refusal.reasons})
    return f"{refusal.family.replace('-', ' ')} needs {', '.join(signals)}"


def _newer(items: tuple[Item, ...], standing: Standing) -> str | None:
    """Return the source that was used in place of ``items``, if there is one."""
    mine = {
        item.signal: (item.time, item.source) for item in items if isinstance(item, Measurement | Finding)
    }
    used = {source for answer in standing.answers if isinstance(answer, Forecast) for source in answer.basis}
    for other in (item for record in standing.evidence.values() for item in record.items):
        if not isinstance(other, Measurement | Finding) or other.source not in used:
            continue
        if other.signal in mine and (other.time, other.source) > mine[other.signal]:
            return other.source
    return None
