"""What PREVENT is for, what it takes and where it stops."""

from __future__ import annotations

from datetime import timedelta

from twin_engine.model import Inputs, ModelCard, Signal
from twin_engine.twin import UNREAD_MEDICATION

FAMILY = "cardiovascular-disease"
AGES = (30, 79)
LAST_AGE_30_YEARS = 59
TWO_YEARS = timedelta(days=731)
FIVE_YEARS = timedelta(days=1827)
TEN_YEARS = timedelta(days=3653)

SYSTOLIC = Signal("systolic-blood-pressure", "mm[Hg]", 90, 180, TWO_YEARS)
TOTAL_CHOLESTEROL = Signal("total-cholesterol", "mg/dL", 130, 320, FIVE_YEARS)
HDL_CHOLESTEROL = Signal("hdl-cholesterol", "mg/dL", 20, 100, FIVE_YEARS)
BODY_MASS_INDEX = Signal("body-mass-index", "kg/m2", 18.5, 39.9, TWO_YEARS, required=False)
EGFR = Signal("egfr", "mL/min/{1.73_m2}", 15, 140, TWO_YEARS, required=False)
# Guards, not publication: beyond these eGFR or body-mass index leaves its range; height is an adult's.
CREATININE = Signal("creatinine", "mg/dL", 0.2, 5.5, TWO_YEARS, required=False)
HEIGHT = Signal("body-height", "cm", 120, 220, TEN_YEARS, required=False)
WEIGHT = Signal("body-weight", "kg", 25, 195, TWO_YEARS, required=False)
# Guards, not publication: it states no ranges for the optional predictors but the decile's.
UACR = Signal("urine-albumin-creatinine-ratio", "mg/g", 0.1, 25000, TWO_YEARS, required=False)
HBA1C = Signal("hba1c", "%", 4.5, 15, TWO_YEARS, required=False)
DEPRIVATION = Signal("social-deprivation-index", "1", 1, 10, FIVE_YEARS, required=False)
OPTIONAL = (UACR, HBA1C, DEPRIVATION)
EXCLUDING = ("cardiovascular-disease", "heart-failure")
SMOKING = Signal("smoking-status", "", max_age=TWO_YEARS, values=("never", "former", "current"))

INPUTS = Inputs(
    signals=(
        SYSTOLIC,
        TOTAL_CHOLESTEROL,
        HDL_CHOLESTEROL,
        BODY_MASS_INDEX,
        EGFR,
        CREATININE,
        HEIGHT,
        WEIGHT,
        *OPTIONAL,
    ),
    findings=(SMOKING,),
    conditions=("diabetes", *EXCLUDING),
    treatments=("statin", "antihypertensive", UNREAD_MEDICATION),
    choices=(
        (("egfr",), ("creatinine",)),
        (("body-mass-index",), ("body-height", "body-weight")),
    ),
    ages=AGES,
)

CARD = ModelCard(
    name="prevent",
    version="2023.2",
    title="AHA PREVENT 2023",
    intended_use=(
        "Primary prevention: the risk of total cardiovascular disease, atherosclerotic cardiovascular "
        "disease, heart failure, coronary heart disease and stroke in 10 and 30 years, to inform a "
        "clinician's conversation about lifestyle and treatment. Decision support; not for sole use."
    ),
    population=(
        "Adults of 30 to 79 years in the United States without known cardiovascular disease; 30-year risks "
        "for 30 to 59 years."
    ),
    out_of_scope=(
        "Known cardiovascular disease or heart failure, active or past",
        "Ages under 30 and over 79",
        "Sex for clinical use neither female nor male, or not recorded",
        "Acute illness; the effect of a treatment on one person",
    ),
    inputs_note=(
        "The assessment date is the instant of the forecast and age is in completed years on it (UTC). The "
        "newest value of each input counts; of several at one instant, the one with the largest reference. "
        "How old it may be: blood pressure, body-mass index, weight, eGFR, creatinine, smoking status, "
        "albumin-creatinine ratio and HbA1c 2 years; cholesterol and social deprivation 5 years; height 10 "
        "years. The fullest equations that the record permits are used: with none of albumin-creatinine "
        "ratio, HbA1c and social deprivation index (decile 1 to 10) the base equations, with one of them "
        "those that add it, with two or three the full ones, in which a missing predictor has a published "
        "term of its own; a note says which. An optional predictor that is too old or out of range counts as "
        "missing. A needed value outside the published range is refused, never "
        "replaced by the limit. eGFR is the reported value or CKD-EPI 2021 from creatinine with the age at "
        "the sample, whichever is newer, the reported one at a tie. Body-mass index is the reported value or "
        "weight over height squared, whichever is newer, by the weight's time, the reported one at a tie. "
        "Former smokers count as not smoking; an unknown smoking status is refused. No active diabetes "
        "record means no diabetes; no current medication record means no statin or no antihypertensive "
        "treatment. Any record of cardiovascular disease or heart failure, active or past, puts the person "
        "out of scope; no record means none is known. A record of any of these that is not confirmed or "
        "cannot be read is neither a yes nor a no and is refused, unless another record settles the matter; "
        "a medication of which not even the class can be suspected is named in a note and in the basis, and "
        "the forecast stands. A recorded end of a condition or treatment takes effect when it comes, and the "
        "forecast expires with it."
    ),
    performance=(
        "Published external validation in 3.3 million adults: median C-statistic for 10-year total CVD 0.794 "
        "in women and 0.757 in men, calibration slopes 1.03 and 0.94. Not validated here on local data."
    ),
    limitations=(
        "No interval for one person is published, so none is given",
        "A condition or treatment that is not recorded counts as absent and lowers the risk",
        "Blood pressure is the newest, also where it was taken in hospital or during acute illness, when it "
        "is not the resting pressure that the equations were fitted with",
        "A diagnosis or medication coded outside the mapping's tables may not be seen",
        "Derived in the United States; calibration elsewhere is unknown",
        "A newly measured optional predictor changes the equations, and with them the risk, by more than its "
        "own value says",
    ),
    sources=(
        "Khan SS et al. Circulation 2024;149:430-449, doi 10.1161/CIRCULATIONAHA.123.067626",
        "Inker LA et al. N Engl J Med 2021;385:1737-1749, doi 10.1056/NEJMoa2102953",
    ),
    evidence="verified",
    families=(FAMILY,),
)
