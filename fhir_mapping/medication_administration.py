"""MedicationAdministration -> doses of what is counted, else treatments by class.

What was given is told once: as a dose where its amount and time can be read, else as a treatment that is
past. While it is being given it is a current treatment, and how much was given is not known yet.

A dose at a ``dateTime`` is a bolus; over a ``period`` it is given evenly, as is a rate. The amount is
``dosage.dose``, else the rate times the length of the period; where both stand they must agree. So must the
code of a unit, which is read as UCUM alone, and its printed text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fhir_mapping import terms
from fhir_mapping.errors import Problem
from fhir_mapping.instants import moment
from fhir_mapping.mapped import Mapped, Origin
from fhir_mapping.medication import Course, Named, known, treated
from fhir_mapping.observation.quantity import UCUM
from fhir_mapping.shapes import Period, Quantity, Shape, Text, view
from fhir_mapping.terms import Counted
from twin_engine.twin import Dose

_TIMES = {
    1.0: ("s", "sec", "second", "seconds"),
    60.0: ("min", "minute", "minutes"),
    3600.0: ("h", "hr", "hrs", "hour", "hours"),
    86400.0: ("d", "day", "days"),
}
_SECONDS = {text: seconds for seconds, texts in _TIMES.items() for text in texts}
_GIVEN = frozenset({"completed", "stopped"})
_AGREEMENT = 0.01  # of rate and dose, relative: both are rounded for display
_AMOUNT = "MedicationAdministration.dosage"
_WHEN = "MedicationAdministration.effective"


class _Ratio(Shape, frozen=True):
    numerator: Quantity | None = None
    denominator: Quantity | None = None


class _Dosage(Shape, frozen=True):
    dose: Quantity | None = None
    rate_quantity: Quantity | None = None
    rate_ratio: _Ratio | None = None

    @property
    def paced(self) -> bool:
        """Tell whether it says how fast."""
        return self.rate_quantity is not None or self.rate_ratio is not None


class _Administration(Named, frozen=True, kw_only=True):
    status: Text
    effective_date_time: Text | None = None
    effective_period: Period | None = None
    dosage: _Dosage | None = None


@dataclass(frozen=True, slots=True)
class _Span:
    """When it was given: at once, or evenly until ``until``."""

    start: datetime
    until: datetime | None

    @property
    def seconds(self) -> float:
        return (self.until - self.start).total_seconds() if self.until else 0.0


def read(resource: dict[str, Any], origin: Origin) -> Mapped:
    """Map a MedicationAdministration."""
    seen = view(resource, _Administration)
    period = seen.effective_period or Period()
    since = seen.effective_date_time or period.start
    status = "active" if seen.status == "in-progress" else seen.status
    course = Course("MedicationAdministration", status, since, period.end)
    mapped = treated(seen, course, origin)
    what = known(seen, course.kind, origin.others)
    counted = [name for name in what.classes if name in terms.DOSES] if what else []
    if not counted or not mapped.items or seen.status == "unknown":
        return mapped
    told = _doses(seen, counted, origin)
    if isinstance(told, Problem):
        return replace(mapped, reasons=(*mapped.reasons, told))
    return Mapped(told)


def _doses(seen: _Administration, names: list[str], origin: Origin) -> tuple[Dose, ...] | Problem:
    if seen.status not in _GIVEN:
        return Problem("status", "how much was given is not known yet", "MedicationAdministration.status")
    span = _span(seen, origin.now)
    if isinstance(span, Problem):
        return span
    doses = []
    for name in names:
        amount = _amount(seen, span, terms.DOSES[name])
        if isinstance(amount, Problem):
            return replace(amount, signal=name)
        doses.append(Dose(name, span.start, origin.source, amount, span.until))
    return tuple(doses)


def _span(seen: _Administration, now: datetime) -> _Span | Problem:
    """Return when it was given; a day alone does not say when."""
    period = seen.effective_period
    texts = (period.start, period.end) if period else (seen.effective_date_time, seen.effective_date_time)
    begun, ended = (moment(text) for text in texts)
    if begun is None or ended is None or not begun.exact or not ended.exact:
        return Problem("time", "when it was given is not known to the time of day", _WHEN)
    if ended.after(now):
        return Problem("time", "the time lies in the future", _WHEN)
    if ended.at < begun.at:
        return Problem("time", "the period ends before it begins", _WHEN)
    return _Span(begun.at, ended.at if ended.at > begun.at else None)


def _amount(seen: _Administration, span: _Span, counted: Counted) -> float | Problem:
    """Return how much was given, in the first of the medication's units."""
    found = list(_amounts(seen.dosage or _Dosage(), span, counted, stopped=seen.status == "stopped"))
    amounts = [each for each in found if not isinstance(each, Problem)]
    if len(amounts) < len(found) or not found:
        wrong = (each for each in found if isinstance(each, Problem))
        return next(wrong, Problem("absent", "how much was given is not said", _AMOUNT))
    low, high = min(amounts), max(amounts)
    if high - low > _AGREEMENT * high:
        return Problem("value", "the dose and the rate contradict each other", _AMOUNT)
    if low < 0 or high > counted.high:
        return Problem("range", "the dose is implausible", f"{_AMOUNT}.dose")
    return amounts[0]


def _amounts(dosage: _Dosage, span: _Span, counted: Counted, *, stopped: bool) -> Iterator[float | Problem]:
    """Yield the amount by the dose and by the rate; the dose of what was stopped was not given whole."""
    if dosage.dose is not None and not stopped:
        yield _counted(dosage.dose, counted, f"{_AMOUNT}.dose")
    if dosage.paced and span.until is not None:
        rate = _rate(dosage, counted)
        yield rate if isinstance(rate, Problem) else rate * span.seconds


def _rate(dosage: _Dosage, counted: Counted) -> float | Problem:
    """Return the rate per second."""
    if dosage.rate_quantity is not None:
        return _rate_of_quantity(dosage.rate_quantity, counted)
    ratio = dosage.rate_ratio or _Ratio()
    place = f"{_AMOUNT}.rate"
    above, below = ratio.numerator or Quantity(), ratio.denominator or Quantity()
    amount = _counted(above, counted, place)
    length = _agreed(below, _SECONDS.get)
    if isinstance(amount, Problem):
        return amount
    if length is None or below.comparator is not None or not below.value or below.value < 0:
        return Problem("unit", "the rate is not per a known time", place)
    return amount / (below.value * length)


def _rate_of_quantity(rate: Quantity, counted: Counted) -> float | Problem:
    place = f"{_AMOUNT}.rate"
    length = _agreed(rate, lambda text: _SECONDS.get(text.rpartition("/")[2]))
    if length is None:
        return Problem("unit", "the rate is not per a known time", place)
    factor = _agreed(rate, lambda text: counted.units.get(text.rpartition("/")[0]))
    amount = _times(rate, factor, place)
    return amount if isinstance(amount, Problem) else amount / length


def _counted(quantity: Quantity, counted: Counted, place: str) -> float | Problem:
    return _times(quantity, _agreed(quantity, counted.units.get), place)


def _times(quantity: Quantity, factor: float | None, place: str) -> float | Problem:
    if quantity.value is None or quantity.comparator is not None:
        return Problem("value", "the amount is not a plain number", place)
    if factor is None:
        return Problem("unit", "the unit is not one that this medication is counted in", place)
    return quantity.value * factor


def _agreed(quantity: Quantity, meaning: Callable[[str], float | None]) -> float | None:
    """Return what the code and the printed unit both mean; None where one of them is not known."""
    if quantity.code is not None and quantity.system is not None and quantity.system not in UCUM:
        return None
    meanings = {meaning(text) for text in (quantity.code, quantity.unit) if text is not None}
    return meanings.pop() if len(meanings) == 1 else None
