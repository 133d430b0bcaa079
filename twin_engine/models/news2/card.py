"""What NEWS2 is for, what it takes and where it stops."""

from __future__ import annotations

from datetime import timedelta

from twin_engine.model import Inputs, ModelCard, Signal

FAMILY = "clinical-deterioration"
AGES = (16, 130)
# The longest interval between observations that the RCP's frequency table allows (score 0).
SET_AGE = timedelta(hours=12)
# Longer than a pregnancy: an older answer says nothing of today.
PREGNANCY_AGE = timedelta(weeks=42)

# Ranges are plausibility guards of the chart; the score itself has no ends.
RESPIRATORY_RATE = Signal("respiratory-rate", "/min", 0, 100, SET_AGE)
SATURATION = Signal("oxygen-saturation", "%", 20, 100, SET_AGE)
SYSTOLIC = Signal("systolic-blood-pressure", "mm[Hg]", 20, 320, SET_AGE)
HEART_RATE = Signal("heart-rate", "/min", 0, 320, SET_AGE)
TEMPERATURE = Signal("body-temperature", "Cel", 20, 45, SET_AGE)
OXYGEN_FLOW = Signal("inhaled-oxygen-flow", "L/min", 0, 100, SET_AGE, required=False)
OXYGEN_FRACTION = Signal("inhaled-oxygen-fraction", "%", 20, 100, SET_AGE, required=False)
OXYGEN = Signal("supplemental-oxygen", "", max_age=SET_AGE, required=False, values=("air", "oxygen"))
CONSCIOUSNESS = Signal(
    "consciousness",
    "",
    max_age=SET_AGE,
    values=("alert", "confusion", "voice", "pain", "unresponsive"),
)
SCALE = Signal("spo2-scale", "", required=False, values=("1", "2"))
PREGNANCY = Signal(
    "pregnancy", "", max_age=PREGNANCY_AGE, required=False, values=("not-pregnant", "pregnant")
)

HYPERCAPNIC = "hypercapnic-respiratory-failure"
VITAL_SIGNS = (RESPIRATORY_RATE, SATURATION, SYSTOLIC, HEART_RATE, TEMPERATURE)
OXYGEN_SUPPLY = (OXYGEN, OXYGEN_FLOW, OXYGEN_FRACTION)

INPUTS = Inputs(
    signals=(*VITAL_SIGNS, OXYGEN_FLOW, OXYGEN_FRACTION),
    findings=(CONSCIOUSNESS, OXYGEN, SCALE, PREGNANCY),
    conditions=(HYPERCAPNIC, "pregnancy"),
    choices=((("supplemental-oxygen",), ("inhaled-oxygen-flow",), ("inhaled-oxygen-fraction",)),),
    ages=AGES,
)

CARD = ModelCard(
    name="news2",
    version="2017.1",
    title="National Early Warning Score 2 (RCP 2017)",
    intended_use=(
        "Detecting clinical deterioration in acutely ill adults and prompting a timely response by the "
        "clinical team. Decision support; an aid to clinical judgement, never a substitute for it."
    ),
    population="People of 16 years and over who are not pregnant, in hospital, ambulance or community care.",
    out_of_scope=(
        "Children under 16 years",
        "Pregnancy",
        "SpO2 scale 2 without a clinician's decision for it or a confirmed, active, chronic hypercapnic "
        "respiratory failure",
    ),
    inputs_note=(
        "The assessment date is the instant of the forecast. The newest value of each sign counts; of "
        "several at one instant, the one with the largest reference. Respiratory rate, oxygen saturation, "
        "supplemental oxygen, systolic blood pressure, heart rate, consciousness and temperature must each "
        "be under 12 hours old, the longest interval of the RCP's table; a missing or older one is refused,"
        " never taken as normal. Supplemental oxygen is the newest of a recorded air or oxygen, a flow of "
        "oxygen (over 0 is oxygen) and an inhaled fraction (over 21 % is oxygen); records of one instant "
        "that disagree are refused, and without any record the score is refused: air is never assumed. The "
        "SpO2 scale is a competent clinician's decision (RCP): the newest scale finding is taken, 1 or 2, "
        "whatever diagnoses stand beside it; two findings of one instant that disagree are refused. Without"
        " a scale finding, scale 2 is taken only while a confirmed record of chronic, or acute on chronic, "
        "hypercapnic respiratory failure is active, and scale 1 otherwise: a past, an unconfirmed or a "
        "solely acute failure is not enough. A pregnant finding holds for 42 weeks; no record of pregnancy "
        "means none; a record of pregnancy that is not confirmed or cannot be read is refused unless a "
        "finding says not pregnant. A recorded end takes effect when it comes. Values are rounded half up "
        "to the chart's steps: whole numbers, temperature to 0.1 Cel."
    ),
    performance=(
        "Validated by its authors and many others for death, cardiac arrest and unplanned intensive care "
        "within 24 hours, mostly on hospital wards. Not validated here on local data."
    ),
    limitations=(
        "A score, not a probability: no probability or interval is given",
        "It speaks of the instant of the newest set; it foretells no course",
        "An active diagnosis stands in for the scale where no clinician's decision is recorded as a finding",
        "Signs recorded hours apart count as one set while each is under 12 hours old",
    ),
    sources=("Royal College of Physicians. National Early Warning Score (NEWS) 2. London: RCP, 2017",),
    evidence="verified",
    families=(FAMILY,),
)
