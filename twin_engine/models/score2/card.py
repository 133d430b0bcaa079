"""What SCORE2 is for, what it takes and where it stops."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from twin_engine.model import Inputs, ModelCard, Signal
from twin_engine.models.score2.equations import FIRST_AGE, LAST_AGE, Region

FAMILY = "cardiovascular-event"
AGES = (FIRST_AGE, LAST_AGE)
TWO_YEARS = timedelta(days=731)
FIVE_YEARS = timedelta(days=1827)

# Guards, not publication: the equations state no ranges, their charts end at 179 mm[Hg] and 6.9 mmol/L.
SYSTOLIC = Signal("systolic-blood-pressure", "mm[Hg]", 80, 220, TWO_YEARS)
TOTAL_CHOLESTEROL = Signal("total-cholesterol", "mg/dL", 80, 400, FIVE_YEARS)
HDL_CHOLESTEROL = Signal("hdl-cholesterol", "mg/dL", 15, 120, FIVE_YEARS)
HBA1C = Signal("hba1c", "%", 4, 15, TWO_YEARS, required=False)
EGFR = Signal("egfr", "mL/min/{1.73_m2}", 15, 150, TWO_YEARS, required=False)
CREATININE = Signal("creatinine", "mg/dL", 0.2, 5.5, TWO_YEARS, required=False)
SMOKING = Signal("smoking-status", "", max_age=TWO_YEARS, values=("never", "former", "current"))
EXCLUDING = ("cardiovascular-disease", "heart-failure", "familial-hypercholesterolaemia")

INPUTS = Inputs(
    signals=(SYSTOLIC, TOTAL_CHOLESTEROL, HDL_CHOLESTEROL, HBA1C, EGFR, CREATININE),
    findings=(SMOKING,),
    conditions=("diabetes", "type-1-diabetes", "type-2-diabetes", *EXCLUDING),
    ages=AGES,
)

# SCORE2 working group 2021, by the World Health Organization's cardiovascular mortality of the country.
REGIONS_SAID: Mapping[Region, str] = {
    "low": "low-risk region of Europe (fewer than 100 cardiovascular deaths in 100,000)",
    "moderate": "moderate-risk region of Europe (100 to under 150 cardiovascular deaths in 100,000)",
    "high": "high-risk region of Europe (150 to under 300 cardiovascular deaths in 100,000)",
    "very-high": "very-high-risk region of Europe (300 or more cardiovascular deaths in 100,000)",
}


def card(region: Region) -> ModelCard:
    """Return the card of SCORE2 as it is calibrated to ``region``."""
    return ModelCard(
        name=f"score2-{region}",
        version="2023.1",
        title=f"SCORE2, SCORE2-OP and SCORE2-Diabetes, {region.replace('-', ' ')} risk region",
        intended_use=(
            "Primary prevention: the risk of death from cardiovascular disease, myocardial infarction or "
            "stroke in 10 years, to inform a clinician's conversation about lifestyle and treatment. "
            "Decision support; not for sole use."
        ),
        population=(
            f"People of 40 to 89 years without known cardiovascular disease in a {REGIONS_SAID[region]}; "
            "with type 2 diabetes of 40 to 69 years. The site chooses the region in which its people live."
        ),
        out_of_scope=(
            "Known cardiovascular disease, heart failure or familial hypercholesterolaemia, active or past",
            "Diabetes of type 1, of another or of unknown type; type 2 diabetes from 70 years on",
            "Ages under 40 and over 89",
            "Sex for clinical use neither female nor male, or not recorded",
            "Acute illness; the effect of a treatment on one person",
        ),
        inputs_note=(
            "The assessment date is the instant of the forecast and age is in completed years on it (UTC). "
            "SCORE2 holds from 40 to 69 years, SCORE2-OP from 70; with active type 2 diabetes "
            "SCORE2-Diabetes is used, which needs HbA1c, eGFR (reported, or CKD-EPI 2021 from a newer "
            "creatinine) and the recorded onset of the diabetes; any of them missing is refused. The newest "
            "value of each input counts. How old it may be: blood pressure, HbA1c, eGFR, creatinine and "
            "smoking status 2 years; cholesterol 5 years. A value outside the declared range is refused. "
            "Former smokers count as not smoking; an unknown smoking status is refused. No active diabetes "
            "record means no diabetes; any record of an excluding condition, active or past, puts the "
            "person out of scope; a record that is not confirmed or cannot be read is refused."
        ),
        performance=(
            "Published external validation: C-index 0.67 to 0.81 for SCORE2 and 0.63 to 0.67 for SCORE2-OP; "
            "0.009 to 0.031 more than SCORE2 for SCORE2-Diabetes in people with type 2 diabetes. "
            "Not validated here on local data."
        ),
        limitations=(
            "No interval for one person is published, so none is given",
            "A condition that is not recorded counts as absent and lowers the risk",
            "Guidelines take moderate or severe chronic kidney disease for a high risk whatever the score",
            "Treatment with a statin or an antihypertensive is no input: the risk is that of people with the "
            "same values, treated or not",
            "A region is chosen for the site, not for the person",
        ),
        sources=(
            "SCORE2 working group. Eur Heart J 2021;42:2439-2454, doi 10.1093/eurheartj/ehab309",
            "SCORE2-OP working group. Eur Heart J 2021;42:2455-2467, doi 10.1093/eurheartj/ehab312",
            "SCORE2-Diabetes working group. Eur Heart J 2023;44:2544-2556, doi 10.1093/eurheartj/ehad260",
            "Visseren FLJ et al. Eur Heart J 2021;42:3227-3337, doi 10.1093/eurheartj/ehab484 (categories)",
            "Marx N et al. Eur Heart J 2023;44:4043-4140, doi 10.1093/eurheartj/ehad192 (categories)",
        ),
        evidence="verified",
        families=(FAMILY,),
    )
