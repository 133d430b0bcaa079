"""A small model whose forecasts are soon known, and a patient with a sensor.

It foretells that glucose stays where it is, give or take ``spread`` mg/dL, and that a low within the hour
has the chance ``chance``.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import numpy as np

from gateway.demonstration import resources as fhir
from gateway.demonstration.resources import Measure
from tests.support import person
from tests.support.site import Site
from twin_engine.calibration import Limits
from twin_engine.model import Inputs, ModelCard, Signal
from twin_engine.scoring import measured
from twin_engine.twin import Course, Evidence, Forecast, Plan, Reason, Refusal, Risk, Subject, Trajectory

SENSOR = Measure("99504-3", "Glucose [Mass/volume] in Interstitial fluid", "mg/dL")
GLUCOSE = Signal("interstitial-glucose", "mg/dL", 20, 600, timedelta(hours=2))
INPUTS = Inputs(signals=(GLUCOSE,))
LIMITS = Limits(coverage=(0.85, 0.99), ratio=(0.5, 2.0))
HOUR = timedelta(hours=1)
LOW = 70.0
CARD = ModelCard(
    name="foreteller",
    version="1",
    title="It stays as it is",
    intended_use="Tests of the gateway",
    population="None",
    out_of_scope=("Every person",),
    inputs_note="The newest glucose",
    performance="Not measured",
    limitations=("Not physiology",),
    sources=("None",),
    evidence="illustrative",
    families=("glucose",),
)


@dataclass(frozen=True, slots=True)
class State:
    subject: Subject
    value: float | None = None
    source: str = ""
    time: datetime | None = None


@dataclass(frozen=True)
class Mute:
    """It promises nothing and cannot tell whether a low came."""

    card: ModelCard = CARD
    inputs: Inputs = INPUTS
    state_type: type[State] = State
    spread: float = 10.0
    chance: float = 0.1

    def prior(self, subject: Subject, at: datetime) -> State:
        return State(subject)

    def assimilate(self, state: State, evidence: Evidence, at: datetime) -> State:
        mine = [item for item in evidence.measurements if item.signal == GLUCOSE.name and item.time <= at]
        if not mine:
            return State(evidence.subject)
        return State(evidence.subject, mine[-1].value, mine[-1].source, mine[-1].time)

    def simulate(self, state: State, plan: Plan, until: datetime, rng: np.random.Generator) -> Trajectory:
        return Trajectory(until, (0.0,), {"interstitial-glucose": (state.value or 0.0,)}, HOUR)

    def forecast(
        self, state: State, at: datetime, rng: np.random.Generator
    ) -> tuple[Forecast | Refusal, ...]:
        if state.value is None or state.time is None or at - state.time >= HOUR * 2:
            return (Refusal("glucose", at, (Reason("missing-input", GLUCOSE.name, "No glucose."),)),)
        times = tuple(300.0 * step for step in range(13))
        fan = tuple(
            (level, (state.value + away * self.spread,) * len(times))
            for level, away in ((0.05, -1), (0.5, 0), (0.95, 1))
        )
        course = Course(GLUCOSE.name, "mg/dL", at, times, fan)
        risk = Risk("clinical-deterioration", at + HOUR, self.chance)
        basis = (state.subject.source, state.source)
        return (
            Forecast("glucose", at, at + 2 * HOUR, (risk,), basis, "It stays as it is.", courses=(course,)),
        )


@dataclass(frozen=True)
class Foreteller(Mute):
    """It promises something, and can."""

    limits: Limits = LIMITS

    def outcomes(self, evidence: Evidence, forecast: Forecast, at: datetime) -> dict[Risk, bool]:
        found = {}
        for risk in forecast.risks:
            seen = [*measured(evidence, GLUCOSE.name, forecast.at + timedelta(seconds=1), risk.until)]
            if seen and seen[-1][0] >= risk.until - HOUR / 4:
                found[risk] = any(value < LOW for _, value in seen)
        return found


def foretelling(site: Site, model: Mute | None = None, by_default: str = "all") -> Site:
    """Return the site with no other model than the foreteller, and one patient, ``p1``."""
    model = model or Foreteller()
    chosen = site.services.settings.model_copy(update={"models": by_default})
    services = replace(site.services, models={model.card.name: model}, settings=chosen)
    told = replace(site, services=services)
    told.tell(told.ehr.enter(person.patient("p1")))
    told.run()
    return told


def reads(site: Site, value: float, minutes: float = 15, patient: str = "p1") -> str:
    """Let time pass and the sensor read ``value``; return the id of the Observation."""
    site.clock.advance(minutes=minutes)
    identifier = f"{patient}-{int(site.clock().timestamp())}"
    site.tell(site.ehr.enter(fhir.measurement(identifier, patient, SENSOR, value, site.clock())))
    site.run()
    return identifier
