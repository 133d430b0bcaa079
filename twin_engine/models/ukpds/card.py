"""What the UKPDS Outcomes Model 2 is for, what it takes and where it stops."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from twin_engine.equations import effects
from twin_engine.model import Inputs, ModelCard, Signal

FAMILY = "diabetes-complications"
DIABETES = "type-2-diabetes"
TYPE_1 = "type-1-diabetes"
AGES = (25, 90)
HORIZON = 10
ALBUMINURIA_FROM = 30.0  # mg/g: what stands for 50 mg/L of urine, which records do not hold
YEAR = timedelta(days=366)
TWO_YEARS = timedelta(days=731)
TEN_YEARS = timedelta(days=3653)

# The ranges are guards, not publication.
HBA1C = Signal("hba1c", "%", 4, 18, YEAR)
SYSTOLIC = Signal("systolic-blood-pressure", "mm[Hg]", 70, 240, YEAR)
HDL = Signal("hdl-cholesterol", "mg/dL", 10, 150, TWO_YEARS)
LDL = Signal("ldl-cholesterol", "mg/dL", 15, 400, TWO_YEARS)
HEART_RATE = Signal("heart-rate", "/min", 35, 150, YEAR)
LEUKOCYTES = Signal("leukocytes", "10*3/uL", 1.5, 25, TWO_YEARS)
HAEMOGLOBIN = Signal("hemoglobin", "g/dL", 5, 22, TWO_YEARS)
ALBUMIN = Signal("urine-albumin-creatinine-ratio", "mg/g", 0, 20000, TWO_YEARS)
BODY_MASS_INDEX = Signal("body-mass-index", "kg/m2", 14, 70, TWO_YEARS, required=False)
HEIGHT = Signal("body-height", "cm", 120, 220, TEN_YEARS, required=False)
WEIGHT = Signal("body-weight", "kg", 30, 250, TWO_YEARS, required=False)
EGFR = Signal("egfr", "mL/min/{1.73_m2}", 5, 150, TWO_YEARS, required=False)
CREATININE = Signal("creatinine", "mg/dL", 0.2, 5.5, TWO_YEARS, required=False)
SMOKING = Signal("smoking-status", "", max_age=TWO_YEARS, values=("never", "former", "current"))

# The event of which a record of the condition is the history.
HISTORIES: Mapping[str, str] = {
    "heart-failure": "heart-failure",
    "ischaemic-heart-disease": "ischaemic-heart-disease",
    "myocardial-infarction": "myocardial-infarction",
    "stroke": "stroke",
    "blindness": "blindness",
    "dialysis": "kidney-failure",
    "kidney-transplant": "kidney-failure",
    "foot-ulcer": "foot-ulcer",
    "lower-limb-amputation": "amputation",
}
PERIPHERAL = "peripheral-arterial-disease"
FIBRILLATION = "atrial-fibrillation"
# A record of this alone does not tell which of the following it was.
UNSPECIFIC = "cardiovascular-disease"
SPECIFIC = ("ischaemic-heart-disease", "myocardial-infarction", "stroke", PERIPHERAL)

# Which published relative risk a treatment has on an event.
GROUPS: Mapping[str, str] = {
    "heart-failure": "heart-failure",
    "ischaemic-heart-disease": "coronary",
    "myocardial-infarction": "coronary",
    "stroke": "stroke",
    "kidney-failure": "kidney",
}

INPUTS = Inputs(
    signals=(
        HBA1C,
        SYSTOLIC,
        HDL,
        LDL,
        HEART_RATE,
        LEUKOCYTES,
        HAEMOGLOBIN,
        ALBUMIN,
        BODY_MASS_INDEX,
        HEIGHT,
        WEIGHT,
        EGFR,
        CREATININE,
    ),
    findings=(SMOKING,),
    conditions=(DIABETES, TYPE_1, *HISTORIES, PERIPHERAL, FIBRILLATION, UNSPECIFIC),
    treatments=effects.TREATMENTS,
    diagnoses=(DIABETES,),
    choices=(
        (("egfr",), ("creatinine",)),
        (("body-mass-index",), ("body-height", "body-weight")),
    ),
    ages=AGES,
)

CARD = ModelCard(
    name="ukpds",
    version="2.1",
    title="UKPDS Outcomes Model 2",
    intended_use=(
        "The chance of heart failure, ischaemic heart disease, myocardial infarction, stroke, blindness, "
        "kidney failure, foot ulcer, amputation and death within 1 and 10 years, with death competing, to "
        "inform a clinician's conversation. Decision support; not for sole use."
    ),
    population=(
        "5,102 people of 25 to 65 years with newly diagnosed type 2 diabetes in the United Kingdom, "
        "recruited 1977 to 1991 and followed for up to 30 years."
    ),
    out_of_scope=(
        "Type 1 and other diabetes",
        "A diagnosis of type 2 diabetes without its date",
        "Ages under 25 and over 90",
        "Sex for clinical use neither female nor male, or not recorded",
        "Acute illness; the effect of a treatment on one person",
    ),
    inputs_note=(
        "The newest value of each input counts; nothing is imputed. How old it may be: HbA1c, blood pressure "
        "and heart rate 1 year; cholesterol, blood count, albumin-creatinine ratio, eGFR, weight and smoking "
        "status 2 years; height 10 years. The ranges are guards; a value outside is refused. Albuminuria is "
        "an albumin-creatinine ratio of 30 mg/g or more, for the published 50 mg/L of urine. eGFR is the "
        "reported value or CKD-EPI 2021 from creatinine, for the published MDRD, whichever is newer. The "
        "years since diagnosis begin at the earliest recorded onset of type 2 diabetes. A record of an "
        "event, active or past, is its history; no record means none. One that is not confirmed is refused, "
        "and so is a cardiovascular disease of which no record says which one."
    ),
    performance=(
        "The source compares it with the cohort that it was fitted to. Not validated here on other people."
    ),
    limitations=(
        "Risk factors are held as they are over the 10 years: the published equations of their progression "
        "are not used",
        "A first amputation after a foot ulcer is left out: its equation could not be verified. Amputations "
        "are therefore too few",
        "To death in the year of the first event an amputation adds nothing of its own: its term could not "
        "be verified",
        "Ethnicity is not used: everyone counts as neither Afro-Caribbean nor Asian-Indian",
        "Events of one year do not change each other within that year",
        "The intervals of a plan are those of the relative risks alone, not of the coefficients",
        "Relative risks of a plan are not causal for one person: the baseline already contains treatment. "
        "They act on the events, not on death itself",
        "Care and mortality have improved since the cohort; calibration today is unknown",
    ),
    sources=(
        "Hayes AJ et al. Diabetologia 2013;56:1925-1933, doi 10.1007/s00125-013-2940-y",
        "Inker LA et al. N Engl J Med 2021;385:1737-1749, doi 10.1056/NEJMoa2102953",
    ),
    evidence="verified",
    families=(FAMILY,),
)
