"""A forecast -> RiskAssessment (R4), and what of it must survive at the hospital.

- ``probabilityDecimal`` is a percentage: invariant ras-2 of R4 says that it must not exceed 100. It
  carries the full precision of the model.
- ``occurrencePeriod`` is the time for which the assessment holds: its end is the expiry, repeated in a note.
- A model that will not speak any longer leaves a version with status ``cancelled``, no prediction and the
  reason in a note: the last number must not stand as if it were current, and ``entered-in-error`` would
  be untrue.
- ``qualitativeRisk`` uses HL7's risk-probability codes only where the grade is the same; ``low-medium`` of
  NEWS2 keeps its own code.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_mapping import device, evidence, narrative
from fhir_mapping.codes import OUTCOMES
from fhir_mapping.device import Software
from fhir_mapping.identity import SOURCE, label_codings
from fhir_mapping.instants import moment
from fhir_mapping.instants import render as instant
from fhir_mapping.lenient import objects
from twin_engine.twin import Forecast, Risk

OUTCOME = "urn:didymos:outcome"
GRADE = "urn:didymos:grade"
TAG = {"system": "urn:didymos:tag", "code": "decision-support", "display": "Not for sole use"}
NOT_FOR_SOLE_USE = "Decision support. Not for sole use."
RISK_PROBABILITY = "http://terminology.hl7.org/CodeSystem/risk-probability"
_STANDARD_GRADE = {
    "negligible": ("negligible", "Negligible likelihood"),
    "low": ("low", "Low likelihood"),
    "moderate": ("moderate", "Moderate likelihood"),
    "medium": ("moderate", "Moderate likelihood"),
    "high": ("high", "High likelihood"),
    "certain": ("certain", "Certain"),
}


@dataclass(frozen=True, slots=True)
class Assessment:
    """What every version of one assessment has in common.

    ``id`` is ours, ``subject`` a relative reference (``Patient/17``), ``identifier`` system and value by
    which it is found where the hospital gives ids of its own; ``labels`` as ``identity.labels_of``.
    """

    id: str
    subject: str
    identifier: tuple[str, str]
    software: Software
    labels: frozenset[str] = frozenset()


def render(assessment: Assessment, forecast: Forecast, *, amended: bool = False) -> dict[str, Any]:
    """Return the RiskAssessment for a forecast; ``amended`` where one was written before."""
    predictions = [_prediction(risk, forecast) for risk in forecast.risks]
    resource = _frame(assessment, "amended" if amended else "final")
    resource["text"] = narrative.render(
        assessment.software.title, (*_lines(predictions), *_notes(forecast), NOT_FOR_SOLE_USE)
    )
    resource["occurrencePeriod"] = {"start": instant(forecast.at), "end": instant(forecast.expires)}
    return resource | {
        **_basis(forecast.basis),
        "prediction": predictions,
        "note": [{"text": text} for text in (*_notes(forecast), NOT_FOR_SOLE_USE)],
    }


def render_withdrawn(
    assessment: Assessment, at: datetime, reasons: tuple[str, ...], basis: tuple[str, ...] = ()
) -> dict[str, Any]:
    """Return the version that says why there is no current forecast; ``reasons`` are sentences."""
    notes = ("There is no current forecast.", *reasons)
    return _frame(assessment, "cancelled") | {
        "text": narrative.render(assessment.software.title, notes),
        "occurrenceDateTime": instant(at),
        **_basis(basis),
        "note": [{"text": text} for text in notes],
    }


def basis(resource: dict[str, Any]) -> frozenset[str]:
    """Return the evidence that a RiskAssessment rests on, as references with version."""
    return evidence.read(objects(resource.get("basis")))


def without_prediction(resource: dict[str, Any]) -> dict[str, Any]:
    """Return ``resource`` cancelled, with nothing foretold: what is left when a hospital altered it."""
    told = ("prediction", "basis", "text", "note")
    kept = {key: value for key, value in resource.items() if key not in told}
    return kept | {"status": "cancelled", "note": [{"text": "There is no current forecast."}]}


def made_at(resource: dict[str, Any]) -> datetime | None:
    """Return when the assessment was made, so that of two versions the later one can be told."""
    period = resource.get("occurrencePeriod")
    start = period.get("start") if isinstance(period, dict) else resource.get("occurrenceDateTime")
    found = moment(start)
    return found.at if found else None


def _frame(assessment: Assessment, status: str) -> dict[str, Any]:
    system, value = assessment.identifier
    meta: dict[str, Any] = {"source": SOURCE, "tag": [TAG]}
    if assessment.labels:
        meta["security"] = label_codings(assessment.labels)
    return {
        "resourceType": "RiskAssessment",
        "id": assessment.id,
        "meta": meta,
        "contained": [device.render(assessment.software)],
        "identifier": [{"system": system, "value": value}],
        "status": status,
        "method": _method(assessment.software),
        "subject": {"reference": assessment.subject},
        "performer": device.reference(),
    }


def _method(software: Software) -> dict[str, Any]:
    text = f"{software.title}, version {software.version}"
    cited = f" ({'; '.join(software.sources)})" if software.sources else ""
    coding = {
        "system": device.MODEL,
        "version": software.version,
        "code": software.name,
        "display": software.title,
    }
    return {"coding": [coding], "text": text + cited}


def _basis(sources: tuple[str, ...]) -> dict[str, Any]:
    return {"basis": [evidence.render(source) for source in sources]} if sources else {}


def _prediction(risk: Risk, forecast: Forecast) -> dict[str, Any]:
    prediction: dict[str, Any] = {"outcome": _outcome(risk.outcome)}
    if risk.probability is not None:
        prediction["probabilityDecimal"] = _percent(risk.probability)
    if risk.qualitative is not None:
        prediction["qualitativeRisk"] = _grade(risk.qualitative)
    if risk.until is not None:
        prediction["whenPeriod"] = {"start": instant(forecast.at), "end": instant(risk.until)}
    prediction["rationale"] = " ".join((forecast.rationale, *_interval(risk)))
    return prediction


def _percent(probability: float) -> float:
    # Rounded where binary64 stops being exact in decimals, so that 0.07 is 7 and not 7.000000000000001.
    return round(probability * 100, 12)


def _interval(risk: Risk) -> tuple[str, ...]:
    if risk.low is None or risk.high is None:
        return ()
    return (f"Interval {risk.low * 100:.3g} % to {risk.high * 100:.3g} %.",)


def _outcome(key: str) -> dict[str, Any]:
    outcome = OUTCOMES.get(key)
    own = {"system": OUTCOME, "code": key}
    if outcome is None:
        return {"coding": [own], "text": key}
    standard = [
        {"system": system, "code": code, "display": display} for system, code, display in outcome.coding
    ]
    return {"coding": [*standard, own], "text": outcome.text}


def _grade(grade: str) -> dict[str, Any]:
    own = {"system": GRADE, "code": grade}
    if grade not in _STANDARD_GRADE:
        return {"coding": [own], "text": grade}
    code, display = _STANDARD_GRADE[grade]
    return {"coding": [{"system": RISK_PROBABILITY, "code": code, "display": display}, own], "text": grade}


def _notes(forecast: Forecast) -> tuple[str, ...]:
    score = () if forecast.score is None else (f"Score {forecast.score:g} {forecast.scale}.",)
    trend = () if forecast.trend is None else (f"Trend: {forecast.trend}.",)
    moved = tuple(contribution.text for contribution in forecast.contributions)
    expiry = f"This forecast expires at {instant(forecast.expires)}."
    return (expiry, *score, *trend, *moved, *forecast.notes)


def _lines(predictions: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(_line(prediction) for prediction in predictions)


def _line(prediction: dict[str, Any]) -> str:
    said = [prediction["outcome"]["text"]]
    if "probabilityDecimal" in prediction:
        said.append(f"{prediction['probabilityDecimal']:.1f} %")
    if "qualitativeRisk" in prediction:
        said.append(prediction["qualitativeRisk"]["text"])
    return ": ".join((said[0], ", ".join(said[1:]))) if said[1:] else str(said[0])
