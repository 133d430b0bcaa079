"""What CHA2DS2-VASc is for, what it takes and where it stops."""

from __future__ import annotations

from twin_engine.model import Inputs, ModelCard
from twin_engine.models.cha2ds2vasc.points import POINTS
from twin_engine.twin import UNREAD_MEDICATION

FAMILY = "atrial-fibrillation-stroke"
AGES = (18, 110)
FIBRILLATION = "atrial-fibrillation"

INPUTS = Inputs(
    conditions=(FIBRILLATION, *POINTS),
    treatments=("anticoagulant", UNREAD_MEDICATION),
    diagnoses=(FIBRILLATION,),
    ages=AGES,
)

CARD = ModelCard(
    name="cha2ds2vasc",
    version="2020.1",
    title="CHA2DS2-VASc (2010), with CHA2DS2-VA (2024)",
    intended_use=(
        "The risk of stroke and thromboembolism in atrial fibrillation, to inform a decision on "
        "anticoagulation. Decision support; not for sole use."
    ),
    population="Adults with atrial fibrillation without mechanical heart valve or severe mitral stenosis.",
    out_of_scope=(
        "No active record of atrial fibrillation",
        "Children",
        "Sex for clinical use neither female nor male, or not recorded",
    ),
    inputs_note=(
        "The assessment date is the instant of the forecast and age is in completed years on it (UTC). An "
        "active record of heart failure, hypertension, diabetes, stroke, transient ischaemic attack or "
        "thromboembolism, or vascular disease (myocardial infarction, peripheral arterial disease, aortic "
        "plaque) gives its points; no active record gives none; one that is not confirmed or cannot be read "
        "is refused. The yearly rate of ischaemic stroke was found in people without anticoagulation and is "
        "left out while an anticoagulant is or may be taken."
    ),
    performance=(
        "Published: C-statistic 0.61 in the derivation (Lip 2010) and 0.67 for ischaemic stroke in 90,490 "
        "people without anticoagulation (Friberg 2012). Not validated here on local data."
    ),
    limitations=(
        "A condition that is not recorded counts as absent and lowers the score",
        "The rates are of Sweden 2005 to 2008; rates elsewhere were up to several times lower or higher",
        "Reduced ejection fraction, blood pressure and treatments are not taken for a diagnosis",
        "Heart valves are not checked: with a mechanical valve or severe mitral stenosis no score applies",
    ),
    sources=(
        "Lip GYH et al. Chest 2010;137:263-272, doi 10.1378/chest.09-1584",
        "Friberg L et al. Eur Heart J 2012;33:1500-1510, doi 10.1093/eurheartj/ehr488",
        "Hindricks G et al. Eur Heart J 2021;42:373-498, doi 10.1093/eurheartj/ehaa612",
        "Van Gelder IC et al. Eur Heart J 2024;45:3314-3414, doi 10.1093/eurheartj/ehae176",
    ),
    evidence="verified",
    families=(FAMILY,),
)
