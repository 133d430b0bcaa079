"""The schema arrives once, whoever is first."""

from __future__ import annotations

from multiprocessing import get_context
from multiprocessing.synchronize import Barrier

import pytest
from sqlalchemy import inspect

from gateway.settings import Settings
from gateway.storage import schema
from gateway.wiring import Databases
from tests.support import site as sites
from tests.support.databases import dispose_files


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def unmigrated(request, tmp_path):
    if request.param == "sqlite":
        yield sites.settings(tmp_path)
        dispose_files(tmp_path)
        return
    with request.getfixturevalue("postgres").empty() as url:
        yield sites.settings(tmp_path, url)


def tables(settings: Settings, name: str) -> set[str]:
    opened = Databases.open(settings)
    found = set(inspect(getattr(opened, name).engine).get_table_names())
    opened.close()
    return found


def test_first_start_makes_every_table(unmigrated):
    assert set(schema.metadata.tables) <= tables(unmigrated, "journal")
    assert {"entry", "node", "checkpoint"} <= tables(unmigrated, "audit")
    assert "schema_version_vault" in tables(unmigrated, "vault")


def test_second_start_changes_nothing(unmigrated):
    assert tables(unmigrated, "journal") == tables(unmigrated, "journal")


def open_with_the_others(settings: Settings, start: Barrier) -> None:
    start.wait(30)
    Databases.open(settings).close()


def test_processes_that_start_together_agree(unmigrated):
    forking = get_context("fork")  # a new interpreter would spend seconds on imports
    start = forking.Barrier(3)
    started = [forking.Process(target=open_with_the_others, args=(unmigrated, start)) for _ in range(3)]
    for each in started:
        each.start()
    for each in started:
        each.join(60)
    assert [each.exitcode for each in started] == [0, 0, 0]
    assert set(schema.metadata.tables) <= tables(unmigrated, "journal")
