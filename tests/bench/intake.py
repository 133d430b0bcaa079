"""FHIR at the border: checking and mapping resources, beside fhir.resources and fhirclient on the same bytes.

Everybody reads the same Observations, one body each, in turn and in one process; processor time counts, and
of several rounds the best. We guard, validate, check the invariants and map to values of the engine; the
peers read the resource and look the same facts up. Observations are those of the synthetic records beside
the repository, or made up where these are absent, with the version and the time of storage that a server
gives them; they come in the order of the record, those of one encounter after each other.
``intake.whole_way`` is what an Observation costs of which nothing was seen before. ``intake.linear_time_10x``
is how many times as long the validation of ten times as much takes, in the worst of many shapes.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, timedelta
from functools import partial
from pathlib import Path
from timeit import Timer
from typing import Any

import fhirkit
import orjson
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.observation import Observation
from fhirclient.models.observation import Observation as ClientObservation

from fhir_mapping import bundle, guard, intake, observation, resource, validation
from fhir_mapping.mapped import Origin
from gateway.demonstration import resources as fhir
from tests.bench.cohort import observations
from tests.bench.figures import Figure, against
from tests.fhir_mapping.sizes import GROWING

RECORDS = Path(__file__).parents[3] / "shared" / "data" / "synthea"
NOW = datetime(2026, 11, 22, tzinfo=UTC)
STORED = {"versionId": "1", "lastUpdated": "2026-11-21T08:00:00.000Z"}
KINDS = (
    "AuditEvent", "Bundle", "Condition", "Consent", "DiagnosticReport", "MedicationRequest",
    "MedicationStatement", "Observation", "Patient", "Procedure", "Provenance", "RiskAssessment",
)  # fmt: skip
READY = {
    "ours": f"from fhir_mapping import resource, validation\nvalidation.prepare({KINDS!r})",
    "fhir.resources": "\n".join(f"import fhir.resources.R4B.{kind.lower()}" for kind in KINDS),
}


def measure(short: bool) -> tuple[list[Figure], list[str]]:
    """Measure the intake; ``short`` reads fewer Observations and fewer rounds."""
    bundles = _bundles(8 if short else 40)
    bodies = _observations(bundles)[: 1000 if short else 3000]
    rounds = 3 if short else 7
    mean = sum(map(len, bodies)) / len(bodies)
    worst, shape = _linear(min(rounds, 3))
    figures = [
        *_read(bodies, rounds),
        _hot_path(bodies, rounds),
        *_whole(bundles[: 4 if short else 10], rounds),
        Figure("intake.linear_time_10x", worst, "times"),
        _memory(bodies),
        _start(),
    ]
    return figures, [
        f"{len(bodies)} Observations of {mean:.0f} bytes; processor time of one core, best of {rounds}",
        f"{_refused(bundles)} resources of {len(bundles)} synthetic records refused",
        f"ten times as much takes longest where it is: {shape}",
    ]


def _read(bodies: list[bytes], rounds: int) -> list[Figure]:
    spent = _best(
        {
            "ours": partial(_each, _ours, bodies),
            "whole way": partial(_each, _whole_way, bodies),
            "fhir.resources": partial(_each, _typed, bodies),
            "fhirclient": partial(_each, _client, bodies),
            "fhirkit": partial(_each, _fhirkit, bodies),
        },
        rounds,
    )
    each = {name: seconds / len(bodies) * 1e6 for name, seconds in spent.items()}
    return [
        Figure("intake.observations", 1e6 / each["ours"], "1/s"),
        *(
            against(f"intake.observations_vs_{name.replace('.', '_')}", each["ours"], each[name], "us each")
            for name in ("fhir.resources", "fhirclient", "fhirkit")
        ),
        against("intake.whole_way_vs_fhir_resources", each["whole way"], each["fhir.resources"], "us each"),
    ]


def _ours(body: bytes) -> object:
    return intake.read(body, NOW).items


def _whole_way(body: bytes) -> object:
    return resource.read(guard.resource(body), NOW).items


def _typed(body: bytes) -> object:
    seen: Any = Observation.model_validate_json(body)
    quantity = seen.valueQuantity
    facts = (seen.subject.reference, seen.code.coding[0].code, seen.effectiveDateTime)
    return (*facts, quantity.value, quantity.unit) if quantity else facts


def _client(body: bytes) -> object:
    seen = ClientObservation(orjson.loads(body))
    quantity = seen.valueQuantity
    facts = (seen.subject.reference, seen.code.coding[0].code, seen.effectiveDateTime)
    return (*facts, quantity.value, quantity.unit) if quantity else facts


def _fhirkit(body: bytes) -> object:
    return fhirkit.validate(body)


def _hot_path(bodies: list[bytes], rounds: int) -> Figure:
    """Measure the mapping alone, of what is parsed and known to be valid."""
    seen = [guard.resource(body) for body in bodies]
    spent = _best({"ours": partial(_each, _mapped, seen)}, rounds)
    return Figure("intake.hot_path", spent["ours"] / len(seen) * 1e6, "us each")


def _mapped(seen: dict[str, Any]) -> object:
    return observation.read(seen, Origin("Observation/1/_history/1", NOW))


def _whole(bundles: list[bytes], rounds: int) -> list[Figure]:
    held = sum(len(bundle.received(body)) for body in bundles)
    spent = _best(
        {
            "ours": partial(_each, _valid, bundles),
            "fhir.resources": partial(_each, Bundle.model_validate_json, bundles),
        },
        min(rounds, 3),
    )
    each = {name: seconds / held * 1e6 for name, seconds in spent.items()}
    return [
        Figure("intake.bundle_resources", 1e6 / each["ours"], "1/s"),
        against("intake.bundles_vs_fhir_resources", each["ours"], each["fhir.resources"], "us a resource"),
    ]


def _valid(body: bytes) -> object:
    return validation.problems(guard.resource(body, guard.BUNDLE))


def _linear(rounds: int) -> tuple[float, str]:
    """Return the worst ratio of the times for 10,000 and for 1,000 elements, and of what they are."""
    return max((_ratio(made, rounds), shape) for shape, made in GROWING.items())


def _ratio(made: Callable[[int], Any], rounds: int) -> float:
    timers = [
        Timer(partial(validation.problems, orjson.loads(orjson.dumps(made(count)))), timer=time.process_time)
        for count in (1000, 10_000)
    ]
    spent = [[timer.timeit(1) for timer in timers] for _ in range(3 * rounds)]
    small, large = (float(min(each)) for each in zip(*spent, strict=True))
    return large / small


def _memory(bodies: list[bytes]) -> Figure:
    ours = _held(bodies, _ours)
    peer = _held(bodies, Observation.model_validate_json)
    return against("intake.memory_per_observation", ours, peer, "bytes")


def _held(bodies: list[bytes], read: Callable[[bytes], object]) -> float:
    gc.collect()
    tracemalloc.start()
    held = [read(body) for body in bodies]
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size / len(held)


def _start() -> Figure:
    """Measure how long a process works until it can read twelve types."""
    spent = {name: min(_ready(code) for _ in range(3)) for name, code in READY.items()}
    return against("intake.start_up", spent["ours"], spent["fhir.resources"], "s")


def _ready(code: str) -> float:
    timed = f"import time\n{code}\nprint(time.process_time())"
    return float(subprocess.run([sys.executable, "-c", timed], capture_output=True, check=True).stdout)


def _refused(bundles: Iterable[bytes]) -> int:
    return sum(
        bool(validation.problems(each))
        for body in bundles
        for each in bundle.resources(guard.resource(body, guard.BUNDLE))
    )


def _bundles(count: int) -> list[bytes]:
    """Return the records beside the repository without their white space, or made-up ones."""
    found = [orjson.dumps(orjson.loads(file.read_bytes())) for file in sorted(RECORDS.glob("*.json"))[:count]]
    return found or [_made_up(number) for number in range(count)]


def _made_up(number: int) -> bytes:
    days = (NOW - timedelta(days=day) for day in range(30))
    entries = [{"resource": one} for day in days for one in observations(number, day)]
    person = fhir.patient(f"bench-{number}", "Bench", "female", date(1960, 3, 1))
    return orjson.dumps(
        {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": person}, *entries]}
    )


def _observations(bundles: Iterable[bytes]) -> list[bytes]:
    return [
        orjson.dumps(each | {"meta": each.get("meta", {}) | STORED})
        for body in bundles
        for each in bundle.resources(orjson.loads(body))
        if each["resourceType"] == "Observation"
    ]


def _each(read: Callable[[Any], object], inputs: Iterable[Any]) -> None:
    for one in inputs:
        read(one)


def _best(candidates: dict[str, Callable[[], None]], rounds: int) -> dict[str, float]:
    """Return the best processor time of each; in every round all take their turn."""
    best = dict.fromkeys(candidates, float("inf"))
    for _ in range(rounds):
        for name, run in candidates.items():
            gc.collect()
            began = time.process_time()
            run()
            best[name] = min(best[name], time.process_time() - began)
    return best
