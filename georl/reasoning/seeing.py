"""Step e: what a reasoning names is to be seen in the photo, says a detector or a file."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from geodata.files import ID_NAMES, FileError, find_named, id_text
from geodata.tables import open_rows
from georl import rewards
from georl.config import ConfigError, ReasonConfig
from georl.endpoints import Endpoint, EndpointError, EndpointRefusalError, Pace
from georl.http import BadReply
from georl.reasoning import photos
from georl.reasoning.calls import Calls, key_of
from georl.reasoning.rows import Row, dropped

MAX_LABELS = 30
MAX_LABEL_CHARS = 80


class Witness:
    """Says which of some things are visible in a photo.

    Parameters
    ----------
    config
        ``verify``: a file, or the URL of a zero-shot object detector with the interface of
        Hugging Face's inference API (Grounding DINO, OWLv2): ``{"inputs": image in base64,
        "parameters": {"candidate_labels": [...]}}`` -> ``[{"label", "score", ...}]``.
    calls
        Where detections are kept.

    Raises
    ------
    ConfigError
        If the file has no ids or no entities.
    """

    def __init__(self, config: ReasonConfig, calls: Calls) -> None:
        self._config, self._calls, options = config, calls, config.verify
        self._seen = _of_file(options.file) if options.file is not None else {}
        self._server = None
        if options.url is not None:
            self._server = Endpoint(
                options.url, options.model, options.key_variable, options.retries, options.timeout_s
            )
        self._pace = Pace(options.requests_per_second)

    def told(self) -> str:
        """Return in words who says what is visible."""
        if self._server is not None:
            return f"photos are sent to {self._server.told()} to look for what reasonings name"
        if self._config.verify.file is not None:
            return "what reasonings name is looked for in verify.file"
        return (
            "nobody checks that what reasonings name is visible: verify keeps every row\n"
            "  (verify.url names a detector, verify.file a table of what is visible)"
        )

    def judged(self, rows: list[Row]) -> list[Row]:
        """Step e: drop rows whose reasoning names what is not visible.

        Reasons are ``no_entities`` (it names no thing), ``not_visible``, ``not_listed`` (a photo
        that the file does not have), ``image_missing``, ``image_unreadable`` and
        ``request_failed``. Of kept rows ``entities`` are the visible ones.
        """
        if self._server is None and self._config.verify.file is None:
            return rows
        with ThreadPoolExecutor(self._config.verify.concurrency) as pool:
            return list(pool.map(self._judged, rows))

    def _judged(self, row: Row) -> Row:
        named = row["entities"]
        if not named:
            return dropped(row, "verify", "no_entities")
        try:
            seen = self._visible(row, named)
        except FileError as error:
            return dropped(row, "verify", "image_missing", str(error))
        except photos.UnreadableError as error:
            return dropped(row, "verify", "image_unreadable", str(error))
        except EndpointRefusalError as error:
            msg = f"verify: {self._config.verify.url} refuses every photo: {error}"
            raise ConfigError(msg) from error
        except EndpointError as error:
            return dropped(row, "verify", "request_failed", error.problem)
        if seen is None:
            return dropped(row, "verify", "not_listed")
        visible = [thing for thing in named if any(is_part(thing, other) for other in seen)]
        if len(visible) / len(named) < self._config.verify.min_share:
            unseen = ", ".join(thing for thing in named if thing not in visible)
            return dropped(row, "verify", "not_visible", unseen[:300])
        return row | {"entities": visible}

    def _visible(self, row: Row, named: list[str]) -> list[str] | None:
        if self._server is None:
            return self._seen.get(row["id"])
        server, options = self._server, self._config.verify
        labels = [thing[:MAX_LABEL_CHARS] for thing in named[:MAX_LABELS]]
        shown = photos.show(row["image"], self._config.photos)
        kind = key_of("detection", options.model, self._config.photos.max_pixels)

        def ask() -> dict[str, Any]:
            image = base64.b64encode(shown.jpeg).decode()
            body = {"inputs": image, "parameters": {"candidate_labels": labels}}
            if options.model:
                body["model"] = options.model
            return {"found": server.ask("", body, _detections, self._pace)}

        found = self._calls.answer(key_of(shown.hash, labels, kind), kind, ask)["found"]
        return [label for label, score in found if score >= options.min_score]


def is_part(thing: str, other: str) -> bool:
    """Return whether one of two things is named in the other: a tram in a red tram.

    Examples
    --------
    >>> is_part("red trams", "tram"), is_part("car", "red car"), is_part("car", "scarf")
    (True, True, False)
    """
    texts = [f"<think>{one.replace('<', ' ')}</think>" for one in (thing, other)]
    shares = rewards.visual_grounding(texts, entities=[[other], [thing]])
    return any(share == 1.0 for share in shares)


def _detections(reply: Any) -> list[tuple[str, float]]:
    """Return label and score of each detection.

    Raises
    ------
    BadReply
        For a reply of another form.
    """
    try:
        return [(str(one["label"]), float(one["score"])) for one in reply]
    except (TypeError, KeyError, ValueError):
        msg = "the reply is no list of detections with label and score"
        raise BadReply(msg) from None


def _of_file(file: str) -> dict[str, list[str]]:
    source = open_rows(file)
    names, where = source.columns, str(source.name)
    key = find_named(names, ID_NAMES, "id", where)
    if key is None or "entities" not in names:
        msg = f"verify.file {where} needs columns id and entities; it has {', '.join(names)}"
        raise ConfigError(msg)
    found: dict[str, list[str]] = {}
    for table in source.tables([key, "entities"]):
        ids, seen = id_text(table[key]).to_pylist(), table["entities"].to_pylist()
        for name, things in zip(ids, seen, strict=True):
            if name is not None:
                found[name] = rewards.listed(things)
    return found
