"""Kernels are compiled once, found again by other processes, and never stale."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

SUM = """
from kernels.numbers import TERM
from twin_engine.compilation import compiled

@compiled
def total(x):
    return x + TERM

def warm():
    total(1.0)
"""
CALL = """
import sys
sys.path.insert(0, {place!r})
from twin_engine.compilation import warm
class Model:
    kernels = ("kernels.sums",)
assert warm([Model(), object()]) == ("kernels.sums",)
from kernels.sums import total
print(total(1.0), sum(total.stats.cache_hits.values()), sum(total.stats.cache_misses.values()))
"""
ROOT = Path(__file__).parents[2]


@pytest.fixture
def kernels(tmp_path: Path) -> Path:
    package = tmp_path / "kernels"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "numbers.py").write_text("TERM = 2.0\n")
    (package / "sums.py").write_text(SUM)
    return tmp_path


def python(code: str, cache: Path) -> str:
    environment = os.environ | {"NUMBA_CACHE_DIR": str(cache), "PYTHONPATH": str(ROOT)}
    ran = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def test_a_process_that_lists_models_loads_no_compiler(tmp_path: Path) -> None:
    code = (
        "import sys, twin_engine.models\nprint(*sorted({'numba', 'llvmlite', 'scipy'} & sys.modules.keys()))"
    )
    assert python(code, tmp_path).split() == []


def test_another_process_finds_what_was_compiled_until_any_text_it_was_made_of_changes(kernels: Path) -> None:
    cache, call = kernels / "cache", CALL.format(place=str(kernels))
    assert python(call, cache).split() == ["3.0", "0", "1"]
    assert python(call, cache).split() == ["3.0", "1", "0"]
    (kernels / "kernels" / "numbers.py").write_text("TERM = 5.0\n")
    assert python(call, cache).split() == ["6.0", "0", "1"]


def test_what_others_may_have_written_is_not_run(tmp_path: Path) -> None:
    tmp_path.chmod(0o777)
    (tmp_path / "planted").touch()
    used = python(
        "from twin_engine.compilation import folder\nprint(folder(), *folder().iterdir())", tmp_path
    )
    assert len(used.split()) == 1
    assert used.strip() != str(tmp_path)


def test_kernels_that_may_only_be_read_are_used_from_a_copy_that_is_our_own(tmp_path: Path) -> None:
    cache = tmp_path / "image"
    cache.mkdir()
    (cache / "kernel").write_text("compiled")
    cache.chmod(0o555)
    for above in (tmp_path, *tmp_path.parents):
        if above.stat().st_uid == os.getuid() and not above.stat().st_mode & stat.S_IXOTH:
            above.chmod(above.stat().st_mode | stat.S_IXOTH)
    code = """
import os
from twin_engine.compilation import folder
if os.getuid() == 0:
    os.setgroups([])  # to the administrator nothing is read-only
    os.setegid(65534)
    os.seteuid(65534)
print(folder(), (folder() / "kernel").read_text(), oct(folder().stat().st_mode & 0o777))
"""
    place, text, mode = python(code, cache).split()
    assert place != str(cache)
    assert (text, mode) == ("compiled", "0o700")
    assert not Path(place).exists()
