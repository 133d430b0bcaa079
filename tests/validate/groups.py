"""Every group of validations: a module, and one line here.

A group is a function of ``short`` (the form for CI) that returns its findings and the notes that are needed
to read them. Where the data of a group is absent it finds nothing and says so.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tests.validate import loop
from tests.validate.findings import Finding
from tests.validate.glucose import group as glucose

GROUPS: Mapping[str, Callable[[bool], tuple[list[Finding], list[str]]]] = {
    "glucose": glucose.validate,
    "loop": loop.validate,
}
