"""Golden pairs: what each mapping makes of a resource, read like a table.

``<Resource>/<case>.in.json`` stands beside ``<case>.out.json`` (what it tells) or ``<case>.error.json``
(why it is unusable).
"""

import dataclasses
import json
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from fhir_mapping import consent, guard, resource
from fhir_mapping.errors import Unusable

HERE = Path(__file__).parent
NOW = datetime(2026, 1, 15, 12, tzinfo=UTC)
CASES = sorted(HERE.glob("*/*.in.json"))


def plain(value):
    if fields := fields_of(value):
        shown = (field for field in fields if not ordinary(field, value))
        return {type(value).__name__: {field.name: plain(getattr(value, field.name)) for field in shown}}
    if isinstance(value, frozenset):
        return sorted(plain(each) for each in value)
    if isinstance(value, tuple | list):
        return [plain(each) for each in value]
    return value.isoformat() if hasattr(value, "isoformat") else value


def fields_of(value):
    if dataclasses.is_dataclass(value):
        return dataclasses.fields(value)
    return msgspec.structs.fields(value) if isinstance(value, msgspec.Struct) else ()


def ordinary(field, value) -> bool:
    """Tell whether the field says nothing: what holds unless said otherwise is left out."""
    each = plain(getattr(value, field.name))
    return each is True if field.default is True else each in (None, [], False)


def told(body: bytes):
    if json.loads(body)["resourceType"] == "Consent":
        return plain(consent.read(guard.resource(body)))
    reading = resource.read(guard.resource(body), NOW)
    told = msgspec.structs.asdict(reading) | {"updated": None, "last_updated": reading.last_updated}
    return {name: shown for name in told if (shown := plain(told[name])) not in (None, [], False)}


@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.parent.name}/{case.name.removesuffix('.in.json')}"
)
def test_golden_pair_holds(case):
    stem = case.name.removesuffix(".in.json")
    refused = case.with_name(f"{stem}.error.json")
    if refused.exists():
        with pytest.raises(Unusable) as raised:
            told(case.read_bytes())
        assert {"code": raised.value.code, "expression": raised.value.expression} == json.loads(
            refused.read_text()
        )
    else:
        assert told(case.read_bytes()) == json.loads(case.with_name(f"{stem}.out.json").read_text())


@pytest.mark.parametrize("kind", [*resource.MAPPINGS, "Consent"])
def test_every_mapping_has_golden_pairs_for_use_and_refusal(kind):
    assert list((HERE / kind).glob("*.out.json"))
    assert list((HERE / kind).glob("*.error.json"))
