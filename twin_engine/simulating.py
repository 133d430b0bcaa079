"""Laws of a model's paths: what a simulation is, and which plans a model must refuse."""

from __future__ import annotations

from datetime import timedelta

import numpy as np

from twin_engine.answers import Nonconformance, path_holds, refusal_holds
from twin_engine.specimen import SEED, Case
from twin_engine.twin import Dose, Plan, Refusal, Trajectory

DAY = timedelta(days=1)


def simulates(case: Case) -> None:
    """A path starts now, goes forward, is finite and repeats with the same random numbers."""
    one, other = (_simulated(case, Plan()) for _ in range(2))
    if isinstance(one, Refusal):
        refusal_holds(one)
        return
    if one != other:
        raise Nonconformance("simulation: it does not repeat with the same random numbers")
    path_holds(one)


def refuses_undeclared_plans(case: Case) -> None:
    """A plan that names what is no input of the model is refused, not followed in part."""
    dose = Dose("undeclared", case.at + timedelta(hours=1), "", 1.0)
    plans = {
        "signal": Plan(signals={"undeclared": 1.0}),
        "treatment": Plan(treatments={"undeclared": True}),
        "substance that is given": Plan(doses=(dose,)),
        "substance that is scaled": Plan(scaled={"undeclared": 0.0}),
    }
    for kind, plan in plans.items():
        answer = _simulated(case, plan)
        if not isinstance(answer, Refusal):
            raise Nonconformance(f"plan: an undeclared {kind} is followed")
        refusal_holds(answer)


def _simulated(case: Case, plan: Plan) -> Trajectory | Refusal:
    rng = np.random.default_rng(SEED)
    return case.model.simulate(case.state(), plan, case.at + DAY, rng)
