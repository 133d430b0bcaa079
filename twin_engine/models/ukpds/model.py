"""The UKPDS Outcomes Model 2 as a twin model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from numpy.random import Generator

from twin_engine import screening
from twin_engine.equations import effects
from twin_engine.equations.cholesterol import MMOL_PER_MG_DL
from twin_engine.model import Inputs, ModelCard
from twin_engine.models.ukpds import card, narrative
from twin_engine.models.ukpds.card import CARD, FAMILY, GROUPS, HORIZON, INPUTS
from twin_engine.models.ukpds.equations import Profile
from twin_engine.models.ukpds.multistate import DEATH, EVENTS, MOST, NONE, OUTCOMES, Factors, course
from twin_engine.models.ukpds.selection import Selected, State, select
from twin_engine.twin import Evidence, Forecast, Plan, Reason, Refusal, Risk, Subject, Trajectory
from twin_engine.years import birthday, years_after

Held = Callable[[Profile, float], Profile]
SIGNALS: Mapping[str, Held] = {
    card.HBA1C.name: lambda profile, value: replace(profile, hba1c=value),
    card.SYSTOLIC.name: lambda profile, value: replace(profile, systolic=value),
    card.HDL.name: lambda profile, value: replace(profile, hdl=value * MMOL_PER_MG_DL),
    card.LDL.name: lambda profile, value: replace(profile, ldl=value * MMOL_PER_MG_DL),
    card.BODY_MASS_INDEX.name: lambda profile, value: replace(profile, body_mass_index=value),
    card.EGFR.name: lambda profile, value: replace(profile, egfr=value),
}
VALID_FOR = timedelta(days=365)


@dataclass(frozen=True, slots=True)
class Ukpds:
    """Complications of type 2 diabetes and death within 1 and 10 years."""

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
        """Return the risks from ``at`` on, or why there are none. Nothing is sampled."""
        selected = select(state, at)
        if not isinstance(selected, Selected):
            return (_refusal(state, selected, at),)
        return (_forecast(selected, at),)

    def simulate(self, state: State, plan: Plan, until: datetime, rng: Generator) -> Trajectory | Refusal:  # noqa: ARG002
        """Return the cumulative incidence of each event and of death at each year from ``state.at`` on.

        A treatment that the plan begins multiplies the hazards by its published relative risk;
        ``<event>-low`` and ``<event>-high`` then carry the interval of that risk. One that is taken already
        changes nothing. Relative risks on a baseline that already contains treatment illustrate; they do not
        foretell what the treatment does to this person.
        """
        selected = select(state, state.at)
        if not isinstance(selected, Selected):
            return _refusal(state, selected, state.at)
        doubts = _plan_doubts(plan, selected)
        if doubts:
            return _refusal(state, doubts, state.at)
        return _path(selected, plan, state.at, until)


def _forecast(selected: Selected, at: datetime) -> Forecast:
    rows = course(selected.profile, selected.history, HORIZON)
    risks = tuple(
        Risk(f"{outcome}-{years}y", years_after(at, years), min(rows[years][place], 1.0))
        for years in (1, HORIZON)
        for place, outcome in enumerate(OUTCOMES)
        if _possible(outcome, selected)
    )
    return Forecast(
        family=FAMILY,
        at=at,
        expires=min(selected.until, at + VALID_FOR),
        risks=risks,
        basis=selected.sources,
        rationale=narrative.rationale(selected.profile, risks),
        notes=narrative.notes(selected),
    )


def _possible(outcome: str, selected: Selected) -> bool:
    """Tell whether the event can still come; a first amputation after an ulcer has no equation here."""
    if outcome == DEATH:
        return True
    had = dict(zip(EVENTS, selected.history, strict=True))
    if outcome == "amputation" and had["foot-ulcer"] and not had["amputation"]:
        return False
    return had[outcome] < MOST[EVENTS.index(outcome)]


def _refusal(state: State, reasons: tuple[Reason, ...], at: datetime) -> Refusal:
    of_age = birthday(state.subject, card.AGES[0])
    turns = screening.turns((*state.conditions, *state.treatments), at)
    turns += [of_age] if of_age is not None and of_age > at else []
    return Refusal(FAMILY, at, reasons, retry=None if state.subject.deceased else min(turns, default=None))


def _plan_doubts(plan: Plan, selected: Selected) -> tuple[Reason, ...]:
    ranges = {signal.name: signal for signal in INPUTS.signals if signal.name in SIGNALS}
    unknown = {name for name in plan.signals if name not in ranges}
    unknown |= {name for name in plan.treatments if name not in INPUTS.treatments}
    unknown |= {dose.substance for dose in plan.doses} | set(plan.scaled)
    beyond = [
        name
        for name, value in plan.signals.items()
        if name in ranges and not (ranges[name].low or 0.0) <= value <= (ranges[name].high or 0.0)
    ]
    return (
        *(Reason("out-of-scope", name, "The model has no such input to plan.") for name in sorted(unknown)),
        *(Reason("out-of-range", name, "The plan leaves the range of the input.") for name in sorted(beyond)),
        *(
            Reason("out-of-scope", name, "The effect of stopping a treatment is not published.")
            for name in effects.stopped(plan.treatments, selected.taken)
        ),
        *(
            Reason("unconfirmed", name, "It is not clear from the record whether this is already taken.")
            for name in sorted(plan.treatments)
            if name in selected.doubtful
        ),
    )


def _path(selected: Selected, plan: Plan, start: datetime, until: datetime) -> Trajectory:
    profile = selected.profile
    for name, value in plan.signals.items():
        profile = SIGNALS[name](profile, value)
    begun = effects.started(plan.treatments, selected.taken)
    factors = [effects.combined(begun, GROUPS.get(event, "")) for event in EVENTS]
    years = [year for year in range(until.year - start.year + 1) if years_after(start, year) <= until]
    last = min(max(years, default=0), HORIZON)
    times = tuple((years_after(start, year) - start).total_seconds() for year in range(last + 1))
    bounds = {"": tuple(each.ratio for each in factors)}
    if any(each != effects.NO_EFFECT for each in factors):
        bounds |= {"-low": tuple(each.low for each in factors), "-high": tuple(each.high for each in factors)}
    values = {
        f"{outcome}{bound}": incidence
        for bound, each in bounds.items()
        for outcome, incidence in _incidences(profile, selected, last, each).items()
    }
    return Trajectory(start, times, values, max(until - start, timedelta()))


def _incidences(
    profile: Profile, selected: Selected, years: int, factors: Factors = NONE
) -> dict[str, tuple[float, ...]]:
    rows = course(profile, selected.history, years, factors)
    return {
        outcome: tuple(row[place] for row in rows)
        for place, outcome in enumerate(OUTCOMES)
        if _possible(outcome, selected)
    }
