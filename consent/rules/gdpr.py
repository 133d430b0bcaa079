"""GDPR: a restriction of processing (Art. 18) stops every act; every purpose needs a legal basis (Art. 6, 9).

Not here: objection (Art. 21) and erasure (Art. 17), which act on the twin and not on one request.
"""

from __future__ import annotations

from consent.policy import Directive, Policy
from consent.purposes import PURPOSES
from consent.request import Request, Ruling


def rule(request: Request, _directives: tuple[Directive, ...], _policy: Policy) -> tuple[Ruling, ...]:
    """Deny under restriction and for a purpose that no legal basis is registered for."""
    if request.restricted:
        return (Ruling("gdpr", "deny", "processing is restricted (Art. 18)"),)
    if request.purpose not in PURPOSES:
        return (Ruling("gdpr", "deny", "the purpose has no registered legal basis"),)
    return (Ruling("gdpr", "silent", "no restriction, purpose registered"),)
