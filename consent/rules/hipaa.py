"""HIPAA: only for an allowed purpose (45 CFR 164.502(a)); labelled data only to who enforces labels.

The second is the handling duty of security labels (HL7 DS4P): a prediction inherits the labels of its inputs
and would reveal them to a recipient that ignores labels. Not here: minimum necessary by element, and
accounting of disclosures, which is the audit log's.
"""

from __future__ import annotations

from consent.labels import sensitive
from consent.policy import Directive, Policy
from consent.request import Request, Ruling


def rule(request: Request, _directives: tuple[Directive, ...], policy: Policy) -> tuple[Ruling, ...]:
    """Deny a purpose the tenant does not allow, and labelled data to a recipient that ignores labels."""
    if request.purpose not in policy.purposes:
        return (Ruling("hipaa", "deny", "the tenant does not allow this purpose"),)
    if request.act == "disclose" and sensitive(request.labels) and not request.recipient_enforces_labels:
        return (Ruling("hipaa", "deny", "labelled data, and the recipient does not enforce labels"),)
    return (Ruling("hipaa", "silent", "purpose allowed"),)
