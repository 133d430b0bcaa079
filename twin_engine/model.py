"""The contract of a twin model.

One shape for regression equations, ordinary differential equations, finite elements and wave
propagation alike: a prior from demographics and genotype, evidence assimilated into a state that
holds everything that evolves, a plan simulated from that state, and a forecast with uncertainty.
All of it is pure: time and randomness are arguments, and a stored state resumes bit for bit. An update
begins at the stored state (``resumption.resume``) and assimilates all evidence into it.

A model is registered by one line in ``MODELS``, or from another package through the entry-point
group ``didymos.models``; ``check.check_model`` holds every registered model to this contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from importlib.metadata import entry_points
from typing import Any, Literal, Protocol

from numpy.random import Generator

from twin_engine.twin import Evidence, Forecast, Plan, Refusal, Subject, Trajectory

# verified: equals its published arithmetic; validated: scored here on people it has not seen.
Evidenced = Literal["verified", "validated", "illustrative"]


@dataclass(frozen=True, slots=True)
class Signal:
    """An input: a coded quantity in one unit.

    ``low``..``high`` is the range the model's publication accepts; ``max_age`` is how old a value may
    be when it is used; None means that age does not matter. ``values`` are the codes that a finding may
    have, the ordinary one first.
    """

    name: str
    unit: str
    low: float | None = None
    high: float | None = None
    max_age: timedelta | None = None
    required: bool = True
    values: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a model wants to know. Names are the engine's own; the mapping knows their codes.

    ``choices`` holds what can be known in several ways: of each choice one whole way must be known, for
    instance ``(("body-mass-index",), ("body-height", "body-weight"))``. ``ages`` are completed years, both
    included. ``doses`` are substances, ``relatives`` conditions of the family. ``diagnoses`` are those of
    ``conditions`` that the person must have, or the model does not speak.
    """

    signals: tuple[Signal, ...] = ()
    findings: tuple[Signal, ...] = ()
    conditions: tuple[str, ...] = ()
    treatments: tuple[str, ...] = ()
    genes: tuple[str, ...] = ()
    doses: tuple[str, ...] = ()
    relatives: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()
    choices: tuple[tuple[tuple[str, ...], ...], ...] = ()
    ages: tuple[int, int] = (0, 130)


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a clinician must know before believing a number."""

    name: str
    version: str
    title: str
    intended_use: str
    population: str
    out_of_scope: tuple[str, ...]
    inputs_note: str
    performance: str
    limitations: tuple[str, ...]
    sources: tuple[str, ...]
    evidence: Evidenced
    families: tuple[str, ...]


class Model(Protocol):
    """One organ system or risk, as pure functions over frozen values.

    ``State`` is a frozen dataclass of the model's own (``state_type``) whose fields are numbers,
    strings, instants, tuples, mappings, dataclasses of these, or float64 arrays.
    """

    @property
    def card(self) -> ModelCard: ...

    @property
    def inputs(self) -> Inputs: ...

    @property
    def state_type(self) -> type[Any]: ...

    def prior(self, subject: Subject, at: datetime) -> Any:
        """Return the state before any evidence."""

    def assimilate(self, state: Any, evidence: Evidence, at: datetime) -> Any:
        """Return the state that knows ``evidence`` as of ``at``.

        ``evidence`` is all that is known, not only what is new: a withdrawn value is simply no longer in
        it. Equal evidence gives an equal state, in any order and however often it is repeated; and whatever
        part of it ``state`` knew before, also if it knew what is since withdrawn: with ``old`` any other
        evidence, ``assimilate(assimilate(prior, old), evidence) == assimilate(prior, evidence)``. A model
        that integrates in time keeps in its state what it needs to go back to where evidence changed.
        """

    def simulate(self, state: Any, plan: Plan, until: datetime, rng: Generator) -> Trajectory | Refusal:
        """Return the path under ``plan``."""

    def forecast(self, state: Any, at: datetime, rng: Generator) -> tuple[Forecast | Refusal, ...]:
        """Return one answer for each outcome family of the card."""


def registered() -> Mapping[str, Model]:
    """Return every model by name: the built-in table and the plugged-in ones."""
    # By name: every model imports this module, and would through it import every other.
    built_in: tuple[Model, ...] = import_module("twin_engine.models").MODELS
    found: dict[str, Model] = {model.card.name: model for model in built_in}
    for entry in entry_points(group="didymos.models"):
        model: Model = entry.load()
        found[model.card.name] = model
    return found
