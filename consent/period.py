"""A span of time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Period:
    """A closed interval of aware instants; None is unbounded. Partial dates are expanded before."""

    start: datetime | None = None
    end: datetime | None = None

    @property
    def ordered(self) -> bool:
        """Whether it does not end before it starts."""
        return self.start is None or self.end is None or self.start <= self.end

    def __contains__(self, instant: datetime) -> bool:
        """Whether the instant lies inside, ends included."""
        return (self.start is None or self.start <= instant) and (self.end is None or instant <= self.end)

    def encloses(self, other: Period) -> bool:
        """Whether the other lies wholly inside."""
        return (self.start is None or (other.start is not None and self.start <= other.start)) and (
            self.end is None or (other.end is not None and other.end <= self.end)
        )

    def overlaps(self, other: Period) -> bool:
        """Whether the two share an instant."""
        return (self.start is None or other.end is None or self.start <= other.end) and (
            self.end is None or other.start is None or other.start <= self.end
        )


ALWAYS = Period()
