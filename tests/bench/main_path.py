"""Group ``main``: from notification to read-back. How long, how many, and where the processor time goes."""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from gateway.telemetry import HOPS
from tests.bench.figures import Figure, against
from tests.bench.ground import Ground, Way, notify, prepared, settle, silence

WANTED = 10.0  # events a second
BURST = 10
_HEADROOM = 0.8  # of what was sustained, where that is too little for WANTED
_WRITERS = 4


@dataclass(frozen=True, slots=True)
class Extent:
    """How much is measured: twins, events of the latency run, twins and rounds of the comparison."""

    twins: int
    events: int
    singles: int
    bursts: int
    rounds: int


SHORT = Extent(twins=60, events=100, singles=20, bursts=4, rounds=1)
FULL = Extent(twins=200, events=600, singles=60, bursts=15, rounds=3)


def measure(short: bool) -> tuple[list[Figure], list[str]]:
    """Return the figures of the group and what has to be known to read them."""
    extent = SHORT if short else FULL
    with prepared(extent.twins) as ground:
        _stream(ground, _HEAT, 1e9)
        sustained = _stream(ground, extent.twins, 1e9)
        rate = min(WANTED, _HEADROOM * sustained.rate)
        steady = _stream(ground, extent.events, rate)
        figures = [*_of_steady(steady), Figure("main.sustained", sustained.rate, "events/s")]
        compared = _compare(ground, extent)
    return figures + compared, _notes(extent, rate)


_HEAT = 10  # events before anything is measured: first use loads code


def _notes(extent: Extent, rate: float) -> list[str]:
    return [
        f"main: {extent.twins} warm twins, {extent.events} events at {rate:.1f} events/s "
        f"(wanted: {WANTED:g}); each is a new cholesterol result that moves one assessment; "
        "the EHR and the hospital that writes run on the same processors",
        f"main.cpu_vs_plain: bursts of {BURST} a twin; main.cpu_vs_plain_single: one event a twin; "
        "processor time of web, worker and broker, without the EHR; ratio is plain / ours",
    ]


@dataclass(frozen=True, slots=True)
class Run:
    """What one stream of events took; times in seconds."""

    latencies: np.ndarray[Any, np.dtype[np.float64]]
    rate: float
    cpu: float
    ehr_cpu: float
    counted: Mapping[tuple[str, str], float]
    events: int

    def each(self, seconds: float) -> float:
        """Return milliseconds an event."""
        return seconds / self.events * 1_000


def _stream(ground: Ground, count: int, rate: float) -> Run:
    """Have the hospital write ``count`` results at ``rate``, one twin after another, and wait for the end."""
    ours = ground.ours
    first, cpu, ehr = ours.journaled(), ours.cpu(), ground.ehr.cpu_seconds()
    before = ours.counters()
    _write(ground, count, rate)
    _until(lambda: ours.journaled() >= first + count)
    settle(ours)
    after = ours.counters()
    times = np.array(ours.latencies(first)) / 1e6
    return Run(
        latencies=times[:, 1] - times[:, 0],
        rate=len(times) / float(times[:, 1].max() - times[:, 0].min()),
        cpu=ours.cpu() - cpu,
        ehr_cpu=ground.ehr.cpu_seconds() - ehr,
        counted={key: value - before.get(key, 0.0) for key, value in after.items()},
        events=count,
    )


def _write(ground: Ground, count: int, rate: float) -> None:
    """Write at fixed instants, whether or not what was written before is dealt with."""
    begun = time.monotonic()
    due: queue.SimpleQueue[tuple[float, dict[str, Any]] | None] = queue.SimpleQueue()
    for number in range(count):
        due.put((begun + number / rate, ground.results.next(number % ground.twins)))
    for _ in range(_WRITERS):
        due.put(None)
    writers = [threading.Thread(target=_writer, args=(ground, due)) for _ in range(_WRITERS)]
    for each in writers:
        each.start()
    for each in writers:
        each.join()


def _writer(ground: Ground, due: queue.SimpleQueue[tuple[float, dict[str, Any]] | None]) -> None:
    client = ground.another()
    while (one := due.get()) is not None:
        at, resource = one
        time.sleep(max(at - time.monotonic(), 0.0))
        client.put(resource)


def _until(reached: Callable[[], bool], patience: float = 120.0) -> None:
    limit = time.monotonic() + patience
    while not reached():
        if time.monotonic() > limit:
            raise TimeoutError("the EHR did not notify of everything")
        time.sleep(0.05)


def _of_steady(run: Run) -> Iterator[Figure]:
    for share in (50, 95, 99):
        value = float(np.percentile(run.latencies, share)) * 1_000
        yield Figure(f"main.latency_p{share}", value, "ms")
    yield Figure("main.rate", run.rate, "events/s")
    waited = run.each(run.counted.get(("didymos_hospital_wait_seconds_total", ""), 0.0))
    yield Figure("main.ehr_wait", waited, "ms/event")
    yield Figure("main.ehr_wait_share", 100 * waited / (float(run.latencies.mean()) * 1_000), "% of latency")
    yield Figure("main.ehr_cpu", run.each(run.ehr_cpu), "ms/event")
    yield from _of_hops(run)


def _of_hops(run: Run) -> Iterator[Figure]:
    total = run.each(run.cpu)
    yield Figure("main.cpu", total, "ms/event")
    spent = {name: run.each(run.counted.get(("didymos_cpu_seconds_total", name), 0.0)) for name in HOPS}
    spent["rest"] = total - sum(spent.values())
    for name, value in spent.items():
        yield Figure(f"main.cpu_{name}", value, "ms/event")
        yield Figure(f"main.share_{name}", 100 * value / total, "% of CPU")


def _compare(ground: Ground, extent: Extent) -> list[Figure]:
    """Take turns, so that what else the machine does falls on both."""
    silence(ground)
    for way in (ground.ours, ground.plain):
        _spent(ground, way, range(_HEAT), 1)
    single, burst = _Sums(), _Sums()
    for turn in range(extent.rounds):
        some = range(turn * extent.singles, (turn + 1) * extent.singles)
        single.add(ground, some, 1)
        burst.add(ground, range(turn * extent.bursts, (turn + 1) * extent.bursts), BURST)
    return [single.figure("main.cpu_vs_plain_single"), burst.figure("main.cpu_vs_plain")]


@dataclass(slots=True)
class _Sums:
    """Processor seconds and events of both ways."""

    ours: float = 0.0
    plain: float = 0.0
    events: int = 0

    def add(self, ground: Ground, numbers: Sequence[int], each: int) -> None:
        self.ours += _spent(ground, ground.ours, numbers, each)
        self.plain += _spent(ground, ground.plain, numbers, each)
        self.events += len(numbers) * each

    def figure(self, name: str) -> Figure:
        scale = 1_000 / self.events
        return against(name, self.ours * scale, self.plain * scale, "ms CPU/event")


def _spent(ground: Ground, way: Way, numbers: Sequence[int], each: int) -> float:
    """Return the processor seconds that ``each`` events for every one of ``numbers`` twins take."""
    bursts = [
        [ground.client.put(ground.results.next(number % ground.twins)) for _ in range(each)]
        for number in numbers
    ]
    before = way.cpu()
    notify(way, bursts)
    settle(way)
    return way.cpu() - before
