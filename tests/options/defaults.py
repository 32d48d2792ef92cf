"""The defaults of every keyword and command option, as they were when they were last looked at.

``python -m tests.options.defaults`` writes them again, after a default was changed on purpose or
options were added; the change is then seen in the review, and told in the change log.
"""

from __future__ import annotations

import dataclasses
from typing import Any

import yaml

from tests.options.finding import GEODATA, GEORL, ROOT, Cases

PLAIN = (bool, int, float, str, type(None))
FILES = {
    GEODATA: ROOT / "tests/options/defaults.yaml",  # with the options of all commands
    GEORL: ROOT / "tests/georl/options/defaults.yaml",
}


def plain(value: Any) -> Any:
    """Return a default as YAML holds it; of what it cannot hold, the kind."""
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    if dataclasses.is_dataclass(value):
        return {one.name: plain(getattr(value, one.name)) for one in dataclasses.fields(value)}
    return value if isinstance(value, PLAIN) else type(value).__name__


def now(cases: Cases) -> dict[str, Any]:
    """Return the defaults of today, by option."""
    found = {name: plain(option.default) for name, option in cases.options().items()}
    return dict(sorted((found | (_of_commands() if cases is GEODATA else {})).items()))


def _of_commands() -> dict[str, Any]:
    from tests.options.test_every_command_option import COMMANDS

    return {
        f"{words} {max(given.opts, key=len)}": plain(given.default)
        for words, command in COMMANDS.items()
        for given in command.params
    }


def then(cases: Cases) -> dict[str, Any]:
    """Return those that were written down."""
    return dict(yaml.safe_load(FILES[cases].read_text(encoding="utf-8")))


def check(cases: Cases) -> None:
    """Fail for a default that changed, and for many that were never written down."""
    today, before = now(cases), then(cases)
    changed = {n: (before[n], today.get(n)) for n in before if today.get(n) != before[n]}
    assert not changed, "if this is meant, python -m tests.options.defaults writes it down"
    assert len(today.keys() - before.keys()) <= 20, "write the new ones down, see defaults.py"


if __name__ == "__main__":
    for package, file in FILES.items():
        text = yaml.safe_dump(now(package), width=1000, allow_unicode=True)
        file.write_text(text, encoding="utf-8")
