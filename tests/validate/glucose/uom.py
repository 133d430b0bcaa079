"""T1D-UOM: glucose, insulin and meals of people with type 1 diabetes, read as it was published.

Alsuhaymi A et al., T1D-UOM, a longitudinal multimodal dataset of type 1 diabetes, 2025, CC BY 4.0,
doi:10.5281/zenodo.15169263. Times are local and to the minute, glucose is in mmol/L.

What is set right, each by a rule that looks back only or at marks of the file itself:

- the file of 2304 holds the readings of 2303 as well, and where both have the same minute a mean of both
  people's: every minute that 2303 has is left out;
- readings within four minutes of the one before are the same told twice;
- values under 30 mg/dL are no sensor's; rows whose time cannot be read are left out.
"""

from __future__ import annotations

import csv
import os
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import numpy as np

from twin_engine.models.glucose.learned_features import Events, Trace, single

VARIABLE = "T1D_UOM"
DEFAULT = Path(__file__).parents[4] / "shared" / "data" / "t1d-uom"
MG_DL = 18.0156  # of one mmol/L: glucose has 180.156 g/mol
PEOPLE = ("2301", "2303", "2304", "2305", "2307", "2308", "2309", "2310", "2314", "2401", "2404")
MIXED = {"2304": "2303"}  # whose file holds whose readings as well
_LEAST = 30.0  # mg/dL
_EPOCH = datetime(1970, 1, 1)  # noqa: DTZ001 (local times of the study, as published)


def folder() -> Path:
    """Return where the data is, or would be."""
    return Path(os.environ.get(VARIABLE, DEFAULT))


def people() -> dict[str, Trace]:
    """Return the record of everybody whose readings are there."""
    return {name: _trace(name) for name in PEOPLE if (folder() / f"UoMGlucose{name}.csv").exists()}


def _trace(name: str) -> Trace:
    minutes, glucose = single(*_glucose(name))
    return Trace(
        minutes,
        glucose,
        boluses=_events(name, "Bolus", 1),
        food=_events(name, "Nutrition", 3),
        basal=_events(name, "Basal", 1, "R"),
        slow=_events(name, "Basal", 1, "L"),
    )


def _glucose(name: str) -> tuple[np.ndarray, np.ndarray]:
    foreign = {row[0] for row in _rows(MIXED[name], "Glucose", 1)} if name in MIXED else set()
    rows = sorted(row for row in _rows(name, "Glucose", 1) if row[0] not in foreign)
    at, value = np.array([row[0] for row in rows]), MG_DL * np.array([row[1] for row in rows])
    return at[value >= _LEAST], value[value >= _LEAST]


def _events(name: str, kind: str, column: int, marked: str | None = None) -> Events:
    rows = sorted(row for row in _rows(name, kind, column) if marked is None or row[2] == marked)
    return Events(np.array([row[0] for row in rows]), np.array([row[1] for row in rows]))


def _rows(name: str, kind: str, column: int) -> Iterator[tuple[float, float, str]]:
    """Yield minute, number and the third column of each row that can be read."""
    path = folder() / f"UoM{kind}{name}.csv"
    if not path.exists():
        return
    with path.open(encoding="utf-8-sig", newline="") as file:
        for row in list(csv.reader(file))[1:]:
            minute, number = _minute(row[0]), _number(row[column])
            if minute is not None and number is not None:
                yield minute, number, row[2].strip() if len(row) > 2 else ""


def _minute(said: str) -> float | None:
    for form in ("%d/%m/%Y %H:%M", "%d/%m/%Y %H:%M:%S"):
        try:
            return (datetime.strptime(said.strip(), form) - _EPOCH).total_seconds() / 60  # noqa: DTZ007
        except ValueError:
            continue
    return None


def _number(said: str) -> float | None:
    try:
        return float(said)
    except ValueError:
        return None
