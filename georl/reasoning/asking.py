"""Step a: every model is asked about every photo, side by side, each at its own pace."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict
from typing import Any

from geodata.files import FileError
from geodata.printable import tell
from georl import rewards
from georl.config import AskedConfig, ConfigError, ReasonConfig
from georl.endpoints import Endpoint, EndpointError, EndpointRefusalError, Pace, Reply, picture
from georl.reasoning import photos, prompt
from georl.reasoning.calls import Calls, key_of
from georl.reasoning.rows import Row, answer, dropped

AHEAD = 4
"""Photos under way for each request under way."""

_SHOWN = 120
"""Characters of an answer that a row keeps to say why it could not be used."""


class Model:
    """A model that is asked: its server, its pace, and whether it still answers."""

    def __init__(self, name: str, config: ReasonConfig, calls: Calls) -> None:
        self.name, self._calls, self._give_up = name, calls, config.give_up
        self.options = options = config.models[name]
        self._pixels = config.photos.max_pixels
        self.endpoint = Endpoint(
            str(options.url), options.model, options.key_variable, options.retries,
            options.timeout_s,
        )  # fmt: skip
        self._question = config.question or prompt.QUESTION
        self._pace = Pace(options.requests_per_second)
        self._failed, self._lock = 0, threading.Lock()
        self.pool = ThreadPoolExecutor(options.concurrency)

    def about(self, shown: photos.Shown) -> Row:
        """Return the model's answer about a photo, with the problem where it has none.

        Raises
        ------
        ConfigError
            Where the server refuses every photo, or has failed too often in a row.
        """
        try:
            text = self._ask(shown, self._question, self.options.max_tokens, 0).text
            said = prompt.read(text)
            score = said.localizability
            if self.options.localizability == "first_token":
                reply = self._ask(shown, prompt.CAN_BE_LOCATED, 1, rewards.TOP)
                score = rewards.verdict(reply.first)
        except EndpointRefusalError as error:
            msg = f"models.{self.name}: {self.options.url} refuses every photo: {error}"
            raise ConfigError(msg) from error
        except _ChangedError as error:
            return self._failure("model_changed", str(error))
        except EndpointError as error:
            return self._failure("request_failed", error.problem)
        with self._lock:
            self._failed = 0
        detail = _begins(text) if said.problem else None
        return answer(
            self.name, said.problem, detail, localizability=score, reasoning=said.reasoning,
            country=said.country, city=said.city, evidence=list(said.evidence),
        )  # fmt: skip

    def _ask(self, shown: photos.Shown, question: str, max_tokens: int, top: int) -> Reply:
        options = self.options
        kind = kind_of(options, question, self._pixels)
        chat = [{"role": "user", "content": [{"type": "text", "text": question}]}]

        def ask() -> dict[str, Any]:
            chat[0]["content"] = [picture(shown.jpeg), {"type": "text", "text": question}]
            reply = self.endpoint.chat(
                chat, max_tokens=max_tokens, temperature=options.temperature, seed=options.seed,
                top_logprobs=top, pace=self._pace,
            )  # fmt: skip
            return asdict(reply)

        found = self._calls.answer(key_of(shown.hash, kind), kind, ask)
        served = self._calls.served.get(kind, "")
        if found["model"] != served:
            msg = f"the server says {found['model']!r} and said {served!r} before"
            raise _ChangedError(msg)
        return Reply(found["text"], found["first"], found["model"])

    def _failure(self, problem: str, detail: str) -> Row:
        with self._lock:
            self._failed += 1
            if self._failed >= self._give_up:
                msg = (
                    f"models.{self.name}: {self._give_up} requests in a row came to nothing, the "
                    f"last one: {detail}; look at {self.options.url}, then start again: what was "
                    "answered is kept (a server without log-probabilities needs "
                    f"models.{self.name}.localizability=answer)"
                )
                raise ConfigError(msg)
        return answer(self.name, problem, detail)


def _begins(text: str) -> str:
    """Return how an answer begins, for whoever asks why it could not be used."""
    shown = " ".join(text.split())
    return f"it says {shown[:_SHOWN]!r}" if shown else "it says nothing"


class _ChangedError(EndpointError):
    """A reply of another model than the first."""


def kind_of(options: AskedConfig, question: str, pixels: int) -> str:
    """Return the name of all calls that ask one model the same about different photos."""
    return key_of(
        question, options.model, options.temperature, options.max_tokens, options.seed, pixels
    )


def ask(config: ReasonConfig, calls: Calls) -> Iterator[list[Row]]:
    """Yield the photos in their order, in batches, with every model's answer.

    Raises
    ------
    ConfigError
        As `Model.about`; what was answered until then is kept.
    """
    asked = [Model(name, config, calls) for name in config.models]
    for model in asked:
        tell(f"photos are sent to {model.endpoint.told()} as models.{model.name}")
    under_way = sum(model.options.concurrency for model in asked)
    looking = ThreadPoolExecutor(under_way)
    try:
        for batch in photos.rows(config.photos):
            yield list(_in_order(looking, batch, asked, config, AHEAD * under_way))
    finally:
        for model in asked:
            model.endpoint.stop("the run has ended")
        for pool in (looking, *(model.pool for model in asked)):
            pool.shutdown(cancel_futures=True)  # what is under way is paid for: it is kept


def _in_order(
    looking: ThreadPoolExecutor,
    batch: list[Row],
    asked: list[Model],
    config: ReasonConfig,
    most: int,
) -> Iterator[Row]:
    waiting: deque[Future[Row]] = deque()
    for row in batch:
        waiting.append(looking.submit(_about, row, asked, config))
        if len(waiting) >= most:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _about(row: Row, asked: list[Model], config: ReasonConfig) -> Row:
    """Return a row with every model's answer; one that no model can be asked is dropped."""
    if not row["kept"]:
        return row
    try:
        shown = photos.show(row["image"], config.photos)
    except FileError as error:
        return dropped(row, "ask", "image_missing", str(error))
    try:
        answers = [one.result() for one in [m.pool.submit(m.about, shown) for m in asked]]
    except photos.UnreadableError as error:
        return dropped(row, "ask", "image_unreadable", str(error))
    return _with(row, answers)


def _with(row: Row, answers: list[Row]) -> Row:
    """Return a row with its answers: the first with a reasoning is the one that is kept."""
    chosen = next((one for one in answers if one["reasoning"]), answers[0])
    scores = [one["localizability"] for one in answers if one["localizability"] is not None]
    row = row | {
        "answers": answers, "model": chosen["by"], "reasoning": chosen["reasoning"],
        "said_country": chosen["country"], "said_city": chosen["city"],
        "localizability": sum(scores) / len(scores) if scores else None,
        "entities": named(chosen["reasoning"] or "", chosen["evidence"]),
    }  # fmt: skip
    failed = next((one for one in answers if one["problem"]), None)
    if failed is None:
        return row
    detail = f"{failed['by']}: {failed['detail']}" if failed["detail"] else failed["by"]
    return dropped(row, "ask", failed["problem"], detail)


def named(reasoning: str, evidence: list[str]) -> list[str]:
    """Return the things of an answer's evidence that its reasoning names in sentences.

    Examples
    --------
    >>> named("Yellow trams climb a steep street.", ["yellow tram", "castle"])
    ['yellow tram']
    """
    thought = f"<think>{reasoning.replace('<', ' ')}</think>"
    found = []
    for thing in evidence:
        shares = rewards.visual_grounding([thought], entities=[[thing]])
        found += [thing] if shares[0] else []
    return found
