"""Some eighty prediction files as people write them: what each scores, and every finding on it.

``python -m tests.evaluation.joining.whole`` writes them anew; read what changed.
"""

# ruff: noqa: E501  a case a line

import gzip
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geodata import evaluation

KNOWN = Path(__file__).parent / "whole.txt"
N = 24
IDS = [f"{i * 37:05d}" for i in range(1, N + 1)]
LAT = [round(-50 + 4.7 * i, 3) for i in range(N)]
LON = [round(-160 + 13.3 * i, 3) for i in range(N)]
GUESS = [round(v + (0.0, 0.1, 1.0, 5.0)[i % 4], 3) for i, v in enumerate(LAT)]

Rows = dict[str, list[Any]]
Case = Callable[[], tuple[Any, Any, dict[str, Any]]]


def truth(**columns: list[Any]) -> Rows:
    return {"id": IDS, "lat": LAT, "lon": LON, **columns}


def rows(**columns: list[Any]) -> Rows:
    return {"id": IDS, "lat": GUESS, "lon": LON, **columns}


def text_file(name: str, text: str, encoding: str = "utf-8") -> str:
    data = text.encode(encoding)
    Path(name).write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
    return name


def table_file(name: str, found: Rows, between: str = ",", **options: str) -> str:
    lines = [found.keys(), *zip(*found.values(), strict=True)]
    text = "\n".join(between.join("" if v is None else str(v) for v in line) for line in lines)
    return text_file(name, text + "\n", **options)


def lines_file(name: str, found: list[dict[str, Any]]) -> str:
    return text_file(name, "".join(json.dumps(row) + "\n" for row in found))


def each(found: Rows) -> list[dict[str, Any]]:
    return [dict(zip(found, line, strict=True)) for line in zip(*found.values(), strict=True)]


def parquet(name: str, found: Rows | pa.Table) -> str:
    pq.write_table(found if isinstance(found, pa.Table) else pa.table(found), name)
    return name


def npz(name: str, **arrays: Any) -> str:
    np.savez(name, **arrays)
    return name


def some(values: list[Any], at: dict[int, Any]) -> list[Any]:
    return [at.get(i, value) for i, value in enumerate(values)]


def ids(make: Callable[[str], Any], mine: Callable[[str], Any] = str) -> Case:
    return lambda: (rows(id=[make(i) for i in IDS]), truth(id=[mine(i) for i in IDS]), {})


def given(make: Callable[[], Any], **options: Any) -> Case:
    return lambda: (make(), truth(), options)


def several(layout: str) -> Rows:
    if layout == "list":
        return {
            "id": IDS,
            "candidates": [
                [[a, b], [b, a % 90], [0.5, 0.5]] for a, b in zip(GUESS, LON, strict=True)
            ],
        }
    found = {"id": [i for i in IDS for _ in range(2)], "lat": [], "lon": [], "rank": [2, 1] * N}
    for a, b in zip(GUESS, LON, strict=True):
        found["lat"] += [a, a + 0.5]
        found["lon"] += [b, b]
    return found


CASES: dict[str, Case] = {
    "rows": given(rows),
    "csv": given(lambda: table_file("a.csv", rows())),
    "csv with a mark and semicolons": given(lambda: table_file("a.csv", rows(), ";", encoding="utf-8-sig")),
    "csv in latin-1": given(lambda: table_file("a.csv", rows(note=["é"] * N), encoding="latin-1"), encoding="latin-1"),
    "csv in latin-1 unsaid": given(lambda: table_file("a.csv", rows(note=["é"] * N), encoding="latin-1")),
    "csv in utf-16": given(lambda: table_file("a.csv", rows(), encoding="utf-16")),
    "tsv": given(lambda: table_file("a.tsv", rows(), "\t")),
    "csv.gz": given(lambda: table_file("a.csv.gz", rows())),
    "csv with a short row": given(lambda: text_file("a.csv", "id,lat,lon\n00037,1,2\n00074,3\n00111,4,5,6\n")),
    "csv with a comma for the point": given(lambda: table_file("a.csv", rows(lat=[str(v).replace(".", ",") for v in GUESS]), ";")),
    "csv without rows": given(lambda: text_file("a.csv", "id,lat,lon\n")),
    "csv without anything": given(lambda: text_file("a.csv", "")),
    "csv without a head": given(lambda: text_file("a.csv", "00037,1,2\n00074,3,4\n")),
    "csv with spaces in its head": given(lambda: text_file("a.csv", " id , lat , lon \n00037, 1.5 , 2.5\n")),
    "jsonl": given(lambda: lines_file("a.jsonl", each(rows()))),
    "jsonl nested": given(lambda: lines_file("a.jsonl", [{"id": r["id"], "prediction": {"lat": r["lat"], "lon": r["lon"]}} for r in each(rows())])),
    "jsonl with late keys": given(lambda: lines_file("a.jsonl", [{"id": IDS[0]}, *each(rows())[1:]])),
    "jsonl with a broken line": given(lambda: text_file("a.jsonl", '{"id": "00037", "lat": 1, "lon": 2}\n{"id": \n')),
    "json": given(lambda: text_file("a.json", json.dumps(each(rows())))),
    "json by id": given(lambda: text_file("a.json", json.dumps({r["id"]: [r["lat"], r["lon"]] for r in each(rows())}))),
    "parquet": given(lambda: parquet("a.parquet", rows())),
    "parquet of halves": given(lambda: parquet("a.parquet", pa.table({"id": IDS, "lat": pa.array(GUESS, pa.float32()), "lon": pa.array(LON, pa.float32())}))),
    "npz": given(lambda: npz("a.npz", id=np.array(IDS), lat=np.array(GUESS), lon=np.array(LON))),
    "npz of pairs": given(lambda: npz("a.npz", id=np.array(IDS), coordinates=np.array([GUESS, LON]).T)),
    "other names": given(lambda: {"image": IDS, "latitude": GUESS, "longitude": LON}),
    "pred names": given(lambda: {"photo_id": IDS, "pred_lat": GUESS, "pred_lon": LON}),
    "names that are not known": given(lambda: {"a": IDS, "b": GUESS, "c": LON}),
    "names that are said": given(lambda: {"a": IDS, "b": GUESS, "c": LON}, pred_id="a", pred_lat="b", pred_lon="c"),
    "names that are said and not there": given(rows, pred_lat="b"),
    "two latitudes": given(lambda: rows(latitude=GUESS, Lat=GUESS)),
    "a pair in one column": given(lambda: {"id": IDS, "prediction": [f"{a}, {b}" for a, b in zip(GUESS, LON, strict=True)]}),
    "a list in one column": given(lambda: {"id": IDS, "coordinates": [[a, b] for a, b in zip(GUESS, LON, strict=True)]}),
    "text": given(lambda: {"id": IDS, "response": [f"I think ({a}, {b})." for a, b in zip(GUESS, LON, strict=True)]}),
    "text that refuses": given(lambda: {"id": IDS, "response": some([f"({a}, {b})" for a, b in zip(GUESS, LON, strict=True)], {3: "I cannot tell.", 5: "", 6: None, 7: "Sorry, no idea"})}),
    "text that is said": given(lambda: {"id": IDS, "words": [f"({a}, {b})" for a, b in zip(GUESS, LON, strict=True)]}, text="words"),
    "text in place of numbers": given(lambda: rows(lat=some([str(v) for v in GUESS], {2: "x", 4: "n/a", 6: "12.5N"}))),
    "degrees and minutes": given(lambda: rows(lat=some([str(v) for v in GUESS], {2: "40°36'"}))),
    "missing": given(lambda: rows(lat=some(GUESS, {1: None, 2: float("nan"), 3: None}), lon=some(LON, {1: None, 2: float("nan")}))),
    "missing excluded": given(lambda: rows(lat=some(GUESS, {1: None}), lon=some(LON, {1: None})), missing="exclude"),
    "out of range": given(lambda: rows(lat=some(GUESS, {1: 90.5, 2: -91.0, 3: 1e9}), lon=some(LON, {4: 360.5, 5: -361.0, 6: 200.0, 7: float("inf")}))),
    "null island": given(lambda: rows(lat=some(GUESS, {1: 0.0, 2: 0.0005, 3: 0.002}), lon=some(LON, {1: 0.0, 2: -0.0005, 3: 0.0}))),
    "placeholders": given(lambda: rows(lat=some(GUESS, {1: 12.3456, 2: 1.2345}), lon=some(LON, {1: 123.4567, 2: 2.3456}))),
    "one answer for all": given(lambda: rows(lat=[48.8566] * N, lon=[2.3522] * N)),
    "swapped": given(lambda: rows(lat=LON, lon=GUESS)),
    "west as east": given(lambda: rows(lon=[abs(v) for v in LON])),
    "radians": given(lambda: rows(lat=np.radians(GUESS).tolist(), lon=np.radians(LON).tolist())),
    "the truth itself": given(truth),
    "half of the rows": given(lambda: {k: v[:12] for k, v in rows().items()}),
    "rows of others": given(lambda: rows(id=[*IDS[:20], "x", "y", "z", "w"])),
    "no row in common": given(lambda: rows(id=[f"n{i}" for i in range(N)])),
    "in another order": given(lambda: {k: v[::-1] for k, v in rows().items()}),
    "an id twice, the same": given(lambda: {k: [*v, v[3]] for k, v in rows().items()}),
    "an id twice, another": given(lambda: {"id": [*IDS, IDS[3]], "lat": [*GUESS, 1.0], "lon": [*LON, 1.0]}),
    "an id that is missing": given(lambda: rows(id=some(IDS, {2: None, 3: ""}))),
    "ids with folders": ids(lambda i: f"photos/{i}.jpg"),
    "ids with folders in the truth": ids(str, lambda i: f"a/b/{i}.jpg"),
    "ids with endings": ids(lambda i: f"{i}.JPG", lambda i: f"{i}.jpeg"),
    "ids with two endings": ids(lambda i: f"{i}.jpg.png"),
    "ids with blanks": ids(lambda i: f" {i} "),
    "ids flat": ids(lambda i: f"a_b_{i}", lambda i: f"a/b/{i}.jpg"),
    "ids in capitals": ids(lambda i: f"IMG{i}", lambda i: f"img{i}"),
    "ids as numbers": ids(int),
    "ids as numbers on both sides": ids(int, int),
    "ids as floats": ids(float, lambda i: str(int(i))),
    "ids in exponents": ids(lambda i: f"{int(i) / 10}e1", lambda i: str(int(i))),
    "ids matched exactly": lambda: (rows(id=[f"{i}.jpg" for i in IDS]), truth(), {"match": "exact"}),
    "ids matched by stem": lambda: (rows(id=[f"{i}.jpg" for i in IDS]), truth(), {"match": "stem"}),
    "truth with an id twice": lambda: (rows(), {k: [*v, v[0]] for k, v in truth().items()}, {}),
    "truth with an id in two places": lambda: (rows(), {"id": [*IDS, IDS[0]], "lat": [*LAT, 5.0], "lon": [*LON, 5.0]}, {}),
    "truth without a place": lambda: (rows(), truth(lat=some(LAT, {4: None})), {}),
    "truth in the same file": lambda: ({"id": IDS, "lat": LAT, "lon": LON, "pred_lat": GUESS, "pred_lon": LON}, None, {}),
    "distances": lambda: ({"id": IDS, "distance_km": [float(i * i) for i in range(N)]}, None, {}),
    "distances in metres": lambda: ({"id": IDS, "distance_m": [1000.0 * i * i for i in range(N)]}, None, {}),
    "distances in miles": lambda: ({"id": IDS, "d": [float(i * i) for i in range(N)]}, None, {"distance_column": "d", "distance_unit": "mi"}),
    "distances without a unit": lambda: ({"id": IDS, "distance": [float(i * i) for i in range(N)]}, None, {}),
    "distances that are none": lambda: ({"id": IDS, "distance_km": some([1.0] * N, {1: -1.0, 2: 1e6, 3: None})}, None, {}),
    "several answers in a list": given(lambda: several("list")),
    "several answers in rows": given(lambda: several("rows"), candidates="rows", rank="rank"),
    "several answers in rows, unsaid": given(lambda: several("rows")),
    "a confidence": given(lambda: rows(confidence=[i / N for i in range(N)])),
    "a confidence that is said": given(lambda: rows(sure=[i / N for i in range(N)]), confidence_column="sure"),
    "a confidence that is not there": given(rows, confidence_column="sure"),
}  # fmt: skip


def told(case: Case) -> list[str]:
    """Return what a file scores and its findings, or why it has no score."""
    try:
        preds, true, options = case()
        found = evaluation.evaluate(preds, true, regions=False, resamples=100, **options)
    except (ValueError, TypeError, OSError) as error:
        return [f"  {type(error).__name__}: {error}"]
    shares = " ".join(f"{t:g}:{n}" for t, n in found.scores.correct.items())
    made = [f"  {found.scores.answered} of {found.rows} answered, right {shares}, "
            f"match {found.options.match}"]  # fmt: skip
    if found.candidates is not None:
        oracle = {t: round(v, 4) for t, v in found.candidates.oracle.items()}
        made.append(f"  {found.candidates.k} answers, oracle {oracle}")
    if found.confidence is not None:
        aurc = {t: round(v, 4) for t, v in found.confidence.curve.aurc.items()}
        made.append(f"  {found.confidence.curve.source}, aurc {aurc}")
    return made + [f"  {one}" for one in found.findings]


def lines() -> list[str]:
    """Return every case, each in a folder of its own."""
    made, before = [], Path.cwd()
    for name, case in CASES.items():
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                made += [name, *told(case)]
            finally:
                os.chdir(before)
    return "\n".join(made).splitlines()


if __name__ == "__main__":
    KNOWN.write_text("\n".join(lines()) + "\n", encoding="utf-8")
