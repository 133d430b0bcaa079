import ast
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from tests.twin_engine.glucose import GlucoseDecay
from tests.twin_engine.people import MAN, WOMAN, found, measured
from twin_engine import fingerprint
from twin_engine.fingerprint import ENGINE, SHARED, code_hash, declared, evidence_digest
from twin_engine.model import Inputs
from twin_engine.models import MODELS
from twin_engine.models.news2 import News2
from twin_engine.models.prevent import Prevent
from twin_engine.twin import Condition, Evidence, Genotype, Implication, Treatment

EGFR = measured("egfr", 90)
EVIDENCE = Evidence.of(WOMAN, [EGFR, measured("creatinine", 1)])


def test_the_digest_is_of_what_the_model_reads_and_of_nothing_else():
    stray = (
        measured("heart-rate", 70),
        found("consciousness", "alert"),
        Condition("asthma", "Condition/1", True),
        Treatment("aspirin", "MedicationRequest/1", True),
        Genotype("CYP2C19", "Observation/1", "*1/*2"),
    )
    more = Evidence.of(WOMAN, [*EVIDENCE.measurements, *stray])
    assert declared(more, Prevent()) == EVIDENCE
    assert evidence_digest(more, Prevent()) == evidence_digest(EVIDENCE, Prevent())


def test_a_conclusion_that_names_no_gene_may_rest_on_any_that_the_model_reads():
    nameless, other = (
        Implication("therapeutic", name, genes, (), ()) for name, genes in (("a", ()), ("b", ("TPMT",)))
    )
    evidence = Evidence.of(WOMAN, [nameless, other])
    assert declared(evidence, SimpleNamespace(inputs=Inputs(genes=("CYP2C9",)))).implications == (nameless,)
    assert declared(evidence, Prevent()).implications == ()


@pytest.mark.parametrize(
    "other",
    [
        Evidence.of(MAN, EVIDENCE.measurements),
        Evidence.of(WOMAN, [EGFR]),
        Evidence.of(WOMAN, [msgspec.structs.replace(EGFR, value=91.0), measured("creatinine", 1)]),
        Evidence.of(
            WOMAN,
            [msgspec.structs.replace(EGFR, source="Observation/egfr/_history/2"), measured("creatinine", 1)],
        ),
        Evidence.of(WOMAN, [*EVIDENCE.measurements, Condition("diabetes", "Condition/1", True)]),
    ],
)
def test_any_change_of_what_the_model_reads_changes_the_digest(other):
    assert evidence_digest(other, Prevent()) != evidence_digest(EVIDENCE, Prevent())


def test_models_and_their_versions_have_digests_of_their_own():
    newer = Prevent(card=replace(Prevent().card, version="2030.1"))
    digests = {evidence_digest(EVIDENCE, model) for model in (*MODELS, newer)}
    assert len(digests) == len(MODELS) + 1


def test_the_code_hash_is_hex_stable_and_of_the_model():
    assert code_hash(Prevent()) == code_hash(Prevent())
    assert len({code_hash(model) for model in (Prevent(), News2(), GlucoseDecay())}) == 3
    assert len(bytes.fromhex(code_hash(Prevent()))) == 32


def test_a_changed_coefficient_or_equation_changes_the_code_hash(tmp_path, monkeypatch):
    package = tmp_path / "ward_model"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "model.py").write_text("class Ward: pass\n")
    data = package / "coefficients.toml"
    data.write_text("age = 1\n")
    monkeypatch.syspath_prepend(tmp_path)
    ward = import_module("ward_model.model").Ward()
    before = code_hash(ward)
    data.write_text("age = 2\n")
    fingerprint._hash_of.cache_clear()
    assert code_hash(ward) != before
    del sys.modules["ward_model.model"], sys.modules["ward_model"]


# What models import and no number of a forecast comes from, with the reason.
WITHOUT_PART = {
    "__init__.py": "says what the package is",
    "model.py": "is the shape of a model; what a model declares stands in its own package",
    "calibration.py": "judges forecasts once their outcomes are known",
}


def imported(file: Path) -> Iterator[Path]:
    """Yield the files of the engine that ``file`` imports anywhere, in functions too."""
    for node in ast.walk(ast.parse(file.read_text())):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        for name in names:
            place = ENGINE.parent.joinpath(*name.split("."))
            found = (place.with_suffix(".py"), place / "__init__.py")
            yield from (each for each in found if name.startswith("twin_engine") and each.is_file())


def reached(files: set[Path]) -> set[Path]:
    """Return ``files`` and all that they import, directly or through another."""
    known, new = set(), set(files)
    while new:
        known |= new
        new = {each for file in new for each in imported(file)} - known
    return known


def test_what_models_compute_with_outside_their_packages_is_in_the_code_hash():
    models = ENGINE / "models"
    own = set(models.rglob("*.py")) - {models / "__init__.py"}
    outside = {file.relative_to(ENGINE).parts[0] for file in reached(own) if models not in file.parents}
    assert outside >= {"twin.py", "screening.py", "linear.py", "ensemble.py"}
    assert outside <= {*SHARED, *WITHOUT_PART}
    assert {name for name in SHARED if not (ENGINE / name).exists()} == set()
