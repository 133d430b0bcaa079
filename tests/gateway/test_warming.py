"""``didymos warm``: what set-up and an image's build run."""

from __future__ import annotations

from importlib import import_module

from click.testing import CliRunner

from gateway.cli import main
from twin_engine.compilation import folder, warm
from twin_engine.model import registered


def test_it_says_how_many_modules_are_ready_and_where_they_are_kept():
    said = CliRunner().invoke(main, ["warm"], catch_exceptions=False)
    assert said.exit_code == 0
    assert str(folder()) in said.output
    assert said.output.startswith(f"{len(warm(registered().values()))} ")


def test_every_module_that_a_model_names_can_be_warmed():
    for model in registered().values():
        for name in getattr(model, "kernels", ()):
            assert callable(import_module(name).warm)
