"""The defaults of every keyword and command option, as they were when they were last looked at.

``python -m tests.options.defaults`` writes defaults.yaml again, after a default was changed on
purpose or options were added; the change is then seen in the review, and told in the change log.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tests.options.finding import GEODATA

PLAIN = (bool, int, float, str, type(None))
FILE = Path(__file__).with_suffix(".yaml")


def plain(value: Any) -> Any:
    """Return a default as YAML holds it; of what it cannot hold, the kind."""
    if isinstance(value, list | tuple):
        return [plain(one) for one in value]
    return value if isinstance(value, PLAIN) else type(value).__name__


def now() -> dict[str, Any]:
    """Return the defaults of today, by option."""
    from tests.options.test_every_command_option import COMMANDS

    found = {name: plain(option.default) for name, option in GEODATA.options().items()}
    for words, command in COMMANDS.items():
        for given in command.params:
            found[f"{words} {max(given.opts, key=len)}"] = plain(given.default)
    return dict(sorted(found.items()))


def then() -> dict[str, Any]:
    """Return those that were written down."""
    return dict(yaml.safe_load(FILE.read_text(encoding="utf-8")))


if __name__ == "__main__":
    FILE.write_text(yaml.safe_dump(now(), width=1000, allow_unicode=True), encoding="utf-8")
