"""Models that keep the contract pass the battery; each that breaks one law is caught by that law."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from tests.twin_engine.glucose import CARD, GLUCOSE, GlucoseDecay, State
from twin_engine.check import Nonconformance, check_model
from twin_engine.model import Inputs, Signal, registered
from twin_engine.models import MODELS
from twin_engine.models.glucose import TypeOneDiabetes
from twin_engine.twin import Forecast, Refusal, Risk, Trajectory


@pytest.mark.parametrize("name", sorted(registered()))
def test_every_registered_model_keeps_the_contract(name):
    check_model(registered()[name])


def test_the_built_in_models_are_registered_under_their_own_names():
    assert {model.card.name for model in MODELS} <= set(registered())
    assert len({model.card.name for model in MODELS}) == len(MODELS)


def test_an_ordinary_differential_equation_with_an_array_state_keeps_the_contract():
    check_model(GlucoseDecay())


class Broken(GlucoseDecay):
    """Changes each forecast that the sound model gives."""

    def change(self, told: Forecast) -> Forecast:
        return told

    def forecast(self, state, at, rng):
        return tuple(
            self.change(told) if isinstance(told, Forecast) else told
            for told in super().forecast(state, at, rng)
        )


class NeverSpeaks(GlucoseDecay):
    def forecast(self, state, at, rng):
        return super().forecast(replace(state, sources=()), at, rng)


class SpeaksOfAnotherFamily(Broken):
    def change(self, told):
        return replace(told, family="fracture")


class SpeaksOfAnotherTime(Broken):
    def change(self, told):
        return replace(told, at=told.at + timedelta(hours=1))


class ExpiresAtOnce(Broken):
    def change(self, told):
        return replace(told, expires=told.at)


class SaysNothing(Broken):
    def change(self, told):
        return replace(told, rationale=" ")


class ScoresInfinity(Broken):
    def change(self, told):
        return replace(told, score=float("inf"))


class OverOne(Broken):
    def change(self, told):
        return replace(told, risks=(Risk("hyperglycaemia", None, 1.5),))


class OutsideItsInterval(Broken):
    def change(self, told):
        return replace(told, risks=(Risk("hyperglycaemia", None, 0.5, 0.6, 0.7),))


class NoGradeAndNoProbability(Broken):
    def change(self, told):
        return replace(told, risks=(Risk("hyperglycaemia", None),))


class InventsASource(Broken):
    def change(self, told):
        return replace(told, basis=(*told.basis, "Observation/invented"))


class ForgetsASource(Broken):
    def change(self, told):
        return replace(told, basis=told.basis[:1])


class DrawsItsOwnRandomNumbers(Broken):
    def change(self, told):
        return replace(told, score=float(np.random.default_rng().random()))


class TakesTheLastInTheTuple(GlucoseDecay):
    def assimilate(self, state, evidence, at):
        known = super().assimilate(state, evidence, at)
        if not known.sources:
            return known
        last = evidence.measurements[-1]
        return replace(known, x=np.array([last.value - 100, last.time.timestamp()]), sources=(last.source,))


class CountsRepetitions(GlucoseDecay):
    def assimilate(self, state, evidence, at):
        known = super().assimilate(state, evidence, at)
        return replace(known, x=known.x + np.array([1.0, 0.0])) if state.sources else known


class AveragesWhatArrives(GlucoseDecay):
    """Takes only values later than those it knows, so that its state hangs on what came together."""

    def assimilate(self, state, evidence, at):
        known = super().assimilate(state, evidence, at)
        if not state.sources or not known.sources or known.x[1] <= state.x[1]:
            return known if not state.sources else replace(state, at=at)
        return replace(known, x=np.array([(state.x[0] + known.x[0]) / 2, known.x[1]]))


class KeepsWhatIsWithdrawn(GlucoseDecay):
    def assimilate(self, state, evidence, at):
        known = super().assimilate(state, evidence, at)
        return replace(state, at=at) if state.x[1] > known.x[1] else known


TREATED_INPUTS = Inputs(signals=(GLUCOSE,), treatments=("insulin",), ages=(18, 100))


class OutlastsATreatment(GlucoseDecay):
    """Names a treatment among its sources, and takes no notice of its end."""

    def assimilate(self, state, evidence, at):
        known = super().assimilate(state, evidence, at)
        given = tuple(item.source for item in evidence.treatments if item.name == "insulin")
        return replace(known, sources=(*known.sources, *given)) if known.sources else known


class KeepsStateBesideTheState(GlucoseDecay):
    """Remembers the last state by identity, so that a decoded one is unknown."""

    seen: dict[int, State] = {}  # noqa: RUF012  # the fault itself

    def assimilate(self, state, evidence, at):
        known = super().assimilate(state, evidence, at)
        self.seen[id(known)] = known
        return known

    def forecast(self, state, at, rng):
        told = super().forecast(state, at, rng)
        hidden = self.seen.get(id(state)) is state
        return tuple(
            replace(one, rationale=f"{one.rationale} {hidden}") if isinstance(one, Forecast) else one
            for one in told
        )


class ReadsWhatItDoesNotDeclare(GlucoseDecay):
    def assimilate(self, state, evidence, at):
        known = super().assimilate(state, evidence, at)
        return replace(known, x=known.x + np.array([float(len(evidence.conditions)), 0.0]))


class AssumesAValue(GlucoseDecay):
    def forecast(self, state, at, rng):
        filled = replace(state, x=np.array([0.0, at.timestamp()]), sources=(state.subject.source,))
        return super().forecast(state if state.sources else filled, at, rng)


class Clamps(GlucoseDecay):
    def assimilate(self, state, evidence, at):
        known = super().assimilate(state, evidence, at)
        return replace(known, x=np.array([np.nan_to_num(np.clip(known.x[0], -80, 500)), known.x[1]]))


class NeverStale(GlucoseDecay):
    def forecast(self, state, at, rng):
        fresh = replace(state, x=np.array([state.x[0], at.timestamp()]))
        return super().forecast(fresh, at, rng)


class SpeaksOfTheDead(GlucoseDecay):
    def forecast(self, state, at, rng):
        return super().forecast(replace(state, subject=replace(state.subject, deceased=False)), at, rng)


class SpeaksOfChildren(GlucoseDecay):
    def _doubts(self, state, at):
        return (
            reason
            for reason in super()._doubts(state, at)
            if reason.signal != "age" or state.subject.deceased
        )


class RefusesWithoutReason(GlucoseDecay):
    def simulate(self, state, plan, until, rng):
        return Refusal("hyperglycaemia", state.at, ())


class RunsBackwards(GlucoseDecay):
    def simulate(self, state, plan, until, rng):
        path = super().simulate(state, plan, until, rng)
        return replace(path, times=path.times[::-1])


class RunsAway(GlucoseDecay):
    def simulate(self, state, plan, until, rng):
        return Trajectory(state.at, (0.0, 1.0), {"glucose": (1.0, float("inf"))}, until - state.at)


class MissesAValue(GlucoseDecay):
    def simulate(self, state, plan, until, rng):
        return Trajectory(state.at, (0.0, 1.0), {"glucose": (1.0,)}, until - state.at)


class NeverRepeats(GlucoseDecay):
    def simulate(self, state, plan, until, rng):
        return super().simulate(state, plan, until, np.random.default_rng())


class FollowsAnyPlan(GlucoseDecay):
    """Takes no notice of ``part`` of a plan."""

    def __init__(self, part):
        super().__init__()
        object.__setattr__(self, "part", part)

    def simulate(self, state, plan, until, rng):
        return super().simulate(
            state, replace(plan, **{self.part: type(getattr(plan, self.part))()}), until, rng
        )


class ComparesEveryPair(GlucoseDecay):
    def assimilate(self, state, evidence, at):
        for one in evidence.measurements:
            for other in evidence.measurements:
                for _ in range(100):
                    min(one.value, other.value)
        return super().assimilate(state, evidence, at)


class KeepsTooMuch(GlucoseDecay):
    def assimilate(self, state, evidence, at):
        known = super().assimilate(state, evidence, at)
        mine = {item for item in evidence.measurements if item.signal == "glucose"}
        return replace(known, x=np.append(known.x, np.zeros(4000 * len(mine))))


KETONES = Signal("ketones", "mmol/L", 0, 10, required=False)
VIOLATIONS = [
    (GlucoseDecay(card=replace(CARD, limitations=())), "card: limitations"),
    (GlucoseDecay(card=replace(CARD, title="")), "card: title"),
    (GlucoseDecay(inputs=Inputs(signals=(GLUCOSE, GLUCOSE))), "inputs: a signal is declared twice"),
    (GlucoseDecay(inputs=Inputs(signals=(replace(GLUCOSE, unit=""),))), "inputs: a signal has no unit"),
    (GlucoseDecay(inputs=Inputs(findings=(Signal("mood", ""),))), "inputs: a finding declares no values"),
    (GlucoseDecay(inputs=Inputs(choices=((("ketones",),),))), "inputs: a choice names a signal"),
    (
        GlucoseDecay(
            inputs=Inputs(
                signals=(replace(GLUCOSE, required=False), KETONES),
                choices=((("glucose",), ("ketones",)),),
                ages=(18, 100),
            )
        ),
        "choices: ketones gives no forecast",
    ),
    (NeverSpeaks(), "ordinary evidence"),
    (SpeaksOfAnotherFamily(), "families"),
    (SpeaksOfAnotherTime(), "families: an answer is not of the instant"),
    (ExpiresAtOnce(), "expiry"),
    (SaysNothing(), "forecast: risks and a rationale"),
    (ScoresInfinity(), "forecast: a score or weight"),
    (OverOne(), "risk: a probability is outside 0 to 1"),
    (OutsideItsInterval(), "risk: a probability is outside its interval"),
    (NoGradeAndNoProbability(), "risk: neither"),
    (InventsASource(), "basis: it names no source or one that was not given"),
    (ForgetsASource(), "basis: a source that it does not name"),
    (DrawsItsOwnRandomNumbers(), "determinism"),
    (TakesTheLastInTheTuple(), "order"),
    (CountsRepetitions(), "repetition"),
    (KeepsStateBesideTheState(), "resume"),
    (AveragesWhatArrives(), "continuation"),
    (KeepsWhatIsWithdrawn(), "withdrawal"),
    (OutlastsATreatment(inputs=TREATED_INPUTS), "ends"),
    (ReadsWhatItDoesNotDeclare(), "declared inputs"),
    (AssumesAValue(), "missing input"),
    (Clamps(), "range"),
    (NeverStale(), "age of an input"),
    (SpeaksOfTheDead(), "scope: a person who has died"),
    (SpeaksOfChildren(), "scope: an age outside"),
    (RefusesWithoutReason(), "refusal: a refusal states its reasons"),
    (RunsBackwards(), "simulation: times"),
    (RunsAway(), "simulation: a value is not finite"),
    (MissesAValue(), "simulation: each value needs one number a time"),
    (NeverRepeats(), "simulation: it does not repeat"),
    (FollowsAnyPlan("signals"), "plan: an undeclared signal"),
    (FollowsAnyPlan("treatments"), "plan: an undeclared treatment"),
    (FollowsAnyPlan("doses"), "plan: an undeclared substance that is given"),
    (FollowsAnyPlan("scaled"), "plan: an undeclared substance that is scaled"),
    (ComparesEveryPair(), "cost: too many calls"),
    (KeepsTooMuch(), "cost: the state is over 1 MB"),
]


@pytest.mark.parametrize(
    ("model", "law"),
    VIOLATIONS,
    ids=[f"{type(model).__name__}-{law.split(':')[0]}" for model, law in VIOLATIONS],
)
def test_a_model_that_breaks_a_law_is_caught_by_it(model, law):
    with pytest.raises(Nonconformance) as caught:
        check_model(model)
    assert str(caught.value).startswith(law)


def test_the_battery_runs_at_any_date():
    # One model of each kind; type 1 diabetes looks hours ahead, so that the calendar has no part in it.
    kinds = {type(model): model for model in (*MODELS, GlucoseDecay())}
    for model in (model for kind, model in kinds.items() if kind is not TypeOneDiabetes):
        check_model(model, datetime(2024, 2, 29, 23, 59, tzinfo=UTC))
