"""The ``georl serve`` command: a model behind HTTP."""

from __future__ import annotations

from typing import Annotated

import typer


def register(app: typer.Typer) -> None:
    """Add the command to the ``georl`` application."""
    app.command(rich_help_panel="Try out")(serve)


def serve(
    model: Annotated[str, typer.Argument(metavar="MODEL", help="Folder, or hub name.")],
    name: Annotated[str | None, typer.Option(help="What clients call it.")] = None,
    host: Annotated[str, typer.Option(help="Address to listen at; no key is asked for.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(min=0, max=65535, help="0 takes a free one.")] = 8000,
    revision: Annotated[str | None, typer.Option(help="Commit of a hub model.")] = None,
) -> None:
    """Serve a model over HTTP: OpenAI's chat completions with images and log-probabilities.

    For trying out and tests; vLLM serves the same interface fast.

    Example: georl serve out/tiny/final --port 8000
    """
    from georl import serve as serving

    serving.listen(model, name=name, host=host, port=port, revision=revision)
