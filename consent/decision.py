"""The one place where it is decided whether an act may happen.

Deny overrides, silence denies: ``decide`` permits only where at least one rule permits and none
denies. It is a total function; whatever it is given, it answers and never raises.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from consent.policy import Directive, Policy
from consent.request import Act, Request, Ruling, Verdict
from consent.rules import RULES, Rule

__all__ = ["Act", "Decision", "Request", "Ruling", "Verdict", "decide"]


@dataclass(frozen=True, slots=True)
class Decision:
    """The answer, with every ruling that led to it."""

    permitted: bool
    request: Request
    rulings: tuple[Ruling, ...]

    @property
    def reason(self) -> str:
        """The ruling that decided: the first denial, else the first permission, else silence."""
        for verdict in ("deny", "permit"):
            for ruling in self.rulings:
                if ruling.verdict == verdict:
                    return f"{ruling.rule}: {ruling.reason}"
        return "no rule permits it"


def decide(
    request: Request, directives: tuple[Directive, ...], policy: Policy, rules: Mapping[str, Rule] = RULES
) -> Decision:
    """Ask every rule and combine: deny overrides, silence denies; a rule that breaks denies."""
    rulings = tuple(
        ruling for name, rule in rules.items() for ruling in _ask(name, rule, request, directives, policy)
    )
    verdicts = {ruling.verdict for ruling in rulings}
    return Decision("permit" in verdicts and "deny" not in verdicts, request, rulings)


def _ask(
    name: str, rule: Rule, request: Request, directives: tuple[Directive, ...], policy: Policy
) -> tuple[Ruling, ...]:
    try:
        rulings = tuple(rule(request, directives, policy))
        understood = all(ruling.verdict in ("permit", "deny", "silent") for ruling in rulings)
    except Exception:  # noqa: BLE001 - a rule that breaks, whatever the cause, must deny and not end the decision
        understood = False
    return rulings if understood else (Ruling(name, "deny", "rule failed"),)
