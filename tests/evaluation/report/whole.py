"""Whole reports of fixed rows, as text: every word, number and mark of every form.

``python -m tests.evaluation.report.whole`` writes them anew to ``golden``. What changes there is
what a reader of a report sees change: read the difference before it is committed.
"""

import hashlib
import io
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
from rich.console import Console

from geodata import SOFTWARE, evaluation
from geodata.evaluation import report

GOLDEN = Path(__file__).parent / "golden"
CITIES = {
    "Paris": (48.86, 2.35, "France"), "Tokyo": (35.68, 139.77, "Japan"),
    "Sydney": (-33.87, 151.21, "Australia"), "Cairo": (30.04, 31.24, "Egypt"),
    "Nairobi": (-1.29, 36.82, "Kenya"), "Delhi": (28.61, 77.2, "India"),
    "Madrid": (40.42, -3.7, "Spain"), "Berlin": (52.52, 13.4, "Germany"),
}  # fmt: skip
NORTH = (0.0, 0.005, 0.05, 0.2, 0.5, 1.5, 4.0, 9.0, 30.0)
"""How far north of the truth answers lie, degrees of 111.195 km."""

ROWS = 48


def rows() -> tuple[pa.Table, pa.Table]:
    """Return truth and predictions: 48 photos in eight cities by seven authors, some unanswered."""
    at = list(CITIES.values())
    names = list(CITIES)
    place = [i * 5 % 8 for i in range(ROWS)]
    off = [NORTH[i * i % 9] * (1 + i / 100) for i in range(ROWS)]
    lat = [at[p][0] + i / 1000 for i, p in enumerate(place)]
    lon = [at[p][1] for p in place]
    told = [i % 11 != 7 for i in range(ROWS)]
    ids = [f"photo|{i}*" for i in range(ROWS)]
    truth = {
        "id": ids,
        "lat": lat,
        "lon": lon,
        "author": [None if i % 13 == 5 else f"user <{i % 7}>" for i in range(ROWS)],
        "country": [at[p][2] for p in place],
        "city": [names[p] for p in place],
    }
    y = [v + d if v + d < 89 else v - d for v, d in zip(lat, off, strict=True)]
    guess = {
        "id": ids,
        "lat": [v if ok else None for v, ok in zip(y, told, strict=True)],
        "lon": [v if ok else None for v, ok in zip(lon, told, strict=True)],
        "country": [at[(p + (i % 5 == 0)) % 8][2] for i, p in enumerate(place)],
        "city": [names[(p + (i % 4 == 0)) % 8] for i, p in enumerate(place)],
    }
    return pa.table(truth), pa.table(guess)


def columns(table: pa.Table, *names: str) -> pa.Table:
    return table.select(list(names))


def score() -> evaluation.Evaluation:
    truth, guess = rows()
    return evaluation.evaluate(
        guess, truth, by=("country", "author", "continent"), cluster="author",
        benchmark="im2gps3k", regions=True, names=True, resamples=200,
    )  # fmt: skip


def plain() -> evaluation.Evaluation:
    truth, guess = rows()
    guess = columns(guess, "id", "lat", "lon").slice(0, 45)
    return evaluation.evaluate(
        guess, columns(truth, "id", "lat", "lon"), (25.0, 200.0, 1234.5), missing="exclude",
        strict=True, distance="wgs84", regions=False, confidence=0.9, resamples=100, seed=7,
        lint=False,
    )  # fmt: skip


def several() -> evaluation.Evaluation:
    truth, guess = rows()
    y, x = guess["lat"].to_pylist(), guess["lon"].to_pylist()
    answers: dict[str, list[object]] = {"id": [], "lat": [], "lon": [], "rank": [], "sure": []}
    for i, name in enumerate(truth["id"].to_pylist()):
        for rank in range(1, 4):
            near = y[i] is not None
            answers["id"].append(name)
            answers["lat"].append(y[i] + (rank - 1) * (0.3 if i % 2 else -0.3) if near else None)
            answers["lon"].append(x[i])
            answers["rank"].append(rank)
            answers["sure"].append(((i * 7 + rank * 3) % 20) / 20)
    return evaluation.evaluate(
        answers, columns(truth, "id", "lat", "lon"), regions=True, resamples=100,
        candidates="rows", rank="rank", confidence_column="sure",
    )  # fmt: skip


def readings() -> evaluation.Evaluation:
    """Score words, which readers of several papers take differently."""
    truth, guess = rows()
    forms = (
        "({y}, {x})", "I think it is {y}, {x}.", "Coordinates: {y} N, {x} E", "I cannot tell.",
        '{{"latitude": {y}, "longitude": {x}}}', "", "somewhere in the north", "lat {y}",
        "First (1.0, 2.0), but no: ({y}, {x})", "Country: France\nCity: Paris\n({y}, {x})", "({y})",
    )  # fmt: skip
    places = zip(guess["lat"].to_pylist(), guess["lon"].to_pylist(), strict=True)
    told = [forms[i % 11].format(y=y, x=x) for i, (y, x) in enumerate(places)]
    words = {"id": truth["id"].to_pylist(), "response": told}
    return evaluation.evaluate(
        words, columns(truth, "id", "lat", "lon"), regions=False, resamples=100
    )


def distances() -> evaluation.Evaluation:
    km = [None if i % 9 == 4 else float(i * i) for i in range(ROWS)]
    known = {"id": [str(i) for i in range(ROWS)], "distance_km": km}
    return evaluation.evaluate(known, resamples=100)


def other() -> pa.Table:
    _, guess = rows()
    lat = [v and v + (0.9 if i % 3 else -0.3) for i, v in enumerate(guess["lat"].to_pylist())]
    lat[2:6] = [None] * 4
    return pa.table({**columns(guess, "id", "lon").to_pydict(), "lat": lat})


def pair() -> evaluation.Comparison:
    truth, guess = rows()
    return evaluation.compare(
        columns(guess, "id", "lat", "lon"), other(), columns(truth, "id", "lat", "lon", "author"),
        cluster="author", resamples=200,
    )  # fmt: skip


def models(*, same: bool) -> evaluation.ModelTable:
    truth, guess = rows()
    first, second = columns(guess, "id", "lat", "lon"), other()
    third = pa.table(
        {**second.to_pydict(), "lat": [v and v / 2 for v in second["lat"].to_pylist()]}
    )
    given = {"near & far": second if same else first, "50%": second, "half_": third}
    return evaluation.table(
        given, columns(truth, "id", "lat", "lon"), benchmark="im2gps3k", resamples=100
    )


def printed(function: Callable[..., None], found: object) -> str:
    text = io.StringIO()
    function(found, Console(file=text, width=80))
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines()) + "\n"


def pictures(page: str) -> str:
    """Return the body of a page, long values by their hash: land, and pictures of dots."""
    body = page[page.index("<main>") :]
    long = re.compile(r'(?<=")[^"<>]{200,}(?=")')
    body = long.sub(lambda found: hashlib.sha256(found[0].encode()).hexdigest()[:16], body)
    land = re.compile(r'(?:<path d="[^"]*"/>)+')
    body = land.sub(lambda f: f"<land {hashlib.sha256(f[0].encode()).hexdigest()[:16]}/>", body)
    return body.replace("><", ">\n<")


def brief(text: str) -> str:
    """Return a result as JSON with two published rows of each list: they are read in a file."""
    found = json.loads(text)
    waiting: list[Any] = [found]
    while waiting:
        item = waiting.pop()
        if isinstance(item, dict):
            if isinstance(item.get("published"), list):
                item["published"] = item["published"][:2]
            waiting += item.values()
        elif isinstance(item, list):
            waiting += item
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def stable(text: str) -> str:
    """Return a text without what differs from one machine and version to the next."""
    text = text.replace(SOFTWARE, "<software>")
    text = re.sub(r"\b[0-9a-f]{64}\b", "<sha256>", text)
    return re.sub(r"-?\d+\.\d{10,}(e-?\d+)?", lambda found: f"{float(found[0]):.9g}", text)


def forms() -> dict[str, str]:
    """Return every report by the name of its file."""
    found = {
        "score": score(),
        "plain": plain(),
        "several": several(),
        "distances": distances(),
        "readings": readings(),
    }
    made = {}
    for name, result in found.items():
        made[f"{name}.md"] = report.to_markdown(result)
        made[f"{name}.txt"] = printed(report.print_evaluation, result)
        made[f"{name}.json"] = brief(result.to_json())
        made[f"{name}.html"] = pictures(report.to_html(result))
    made["pair.txt"] = printed(report.print_comparison, pair())
    made["pair.json"] = brief(pair().to_json())
    made["pair.html"] = pictures(report.comparison_html(pair()))
    for name, same in (("same", True), ("models", False)):
        many = models(same=same)
        made[f"{name}.txt"] = printed(report.print_models, many)
        made[f"{name}.md"] = many.to_markdown()
        made[f"{name}.tex"] = many.to_latex()
    made["models.json"] = brief(models(same=False).to_json())
    made["notebook.html"] = report.notebook_html(found["plain"]).replace("><", ">\n<")
    return {name: stable(text) for name, text in made.items()}


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for file, text in forms().items():
        (GOLDEN / file).write_text(text, encoding="utf-8")
