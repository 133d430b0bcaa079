"""The course of HbA1c in type 2 diabetes."""

from __future__ import annotations

from datetime import datetime, timedelta

from twin_engine import screening
from twin_engine.model import Inputs, ModelCard, Signal
from twin_engine.models.progression import series
from twin_engine.models.progression.model import Marker, Progression, Threshold
from twin_engine.models.progression.parameters import POPULATIONS
from twin_engine.models.progression.series import Part, Selected, State
from twin_engine.twin import Reason

AGES = (18, 90)
DIABETES, TYPE_1 = "type-2-diabetes", "type-1-diabetes"

# The range is a guard, not publication.
HBA1C = Signal("hba1c", "%", 4, 18, timedelta(days=366))

INPUTS = Inputs(
    signals=(HBA1C,),
    conditions=(DIABETES, TYPE_1),
    treatments=("sglt2-inhibitor", "glp1-agonist"),
    diagnoses=(DIABETES,),
    ages=AGES,
)

CARD = ModelCard(
    name="hba1c-progression",
    version="1.0",
    title="Progression of HbA1c in type 2 diabetes",
    intended_use=(
        "Where HbA1c will stand in 1, 2 and 5 years if treatment stays as it is, and the chance that it then "
        "lies above 8 or 9 %, to inform a clinician's conversation. Illustrative; not for treatment."
    ),
    population="Adults of 18 to 90 years with type 2 diabetes.",
    out_of_scope=(
        "Type 1 and other diabetes",
        "Ages under 18 and over 90; pregnancy",
        "Anaemia, transfusion and variants of haemoglobin, which HbA1c does not survive",
    ),
    inputs_note=(
        "The values of ten years, the middle one of each calendar month; the newest may be 1 year old. Every "
        "active record of type 1 diabetes puts the person out of scope."
    ),
    performance="None yet: not scored against people that it has not seen.",
    limitations=(
        "The slope is of people whose tablets were accounted for; care intensifies treatment where HbA1c "
        "rises, which this course does not foresee",
        "A treatment that was begun while the values were taken is not followed as a change of the course",
        "How fast a level wanders, and which part of the published variability it is, are assumptions",
        "The effect of a GLP-1 receptor agonist is the middle of the drugs of the class, its interval their "
        "range",
        "The effect of an SGLT2 inhibitor is smaller where eGFR is low, which is not taken into account",
        "Effects of a plan illustrate on a course that already contains treatment; they are not causal for "
        "one person",
        "No effect of a statin or an antihypertensive is entered",
    ),
    sources=(
        "Donnelly LA et al. Diabetologia 2018;61:607-615, doi 10.1007/s00125-017-4519-5",
        "Gough A et al. PLoS One 2023;18:e0289085, doi 10.1371/journal.pone.0289085",
        "Vasilakou D et al. Ann Intern Med 2013;159:262-274, doi 10.7326/0003-4819-159-4-201308200-00007",
        "Htike ZZ et al. Diabetes Obes Metab 2017;19:524-536, doi 10.1111/dom.12849",
    ),
    evidence="illustrative",
    families=("hba1c-progression",),
)


def select(state: State, at: datetime) -> Selected | tuple[Reason, ...]:
    """Return the trend of HbA1c at ``at``, or every reason why there is none."""
    values = series.values(state, HBA1C, at, lambda item: item.value)
    diabetes = series.recorded(DIABETES, state.conditions, at)
    found = (*series.person(state.subject, at, AGES), _type_1(state, at), values, diabetes)
    doubts = tuple(each for each in found if isinstance(each, Reason))
    if isinstance(diabetes, Part) and not diabetes.holds:
        doubts = (*doubts, Reason("out-of-scope", DIABETES, "No active record of type 2 diabetes."))
    newest = screening.newest(state.measurements, HBA1C.name)
    if doubts or newest is None or isinstance(values, Reason) or isinstance(diabetes, Reason):
        return doubts
    fresh = Part(True, until=screening.stale_from(HBA1C, newest) or series.NEVER)
    return series.selected(
        state, values, MARKER.population, DIABETES, (diabetes, fresh), INPUTS.treatments, at
    )


def _type_1(state: State, at: datetime) -> Reason | None:
    if any(record.active_at(at) for record in screening.lasting(state.conditions, TYPE_1)):
        return Reason("out-of-scope", TYPE_1, "A record of type 1 diabetes: the course is of type 2.")
    return None


MARKER = Marker(
    signal=HBA1C.name,
    unit=HBA1C.unit,
    logarithmic=False,
    population=POPULATIONS["hba1c"],
    thresholds=(
        Threshold("hba1c-above-8", 8.0, rising=True),
        Threshold("hba1c-above-9", 9.0, rising=True),
    ),
    select=select,
)


class GlycaemicProgression(Progression):
    """The course of HbA1c over five years in type 2 diabetes."""

    __slots__ = ()

    def __init__(self) -> None:
        super().__init__(CARD, INPUTS, MARKER)
