"""The table of laws and policies that are asked, each a function in its own module.

A rule answers with rulings: it permits, denies or is silent. Only ``patient`` permits, since it alone
speaks for the patient's will and the tenant's policy; the others can only narrow what it permits.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

from consent.policy import Directive, Policy
from consent.request import Request, Ruling
from consent.rules import gdpr, hipaa, patient, smart

Rule = Callable[[Request, tuple[Directive, ...], Policy], Iterable[Ruling]]

RULES: Mapping[str, Rule] = MappingProxyType(
    {"gdpr": gdpr.rule, "hipaa": hipaa.rule, "smart": smart.rule, "patient": patient.rule}
)
