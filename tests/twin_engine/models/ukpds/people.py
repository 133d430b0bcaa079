"""People for the tests of the UKPDS Outcomes Model 2."""

from datetime import timedelta

from tests.twin_engine.people import AT, found, measured
from twin_engine.models.ukpds.equations import Profile
from twin_engine.twin import Condition, Sex

EIGHT_YEARS = timedelta(days=8 * 365.25)
DIABETES = Condition("type-2-diabetes", "Condition/1/_history/1", True, onset=AT - EIGHT_YEARS)
ITEMS = (
    measured("hba1c", 7.3),
    measured("systolic-blood-pressure", 131.4),
    measured("hdl-cholesterol", 1.1896 / 0.02586),
    measured("ldl-cholesterol", 3 / 0.02586),
    measured("heart-rate", 79),
    measured("leukocytes", 6.6),
    measured("hemoglobin", 14),
    measured("urine-albumin-creatinine-ratio", 10),
    measured("body-mass-index", 31.4),
    measured("egfr", 70),
    found("smoking-status", "never"),
    DIABETES,
)


def profile(sex: Sex = "female", **changed) -> Profile:
    """Return the person of the published baseline: 60 years, 8 years after the diagnosis."""
    own = {
        "age": 60,
        "duration": 8,
        "body_mass_index": 31.4,
        "egfr": 70,
        "hba1c": 7.3,
        "hdl": 1.1896,
        "ldl": 3.0,
        "systolic": 131.4,
        "heart_rate": 79,
        "leukocytes": 6.6,
        "haemoglobin": 14,
        "albuminuria": False,
        "peripheral_disease": False,
        "atrial_fibrillation": False,
        "smoking": False,
    }
    return Profile(sex, **(own | changed))
