"""Fingerprints: by which code, on which evidence, a forecast was made.

Equal evidence and equal code give an equal digest, so that a forecast that would say the same is not
written again, and one made by other code or other coefficients is.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import twin_engine
import twin_engine.models
from twin_engine.encoding import canonical
from twin_engine.model import Model
from twin_engine.twin import Evidence

ENGINE = Path(twin_engine.__file__).parent
# What every model computes with and its state is stored by, besides its own package.
SHARED = (
    "threads.py",
    "twin.py",
    "encoding.py",
    "screening.py",
    "years.py",
    "equations",
    "scores",
    "linear.py",
    "estimation.py",
    "ensemble.py",
    "identification.py",
    "prediction.py",
    "integration.py",
    "compilation.py",
)


def code_hash(model: Model) -> str:
    """Return the SHA-256 (hex) over the sources and data of ``model`` and of what models share.

    The model's own part is the package its class stands in, or the one file where that is no package of
    its own.
    """
    return _hash_of(type(model).__module__)


def evidence_digest(evidence: Evidence, model: Model) -> str:
    """Return the SHA-256 (hex) over ``model`` and the part of ``evidence`` that it declares as inputs."""
    card = model.card
    digest = hashlib.sha256()
    for part in (card.name, card.version, code_hash(model)):
        digest.update(len(part).to_bytes(4, "big") + part.encode())
    digest.update(canonical(declared(evidence, model)))
    return digest.hexdigest()


def declared(evidence: Evidence, model: Model) -> Evidence:
    """Return the part of ``evidence`` that ``model`` declares as inputs."""
    inputs = model.inputs
    numbers = {signal.name for signal in inputs.signals}
    timed = numbers | {signal.name for signal in inputs.findings}
    wanted: dict[str, Callable[[Any], object]] = {
        "measurements": lambda item: item.signal in numbers,
        "findings": lambda item: item.signal in timed,
        "conditions": lambda item: item.name in inputs.conditions,
        "treatments": lambda item: item.name in inputs.treatments,
        "genotypes": lambda item: item.gene in inputs.genes,
        "absences": lambda item: item.signal in timed,
        "series": lambda item: item.signal in numbers,
        "doses": lambda item: item.substance in inputs.doses,
        "relatives": lambda item: item.condition in inputs.relatives,
        # One that names no gene may rest on any of them.
        "implications": lambda item: inputs.genes and (not item.genes or {*item.genes} & {*inputs.genes}),
    }
    chosen = {name: tuple(filter(test, getattr(evidence, name))) for name, test in wanted.items()}
    return Evidence(evidence.subject, **chosen)


@cache
def _hash_of(module: str) -> str:
    digest = hashlib.sha256()
    own = _own(Path(str(sys.modules[module].__file__)))
    shared = (ENGINE / name for name in SHARED)
    for name, file in sorted({(_name(file), file) for root in (own, *shared) for file in _sources(root)}):
        content = file.read_bytes()
        digest.update(
            len(name).to_bytes(4, "big") + name.encode() + len(content).to_bytes(8, "big") + content
        )
    return digest.hexdigest()


def _own(file: Path) -> Path:
    """Return the package of a model's file, unless that package holds other models too."""
    folder = file.parent
    shared = {Path(path) for path in twin_engine.models.__path__} | {ENGINE}
    return folder if (folder / "__init__.py").exists() and folder not in shared else file


def _sources(root: Path) -> Iterator[Path]:
    candidates: Iterable[Path] = root.rglob("*") if root.is_dir() else (root,)
    return (file for file in candidates if file.is_file() and "__pycache__" not in file.parts)


def _name(file: Path) -> str:
    """Return the name of a file that does not depend on where it is installed."""
    return f"{file.parent.name}/{file.name}"
