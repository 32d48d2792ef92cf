"""What the help and the options promise: the defaults of the Python functions, 80 columns."""

import inspect
from dataclasses import fields

import pytest
import typer
from typer.testing import CliRunner

from geodata import cor, evaluation
from geodata.cli import app, options


def commands(group=None, path=()):
    """Every command below the application with the words that call it."""
    group = group or typer.main.get_command(app)
    for name, command in group.commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def defaults(function):
    return {name: p.default for name, p in inspect.signature(function).parameters.items()}


def test_scores_have_the_defaults_of_the_python_function():
    python = defaults(evaluation.evaluate)
    typed = {**options.Scoring().keywords(), **options.Columns().keywords()}
    assert typed == {name: python[name] for name in typed}


def test_labels_have_the_defaults_of_the_python_function(monkeypatch):
    assert all(field.default is None for field in fields(options.Labelling))
    monkeypatch.setenv("COLUMNS", "80")
    told = CliRunner().invoke(app, ["label", "--help"]).output
    python = defaults(cor.label)
    for name in ("worldview", "dependencies", "max_offset_km"):
        value = python[name]
        shown = f"{value:g}" if isinstance(value, float) else value
        assert f"[default: {shown}]" in told


@pytest.mark.parametrize("words", [" ".join(words) for words, _ in commands()])
def test_every_command_explains_each_of_its_options(words, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    command = next(command for path, command in commands() if " ".join(path) == words)
    for option in command.params:
        assert getattr(option, "hidden", False) or option.help, option.name
    told = CliRunner().invoke(app, [*words.split(), "--help"]).output
    assert max(map(len, told.splitlines())) <= 80
    assert f"geodata {words}" in told
