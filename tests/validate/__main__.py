"""``python -m tests.validate [--only GROUP] [--short]``: score models on people they have not seen.

Prints tables and writes ``build/validation.json`` (``build/validation-short.json`` in the short form).
"""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from tests.validate.findings import keep, show
from tests.validate.groups import GROUPS

RESULT = Path("build/validation.json")
SHORT = Path("build/validation-short.json")  # fewer people: other numbers by the same names


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.validate", description=__doc__)
    parser.add_argument("--only", choices=sorted(GROUPS), help="validate one group")
    parser.add_argument("--short", action="store_true", help="the form for CI, less than a minute a group")
    chosen = parser.parse_args()
    for name, validate in GROUPS.items():
        if chosen.only in (None, name):
            found, notes = validate(chosen.short)
            keep(SHORT if chosen.short else RESULT, found)
            show(found, notes, Console())


if __name__ == "__main__":
    main()
