"""The HTTP side: two routes of OpenAI's interface on FastAPI, and the socket they listen at."""

from __future__ import annotations

import importlib
import socket
import time
import uuid
from pathlib import Path
from typing import Any

from geodata.printable import tell
from georl.config import ConfigError
from georl.serve.requests import MAX_BODY_BYTES, Asked, RequestError, asked, body_of
from georl.serve.speaker import Speaker, Spoken, Token

HOST, PORT = "127.0.0.1", 8000


def listen(
    model: str,
    *,
    name: str | None = None,
    host: str = HOST,
    port: int = PORT,
    revision: str | None = None,
) -> None:
    """Load a model and answer requests until the process is stopped.

    Parameters
    ----------
    model
        Folder, or hub name.
    name
        What clients call it; by default the last part of ``model``.
    host, port
        Where it listens; port 0 takes a free one, which is printed.
    revision
        Commit of a hub model.

    Raises
    ------
    ConfigError
        If the model cannot be loaded, or FastAPI and uvicorn are not installed.
    OSError
        If the address is taken.

    Examples
    --------
    >>> listen("runs/grpo/final", name="mine", port=8000)  # doctest: +SKIP
    mine is served at http://127.0.0.1:8000/v1
    """
    uvicorn = _needed("uvicorn")
    app = application(model, name=name, revision=revision)
    with socket.create_server((host, port)) as listening:
        where = f"http://{host}:{listening.getsockname()[1]}/v1"
        tell(f"{app.title} is served at {where}")
        uvicorn.Server(uvicorn.Config(app, log_level="warning")).run([listening])


def application(model: str, *, name: str | None = None, revision: str | None = None) -> Any:
    """Return the FastAPI application of a model: /v1/models and /v1/chat/completions.

    Parameters and errors are those of `listen`.

    Examples
    --------
    >>> import tempfile
    >>> from georl import config, models
    >>> folder = tempfile.TemporaryDirectory()
    >>> model, processor = models.load(config.ModelConfig(name="tiny"), texts=["Where is this?"])
    >>> model.save_pretrained(folder.name)
    >>> _ = processor.save_pretrained(folder.name)
    >>> app = application(folder.name, name="tiny")
    >>> app.title, [route.path for route in app.routes]
    ('tiny', ['/v1/models', '/v1/chat/completions'])
    >>> folder.cleanup()
    """
    fastapi = _needed("fastapi")
    pool = _needed("starlette.concurrency")
    _check_name(model, revision)
    speaker, title = Speaker(model, revision), name or Path(model).name
    app = fastapi.FastAPI(title=title, docs_url=None, redoc_url=None, openapi_url=None)

    def list_models() -> dict[str, Any]:
        one = {"id": title, "object": "model", "created": 0, "owned_by": "georl"}
        return {"object": "list", "data": [one]}

    async def complete(request: Any) -> Any:
        try:
            body = body_of(await _content(request))
            if body.get("model") != title:
                msg = f"there is no model {body.get('model')!r:.80} here; it is {title!r}"
                raise RequestError(msg, 404)
            wanted = asked(body)
            return _reply(await pool.run_in_threadpool(speaker.answer, wanted), wanted, title)
        except RequestError as error:
            said = {"error": {"message": str(error), "type": "invalid_request_error"}}
            return fastapi.responses.JSONResponse(said, error.status)

    complete.__annotations__ = {"request": fastapi.Request}
    app.add_api_route("/v1/models", list_models, methods=["GET"], response_model=None)
    app.add_api_route("/v1/chat/completions", complete, methods=["POST"], response_model=None)
    return app


async def _content(request: Any) -> bytes:
    content = b""
    async for part in request.stream():
        content += part
        if len(content) > MAX_BODY_BYTES:
            msg = f"the request is larger than {MAX_BODY_BYTES >> 20} MiB"
            raise RequestError(msg, 413)
    return content


def _reply(spoken: Spoken, wanted: Asked, title: str) -> dict[str, Any]:
    choice: dict[str, Any] = {
        "index": 0,
        "message": {"role": "assistant", "content": spoken.text},
        "finish_reason": "stop" if spoken.finished else "length",
        "logprobs": None,
    }
    if wanted.top is not None:
        choice["logprobs"] = {"content": [_token(token) for token in spoken.tokens]}
    return {
        "id": f"chatcmpl-{uuid.uuid4().hex}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": title,
        "choices": [choice],
        "usage": {
            "prompt_tokens": spoken.asked,
            "completion_tokens": spoken.answered,
            "total_tokens": spoken.asked + spoken.answered,
        },
    }


def _token(token: Token) -> dict[str, Any]:
    pairs = [(token.text, token.logprob), *token.top]
    first, *top = ({"token": t, "logprob": p, "bytes": list(t.encode())} for t, p in pairs)
    return first | {"top_logprobs": top}


def _check_name(model: str, revision: str | None) -> None:
    """Refuse a name that no folder bears and that pins no commit, before torch is loaded."""
    if revision is None and not Path(model).exists():
        msg = (
            f"model {model!r} is not a folder here, so it is a hub name, and its commit is not "
            "pinned; correct the folder's name, or give --revision and the commit's 40 hex digits"
        )
        raise ConfigError(msg)


def _needed(module: str) -> Any:
    try:
        return importlib.import_module(module)
    except ImportError as error:
        msg = f"georl serve needs {module}, which is not installed; pip install '.[serve]'"
        raise ConfigError(msg) from error
