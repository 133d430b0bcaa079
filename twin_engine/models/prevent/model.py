"""PREVENT as a twin model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from numpy.random import Generator

from twin_engine import screening
from twin_engine.model import Inputs, ModelCard, Signal
from twin_engine.models.prevent import narrative
from twin_engine.models.prevent.card import AGES, CARD, FAMILY, INPUTS, LAST_AGE_30_YEARS
from twin_engine.models.prevent.equations import HORIZONS, OUTCOMES, Horizon, Profile, risk
from twin_engine.models.prevent.selection import Selected, State, select
from twin_engine.twin import Evidence, Forecast, Plan, Reason, Refusal, Risk, Subject, Trajectory
from twin_engine.years import birthday, years_after

Held = Callable[[Profile, float], Profile]
SIGNALS: Mapping[str, Held] = {
    "systolic-blood-pressure": lambda profile, value: replace(profile, systolic=value),
    "total-cholesterol": lambda profile, value: replace(profile, total_cholesterol=value),
    "hdl-cholesterol": lambda profile, value: replace(profile, hdl_cholesterol=value),
    "body-mass-index": lambda profile, value: replace(profile, body_mass_index=value),
    "egfr": lambda profile, value: replace(profile, egfr=value),
}
TREATMENTS: Mapping[str, Held] = {
    "statin": lambda profile, given: replace(profile, statin=bool(given)),
    "antihypertensive": lambda profile, given: replace(profile, antihypertensive=bool(given)),
}


@dataclass(frozen=True, slots=True)
class Prevent:
    """AHA PREVENT 2023, base equations: total CVD, ASCVD and heart failure in 10 and 30 years."""

    card: ModelCard = CARD
    inputs: Inputs = INPUTS
    state_type: type[State] = State

    def prior(self, subject: Subject, at: datetime) -> State:
        """Return the state that knows only the person."""
        return State(at, subject)

    def assimilate(self, state: State, evidence: Evidence, at: datetime) -> State:  # noqa: ARG002
        """Return the newest of each input as of ``at``; the equations remember nothing else."""
        return State.of(evidence, at)

    def forecast(self, state: State, at: datetime, rng: Generator) -> tuple[Forecast | Refusal, ...]:  # noqa: ARG002
        """Return the risks from ``at`` on, or why there are none."""
        selected = select(state, at)
        return (
            _forecast(state, selected, at)
            if isinstance(selected, Selected)
            else _refusal(state, selected, at),
        )

    def simulate(self, state: State, plan: Plan, until: datetime, rng: Generator) -> Trajectory | Refusal:  # noqa: ARG002
        """Return the 10-year risks at ``state.at`` and each year after it, up to age 79, under ``plan``.

        Everything that the plan does not hold stays as it is, but age. An association is not an effect: the
        path compares people who have the planned values, it does not promise what changing them does.
        """
        selected = select(state, state.at)
        if not isinstance(selected, Selected):
            return _refusal(state, selected, state.at)
        doubts = _plan_doubts(plan)
        if doubts:
            return _refusal(state, doubts, state.at)
        return _path(_under(selected.profile, plan), state.at, until)


def _forecast(state: State, selected: Selected, at: datetime) -> Forecast:
    risks = _risks(selected.profile, at)
    sources = {source for part in selected.used.values() for source in part.sources}
    return Forecast(
        family=FAMILY,
        at=at,
        expires=selected.until,
        risks=risks,
        basis=tuple(sorted({state.subject.source, *sources})),
        rationale=narrative.rationale(selected, risks),
        contributions=narrative.contributions(state, selected),
        notes=narrative.notes(selected),
    )


def _risks(profile: Profile, at: datetime) -> tuple[Risk, ...]:
    horizons: tuple[Horizon, ...] = HORIZONS if profile.age <= LAST_AGE_30_YEARS else ("10y",)
    return tuple(
        Risk(f"{outcome}-{horizon}", years_after(at, int(horizon[:-1])), risk(profile, horizon, outcome))
        for horizon in horizons
        for outcome in OUTCOMES
    )


def _refusal(state: State, reasons: tuple[Reason, ...], at: datetime) -> Refusal:
    of_age = birthday(state.subject, AGES[0])
    turns = screening.turns((*state.conditions, *state.treatments), at)
    turns += [of_age] if of_age is not None and of_age > at else []
    return Refusal(FAMILY, at, reasons, retry=None if state.subject.deceased else min(turns, default=None))


def _plan_doubts(plan: Plan) -> tuple[Reason, ...]:
    ranges = {signal.name: signal for signal in INPUTS.signals if signal.name in SIGNALS}
    unknown = [name for name in plan.signals if name not in ranges]
    unknown += [name for name in plan.treatments if name not in TREATMENTS]
    beyond = [
        name for name, value in plan.signals.items() if name in ranges and not _within(ranges[name], value)
    ]
    return (
        *(
            Reason("out-of-scope", name, "The equations have no such input to plan.")
            for name in sorted(unknown)
        ),
        *(Reason("out-of-range", name, "The plan leaves the published range.") for name in sorted(beyond)),
    )


def _within(signal: Signal, value: float) -> bool:
    return signal.low is not None and signal.high is not None and signal.low <= value <= signal.high


def _under(profile: Profile, plan: Plan) -> Profile:
    for name, value in plan.signals.items():
        profile = SIGNALS[name](profile, value)
    for name, given in plan.treatments.items():
        profile = TREATMENTS[name](profile, given)
    return profile


def _path(profile: Profile, start: datetime, until: datetime) -> Trajectory:
    last = min(max(until.year - start.year, 0), AGES[1] - profile.age)
    years = [year for year in range(last + 1) if year == 0 or years_after(start, year) <= until]
    aged = [replace(profile, age=profile.age + year) for year in years]
    times = tuple((years_after(start, year) - start).total_seconds() for year in years)
    values = {
        f"{outcome}-10y": tuple(risk(person, "10y", outcome) for person in aged) for outcome in OUTCOMES
    }
    return Trajectory(start, times, values, max(until - start, timedelta()))
