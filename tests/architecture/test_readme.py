"""What the README says is true of what exists."""

import re
from pathlib import Path

import click
import pytest

from gateway.cli import main
from twin_engine.models import MODELS

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text()


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.card.name)
def test_every_model_stands_there_with_its_one_word(model):
    row = next(line for line in README.splitlines() if line.startswith(f"| `{model.card.name}`"))
    assert f"*{model.card.evidence}*" in row


@pytest.mark.parametrize("place", sorted(set(re.findall(r"`(tests/[a-z_/.]+)`", README))))
def test_every_promise_names_a_test_that_exists(place):
    assert (ROOT / place).exists()


@pytest.mark.parametrize(
    "command", sorted(set(re.findall(r"^didymos (.+?)(?:  +#.*)?$", README, re.MULTILINE)))
)
def test_every_command_shown_is_understood(command):
    words = re.findall(r'"[^"]*"|\S+', command)
    group, context = main, click.Context(main)
    while isinstance(group, click.Group):
        group = group.get_command(context, words.pop(0))
        assert group is not None
    options = {option for parameter in group.params for option in parameter.opts}
    assert {word for word in words if word.startswith("--")} <= options
    arguments = (parameter for parameter in group.params if isinstance(parameter, click.Argument))
    assert sum(argument.required for argument in arguments) <= len(words)


@pytest.mark.parametrize("target", sorted(set(re.findall(r"`?make (\w+)", README))))
def test_every_make_target_shown_exists(target):
    assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE)


def test_it_never_claims_compliance():
    assert "HIPAA compliant" not in README
