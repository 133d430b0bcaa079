"""Glucose, insulin and meals in type 1 diabetes: the UVA/Padova simulator of 2008.

Thirteen ordinary differential equations of a person without insulin secretion of their own, with
subcutaneous insulin and a meal model: C. Dalla Man, R. A. Rizza, C. Cobelli, IEEE Trans. Biomed. Eng. 54
(2007) 1740-1749, doi:10.1109/TBME.2007.893506; C. Dalla Man, D. M. Raimondo, R. A. Rizza, C. Cobelli,
J. Diabetes Sci. Technol. 1 (2007) 323-330, doi:10.1177/193229680700100303; B. P. Kovatchev, M. Breton,
C. Dalla Man, C. Cobelli, J. Diabetes Sci. Technol. 3 (2009) 44-55, doi:10.1177/193229680900300106. Where
these leave a choice it is the one of simglucose 0.2.11 (J. Xie, https://github.com/jxx123/simglucose), so
that trajectories can be compared: who announces a meal eats it at 5 g/min, gastric emptying follows the
meal eaten last, and a state that has become negative stands still until it is not.

Not in it: secretion of glucagon, exercise, illness, the time of day, insulins other than rapid-acting.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

MINUTES_A_DAY = 1440
PMOL_A_UNIT = 6000.0

# Steps a minute of the classical Runge-Kutta method: differences to an adaptive method below 0.01 mg/dL
# over a day with meals and boluses, and below 0.2 mg/dL.
EXACT, FAST = 4, 1


@dataclass(frozen=True, slots=True)
class Quantity:
    """A named number of the model."""

    name: str
    unit: str
    meaning: str


STATES = (
    Quantity("Qsto1", "mg", "glucose in the stomach, solid"),
    Quantity("Qsto2", "mg", "glucose in the stomach, liquid"),
    Quantity("Qgut", "mg", "glucose in the intestine"),
    Quantity("Gp", "mg/kg", "glucose in plasma and rapidly equilibrating tissue"),
    Quantity("Gt", "mg/kg", "glucose in slowly equilibrating tissue"),
    Quantity("Ip", "pmol/kg", "insulin in plasma"),
    Quantity("X", "pmol/L", "insulin action on glucose utilisation"),
    Quantity("I1", "pmol/L", "delayed insulin signal, first compartment"),
    Quantity("Id", "pmol/L", "delayed insulin signal at the liver"),
    Quantity("Il", "pmol/kg", "insulin in the liver"),
    Quantity("Isc1", "pmol/kg", "subcutaneous insulin, non-monomeric"),
    Quantity("Isc2", "pmol/kg", "subcutaneous insulin, monomeric"),
    Quantity("Gs", "mg/kg", "subcutaneous glucose"),
)
# What else evolves: the meal that is being eaten.
MEAL = (
    Quantity("planned", "g", "carbohydrate announced and not yet eaten"),
    Quantity("Qlast", "mg", "glucose in the stomach when the last meal began"),
    Quantity("eaten", "g", "carbohydrate eaten since the last meal began"),
    Quantity("eating", "g/min", "carbohydrate eaten in the last minute"),
)
# What distinguishes people; everything else follows from it.
PHYSIOLOGY = (
    Quantity("BW", "kg", "body weight"),
    Quantity("Gb", "mg/dL", "basal glucose"),
    Quantity("Ib", "pmol/L", "basal insulin"),
    Quantity("EGPb", "mg/kg/min", "basal endogenous glucose production"),
    Quantity("Vg", "dL/kg", "volume of glucose distribution"),
    Quantity("k1", "1/min", "glucose from plasma to tissue"),
    Quantity("k2", "1/min", "glucose from tissue to plasma"),
    Quantity("Vmx", "mg/kg/min per pmol/L", "insulin sensitivity of utilisation"),
    Quantity("Km0", "mg/kg", "Michaelis constant of utilisation"),
    Quantity("p2u", "1/min", "rate of insulin action on utilisation"),
    Quantity("kp2", "1/min", "liver glucose effectiveness"),
    Quantity("kp3", "mg/kg/min per pmol/L", "insulin sensitivity of production"),
    Quantity("ki", "1/min", "delay of insulin action on production"),
    Quantity("Vi", "L/kg", "volume of insulin distribution"),
    Quantity("CL", "L/min", "insulin clearance"),
    Quantity("m1", "1/min", "insulin from liver to plasma"),
    Quantity("ka1", "1/min", "absorption of non-monomeric insulin"),
    Quantity("ka2", "1/min", "absorption of monomeric insulin"),
    Quantity("kd", "1/min", "insulin dissociation"),
    Quantity("ksc", "1/min", "subcutaneous glucose transport"),
    Quantity("kabs", "1/min", "intestinal absorption"),
    Quantity("kmax", "1/min", "fastest gastric emptying"),
    Quantity("kmin", "1/min", "slowest gastric emptying"),
    Quantity("b", "1", "share of the meal at which emptying slows"),
    Quantity("d", "1", "share of the meal at which emptying quickens again"),
)
# The same in everybody (Dalla Man 2007): share of a meal that is absorbed, use of glucose by the brain, renal
# excretion and its threshold, hepatic extraction of insulin.
F, FSNC, KE1, KE2, HEB = 0.9, 1.0, 0.0005, 339.0, 0.6
DERIVED = ("Vm0", "kp1", "m2", "m4", "m30", "u2ss")


@dataclass(frozen=True, slots=True)
class Patients:
    """Parameters of people, ``values[name]`` of shape (n,) for every name of PHYSIOLOGY and DERIVED."""

    values: Mapping[str, Array]

    def __len__(self) -> int:
        return len(self.values["BW"])

    def __getitem__(self, name: str) -> Array:
        return self.values[name]

    def chosen(self, which: NDArray[np.bool_] | NDArray[np.intp]) -> Patients:
        """Return some of them, by mask or by indices."""
        return replace(self, values={name: value[which] for name, value in self.values.items()})


def patients(physiology: Mapping[str, Array]) -> Patients:
    """Complete parameters so that at basal insulin everybody stays at basal glucose.

    Parameters
    ----------
    physiology : for every name of PHYSIOLOGY an array of shape (n,), in its unit
    """
    p = {each.name: np.asarray(physiology[each.name], np.float64) for each in PHYSIOLOGY}
    gpb, ipb = p["Gb"] * p["Vg"], p["Ib"] * p["Vi"]
    gtb = tissue_basal(p)
    m2 = 3 / 5 * p["CL"] / (HEB * p["Vi"] * p["BW"])
    m4 = 2 / 5 * p["CL"] / (p["Vi"] * p["BW"])
    m30 = p["m1"] * HEB / (1 - HEB)
    secreted = ipb * (m2 + m4) - p["m1"] * (ipb * m2 / (p["m1"] + m30))
    return Patients(
        p
        | {
            "Vm0": (p["EGPb"] - FSNC) * (p["Km0"] + gtb) / gtb,
            "kp1": p["EGPb"] + p["kp2"] * gpb + p["kp3"] * p["Ib"],
            "m2": m2,
            "m4": m4,
            "m30": m30,
            "u2ss": secreted,
        }
    )


def tissue_basal(p: Mapping[str, Array] | Patients) -> Array:
    """Return glucose in slowly equilibrating tissue at the basal state, mg/kg."""
    gpb = p["Gb"] * p["Vg"]
    return np.asarray((FSNC - p["EGPb"] + p["k1"] * gpb) / p["k2"])


@dataclass(frozen=True, slots=True)
class State:
    """Where people are: ``body`` of shape (13, n) by STATES, ``meal`` of shape (4, n) by MEAL."""

    body: Array
    meal: Array


def basal_state(people: Patients) -> State:
    """Return the steady state under basal insulin, with an empty stomach."""
    gpb, ipb, zero = people["Gb"] * people["Vg"], people["Ib"] * people["Vi"], np.zeros(len(people))
    isc1 = people["u2ss"] / (people["kd"] + people["ka1"])
    liver = ipb * people["m2"] / (people["m1"] + people["m30"])
    insulin = (ipb, zero, people["Ib"], people["Ib"], liver, isc1, people["kd"] * isc1 / people["ka2"])
    body = np.array([zero, zero, zero, gpb, tissue_basal(people), *insulin, gpb])
    return State(body, np.zeros((len(MEAL), len(people))))


def basal_rate(people: Patients) -> Array:
    """Return the insulin that keeps everybody at basal glucose, U/min."""
    return np.asarray(people["u2ss"] * people["BW"] / PMOL_A_UNIT)


def simulate(
    people: Patients, state: State, carbohydrate: Array, insulin: Array, steps: int = EXACT
) -> tuple[Array, State]:
    """Return subcutaneous glucose at the end of every minute, mg/dL, shape (n, minutes), and the state then.

    Parameters
    ----------
    people : n people
    state : where they are at the beginning
    carbohydrate : announced in each minute, g, shape (n, minutes)
    insulin : infused in each minute, U/min, shape (n, minutes)
    steps : integration steps a minute
    """
    from twin_engine.models.glucose import uva_padova_kernel as kernel

    running = kernel.Running(people, state, steps)
    return running.advance(carbohydrate, insulin), running.state()
