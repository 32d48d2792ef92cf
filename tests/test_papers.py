"""Every name on docs/papers.md is a thing that exists."""

import importlib
import re
from pathlib import Path

import pytest

from geodata.datasets import RECIPES
from georl.config import REWARD_PRESETS

ROOT = Path(__file__).resolve().parents[1]
PAGE = (ROOT / "docs" / "papers.md").read_text(encoding="utf-8")
CODE = sorted(set(re.findall(r"`([^`]+)`", PAGE)))
NAMES = [name for name in CODE if re.fullmatch(r"(geodata|georl)(\.\w+)+", name)]
FILES = [name for name in CODE if re.fullmatch(r"(configs|sql)/[\w./-]+", name)]
COMMANDS = [name for name in CODE if re.match(r"(geodata|georl) [a-z]", name)]


@pytest.mark.parametrize("name", NAMES)
def test_a_name_resolves(name):
    parts = name.split(".")
    for cut in range(len(parts), 0, -1):
        module = ".".join(parts[:cut])
        try:
            found = importlib.import_module(module)
        except ModuleNotFoundError:
            continue
        for part in parts[cut:]:
            found = getattr(found, part)
        return
    pytest.fail(f"{name} is nothing")


@pytest.mark.parametrize("name", FILES)
def test_a_file_is_there(name):
    assert (ROOT / name).is_file()


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_and_its_options_are_there(command):
    import typer.main

    from geodata.cli import app as geodata
    from georl.cli import app as georl

    top, *words = command.split()
    at = typer.main.get_command({"geodata": geodata, "georl": georl}[top])
    for word in words:
        if word.startswith("--"):
            assert word in [option for given in at.params for option in given.opts]
        elif hasattr(at, "commands"):
            at = at.commands[word]


def test_presets_and_recipes_are_there():
    for name in ("globe", "globe-release", "globe-readme", "globe-two"):
        assert f"`{name}`" in PAGE
        assert name in REWARD_PRESETS
    for name in re.findall(r"recipe `(\w+)`", PAGE):
        assert name in RECIPES


def test_the_page_is_looked_at():
    assert len(NAMES) > 30
    assert len(FILES) > 6
    assert len(COMMANDS) > 5
