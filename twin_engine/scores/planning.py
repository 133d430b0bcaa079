"""What a plan makes of a score's inputs, and the score of the same person in the years after."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import takewhile
from typing import Any, ClassVar, Generic, Protocol, TypeVar

from twin_engine.model import Inputs, Signal
from twin_engine.twin import Plan, Reason, Trajectory
from twin_engine.years import years_after


class Aged(Protocol):
    """A frozen dataclass with the completed years of a person."""

    __dataclass_fields__: ClassVar[dict[str, Any]]

    @property
    def age(self) -> float: ...


A = TypeVar("A", bound=Aged)


@dataclass(frozen=True, slots=True)
class Course(Generic[A]):
    """How a score is followed through the years.

    ``values`` gives what is followed by name, nothing where the score does not hold. ``signals`` and
    ``treatments`` name the fields of the profile that a plan may hold.
    """

    values: Callable[[A], Mapping[str, float]]
    signals: Mapping[str, str]
    treatments: Mapping[str, str]

    def doubts(self, plan: Plan, inputs: Inputs) -> tuple[Reason, ...]:
        """Return why ``plan`` cannot be followed."""
        ranges = {signal.name: signal for signal in inputs.signals if signal.name in self.signals}
        unknown = {*plan.signals} - {*ranges} | {*plan.treatments} - {*self.treatments} | _dosed(plan)
        beyond = (name for name in plan.signals if name in ranges and not _within(ranges[name], plan))
        return (
            *(
                Reason("out-of-scope", name, "The equations have no such input to plan.")
                for name in sorted(unknown)
            ),
            *(
                Reason("out-of-range", name, "The plan leaves the published range.")
                for name in sorted(beyond)
            ),
        )

    def path(self, profile: A, plan: Plan, start: datetime, until: datetime, last: int) -> Trajectory:
        """Return the values now and each year to ``until``, the ``last`` age or the end of what holds."""
        held: dict[str, Any] = {self.signals[name]: value for name, value in plan.signals.items()}
        held |= {self.treatments[name]: given for name, given in plan.treatments.items()}
        planned = replace(profile, **held)
        ahead = min(until.year - start.year, int(last - profile.age))
        years = [0, *(year for year in range(1, ahead + 1) if years_after(start, year) <= until)]
        told = list(
            takewhile(bool, (self.values(replace(planned, age=profile.age + year)) for year in years))
        )
        return Trajectory(
            start,
            tuple((years_after(start, year) - start).total_seconds() for year in years[: len(told)]),
            {name: tuple(each[name] for each in told) for name in told[0]},
            max(until - start, timedelta()),
        )


def _dosed(plan: Plan) -> set[str]:
    return {*plan.scaled, *(dose.substance for dose in plan.doses)}


def _within(signal: Signal, plan: Plan) -> bool:
    value = plan.signals[signal.name]
    return signal.low is not None and signal.high is not None and signal.low <= value <= signal.high
