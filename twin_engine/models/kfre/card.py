"""What the kidney failure risk equations are for, what they take and where they stop."""

from __future__ import annotations

from datetime import timedelta

from twin_engine.model import Inputs, ModelCard, Signal
from twin_engine.models.kfre.equations import Continent

FAMILY = "kidney-failure"
AGES = (18, 110)
# CKD stages G3a to G5 begin below it.
EGFR_LIMIT = 60.0
YEAR = timedelta(days=366)

# Guards, not publication, but for the limit of eGFR.
EGFR = Signal("egfr", "mL/min/{1.73_m2}", 5, EGFR_LIMIT, YEAR, required=False)
CREATININE = Signal("creatinine", "mg/dL", 0.4, 15, YEAR, required=False)
UACR = Signal("urine-albumin-creatinine-ratio", "mg/g", 0.1, 25000, YEAR)
ALBUMIN = Signal("albumin", "g/dL", 1, 6, YEAR, required=False)
PHOSPHATE = Signal("phosphate", "mg/dL", 1, 12, YEAR, required=False)
CALCIUM = Signal("calcium", "mg/dL", 5, 15, YEAR, required=False)
BICARBONATE = Signal("bicarbonate", "mmol/L", 5, 45, YEAR, required=False)
TOTAL_CO2 = Signal("total-carbon-dioxide", "mmol/L", 5, 45, YEAR, required=False)
EXCLUDING = ("dialysis", "kidney-transplant")

INPUTS = Inputs(
    signals=(EGFR, CREATININE, UACR, ALBUMIN, PHOSPHATE, CALCIUM, BICARBONATE, TOTAL_CO2),
    conditions=EXCLUDING,
    choices=((("egfr",), ("creatinine",)),),
    ages=AGES,
)


def card(continent: Continent) -> ModelCard:
    """Return the card of the equations as they are calibrated to ``continent``."""
    where = "North America" if continent == "north-american" else "countries outside North America"
    return ModelCard(
        name=f"kfre-{continent}",
        version="2016.1",
        title=f"Kidney failure risk equations (Tangri 2011 and 2016), {where}",
        intended_use=(
            "The risk of kidney failure treated by dialysis or transplantation in 2 and 5 years, to inform "
            "referral to nephrology and the planning of replacement therapy. Decision support; not for sole "
            "use."
        ),
        population=f"Adults with chronic kidney disease, eGFR under 60 (stages G3a to G5), in {where}.",
        out_of_scope=(
            "eGFR of 60 mL/min/{1.73_m2} or more",
            "Dialysis or a kidney transplant, now or in the past",
            "Children; acute kidney injury",
            "Sex for clinical use neither female nor male, or not recorded",
        ),
        inputs_note=(
            "The assessment date is the instant of the forecast and age is in completed years on it (UTC). "
            "The newest value of each input counts and may be a year old. eGFR is the reported value or "
            "CKD-EPI 2021 from creatinine with the age at the sample, whichever is newer. With a usable "
            "albumin, phosphate, calcium and bicarbonate (or total carbon dioxide, if newer) the equation "
            "with eight variables is used, else that with four; a note says which, and why. A value outside "
            "the declared range is refused, one of the four of the blood counts as missing. No record of "
            "dialysis or transplantation means none is known; one that is not confirmed or cannot be read is "
            "refused."
        ),
        performance=(
            "Published validation in 721,357 people of 31 cohorts: C-statistic 0.90 in 2 and 0.88 in 5 years "
            "for the equation with four variables. Not validated here on local data."
        ),
        limitations=(
            "No interval for one person is published, so none is given",
            "One low eGFR is taken as it is: that it has lasted 3 months, as chronic kidney disease must, is "
            "not checked",
            "The equations were fitted with eGFR by CKD-EPI 2009, which differs a little from that of 2021",
            "Death before kidney failure is not counted as a competing event; in old and very ill people the "
            "risk in 5 years is too high",
            "The equations with six variables are not used",
        ),
        sources=(
            "Tangri N et al. JAMA 2011;305:1553-1559, doi 10.1001/jama.2011.451",
            "Tangri N et al. JAMA 2016;315:164-174, doi 10.1001/jama.2015.18202",
            "Inker LA et al. N Engl J Med 2021;385:1737-1749, doi 10.1056/NEJMoa2102953",
        ),
        evidence="verified",
        families=(FAMILY,),
    )
