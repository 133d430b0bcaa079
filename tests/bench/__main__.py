"""``python -m tests.bench [--only GROUP] [--short]``: measure, print a table, write ``build/bench.json``."""

from __future__ import annotations

import argparse
from pathlib import Path

from rich.console import Console

from tests.bench.figures import Figure, keep, show
from tests.bench.groups import GROUPS

RESULT = Path("build/bench.json")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--only", choices=sorted(GROUPS), help="measure one group")
    parser.add_argument("--short", action="store_true", help="the form for CI, about a minute a group")
    chosen = parser.parse_args()
    figures: list[Figure] = []
    notes: list[str] = []
    for name, measure in GROUPS.items():
        if chosen.only in (None, name):
            found, said = measure(chosen.short)
            figures += found
            notes += said
    keep(RESULT, figures)
    show(figures, notes, Console())


if __name__ == "__main__":
    main()
