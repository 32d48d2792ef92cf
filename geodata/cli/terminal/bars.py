"""The progress bar of the commands."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from geodata.printable import one_line


@contextmanager
def progress(title: str, unit: str = "rows") -> Iterator[Callable[[int, int | None], None]]:
    """Show a progress bar on a terminal; be silent where the output is not one."""
    from rich.console import Console
    from rich.markup import escape
    from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

    console = Console(stderr=True)
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn(f"{{task.completed:,.0f}} {unit}"),
        TimeRemainingColumn(),
        console=console,
        transient=True,
        # rich would send what a command prints meanwhile to the terminal, past a pipe
        redirect_stdout=False,
        redirect_stderr=False,
        disable=not console.is_terminal,
    )
    with bar:
        task = bar.add_task(escape(one_line(title)), total=None)
        yield lambda done, total: bar.update(task, completed=done, total=total)
