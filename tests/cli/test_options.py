"""What the help and the options promise: the defaults of the Python functions, 80 columns."""

import inspect
from dataclasses import dataclass, fields

import pytest
import typer
from typer.testing import CliRunner

from geodata import cor, evaluation
from geodata.cli import app, options
from geodata.cli.options import groups


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


@pytest.mark.parametrize("words", [" ".join(words) for words, _ in commands()])
def test_a_command_that_needs_words_shows_its_help_without(words):
    command = next(command for path, command in commands() if " ".join(path) == words)
    needs = any(option.required for option in command.params) or words == "geocode"
    assert command.no_args_is_help == needs


def test_verbs_stand_in_the_help_under_what_they_are_about():
    panels: dict = {}
    for name, command in typer.main.get_command(app).commands.items():
        panels.setdefault(command.rich_help_panel, set()).add(name)
        assert not hasattr(command, "commands") or command.no_args_is_help
    assert panels == {
        "Labels and places": {"label", "geocode", "boundaries"},
        "Scores": {"evaluate", "compare", "lint", "table"},
        "Data": {"sql", "map", "records", "photos", "dataset", "tables", "leakage"},
    }


@dataclass(frozen=True)
class Place:
    lat: float
    lon: float = 0.5


@dataclass(frozen=True)
class Look:
    dark: bool = False


def test_groups_of_options_are_taken_apart_and_put_together():
    seen = []

    @options.with_groups
    def show(name: str, place: Place, loud: bool = False, *, look: Look) -> None:
        """Show it."""
        seen.append((name, place, loud, look))

    declared = inspect.signature(show).parameters
    assert list(declared) == ["name", "lat", "lon", "loud", "dark"]
    assert {p.kind for p in declared.values()} == {inspect.Parameter.KEYWORD_ONLY}
    assert declared["lon"].default == 0.5
    assert show.__doc__ == "Show it."
    show(name="a", lat=1.0)
    show(name="a", lat=1.0, lon=2.0, loud=True, dark=True)
    assert seen == [("a", Place(1.0), False, Look()), ("a", Place(1.0, 2.0), True, Look(True))]


def test_defaults_that_python_has():
    def asked(a, b=1, *, c=2, d=None):
        pass

    assert options.keyword_defaults(asked) == {"c": 2, "d": None}
    shown = groups._shown
    assert [shown(one) for one in ((1, "a"), ["x"], 10.0, 0.25, 7, "t")] == [
        "1,a", "x", "10", "0.25", "7", "t",
    ]  # fmt: skip


def test_a_command_must_say_which_defaults_python_has():
    with pytest.raises(NotImplementedError):
        options.ShowsDefaults("x").python_defaults()
