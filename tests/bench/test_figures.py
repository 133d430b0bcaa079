import os
from pathlib import Path

import orjson
import pytest

from tests.bench import cpu
from tests.bench.figures import Figure, against, keep


def test_figures_of_groups_that_were_not_run_stay(tmp_path: Path) -> None:
    keep(tmp_path / "bench.json", [Figure("other.speed", 1.0, "ms"), Figure("main.speed", 2.0, "ms")])
    keep(tmp_path / "bench.json", [Figure("main.speed", 3.0, "ms")])
    kept = orjson.loads((tmp_path / "bench.json").read_bytes())
    assert kept["other.speed"]["value"] == 1.0
    assert kept["main.speed"] == {"value": 3.0, "unit": "ms", "peer": None, "ratio": None}


def test_the_ratio_says_how_many_times_less_we_need() -> None:
    assert against("main.cpu", 2.0, 10.0, "ms").ratio == 5.0


def test_processor_time_of_a_process_that_works_grows() -> None:
    before = cpu.of_trees([os.getpid()])
    while cpu.of_trees([os.getpid()]) < before + 0.03:
        sum(range(10_000))
    assert cpu.of_trees([os.getpid()]) == pytest.approx(before, abs=5.0)
