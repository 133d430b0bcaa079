"""Requests, Consents and databases that the tests of this folder share."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path

from hypothesis import strategies as st
from sqlalchemy import Connection, create_engine, event

from consent import store
from consent.period import Period
from consent.policy import Directive, Policy, Provision
from consent.request import Request

NOW = datetime(2026, 11, 22, 12, tzinfo=UTC)
GATEWAY = "Device/didymos"

STRICT = Policy(
    name="strict",
    scopes=frozenset({"patient-privacy"}),
    categories=frozenset({"59284-0"}),
    purposes=frozenset({"TREAT", "BTG", "HRESCH"}),
    lookups=frozenset({"TREAT"}),
)


def request(**changes: object) -> Request:
    asked = {
        "act": "collect",
        "tenant": "north",
        "subject": "a" * 32,
        "purpose": "TREAT",
        "actors": frozenset({GATEWAY}),
        "at": NOW,
        "classes": frozenset({"Observation"}),
    }
    return Request(**{**asked, **changes})


def rule(type_: str | None, *kids: Provision, **elements: object) -> Provision:
    return Provision(type_, provisions=kids, **elements)


def consent(root: Provision, **changes: object) -> Directive:
    written = {
        "id": "1",
        "version": "1",
        "status": "active",
        "scope": "patient-privacy",
        "categories": frozenset({"59284-0"}),
        "policies": frozenset({"urn:policy:1"}),
        "date_time": datetime(2026, 1, 1, tzinfo=UTC),
    }
    return Directive(root=root, **{**written, **changes})


def codes(*some: str) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(some), max_size=2)


instants = st.sampled_from([datetime(year, 6, 1, tzinfo=UTC) for year in (2020, 2025, 2026, 2027)])
periods = st.builds(Period, st.none() | instants, st.none() | instants)


def provisions(types: st.SearchStrategy[object], depth: int = 2) -> st.SearchStrategy[Provision]:
    kids = provisions(types, depth - 1) if depth else st.nothing()
    return st.builds(
        Provision,
        types,
        period=st.just(Period()) | periods,
        actors=codes(GATEWAY, "Practitioner/1"),
        actions=codes("collect", "use", "access"),
        purposes=codes("TREAT", "HRESCH", "BTG"),
        classes=codes("Observation", "Condition"),
        labels=codes("N", "R", "PSY", "ETH"),
        data_period=st.none() | periods,
        unknown=st.sampled_from([False] * 9 + [True]),
        provisions=st.lists(kids, max_size=2).map(tuple) if depth else st.just(()),
    )


directives = st.builds(
    Directive,
    id=st.sampled_from("abcd"),
    version=st.sampled_from(["1", "2", "10", "x"]),
    status=st.sampled_from(["active", "active", "inactive", "rejected", "draft", "entered-in-error"]),
    scope=st.sampled_from(["patient-privacy", "patient-privacy", "adr"]),
    categories=codes("59284-0", "proxy"),
    root=provisions(st.sampled_from(["permit", "deny", None])),
    policies=codes("urn:policy:1", "urn:policy:2"),
    controller=st.sampled_from([None, "Organization/1"]),
    date_time=st.none() | instants,
    base=st.sampled_from([None, "permit", "deny"]),
)

requests = st.builds(
    request,
    act=st.sampled_from(["consent-lookup", "collect", "use", "disclose"]),
    purpose=st.sampled_from(["TREAT", "BTG", "HRESCH", "HMARKT"]),
    actors=codes(GATEWAY, "Practitioner/1"),
    classes=codes("Observation", "Condition", "Patient", "Consent"),
    labels=codes("N", "R", "PSY", "ETHUD"),
    recipient_enforces_labels=st.booleans(),
    data_period=st.none() | periods,
    restricted=st.booleans(),
)


def database(path: Path) -> Callable[[], AbstractContextManager[Connection]]:
    """Open a file as the gateway does: one transaction a connection, begun immediately."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"isolation_level": None, "timeout": 30})
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN IMMEDIATE"))

    @contextmanager
    def connect() -> Iterator[Connection]:
        with engine.begin() as connection:
            yield connection
        engine.dispose()

    with connect() as connection:
        store.metadata.create_all(connection)
    return connect
