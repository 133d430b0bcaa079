"""``python -m tests.validate.glucose.ship``: teach the population on everybody, write the engine's file."""

from __future__ import annotations

from pathlib import Path

from rich.console import Console

from tests.validate.glucose import uom
from twin_engine.models.glucose import learned_population
from twin_engine.models.glucose.learned import fitted

FILE = Path(learned_population.__file__).with_suffix(".npz")


def main() -> None:
    records = uom.people()
    if not records:
        raise SystemExit(f"no T1D-UOM at {uom.folder()}; set {uom.VARIABLE} to its folder")
    data = learned_population.sealed(fitted(list(records.values())))
    FILE.write_bytes(data)
    Console().print(f"{FILE.name}: {len(data):,} bytes from {len(records)} people")


if __name__ == "__main__":
    main()
