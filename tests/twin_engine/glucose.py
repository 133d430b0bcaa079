"""A small model with an array state, for the tests: glucose that decays to its set point.

dG/dt = -k (G - G0) between measurements, solved exactly; each measurement replaces G. The state is
(G - G0, seconds of the last measurement); the forecast is whether G is over 180 mg/dL in an hour, under a
normal error that widens with time.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
from numpy.typing import NDArray

from twin_engine.model import Inputs, ModelCard, Signal
from twin_engine.twin import Evidence, Forecast, Plan, Reason, Refusal, Risk, Subject, Trajectory

K = 1 / 3600.0
SET_POINT = 100.0
GLUCOSE = Signal("glucose", "mg/dL", 20, 600, timedelta(hours=6))
INPUTS = Inputs(signals=(GLUCOSE,), ages=(18, 100))
CARD = ModelCard(
    name="glucose-decay",
    version="1",
    title="One compartment",
    intended_use="Tests of the contract",
    population="None",
    out_of_scope=("Every person",),
    inputs_note="One glucose value",
    performance="Not measured",
    limitations=("Not physiology",),
    sources=("None",),
    evidence="illustrative",
    families=("hyperglycaemia",),
)


@dataclass(frozen=True, slots=True)
class State:
    at: datetime
    subject: Subject
    x: NDArray[np.float64]
    sources: tuple[str, ...] = ()


@dataclass(frozen=True)
class GlucoseDecay:
    card: ModelCard = CARD
    inputs: Inputs = INPUTS
    state_type: type[State] = State

    def prior(self, subject: Subject, at: datetime) -> State:
        return State(at, subject, np.zeros(2))

    def assimilate(self, state: State, evidence: Evidence, at: datetime) -> State:
        mine = sorted(
            item for item in set(evidence.measurements) if item.signal == "glucose" and item.time <= at
        )
        if not mine:
            return State(at, evidence.subject, np.zeros(2))
        last = mine[-1]
        return State(
            at, evidence.subject, np.array([last.value - SET_POINT, last.time.timestamp()]), (last.source,)
        )

    def simulate(
        self, state: State, plan: Plan, until: datetime, rng: np.random.Generator
    ) -> Trajectory | Refusal:
        unknown = {*plan.signals, *plan.treatments, *plan.scaled, *(dose.substance for dose in plan.doses)}
        if unknown:
            return Refusal("hyperglycaemia", state.at, (Reason("out-of-scope", "plan", "No such input."),))
        times = np.linspace(0, (until - state.at).total_seconds(), 25)
        noise = rng.normal(0, 1, times.size)
        values = SET_POINT + self._excess(state, state.at) * np.exp(-K * times) + noise
        return Trajectory(
            state.at, tuple(times.tolist()), {"glucose": tuple(values.tolist())}, until - state.at
        )

    def forecast(
        self, state: State, at: datetime, rng: np.random.Generator
    ) -> tuple[Forecast | Refusal, ...]:
        reasons = tuple(self._doubts(state, at))
        if reasons:
            return (Refusal("hyperglycaemia", at, reasons),)
        draws = SET_POINT + self._excess(state, at) * math.exp(-K * 3600) + rng.normal(0, 20, 500)
        probability = float(np.mean(draws > 180))
        risk = Risk("hyperglycaemia", at + timedelta(hours=1), probability, 0.0, 1.0)
        basis = (state.subject.source, *state.sources)
        return (Forecast("hyperglycaemia", at, self._stale(state), (risk,), basis, "Glucose decays."),)

    def _excess(self, state: State, at: datetime) -> float:
        return float(state.x[0] * math.exp(-K * (at.timestamp() - state.x[1])))

    def _stale(self, state: State) -> datetime:
        return datetime.fromtimestamp(float(state.x[1]), UTC) + timedelta(hours=6)

    def _doubts(self, state: State, at: datetime):
        age = state.subject.age_at(at)
        if state.subject.deceased or age is None or not 18 <= age <= 100:
            yield Reason("out-of-scope", "age", "Out of scope.")
        if not state.sources:
            yield Reason("missing-input", "glucose", "No glucose.")
        elif not 20 <= state.x[0] + SET_POINT <= 600:
            yield Reason("out-of-range", "glucose", "Out of range.")
        elif at >= self._stale(state):
            yield Reason("stale-input", "glucose", "Too old.")
