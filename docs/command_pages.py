"""Pages of the command line, made from the programs themselves, so that they cannot differ."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import typer

import geodata.cli
import georl.cli

PROGRAMS = {"geodata": geodata.cli.app, "georl": georl.cli.app}


def write(folder: Path) -> None:
    """Write one page a program into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, app in PROGRAMS.items():
        parts = list(_sections(typer.main.get_command(app), name, 1))
        text = "\n\n".join(parts) + "\n"
        path = folder / f"{name}.md"
        if not path.exists() or path.read_text() != text:  # an unchanged page is not built again
            path.write_text(text)


def _sections(command: Any, path: str, depth: int) -> Iterator[str]:
    yield f"{'#' * min(depth, 4)} {path}" + (" (command line)" if depth == 1 else "")
    said = [" ".join(part.split()) for part in (command.help or "").split("\n\n")]
    said += [command.epilog or ""]
    yield "\n\n".join(part for part in said if part and not part.startswith("Example:"))
    examples = [part.removeprefix("Example: ") for part in said if part.startswith("Example:")]
    if examples:
        yield "```sh\n" + "\n".join(examples) + "\n```"
    below = getattr(command, "commands", None) or {}
    if below:
        rows = [f"| {_link(f'{path} {name}')} | {_first(c.help)} |" for name, c in below.items()]
        yield "\n".join(["| command | what it does |", "|---|---|", *rows])
    rows = [_row(p) for p in command.params if not getattr(p, "hidden", False)]
    rows = [row for row in rows if not row.startswith("| `--help`")]
    if rows and not below:
        yield "\n".join(["| argument or option | meaning | default |", "|---|---|---|", *rows])
    for name, inner in below.items():
        yield from _sections(inner, f"{path} {name}", depth + 1)


def _link(path: str) -> str:
    return f"[{path}](#{path.replace(' ', '-')})"


def _first(text: str | None) -> str:
    return _cell((text or "").split("\n\n")[0])


def _row(parameter: Any) -> str:
    names = [*parameter.opts, *parameter.secondary_opts]
    shown = ", ".join(f"`{name}`" for name in names)
    if parameter.param_type_name == "argument":
        shown = f"`{parameter.metavar or names[0].upper()}`".replace("|", "\\|")
    default = parameter.default
    plain = isinstance(default, str | int | float | Path) and not isinstance(default, bool)
    given = f"`{default}`" if plain and str(default) else ("required" if parameter.required else "")
    return f"| {shown} | {_cell(parameter.help or '')} | {given} |"


def _cell(text: str) -> str:
    return re.sub(r"([|<>*_])", r"\\\1", " ".join(text.split()))
