"""What a set will cost, before the first call: photos, calls, tokens, money and time."""

from __future__ import annotations

from pathlib import Path

from georl.config import AskedConfig, ReasonConfig, check_reason
from georl.endpoints import Endpoint
from georl.reasoning import asking, photos, prompt
from georl.reasoning.calls import Calls, Spent

PIXELS_A_TOKEN = 28 * 28
"""Of Qwen2.5-VL; other models differ."""

SIGNS_A_TOKEN = 4

ANSWER_TOKENS = 400
"""Assumed of an answer until some are there to count."""


def plan(config: ReasonConfig) -> str:
    """Return where photos would go, how many calls are left, and what they take; sends nothing.

    Tokens and seconds a call are those of the answers that are there, and assumed where none is.

    Raises
    ------
    ConfigError, FileError, TableError
        As `run`.

    Examples
    --------
    >>> import tempfile
    >>> import pyarrow as pa
    >>> from PIL import Image
    >>> from geodata import files
    >>> from georl.config import load_reason
    >>> folder = tempfile.TemporaryDirectory()
    >>> Image.new("RGB", (64, 64)).save(folder.name + "/a.jpg")
    >>> photo = pa.table({"id": ["a"], "image": ["a.jpg"], "lat": [48.9], "lon": [2.3]})
    >>> files.write_table(photo, folder.name + "/photos.csv")
    >>> config = load_reason(None, [f"photos.table={folder.name}/photos.csv",
    ...     f"photos.image_root={folder.name}", f"output={folder.name}/work",
    ...     *(f"models.{name}.{key}" for name in "ab" for key in
    ...       ("url=http://localhost:8000/v1", f"model={name}"))])
    >>> print(plan(config).partition(": ")[2].splitlines()[0])
    1 photos, 1 can be asked about
    >>> folder.cleanup()
    """
    check_reason(config)
    total = ready = 0
    for rows in photos.rows(config.photos):
        total += len(rows)
        ready += sum(row["kept"] for row in rows)
    lines = [f"{config.photos.table}: {total} photos, {ready} can be asked about"]
    costs, times = [], []
    with Calls(Path(config.output)) as calls:
        for name, options in config.models.items():
            text, cost, hours = _of_model(name, options, config, calls, ready)
            lines += text
            costs.append(cost)
            times.append(hours)
    known = [cost for cost in costs if cost is not None]
    money = f"${sum(known):.2f}" if len(known) == len(costs) else "not known: set usd_per_million_*"
    lines.append(f"in all: {_hours(max(times))}, cost {money}; answers are kept in {config.output}")
    return "\n".join(lines)


def _of_model(
    name: str, options: AskedConfig, config: ReasonConfig, calls: Calls, ready: int
) -> tuple[list[str], float | None, float]:
    question = config.question or prompt.QUESTION
    pixels = config.photos.max_pixels
    spent = calls.spent.get(asking.kind_of(options, question, pixels), Spent())
    left = max(0, ready - spent.calls)
    each = 1
    if options.localizability == "first_token":
        each = 2
    asked = (pixels // PIXELS_A_TOKEN) + len(question) // SIGNS_A_TOKEN
    answered, seconds = min(ANSWER_TOKENS, options.max_tokens), options.seconds_per_call
    if spent.calls:
        seconds = spent.seconds / spent.calls
        asked = spent.tokens_in // spent.calls or asked
        answered = spent.tokens_out // spent.calls or answered
    rate = options.concurrency / max(seconds, 1e-6)
    if options.requests_per_second > 0:
        rate = min(rate, options.requests_per_second)
    hours = left * each / rate / 3600
    prices = (options.usd_per_million_in, options.usd_per_million_out)
    tokens = (left * each * asked, left * answered)
    known = prices[0] > 0 or prices[1] > 0
    cost = (tokens[0] * prices[0] + tokens[1] * prices[1]) / 1e6 if known else None
    where = Endpoint(str(options.url), options.model, options.key_variable).told()
    return (
        [
            f"models.{name}: {options.model} at {where}",
            f"  {left * each} calls left ({spent.calls} answers are there), {seconds:.2g} s each, "
            f"{rate:.3g} a second",
            f"  about {tokens[0]:,} tokens in, {tokens[1]:,} out; {_hours(hours)}"
            + ("" if cost is None else f"; ${cost:.2f}"),
        ],
        cost,
        hours,
    )


def _hours(hours: float) -> str:
    if hours >= 1.0:
        return f"{hours:.1f} h"
    return f"{hours * 60:.1f} min" if hours * 60 >= 1.0 else f"{hours * 3600:.0f} s"
