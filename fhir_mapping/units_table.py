"""The conversions of the signals as ucumvert has them: ``python -m fhir_mapping.units_table`` writes them."""

from __future__ import annotations

import json
from pathlib import Path

from fhir_mapping import codes, ucum, units

FILE = Path(__file__).with_name("units_table.json")


def computed() -> dict[str, tuple[float, float]]:
    """Return factor and offset of every conversion that a signal needs, by the name of the conversion."""
    return {units.key(*each): ucum.factor_and_offset(*each) for each in codes.conversions()}


def written(table: dict[str, tuple[float, float]]) -> str:
    """Return the table as it stands in the file."""
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(table[name])}" for name in sorted(table))
    return f"{{\n{lines}\n}}\n"


if __name__ == "__main__":
    FILE.write_text(written(computed()), "utf-8")
