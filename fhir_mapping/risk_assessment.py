"""A forecast -> RiskAssessment (R4), back to what it says, and what of it must survive at the hospital.

- ``probabilityDecimal`` is a percentage: invariant ras-2 of R4 says that it must not exceed 100. It
  carries the full precision of the model.
- ``occurrencePeriod`` is the time for which the assessment holds: its end is the expiry, repeated in a note.
- A model that will not speak any longer leaves a version with status ``cancelled``, no prediction and the
  reason in a note: the last number must not stand as if it were current, and ``entered-in-error`` would
  be untrue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from fhir_mapping import device, evidence, heading, narrative, outcome
from fhir_mapping.device import Software
from fhir_mapping.heading import NOT_FOR_SOLE_USE, Heading, as_we_write
from fhir_mapping.instants import moment
from fhir_mapping.instants import render as instant
from fhir_mapping.lenient import objects
from fhir_mapping.timestamps import read as read_instant
from twin_engine.twin import Forecast, Risk

NOTHING_CURRENT = "There is no current forecast."


@dataclass(frozen=True, slots=True)
class Prediction:
    """One foretold outcome as it is written: ``percent`` in [0, 100], ``until`` to the millisecond."""

    outcome: str
    percent: float | None
    grade: str | None
    until: datetime | None
    rationale: str


@dataclass(frozen=True, slots=True)
class Statement:
    """What one version of an assessment says; instants to the millisecond.

    Without ``expires`` it foretells nothing, and the notes say why.
    """

    heading: Heading
    status: Literal["final", "amended", "cancelled"]
    at: datetime
    expires: datetime | None
    predictions: tuple[Prediction, ...]
    basis: tuple[str, ...]
    notes: tuple[str, ...]


def foretold(head: Heading, forecast: Forecast, *, amended: bool = False) -> Statement:
    """Return how a forecast is stated; ``amended`` where one was written before."""
    return Statement(
        head,
        "amended" if amended else "final",
        forecast.at,
        forecast.expires,
        tuple(_prediction(risk, forecast) for risk in forecast.risks),
        forecast.basis,
        (*_notes(forecast), NOT_FOR_SOLE_USE),
    )


def withdrawn(
    head: Heading, at: datetime, reasons: tuple[str, ...], basis: tuple[str, ...] = ()
) -> Statement:
    """Return the statement that there is no current forecast; ``reasons`` are sentences."""
    return Statement(head, "cancelled", at, None, (), basis, (NOTHING_CURRENT, *reasons))


def render(statement: Statement) -> dict[str, Any]:
    """Return the RiskAssessment."""
    head, predictions = statement.heading, [_rendered(each, statement) for each in statement.predictions]
    resource = heading.render("RiskAssessment", head) | {
        "status": statement.status,
        "method": _method(head.software),
        "subject": {"reference": head.subject},
        "performer": device.reference(),
        "text": narrative.render(head.software.title, (*map(_line, predictions), *statement.notes)),
        **_occurrence(statement),
    }
    if statement.basis:
        resource["basis"] = [evidence.render(source) for source in statement.basis]
    if predictions:
        resource["prediction"] = predictions
    return resource | {"note": [{"text": text} for text in statement.notes]}


@as_we_write("RiskAssessment")
def read(resource: dict[str, Any]) -> Statement:
    """Return what a RiskAssessment of ours says.

    Raises
    ------
    Unusable
        It is not as we write it.
    """
    period = resource.get("occurrencePeriod")
    return Statement(
        heading.read(resource),
        resource["status"],
        read_instant(period["start"] if period else resource["occurrenceDateTime"]),
        read_instant(period["end"]) if period else None,
        tuple(_read_prediction(each) for each in resource.get("prediction", ())),
        evidence.listed(resource.get("basis", ())),
        tuple(note["text"] for note in resource["note"]),
    )


def basis(resource: dict[str, Any]) -> frozenset[str]:
    """Return the evidence that a RiskAssessment rests on, as references with version; whoever altered it."""
    return evidence.read(objects(resource.get("basis")))


def without_prediction(resource: dict[str, Any]) -> dict[str, Any]:
    """Return ``resource`` cancelled, with nothing foretold: what is left when a hospital altered it."""
    told = ("prediction", "basis", "text", "note")
    kept = {key: value for key, value in resource.items() if key not in told}
    return kept | {"status": "cancelled", "note": [{"text": NOTHING_CURRENT}]}


def made_at(resource: dict[str, Any]) -> datetime | None:
    """Return when it was made, whoever altered it, so that of two versions the later can be told."""
    period = resource.get("occurrencePeriod")
    start = period.get("start") if isinstance(period, dict) else resource.get("occurrenceDateTime")
    found = moment(start)
    return found.at if found else None


def _occurrence(statement: Statement) -> dict[str, Any]:
    start = instant(statement.at)
    if statement.expires is None:
        return {"occurrenceDateTime": start}
    return {"occurrencePeriod": {"start": start, "end": instant(statement.expires)}}


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


def _prediction(risk: Risk, forecast: Forecast) -> Prediction:
    percent = None if risk.probability is None else _percent(risk.probability)
    rationale = " ".join((forecast.rationale, *_interval(risk)))
    return Prediction(risk.outcome, percent, risk.qualitative, risk.until, rationale)


def _percent(probability: float) -> float:
    # Rounded where binary64 stops being exact in decimals, so that 0.07 is 7 and not 7.000000000000001.
    return round(probability * 100, 12)


def _interval(risk: Risk) -> tuple[str, ...]:
    if risk.low is None or risk.high is None:
        return ()
    return (f"Interval {risk.low * 100:.3g} % to {risk.high * 100:.3g} %.",)


def _rendered(prediction: Prediction, statement: Statement) -> dict[str, Any]:
    said: dict[str, Any] = {"outcome": outcome.concept(prediction.outcome)}
    if prediction.percent is not None:
        said["probabilityDecimal"] = prediction.percent
    if prediction.grade is not None:
        said["qualitativeRisk"] = outcome.grade(prediction.grade)
    if prediction.until is not None:
        said["whenPeriod"] = {"start": instant(statement.at), "end": instant(prediction.until)}
    return said | {"rationale": prediction.rationale}


def _read_prediction(said: dict[str, Any]) -> Prediction:
    return Prediction(
        outcome.own_code(said["outcome"], outcome.OUTCOME),
        said.get("probabilityDecimal"),
        outcome.own_code(said["qualitativeRisk"], outcome.GRADE) if "qualitativeRisk" in said else None,
        read_instant(said["whenPeriod"]["end"]) if "whenPeriod" in said else None,
        said["rationale"],
    )


def _notes(forecast: Forecast) -> tuple[str, ...]:
    score = () if forecast.score is None else (f"Score {forecast.score:g} {forecast.scale}.",)
    trend = () if forecast.trend is None else (f"Trend: {forecast.trend}.",)
    moved = tuple(contribution.text for contribution in forecast.contributions)
    expiry = f"This forecast expires at {instant(forecast.expires)}."
    return (expiry, *score, *trend, *moved, *forecast.notes)


def _line(prediction: dict[str, Any]) -> str:
    said = [prediction["outcome"]["text"]]
    if "probabilityDecimal" in prediction:
        said.append(f"{prediction['probabilityDecimal']:.1f} %")
    if "qualitativeRisk" in prediction:
        said.append(prediction["qualitativeRisk"]["text"])
    return ": ".join((said[0], ", ".join(said[1:]))) if said[1:] else str(said[0])
