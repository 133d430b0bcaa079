"""A law: events in any order, repeated up to 19 times, give the same twin and the same assessments."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as examples
from hypothesis import strategies as st

from fhir_mapping import risk_assessment
from gateway.operations import backfill
from gateway.wiring import wire
from tests.support import person
from tests.support.databases import dispose_files
from tests.support.held_queue import HeldQueue
from tests.support.site import NOW, Clock, join, settings
from twin_engine import store

PATIENT = "p1"
NUMBERS = itertools.count(1)


@pytest.fixture(scope="module")
def hospital(tmp_path_factory):
    """Return new hospitals of one gateway, all with the same ids."""
    folder = tmp_path_factory.mktemp("law")
    clock, queue = Clock(), HeldQueue()
    services = wire(settings(folder), clock=clock, queue=queue)

    def new():
        queue.lose()
        return join(services, queue, clock, f"ward-{next(NUMBERS)}")

    yield new
    dispose_files(folder)


def histories():
    """Every resource's versions, first to last."""
    month, recent = NOW - timedelta(days=30), NOW - timedelta(days=1)
    base = {each["id"]: [each] for each in person.adult(PATIENT, NOW)}
    first = base["p1-cholesterol"][0]
    base["p1-cholesterol"] = [first, person.amended(first, 214)]
    newer = person.cholesterol("newer", PATIENT, 240, recent)
    base["newer"] = [newer, person.amended(newer, 244), person.retracted(newer)]
    again = person.cholesterol("again", PATIENT, 199, recent - timedelta(days=3))
    base["again"] = [again, person.retracted(again), person.amended(again, 201)]
    statin = person.statin("statin", PATIENT, month)
    base["statin"] = [statin, {**statin, "status": "stopped"}]
    base["tablets"] = [person.antihypertensive("tablets", PATIENT, month)]
    diabetes = person.diabetes("diabetes", PATIENT, month)
    wrong = {"coding": [{**diabetes["verificationStatus"]["coding"][0], "code": "entered-in-error"}]}
    base["diabetes"] = [diabetes, {**diabetes, "verificationStatus": wrong}]
    base["consent"] = [
        person.permission("consent", PATIENT, month),
        person.denial("consent", PATIENT, recent),
        person.permission("consent", PATIENT, NOW),
    ]
    return base


HISTORIES = histories()
WRITES = [(name, number) for name, versions in HISTORIES.items() for number in range(len(versions))]


@dataclass
class Story:
    """What happens, in order: the hospital writes, somebody tells, the worker works, calls are lost."""

    steps: list[tuple[str, object]] = field(default_factory=list)


@st.composite
def stories(draw):
    """Any order of writes that keeps each resource's own, and of tellings, repeated, after their writes."""
    names = draw(st.permutations([name for name, _ in WRITES]))
    seen, written = dict.fromkeys(HISTORIES, 0), []
    for name in names:
        written.append((name, seen[name]))
        seen[name] += 1
    repeats = draw(st.lists(st.sampled_from(written), max_size=6))
    often = draw(st.sampled_from(written))
    told = draw(st.permutations([*written, *repeats, *[often] * draw(st.integers(0, 18))]))
    ahead = draw(st.integers(0, len(written)))  # how many writes come before anybody is told
    steps: list[tuple[str, object]] = [("write", one) for one in written[:ahead]]
    rest = [("write", one) for one in written[ahead:]]
    late = [("tell", one) for one in told if one in written[:ahead]]
    after = [("tell", one) for one in told if one not in written[:ahead]]
    steps += draw(st.permutations(late)) if late else []
    steps += rest + after
    for place in sorted(draw(st.lists(st.integers(0, len(steps)), max_size=4)), reverse=True):
        steps.insert(place, (draw(st.sampled_from(["work", "lose"])), None))
    return Story(steps)


def play(site, story):
    stored = {}
    for act, what in story.steps:
        match act:
            case "write":
                stored[what] = site.ehr.enter(HISTORIES[what[0]][what[1]])
            case "tell":
                site.tell(stored[what])
            case "work":
                site.run()
            case "lose":
                site.queue.lose()
    site.run()
    settle(site)


def settle(site):
    """Let the sweeper find what was lost."""
    site.clock.advance(seconds=20)
    site.sweep()
    site.clock.now = NOW


def state(site):
    """Return what the twin and its assessments say, without when and how often it was said."""
    services, twin = site.services, site.twin_id(PATIENT)
    with services.journal.reading() as connection:
        records = store.current_evidence(connection, services.vault, twin)
        snapshots = store.latest_snapshots(connection, services.vault, twin)
    usable = [each for each in records if each.items]
    evidence = {each.reference: (each.version, each.content_hash, each.items) for each in usable}
    digests = {each.model: each.digest for each in snapshots}
    standing = [each for each in site.ehr.all("RiskAssessment") if "prediction" in each]
    said = [(risks(each), risk_assessment.basis(each)) for each in standing]
    return site.twin(PATIENT).state, evidence, digests, said


def risks(resource):
    return {each["outcome"]["text"]: each["probabilityDecimal"] for each in resource["prediction"]}


@pytest.fixture(scope="module")
def expected(hospital):
    site = hospital()
    for name, number in WRITES:
        site.ehr.enter(HISTORIES[name][number])
    known = site.services.hospital(site.hospital_id)
    backfill.enrol(site.services, known, [PATIENT])
    settle(site)
    return state(site)


def test_the_state_that_is_compared_says_something(expected):
    standing, evidence, digests, said = expected
    assert standing == "current"
    assert {"Observation/p1-cholesterol", "Observation/again", "MedicationRequest/tablets"} <= set(evidence)
    assert "Observation/newer" not in evidence
    assert set(digests) == {"news2", "prevent", "type-1-diabetes"}
    assert len(said) == 1


@examples(
    max_examples=25,
    deadline=None,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture],
)
@given(story=stories())
def test_events_in_any_order_and_number_give_the_same_twin(hospital, expected, story):
    site = hospital()
    play(site, story)
    found = state(site)
    for mine, theirs in zip(found, expected, strict=True):
        assert mine == theirs
    assert site.twin(PATIENT).done_seq == site.twin(PATIENT).seq
