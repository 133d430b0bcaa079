"""Hard limits of what may be proposed, and how a proposal is brought within them.

``checking`` tells, by other means, whether a proposal keeps them.
"""

from __future__ import annotations

from dataclasses import astuple, dataclass
from math import floor, inf, isfinite

VALID = 10.0  # minutes: a proposal nobody agreed to by then is void
STEP = 0.05  # U and U/h: the steps of common pumps
_TINY = 1e-9


@dataclass(frozen=True, slots=True)
class Limits:
    """What no proposal exceeds.

    Parameters
    ----------
    bolus : U at once; the factory setting of the largest bolus of common pumps
    basal_factor : of the usual rate; ``max_daily_safety_multiplier`` of oref0
    basal_rise : of the usual rate, above the rate that runs now; our own choice
    on_board : U/kg that are still to act, beyond the usual basal rate; our own choice
    day : U/kg in 24 hours; the upper end of what adults need (ADA 2024, doi:10.2337/dc24-S009)
    suspend : mg/dL; below it, measured or foretold within 30 minutes, nothing is given (Forlenza 2018,
        doi:10.2337/dc18-0771)
    interval : minutes between boluses; our own choice
    fresh : minutes; glucose that is older says too little
    width : mg/dL; a wider 90 % interval of glucose in 60 minutes says too little; our own choice
    """

    bolus: float = 10.0
    basal_factor: float = 3.0
    basal_rise: float = 1.0
    on_board: float = 0.2
    day: float = 1.0
    suspend: float = 80.0
    interval: float = 15.0
    fresh: float = 10.0
    width: float = 220.0

    def said(self) -> tuple[str, ...]:
        """Return the limits as sentences."""
        return (
            f"No bolus above {self.bolus:g} U, and none within {self.interval:g} minutes of another.",
            f"No basal rate above {self.basal_factor:g} times the usual one, nor more than "
            f"{self.basal_rise:g} times the usual one above what runs now.",
            f"No more than {self.on_board:g} U/kg still to act, and {self.day:g} U/kg in 24 hours.",
            f"Nothing is given while glucose is below {self.suspend:g} mg/dL, or foretold to be within "
            "30 minutes.",
        )


LIMITS = Limits()


@dataclass(frozen=True, slots=True)
class Situation:
    """What the limits are judged by.

    ``glucose`` as measured ``age`` minutes ago and ``foretold``, the lowest within 30 minutes, in mg/dL;
    ``width`` of the 90 % interval in 60 minutes; ``on_board`` and ``day``, given in 24 hours, in U; ``usual``
    and ``running`` basal rates in U/h, of which ``running`` is None without a pump; ``since_bolus`` in
    minutes, infinite where there was none.
    """

    glucose: float
    age: float
    foretold: float
    width: float
    on_board: float
    day: float
    weight: float
    usual: float
    running: float | None
    since_bolus: float = inf

    @property
    def known(self) -> bool:
        """Tell whether every number is there and can be one of a person."""
        numbers = [each for each in astuple(self)[:-1] if each is not None]
        sound = all(isfinite(each) and each >= 0 for each in numbers) and self.since_bolus >= 0
        return sound and self.weight > 0 and self.glucose > 0


@dataclass(frozen=True, slots=True)
class Candidate:
    """A basal rate in U/h, None without a pump, and a bolus in U."""

    basal: float | None
    bolus: float


def suspended(situation: Situation, limits: Limits) -> bool:
    """Tell whether no insulin may be given now."""
    return min(situation.glucose, situation.foretold) < limits.suspend


def bounded(candidate: Candidate, situation: Situation, limits: Limits = LIMITS) -> Candidate | None:
    """Return ``candidate`` as far as ``limits`` allow; None where too little is known to allow anything.

    The usual basal rate is not counted against what is on board and given in a day: to end it there would
    do harm.
    """
    if not situation.known or not _told(candidate, situation) or not _judged(situation, limits):
        return None
    if suspended(situation, limits):
        return Candidate(None if situation.running is None else 0.0, 0.0)
    room = min(
        limits.on_board * situation.weight - situation.on_board, limits.day * situation.weight - situation.day
    )
    waits = situation.since_bolus < limits.interval
    bolus = 0.0 if waits else _stepped(min(candidate.bolus, limits.bolus, room))
    if candidate.basal is None or situation.running is None:
        return Candidate(None, bolus)
    beyond = max(room - bolus, 0.0) * 60 / VALID
    most = min(
        limits.basal_factor * situation.usual,
        max(situation.running, 0.0) + limits.basal_rise * situation.usual,
        situation.usual + beyond,
    )
    return Candidate(_stepped(min(candidate.basal, most)), bolus)


def _told(candidate: Candidate, situation: Situation) -> bool:
    basal = 0.0 if candidate.basal is None else candidate.basal
    return isfinite(candidate.bolus) and isfinite(basal) and (candidate.basal is None or situation.usual > 0)


def _judged(situation: Situation, limits: Limits) -> bool:
    """Tell whether glucose is known now, and well enough in an hour."""
    return situation.age <= limits.fresh and situation.width <= limits.width


def _stepped(amount: float) -> float:
    """Return the whole steps in ``amount``, never more than it."""
    return round(max(floor(amount / STEP + _TINY), 0) * STEP, 2)
