"""Looking into a genomics Observation: its components by code, and the words of a concept."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeVar

from fhir_mapping.codes import GENES, LOINC, SYSTEMS
from fhir_mapping.errors import Problem
from fhir_mapping.lenient import as_object, objects

GENE, TRANSCRIPT = "48018-6", "51958-7"
_GENENAMES = "www.genenames.org"
_SHORT = {url: name for name, url in SYSTEMS.items()}
_SYMBOL = re.compile(r"[A-Z][A-Za-z0-9]{0,14}(?:-[A-Z0-9]{1,6}){0,2}|C[0-9XY]{1,2}orf[0-9]+")
_NOT_SLUG = re.compile(r"[^a-z0-9]+")

T = TypeVar("T")

Parts = Mapping[str, list[dict[str, Any]]]


class Contradiction(Exception):
    """Two statements of one resource that cannot both hold; ``problem`` says which."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.text)
        self.problem = problem


def parts(resource: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """Return the components by code, of LOINC and of HL7's own provisional codes."""
    found: dict[str, list[dict[str, Any]]] = {}
    for component in objects(resource.get("component")):
        for coding in _codings(component.get("code")):
            if coding.get("system") in (LOINC, SYSTEMS["genomics"]) and isinstance(coding.get("code"), str):
                found.setdefault(coding["code"], []).append(component)
    return found


def concept(component: dict[str, Any]) -> object:
    """Return what a component says in words or codes."""
    text = component.get("valueString")
    return {"text": text} if isinstance(text, str) else component.get("valueCodeableConcept")


def concepts(found: Parts, *codes: str) -> Iterator[object]:
    """Yield the values of every component with one of ``codes``."""
    for code in codes:
        yield from (concept(component) for component in found.get(code, ()))


def coded(value: object, table: Mapping[str, T], system: str | None = LOINC) -> T | None:
    """Return what ``table`` says of the first code of ``system`` that it knows; of any system where None."""
    return next(_known(value, table, system), None)


def answer(found: Parts, code: str, table: Mapping[str, str]) -> str | None:
    """Return what ``table`` says of the LOINC answers in every component with ``code``.

    Raises
    ------
    Contradiction
        They say different things.
    """
    return single(one for value in concepts(found, code) for one in _known(value, table, LOINC))


def single(answers: Iterable[T]) -> T | None:
    """Return the one answer that is given, however often; None where there is none.

    Raises
    ------
    Contradiction
        There are different answers.
    """
    given = tuple(dict.fromkeys(answers))
    if len(given) > 1:
        raise contradiction("one question is answered in two ways that cannot both hold")
    return given[0] if given else None


def contradiction(text: str, where: str = "Observation.component.value") -> Contradiction:
    """Return the exception for statements in the values of a report."""
    return Contradiction(Problem("value", text, where))


def words(value: object) -> tuple[str, ...]:
    """Return every name in a concept, what is displayed first."""
    codings = _codings(value)
    given = (
        *(coding.get("display") for coding in codings),
        as_object(value).get("text"),
        *(coding.get("code") for coding in codings),
    )
    return tuple(dict.fromkeys(one.strip() for one in given if isinstance(one, str) and one.strip()))


def label(value: object) -> str | None:
    """Return what a person would call a concept: its text, else what is displayed, else its code."""
    text = as_object(value).get("text")
    return text.strip() if isinstance(text, str) and text.strip() else next(iter(words(value)), None)


def marks(value: object) -> tuple[str, ...]:
    """Return a concept's name and its codes in the systems that we know, as ``rxnorm|11289``."""
    known = (
        f"{_SHORT[coding['system']]}|{coding['code']}"
        for coding in _codings(value)
        if coding.get("system") in _SHORT and isinstance(coding.get("code"), str)
    )
    name = label(value)
    return tuple(dict.fromkeys((*((name,) if name else ()), *known)))


def slug(text: str) -> str:
    """Return words as one lower-case token: ``Poor metabolizer`` is ``poor-metabolizer``."""
    return _NOT_SLUG.sub("-", text.lower()).strip("-")


def number(component: dict[str, Any]) -> float | None:
    """Return the number of a component without a comparator."""
    quantity = as_object(component.get("valueQuantity"))
    value = quantity.get("value", component.get("valueInteger"))
    plain = (
        isinstance(value, int | float) and not isinstance(value, bool) and quantity.get("comparator") is None
    )
    return value if plain else None


def ends(component: dict[str, Any]) -> tuple[int | None, int | None]:
    """Return the whole numbers at the ends of a range."""
    given = as_object(component.get("valueRange"))
    low, high = (as_object(given.get(end)).get("value") for end in ("low", "high"))
    return _whole(low), _whole(high)


def genes(found: Parts) -> tuple[str, ...]:
    """Return the symbols of the genes studied.

    Raises
    ------
    Contradiction
        An HGNC id and the symbol beside it are of different genes.
    """
    return tuple(dict.fromkeys(name for one in concepts(found, GENE) if (name := gene(one)) is not None))


def gene(value: object) -> str | None:
    """Return the symbol of one gene; its HGNC id where the symbol is not given and not known here.

    Raises
    ------
    Contradiction
        An HGNC id and the symbol beside it are of different genes.
    """
    identified = next((one for one in _codings(value) if _GENENAMES in str(one.get("system"))), None)
    number = _hgnc(identified.get("code")) if identified else None
    symbol = next((word for word in words(value) if _SYMBOL.fullmatch(word)), None)
    known = GENES.get(number) if number is not None else None
    mistaken = known != symbol if known else symbol in GENES.values()
    if number is not None and symbol is not None and mistaken:
        raise contradiction("the HGNC id and the symbol beside it are of different genes")
    return symbol or known or (f"HGNC:{number}" if number is not None else None)


def references(value: object) -> tuple[str, ...]:
    """Return the references in a list of References."""
    found = (one.get("reference") for one in objects(value))
    return tuple(dict.fromkeys(one for one in found if isinstance(one, str) and one))


def _known(value: object, table: Mapping[str, T], system: str | None) -> Iterator[T]:
    codes = (one.get("code") for one in _codings(value) if system is None or one.get("system") == system)
    yield from (table[code] for code in codes if isinstance(code, str) and code in table)


def _codings(value: object) -> list[dict[str, Any]]:
    return objects(as_object(value).get("coding"))


def _hgnc(code: object) -> int | None:
    digits = str(code).removeprefix("HGNC:")
    return int(digits) if digits.isascii() and digits.isdigit() and len(digits) < 8 else None


def _whole(value: object) -> int | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if abs(value) < 1e12 and value == int(value) else None
