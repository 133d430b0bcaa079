"""A log in which an act stands without its permission is caught, however much was permitted before."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from audit.record import Leaf, Operational, Personal
from audit.sealing import Opened
from gateway.demonstration.precedence import acts_without_decision

AT = datetime(2026, 3, 2, 8, tzinfo=UTC)
EHR = "hospital/h"


def entry(kind, detail, *resources, actor=EHR, subject="t1"):
    leaf = Leaf(UUID(int=1), 1, kind, "execute", "success", b"", b"")
    operational = Operational("north", actor, AT, "TREAT", detail, None, (), True)
    return Opened(0, leaf, Personal(subject, resources), operational)


def permit(act, **more):
    return entry("consent-decision", f"{act}: permit; the policy permits", **more)


def deny(act, **more):
    return entry("consent-decision", f"{act}: deny; Consent/1 denies", **more)


LOOKED = entry("pull", "2 resources", "Patient/p/_history/1", "Consent/c/_history/1")
READ = entry("pull", "1 resources", "Observation/1/_history/1")
UPDATED = entry("twin-update", "current: prevent 1")
WROTE = entry("assessment-write", "cardiovascular-disease", "RiskAssessment/r/_history/1")
OTHER = entry("assessment-write", "clinical-deterioration", "RiskAssessment/s/_history/1")
TOOK_BACK = entry("assessment-write", "cardiovascular-disease: withdrawn", "RiskAssessment/r/_history/2")

LOOKUP, COLLECT, USE, DISCLOSE = (permit(act) for act in ("consent-lookup", "collect", "use", "disclose"))
UPDATE = [LOOKUP, LOOKED, COLLECT, READ, USE, UPDATED, DISCLOSE, WROTE, OTHER]
BEGUN = [LOOKUP, LOOKED, COLLECT, READ, USE, UPDATED]


@pytest.mark.parametrize(
    "entries",
    [
        UPDATE,
        UPDATE * 3,
        [LOOKUP, LOOKED, deny("collect"), entry("twin-update", "denied: nothing new"), TOOK_BACK],
        [*UPDATE, LOOKUP, LOOKED, deny("collect"), TOOK_BACK],
        [*BEGUN, DISCLOSE, *BEGUN, WROTE, DISCLOSE, WROTE],  # the write ended after the next update had begun
        [LOOKUP, LOOKED, DISCLOSE, WROTE],  # a delivery that was tried again
        [entry("notification", "journaled", "Observation/1")],
    ],
)
def test_acts_after_their_permission_are_in_order(entries):
    assert acts_without_decision(entries) == []


@pytest.mark.parametrize(
    "entries",
    [
        [LOOKED],
        [LOOKUP, READ],  # a lookup is no leave to collect
        [LOOKUP, deny("collect"), READ],
        [*UPDATE, LOOKUP, READ],  # collect was permitted in an earlier update only
        [LOOKUP, LOOKED, COLLECT, READ, UPDATED],
        [*UPDATE, LOOKUP, LOOKED, COLLECT, READ, UPDATED],
        [*BEGUN, WROTE],
        [*UPDATE, *BEGUN, WROTE],  # disclose was spent in an earlier update
        [*BEGUN, DISCLOSE, WROTE, WROTE],
        [*BEGUN, DISCLOSE, *BEGUN, *BEGUN, WROTE],
        [*BEGUN, deny("disclose"), WROTE],
        [*BEGUN, DISCLOSE, LOOKUP, deny("disclose"), WROTE],
        [*BEGUN, permit("disclose", actor="Practitioner/x"), WROTE],
        [*BEGUN, permit("disclose", subject="t2"), WROTE],
        [LOOKUP, entry("pull", "2 resources", "Patient/p/_history/1", "Condition/1/_history/1")],
    ],
)
def test_an_act_without_its_permission_is_caught(entries):
    assert len(acts_without_decision(entries)) == 1
