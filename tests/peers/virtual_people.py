"""The thirty virtual people of simglucose, and the trajectories it makes of them."""

from __future__ import annotations

import csv
import warnings
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from twin_engine.models.glucose.uva_padova import DERIVED, MEAL, PHYSIOLOGY, Patients, State

Array = NDArray[np.float64]


def table(name: str) -> dict[str, list[str]]:
    """Return a table of simglucose by column."""
    found = find_spec("simglucose")
    assert found is not None
    assert found.origin is not None
    with (Path(found.origin).parent / "params" / name).open() as text:
        rows = list(csv.DictReader(text))
    return {column: [row[column] for row in rows] for column in rows[0]}


def people() -> tuple[list[str], Patients, State]:
    """Return names, parameters as they stand there, and the states they begin in."""
    rows = table("vpatient_params.csv")
    names = (*(each.name for each in PHYSIOLOGY), *DERIVED)
    start = np.array([rows[f"x0_{i:2d}"] for i in range(1, 14)], np.float64)
    values = {name: np.array(rows[name], np.float64) for name in names}
    return rows["Name"], Patients(values), State(start, np.zeros((len(MEAL), len(rows["Name"]))))


def lean(patient: Any) -> Any:
    """Return simglucose's patient with its parameters in a plain namespace instead of a pandas row."""
    patient._params = type("Parameters", (), dict(patient._params))()
    return patient


def patient(name: str) -> Any:
    """Return simglucose's own patient."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # it imports pkg_resources, and integrates with a deprecated class
        from simglucose.patient.t1dpatient import T1DPatient

        return T1DPatient.withName(name)


def day_of(body: Any, carbohydrate: Array, insulin: Array) -> Array:
    """Return the glucose that simglucose makes of the inputs of each minute, at the ends of the minutes."""
    from simglucose.patient.t1dpatient import Action

    glucose = np.empty(len(carbohydrate))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for minute, (grams, units) in enumerate(zip(carbohydrate, insulin, strict=True)):
            body.step(Action(CHO=grams, insulin=units))
            glucose[minute] = body.observation.Gsub
    return glucose
