"""PREVENT 2023, written anew from the publication, on raw Synthea bundles.

Nothing of the engine or the mapping is used. Equations: Khan SS et al., Circulation 2024;149:430-449,
doi 10.1161/CIRCULATIONAHA.123.067626, supplement; eGFR: Inker LA et al., N Engl J Med 2021;385:1737-1749.
The rules of choice are those of the model's card. Medications are told by what Synthea calls them.
"""

from __future__ import annotations

import math
from datetime import UTC, datetime, timedelta
from typing import Any

STATINS = ("atorvastatin", "simvastatin", "simvistatin", "pravastatin", "rosuvastatin")
PRESSURE = (
    "metoprolol",
    "amlodipine",
    "captopril",
    "hydrochlorothiazide",
    "lasix",
    "verapamil",
)
DIABETES = ("Diabetes", "Neuropathy due to type 2 diabetes", "Diabetic retinopathy")
EXCLUDING = ("coronary heart disease", "stroke", "myocardial infarction", "heart failure")
RANGES = {
    "8480-6": (90, 180),
    "2093-3": (130, 320),
    "2085-9": (20, 100),
    "39156-5": (18.5, 39.9),
    "33914-3": (15, 140),
    "38483-4": (0.2, 5.5),
    "4548-4": (4.5, 15),
    "14959-1": (0.1, 25000),
}
# The predictors that may be missing, by the name of their equations.
OPTIONAL = {"uacr": "14959-1", "hba1c": "4548-4"}
UNITS = {"8480-6": "mm[Hg]", "39156-5": "kg/m2", "33914-3": "mL/min/{1.73_m2}"}
MOST_DAYS = {"2093-3": 1827, "2085-9": 1827}


def risks(bundle: dict[str, Any], at: datetime, tables: dict[str, Any]) -> dict[str, float] | None:
    """Return the probabilities by outcome key; None where the card's rules give none."""
    person = Person(bundle, at)
    values = person.inputs()
    if values is None:
        return None
    found = {}
    for years in (10, 30) if values["age"] <= 59 else (10,):
        known = [name for name, code in OPTIONAL.items() if values[code] is not None]
        variant = "base" if not known else known[0] if len(known) == 1 else "full"
        table = tables[f"{variant}_{years}yr"]["coef"]
        for outcome in ("total_cvd", "ascvd", "heart_failure", "chd", "stroke"):
            row = table[f"{person.sex}_{outcome}"]
            log_odds = math.fsum(a * b for a, b in zip(row, terms(values, years, variant), strict=True))
            found[f"{outcome.replace('_', '-')}-{years}y"] = 1 / (1 + math.exp(-log_odds))
    return found


def terms(v: dict[str, float], years: int, variant: str) -> list[float]:
    """Return the centred terms in the order of the supplement's tables."""
    age = (v["age"] - 55) / 10
    non_hdl = (v["2093-3"] - v["2085-9"]) * 0.02586 - 3.5
    hdl = (v["2085-9"] * 0.02586 - 1.3) / 0.3
    low, high = (min(v["8480-6"], 110) - 110) / 20, (max(v["8480-6"], 110) - 130) / 20
    slim, stout = (min(v["bmi"], 30) - 25) / 5, (max(v["bmi"], 30) - 30) / 5
    weak, strong = (min(v["egfr"], 60) - 60) / -15, (max(v["egfr"], 60) - 90) / -15
    smoking, diabetes, treated, statin = v["smoking"], v["diabetes"], v["pressure"], v["statin"]
    return [
        age,
        *([age**2] if years == 30 else []),
        non_hdl,
        hdl,
        low,
        high,
        diabetes,
        smoking,
        slim,
        stout,
        weak,
        strong,
        treated,
        statin,
        high * treated,
        non_hdl * statin,
        age * non_hdl,
        age * hdl,
        age * high,
        age * diabetes,
        age * smoking,
        age * stout,
        age * weak,
        *added(v, variant),
        1.0,
    ]


def added(v: dict[str, float], variant: str) -> list[float]:
    """Return the terms beside those of the base equations; no bundle tells of social deprivation."""
    ratio, hba1c = v["14959-1"], v["4548-4"]
    uacr = [0.0, 1.0] if ratio is None else [math.log(ratio), 0.0]
    excess = 0.0 if hba1c is None else hba1c - 5.3
    sugar = [excess * v["diabetes"], excess * (1 - v["diabetes"]), float(hba1c is None)]
    rows = {"base": [], "uacr": uacr, "hba1c": sugar, "full": [0.0, 0.0, 1.0, *uacr, *sugar]}
    return rows[variant]


class Person:
    """One bundle's patient as of an instant."""

    def __init__(self, bundle: dict[str, Any], at: datetime) -> None:
        self._at = at
        resources = [entry["resource"] for entry in bundle["entry"]]
        self._of = lambda kind: [each for each in resources if each["resourceType"] == kind]
        (self._patient,) = self._of("Patient")
        self.sex = self._patient["gender"]

    def inputs(self) -> dict[str, float] | None:
        age = self._age(self._at)
        if not 30 <= age <= 79 or "deceasedDateTime" in self._patient or self._excluded():
            return None
        values = {code: self._measured(code) for code in ("8480-6", "2093-3", "2085-9")}
        values |= {"bmi": self._measured("39156-5"), "egfr": self._egfr(), "smoking": self._smoking()}
        if any(value is None for value in values.values()):
            return None
        return {
            **values,
            **{code: self._measured(code) for code in OPTIONAL.values()},
            "age": age,
            "diabetes": float(any(self._named(name) for name in DIABETES)),
            "statin": self._takes(STATINS),
            "pressure": self._takes(PRESSURE),
        }

    def _age(self, at: datetime) -> int:
        born = datetime.fromisoformat(self._patient["birthDate"])
        return at.year - born.year - ((at.month, at.day) < (born.month, born.day))

    def _excluded(self) -> bool:
        said = [each["code"]["text"].lower() for each in self._of("Condition")]
        return any(name in text for name in EXCLUDING for text in said)

    def _named(self, name: str) -> bool:
        """Whether an active problem of that name is listed."""
        active = [
            each for each in self._of("Condition") if each["clinicalStatus"]["coding"][0]["code"] == "active"
        ]
        return any(each["code"]["text"].startswith(name) for each in active)

    def _takes(self, drugs: tuple[str, ...]) -> float:
        active = [each for each in self._of("MedicationRequest") if each["status"] == "active"]
        texts = [each["medicationCodeableConcept"]["text"].lower() for each in active]
        return float(any(drug in text and "injection" not in text for drug in drugs for text in texts))

    def _newest(self, code: str) -> tuple[datetime, dict[str, Any]] | None:
        """Return the newest value of ``code``, alone or as a component, in its unit."""
        found = []
        for each in self._of("Observation"):
            for part in (each, *each.get("component", ())):
                quantity = part.get("valueQuantity", {})
                if part["code"]["coding"][0]["code"] != code or "valueQuantity" not in part:
                    continue
                if quantity["code"] == UNITS.get(code, quantity["code"]):
                    found.append((_instant(each["effectiveDateTime"]), quantity))
        return max(found, key=lambda pair: pair[0], default=None)

    def _usable(self, code: str) -> tuple[datetime, float] | None:
        newest = self._newest(code)
        if newest is None or self._at - newest[0] >= timedelta(days=MOST_DAYS.get(code, 731)):
            return None
        low, high = RANGES[code]
        return (newest[0], newest[1]["value"]) if low <= newest[1]["value"] <= high else None

    def _measured(self, code: str) -> float | None:
        usable = self._usable(code)
        return usable[1] if usable else None

    def _egfr(self) -> float | None:
        reported, creatinine = self._newest("33914-3"), self._newest("38483-4")
        if creatinine is None or (reported is not None and reported[0] >= creatinine[0]):
            return self._measured("33914-3")
        usable = self._usable("38483-4")
        if usable is None:
            return None
        kappa, alpha, factor = (0.7, -0.241, 1.012) if self.sex == "female" else (0.9, -0.302, 1.0)
        ratio, age = usable[1] / kappa, self._age(usable[0])
        rate = 142 * min(ratio, 1) ** alpha * max(ratio, 1) ** -1.2 * 0.9938**age * factor
        return rate if 15 <= rate <= 140 else None

    def _smoking(self) -> float | None:
        told = [
            (_instant(each["effectiveDateTime"]), each["valueCodeableConcept"]["text"])
            for each in self._of("Observation")
            if each["code"]["coding"][0]["code"] == "72166-2"
        ]
        last = max(told, default=None)
        if last is None or self._at - last[0] >= timedelta(days=731):
            return None
        return {"Never smoker": 0.0, "Former smoker": 0.0, "Current every day smoker": 1.0}[last[1]]


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC)
