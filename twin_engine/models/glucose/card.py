"""What the type 1 diabetes twin is for, what it takes and where it stops."""

from __future__ import annotations

from datetime import timedelta

from twin_engine.model import Inputs, ModelCard, Signal
from twin_engine.models.glucose.record import FAST, FOOD, LONG, SENSOR

LOW_FAMILY, HIGH_FAMILY, CONTROL_FAMILY = "hypoglycaemia", "hyperglycaemia", "glucose-control"
AGES = (18, 120)
FRESH = timedelta(minutes=30)
TWO_YEARS = timedelta(days=731)

# What sensors show, LO and HI included, with room for those that go to 20 and 500 mg/dL.
GLUCOSE = Signal(SENSOR, "mg/dL", 20, 600, FRESH)
CARBOHYDRATES = Signal(FOOD, "g", 0, 500, required=False)
WEIGHT = Signal("body-weight", "kg", 30, 250, TWO_YEARS, required=False)

DIAGNOSIS = "type-1-diabetes"
# Physiology that the equations do not hold: clearance of insulin and glucose is another one.
EXCLUDED = ("pregnancy", "dialysis")
UNMODELLED = ("intermediate-acting-insulin", "mixed-insulin")

INPUTS = Inputs(
    signals=(GLUCOSE, CARBOHYDRATES, WEIGHT),
    conditions=(DIAGNOSIS, *EXCLUDED),
    doses=(FAST, LONG, *UNMODELLED),
    diagnoses=(DIAGNOSIS,),
    ages=AGES,
)

CARD = ModelCard(
    name="type-1-diabetes",
    version="1",
    title="Type 1 diabetes twin: glucose, insulin and food",
    intended_use=(
        "Adult outpatients with type 1 diabetes who wear a glucose sensor: the chance of low and high "
        "glucose in the next hours, the course of glucose with its uncertainty, how well glucose was "
        "controlled, and what insulin the body seems to need. For conversation and research; "
        "not an alarm and not for treatment."
    ),
    population=(
        "Adults. The priors of the small model come from simulated adults (ReplayBG); people who are not "
        "like them are followed more slowly."
    ),
    out_of_scope=(
        "No recorded type 1 diabetes, or a record of pregnancy or dialysis",
        "Ages under 18",
        "Intermediate-acting or mixed insulin within two days: their absorption is not modelled",
        "Hospital care, exercise and illness: they act as a disturbance that is seen only afterwards",
    ),
    inputs_note=(
        "Sensor glucose of the last 7 days, single values or traces; the newest at most 30 minutes old. "
        "Boluses, basal rates and long-acting insulin as given or taken, carbohydrates as eaten; the same "
        "bolus or meal told twice within 5 minutes counts once. Without any record of basal insulin the "
        "usual need is taken as given. Weight up to 2 years old; without one 75 kg is taken, which only "
        "scales the parameters. Meals and boluses to come are unknown to a forecast: basal insulin goes on "
        "as it is, and nothing is eaten."
    ),
    performance="Not yet scored on people whom it has not seen.",
    limitations=(
        "A meal or bolus that is not recorded is seen only by its effect",
        "Glucose under the skin, minutes behind blood; a compressed sensor reads low",
        "No counter-regulation: where it foretells a low, a body often recovers earlier and stays higher",
        "What a dose does is an estimate under a model; an explorer, not advice",
        "The insulin requirement rests on days as they were, not on a clinical test",
        "Night is the next 8 hours: the record does not say where the person is",
    ),
    sources=(
        "Cappon G et al. IEEE Trans Biomed Eng 2023;70:3105-3115, doi 10.1109/TBME.2023.3286856",
        "Evensen G. J Geophys Res 1994;99:10143-10162, doi 10.1029/94JC00572",
        "Battelino T et al. Diabetes Care 2019;42:1593-1603, doi 10.2337/dci19-0028",
        "Kovatchev BP et al. Diabetes Care 2006;29:2433-2438, doi 10.2337/dc06-1085",
    ),
    evidence="illustrative",
    families=(LOW_FAMILY, HIGH_FAMILY, CONTROL_FAMILY),
)
