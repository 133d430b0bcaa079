"""Saying the course and its limits for a clinician."""

from __future__ import annotations

from twin_engine import screening
from twin_engine.models.progression.series import Selected
from twin_engine.twin import Course


def rationale(course: Course, selected: Selected, logarithmic: bool) -> str:
    """Return where the marker stands, how it moves and where it is foretold in five years."""
    slope = selected.trend.slope
    moving = f"{100 * slope:+.1f} %" if logarithmic else f"{slope:+.2f} {course.unit}"
    quantiles = dict(course.quantiles)
    return (
        f"{screening.said(course.signal)} about {quantiles[0.5][0]:.3g} {course.unit} now, "
        f"moving by {moving} a year; in 5 years about {quantiles[0.5][-1]:.3g} {course.unit} "
        f"(90 % interval {quantiles[0.05][-1]:.3g} to {quantiles[0.95][-1]:.3g}). "
        f"From {selected.count} monthly {'value' if selected.count == 1 else 'values'} and the slopes "
        f"published for: {screening.said(selected.group)}."
    )


def notes(selected: Selected) -> tuple[str, ...]:
    """Return what the reader must know of the forecast."""
    return (
        "The course is of the level beneath the values; a single value scatters around it.",
        "It goes on as treated now: the values already contain the effect of every treatment taken.",
        *(
            f"{screening.said(name)} is taken: a plan that gives it changes nothing."
            for name in selected.taken
        ),
    )
