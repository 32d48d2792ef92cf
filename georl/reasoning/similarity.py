"""How alike two reasonings are: by sentence embeddings of a server, or by their words alone."""

from __future__ import annotations

import math
import re
import unicodedata
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from itertools import combinations, pairwise
from typing import Any

import numpy as np

from georl.config import AgreeConfig, ConfigError
from georl.endpoints import Endpoint, EndpointError, EndpointRefusalError, Pace
from georl.http import BadReply
from georl.reasoning.calls import Calls, key_of

MAX_CHARS = 8000
_WORD = re.compile(r"[^\W\d_]{4,}")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]+")


class Similarity:
    """The measure of a run.

    Parameters
    ----------
    config
        ``agree``; without ``url`` words are compared, see `by_words`.
    calls
        Where embeddings are kept.
    """

    def __init__(self, config: AgreeConfig, calls: Calls) -> None:
        self._config, self._calls = config, calls
        self._server = None
        if config.url is not None:
            self._server = Endpoint(
                config.url, config.model, config.key_variable, config.retries, config.timeout_s
            )
        self._pace = Pace(config.requests_per_second)

    def told(self) -> str:
        """Return in words how reasonings are compared."""
        if self._server is None:
            return (
                "reasonings are compared by their words, not by their meaning\n"
                "  (agree.url names a server of sentence embeddings)"
            )
        return f"reasonings are sent to {self._server.told()} for embeddings"

    def least(self, groups: list[list[str]]) -> list[float | None]:
        """Return the least similarity of any two texts of each group, None where it has none."""
        if self._server is None:
            return [min(by_words(a, b) for a, b in combinations(g, 2)) for g in groups]
        texts = list(dict.fromkeys(text for group in groups for text in group))
        with ThreadPoolExecutor(self._config.concurrency) as pool:
            vectors = dict(zip(texts, pool.map(self._vector, texts), strict=True))
        return [_least([vectors[text] for text in group]) for group in groups]

    def _vector(self, text: str) -> list[float] | None:
        assert self._server is not None, "only called with a server"
        shown, kind = text[:MAX_CHARS], key_of("embedding", self._config.model)
        body = {"model": self._config.model, "input": shown}
        server = self._server

        def ask() -> dict[str, Any]:
            return {"vector": server.ask("embeddings", body, _embedding, self._pace)}

        try:
            found: list[float] = self._calls.answer(key_of(shown, kind), kind, ask)["vector"]
        except EndpointRefusalError as error:
            msg = f"agree: {self._config.url} refuses every text: {error}"
            raise ConfigError(msg) from error
        except EndpointError:
            return None
        return found


def by_words(one: str, other: str) -> float:
    """Return the cosine of two texts' counts of words, in [0, 1].

    Words of four letters or more count, without case and accents; in scripts without spaces pairs
    of signs. It needs no model and sees no meaning: the same said in other words is unlike, and
    "no palm trees" is like "palm trees".

    Examples
    --------
    >>> by_words("Yellow trams on steep streets", "A steep street with yellow trams") > 0.5
    True
    >>> by_words("Yellow trams", "Cherry blossoms")
    0.0
    """
    a, b = _counts(one), _counts(other)
    shared = sum(n * b[word] for word, n in a.items())
    size = math.sqrt(sum(n * n for n in a.values()) * sum(n * n for n in b.values()))
    return shared / size if size else 0.0


def _counts(text: str) -> Counter[str]:
    plain = unicodedata.normalize("NFKD", text[:MAX_CHARS].casefold())
    plain = "".join(c for c in plain if not unicodedata.combining(c))
    signs = ["".join(pair) for run in _UNSPACED.findall(plain) for pair in pairwise(run)]
    words = [word.removesuffix("s") for word in _WORD.findall(_UNSPACED.sub(" ", plain))]
    return Counter(signs + words)


def _least(vectors: list[list[float] | None]) -> float | None:
    given = [np.asarray(v, np.float64) for v in vectors if v is not None]
    if len(given) < len(vectors) or len({len(v) for v in given}) != 1:
        return None
    return min(float(np.clip(a @ b, -1.0, 1.0)) for a, b in combinations(given, 2))


def _embedding(reply: Any) -> list[float]:
    """Return the unit vector of a reply of OpenAI's form.

    Raises
    ------
    BadReply
        For a reply of another form, or a vector without length.
    """
    try:
        vector = np.asarray(reply["data"][0]["embedding"], np.float64)
    except (TypeError, KeyError, IndexError, ValueError):
        vector = np.empty(0)
    size = float(np.linalg.norm(vector)) if vector.ndim == 1 else 0.0
    if not math.isfinite(size) or size == 0.0:
        msg = "the reply has no data[0].embedding that is a vector"
        raise BadReply(msg)
    return [round(float(x), 7) for x in vector / size]
