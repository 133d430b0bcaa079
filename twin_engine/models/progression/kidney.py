"""The course of eGFR, followed on the logarithmic scale."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from twin_engine import screening
from twin_engine.equations import ckd_epi
from twin_engine.model import Inputs, ModelCard, Signal
from twin_engine.models.progression import series
from twin_engine.models.progression.model import Marker, Progression, Threshold
from twin_engine.models.progression.parameters import POPULATIONS
from twin_engine.models.progression.series import Part, Selected, State, Value
from twin_engine.twin import Measurement, Reason, Subject

AGES = (18, 90)
TWO_YEARS = timedelta(days=731)
# KDIGO's A2 and A3, mg/g.
MODERATE, SEVERE = 30.0, 300.0
OUT_OF_SCOPE = ("dialysis", "kidney-transplant")

# The ranges are guards, not publication.
EGFR = Signal("egfr", "mL/min/{1.73_m2}", 8, 150, TWO_YEARS, required=False)
CREATININE = Signal("creatinine", "mg/dL", 0.2, 5.5, TWO_YEARS, required=False)
ALBUMIN = Signal("urine-albumin-creatinine-ratio", "mg/g", 0, 20000, TWO_YEARS, required=False)

INPUTS = Inputs(
    signals=(EGFR, CREATININE, ALBUMIN),
    conditions=("diabetes", *OUT_OF_SCOPE),
    treatments=("sglt2-inhibitor", "glp1-agonist"),
    choices=((("egfr",), ("creatinine",)),),
    ages=AGES,
)

CARD = ModelCard(
    name="egfr-progression",
    version="1.0",
    title="Progression of eGFR",
    intended_use=(
        "Where eGFR will stand in 1, 2 and 5 years and the chance that it then lies below 30 or 15, or 40 % "
        "below today, to inform a clinician's conversation. Illustrative; not for treatment."
    ),
    population="Adults of 18 to 90 years with and without diabetes, not on dialysis or transplanted.",
    out_of_scope=(
        "Dialysis or a kidney transplant, now or before",
        "Ages under 18 and over 90; pregnancy",
        "Acute kidney injury and acute illness: values taken then pull the course down",
    ),
    inputs_note=(
        "The values of ten years, the middle one of each calendar month. They are CKD-EPI 2021 from "
        "creatinine, or the reported eGFR where its newest value is newer; the two are not mixed. The newest "
        "may be 2 years old. Albuminuria by the newest albumin-creatinine ratio of 2 years; without one the "
        "slopes are those of diabetes or of none. No active diabetes record means no diabetes."
    ),
    performance="None yet: not scored against people that it has not seen.",
    limitations=(
        "A treatment that was begun while the values were taken is not followed as a change of the course",
        "Published slopes are of groups, and their spread holds the error with which they were fitted",
        "How fast a course wanders is an assumption",
        "Effects of a plan come from trials in chronic kidney disease; on a course that already contains "
        "treatment they illustrate and are not causal for one person",
        "The chance is of the level at the end of the time, not of having been below before; death does not "
        "compete",
        "No effect of a statin or an antihypertensive on the course is entered",
    ),
    sources=(
        "Warren B et al. Diabetes Care 2018;41:1646-1653, doi 10.2337/dc18-0277",
        "Yokoyama H et al. Nephrol Dial Transplant 2011;26:2924-2930",
        "Front Med 2022;9:1009358, doi 10.3389/fmed.2022.1009358",
        "EMPA-KIDNEY. Lancet Diabetes Endocrinol 2024;12:39-50, doi 10.1016/S2213-8587(23)00321-2",
        "FLOW. N Engl J Med 2024;391:109-121, doi 10.1056/NEJMoa2403347",
        "Inker LA et al. N Engl J Med 2021;385:1737-1749, doi 10.1056/NEJMoa2102953",
    ),
    evidence="illustrative",
    families=("egfr-progression",),
)


def select(state: State, at: datetime) -> Selected | tuple[Reason, ...]:
    """Return the trend of log eGFR at ``at``, or every reason why there is none."""
    followed = _followed(state, at)
    diabetes = series.recorded("diabetes", state.conditions, at)
    albuminuria = _albuminuria(state, at)
    found = (
        *series.person(state.subject, at, AGES),
        *(
            series.excluded(name, state.conditions, f"A record of {screening.said(name)}.")
            for name in OUT_OF_SCOPE
        ),
        followed,
        diabetes,
        albuminuria,
    )
    doubts = tuple(each for each in found if isinstance(each, Reason))
    if doubts or isinstance(followed, Reason) or isinstance(diabetes, Reason):
        return doubts
    signal, values = followed
    degree, told = ("", Part(False)) if isinstance(albuminuria, Reason) else albuminuria
    newest = screening.newest(state.measurements, signal.name)
    until = series.NEVER if newest is None else screening.stale_from(signal, newest) or series.NEVER
    return series.selected(
        state,
        values,
        MARKER.population,
        _group(diabetes.holds, degree),
        (diabetes, told, Part(True, until=until)),
        INPUTS.treatments,
        at,
    )


def _followed(state: State, at: datetime) -> tuple[Signal, tuple[Value, ...]] | Reason:
    """Return which signal is followed and its values; the one with the newest value is."""
    reported = screening.newest(state.measurements, EGFR.name)
    creatinine = screening.newest(state.measurements, CREATININE.name)
    if creatinine is None or (reported is not None and reported.time > creatinine.time):
        values = series.values(state, EGFR, at, lambda item: math.log(item.value))
        return values if isinstance(values, Reason) else (EGFR, values)
    if state.subject.sex is None:
        return Reason("missing-input", "sex", "Creatinine alone, without sex, gives no eGFR.")
    values = series.values(state, CREATININE, at, lambda item: _from_creatinine(item, state.subject))
    if isinstance(values, Reason):
        return values
    if not values:
        return Reason(
            "missing-input", EGFR.name, "Creatinine of an adult, in range, gives an eGFR: none is known."
        )
    return CREATININE, values


def _from_creatinine(item: Measurement, subject: Subject) -> float | None:
    age, sex = subject.age_at(item.time), subject.sex
    if age is None or sex is None or age < ckd_epi.ADULT:
        return None
    rate = ckd_epi.egfr(item.value, age, sex)
    return math.log(rate) if screening.doubt(EGFR, _as_egfr(item, rate), item.time) is None else None


def _as_egfr(item: Measurement, rate: float) -> Measurement:
    return Measurement(EGFR.name, item.time, item.source, rate)


def _albuminuria(state: State, at: datetime) -> tuple[str, Part] | Reason:
    """Return the degree of albuminuria, empty where no value of two years tells it."""
    item = screening.newest(state.measurements, ALBUMIN.name)
    doubt = screening.doubt(ALBUMIN, item, at)
    if item is None or (doubt is not None and doubt.code == "stale-input"):
        return "", Part(False)
    if doubt is not None:
        return doubt
    degree = "severe" if item.value >= SEVERE else "moderate" if item.value >= MODERATE else "normal"
    return degree, Part(True, (item.source,), screening.stale_from(ALBUMIN, item) or series.NEVER)


def _group(diabetes: bool, degree: str) -> str:
    if degree in ("moderate", "severe"):
        return degree
    if not diabetes:
        return "no-diabetes"
    return degree or "diabetes"


MARKER = Marker(
    signal=EGFR.name,
    unit=EGFR.unit,
    logarithmic=True,
    population=POPULATIONS["egfr"],
    thresholds=(
        Threshold("egfr-below-30", 30.0),
        Threshold("egfr-below-15", 15.0),
        Threshold("egfr-decline-40", 0.6, share=True),
    ),
    select=select,
)


class KidneyProgression(Progression):
    """The course of eGFR over five years."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(CARD, INPUTS, MARKER)
