"""Every group of benchmarks: a module, and one line here.

A group is a function of ``short`` (the form for CI, about a minute) that returns its figures and the notes
that are needed to read them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.bench import glucose, intake, main_path
from tests.bench.figures import Figure

GROUPS: Mapping[str, Callable[[bool], tuple[list[Figure], list[str]]]] = {
    "glucose": glucose.measure,
    "intake": intake.measure,
    "main": main_path.measure,
}
