"""What a model answers to whoever asks it <-> GuidanceResponse (R4).

A forecast is ``success`` and stands whole in contained Parameters; a refusal is ``data-required`` with the
inputs that are missing where data would help, else ``failure``, and its reasons are a contained
OperationOutcome. Unlike a RiskAssessment, which stands at a hospital, it also says why there was never one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fhir_mapping import device, evidence, heading, narrative, outcome, requirement, timestamps
from fhir_mapping.heading import NOT_FOR_SOLE_USE, Heading, as_we_write
from fhir_mapping.requirement import SIGNAL, Need, needs
from twin_engine.model import Inputs
from twin_engine.twin import Contribution, Forecast, Reason, Refusal, Risk

FAMILY = "urn:didymos:family"
REASON = "urn:didymos:refusal"
_MESSAGES, _OUTPUT = "messages", "output"
_ISSUE = {
    "missing-input": "required",
    "stale-input": "required",
    "out-of-range": "value",
    "out-of-scope": "business-rule",
    "unit": "value",
    "unconfirmed": "business-rule",
}


@dataclass(frozen=True, slots=True)
class Guidance:
    """One answer of one model; ``needs`` is what a refusal lacks."""

    heading: Heading
    answer: Forecast | Refusal
    needs: tuple[Need, ...] = ()


def guidance(head: Heading, answer: Forecast | Refusal, inputs: Inputs) -> Guidance:
    """Return an answer together with what the model, by its ``inputs``, lacks."""
    return Guidance(head, answer, needs(answer, inputs) if isinstance(answer, Refusal) else ())


def render(given: Guidance) -> dict[str, Any]:
    """Return the GuidanceResponse."""
    head, answer = given.heading, given.answer
    resource = heading.render("GuidanceResponse", head) | {
        "moduleCanonical": f"{device.MODEL}:{head.software.name}|{head.software.version}",
        "status": _status(given),
        "subject": {"reference": head.subject},
        "occurrenceDateTime": timestamps.render(answer.at),
        "performer": device.reference(),
        "reasonCode": [{"coding": [{"system": FAMILY, "code": answer.family}], "text": answer.family}],
        "text": narrative.render(head.software.title, (*_lines(answer), NOT_FOR_SOLE_USE)),
        "note": [{"text": text} for text in (*_notes(answer), NOT_FOR_SOLE_USE)],
    }
    output = list(_forecast(answer) if isinstance(answer, Forecast) else _refusal(answer))
    if output:
        resource["contained"].append({"resourceType": "Parameters", "id": _OUTPUT, "parameter": output})
        resource["outputParameters"] = {"reference": f"#{_OUTPUT}"}
    if isinstance(answer, Refusal) and answer.reasons:
        resource["contained"].append(outcome_of(answer) | {"id": _MESSAGES})
        resource["evaluationMessage"] = [{"reference": f"#{_MESSAGES}"}]
    if given.needs:
        resource["dataRequirement"] = [requirement.render(need) for need in given.needs]
    return resource


def outcome_of(refusal: Refusal) -> dict[str, Any]:
    """Return the OperationOutcome that tells why a model will not speak."""
    return {"resourceType": "OperationOutcome", "issue": [_issue(reason) for reason in refusal.reasons]}


@as_we_write("GuidanceResponse")
def read(resource: dict[str, Any]) -> Guidance:
    """Return the answer that ``render`` was given.

    Raises
    ------
    Unusable
        It is not as we write it.
    """
    told = heading.contained(resource, _OUTPUT)["parameter"] if "outputParameters" in resource else []
    answer = _read_forecast if resource["status"] == "success" else _read_refusal
    return Guidance(
        heading.read(resource),
        answer(resource, told),
        tuple(requirement.read(each) for each in resource.get("dataRequirement", ())),
    )


def _status(given: Guidance) -> str:
    if isinstance(given.answer, Forecast):
        return "success"
    return "data-required" if given.needs else "failure"


def _notes(answer: Forecast | Refusal) -> tuple[str, ...]:
    return answer.notes if isinstance(answer, Forecast) else ()


def _lines(answer: Forecast | Refusal) -> Iterator[str]:
    if isinstance(answer, Refusal):
        yield "There is no forecast."
        yield from (reason.text for reason in answer.reasons)
        return
    for risk in answer.risks:
        share = () if risk.probability is None else (f"{risk.probability * 100:.1f} %",)
        grade = () if risk.qualitative is None else (risk.qualitative,)
        yield f"{outcome.concept(risk.outcome)['text']}: {', '.join((*share, *grade))}"
    yield from (answer.rationale, *answer.notes)


def _forecast(forecast: Forecast) -> Iterator[dict[str, Any]]:
    yield _named("expires", "DateTime", timestamps.render(forecast.expires))
    yield _named("rationale", "String", forecast.rationale)
    yield _named("scale", "String", forecast.scale)
    yield from _given("score", "Decimal", forecast.score)
    yield from _given("trend", "String", forecast.trend)
    yield from ({"name": "prediction", "part": list(_risk(risk))} for risk in forecast.risks)
    yield from ({"name": "contribution", "part": list(_moved(each))} for each in forecast.contributions)
    yield from _basis(forecast.basis)


def _refusal(refusal: Refusal) -> Iterator[dict[str, Any]]:
    yield from _given("retry", "DateTime", refusal.retry and timestamps.render(refusal.retry))
    yield from _basis(refusal.basis)


def _basis(sources: Iterable[str]) -> Iterator[dict[str, Any]]:
    return (_named("basis", "Reference", evidence.render(source)) for source in sources)


def _risk(risk: Risk) -> Iterator[dict[str, Any]]:
    yield _named("outcome", "CodeableConcept", outcome.concept(risk.outcome))
    yield from _given("until", "DateTime", risk.until and timestamps.render(risk.until))
    yield from _given("probability", "Decimal", risk.probability)
    yield from _given("low", "Decimal", risk.low)
    yield from _given("high", "Decimal", risk.high)
    yield from _given("grade", "CodeableConcept", risk.qualitative and outcome.grade(risk.qualitative))


def _moved(contribution: Contribution) -> Iterator[dict[str, Any]]:
    yield _named("signal", "String", contribution.signal)
    yield _named("value", "String", contribution.value)
    yield _named("weight", "Decimal", contribution.weight)
    yield _named("text", "String", contribution.text)
    yield from _given("source", "Reference", contribution.source and evidence.render(contribution.source))


def _named(name: str, kind: str, value: Any) -> dict[str, Any]:
    return {"name": name, f"value{kind}": value}


def _given(name: str, kind: str, value: Any) -> Iterator[dict[str, Any]]:
    if value is not None:
        yield _named(name, kind, value)


def _issue(reason: Reason) -> dict[str, Any]:
    codings = [{"system": REASON, "code": reason.code}]
    codings += [{"system": SIGNAL, "code": reason.signal}] if reason.signal else []
    return {
        "severity": "error",
        "code": _ISSUE[reason.code],
        "details": {"coding": codings},
        "diagnostics": reason.text,
    }


def _values(told: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the last value of each name."""
    return {each["name"]: next((v for k, v in each.items() if k.startswith("value")), None) for each in told}


def _parts(told: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    return [_values(each["part"]) for each in told if each["name"] == name]


def _sources(told: list[dict[str, Any]]) -> tuple[str, ...]:
    return evidence.listed(each["valueReference"] for each in told if each["name"] == "basis")


def _instant(text: str | None) -> datetime | None:
    return None if text is None else timestamps.read(text)


def _read_forecast(resource: dict[str, Any], told: list[dict[str, Any]]) -> Forecast:
    values = _values(told)
    return Forecast(
        family=resource["reasonCode"][0]["coding"][0]["code"],
        at=timestamps.read(resource["occurrenceDateTime"]),
        expires=timestamps.read(values["expires"]),
        risks=tuple(_read_risk(each) for each in _parts(told, "prediction")),
        basis=_sources(told),
        rationale=values["rationale"],
        contributions=tuple(_read_moved(each) for each in _parts(told, "contribution")),
        scale=values["scale"],
        score=values.get("score"),
        trend=values.get("trend"),
        notes=tuple(note["text"] for note in resource["note"][:-1]),
    )


def _read_risk(part: dict[str, Any]) -> Risk:
    grade = part.get("grade")
    return Risk(
        outcome.own_code(part["outcome"], outcome.OUTCOME),
        _instant(part.get("until")),
        part.get("probability"),
        part.get("low"),
        part.get("high"),
        outcome.own_code(grade, outcome.GRADE) if grade else None,
    )


def _read_moved(part: dict[str, Any]) -> Contribution:
    source = evidence.listed((part["source"],))[0] if "source" in part else None
    return Contribution(part["signal"], part["value"], part["weight"], source, part["text"])


def _read_refusal(resource: dict[str, Any], told: list[dict[str, Any]]) -> Refusal:
    issues = heading.contained(resource, _MESSAGES)["issue"] if "evaluationMessage" in resource else ()
    return Refusal(
        resource["reasonCode"][0]["coding"][0]["code"],
        timestamps.read(resource["occurrenceDateTime"]),
        tuple(_read_reason(issue) for issue in issues),
        _sources(told),
        _instant(_values(told).get("retry")),
    )


def _read_reason(issue: dict[str, Any]) -> Reason:
    code, *signal = issue["details"]["coding"]
    return Reason(code["code"], signal[0]["code"] if signal else "", issue["diagnostics"])
