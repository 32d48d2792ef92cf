"""Sessions with the command line, whole: what is typed, what is told, what is written.

``python -m tests.cli.whole`` writes them anew to ``golden``. What changes there is what a user
sees change: read the difference before it is committed.
"""

import contextlib
import csv
import hashlib
import io
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest import mock

import pyarrow.parquet as pq
import typer

from geodata import SOFTWARE
from geodata.cli import app, main

GOLDEN = Path(__file__).parent / "golden"
CITIES = (
    (48.86, 2.35), (35.68, 139.77), (-33.87, 151.21), (30.04, 31.24), (-1.29, 36.82),
    (28.61, 77.2), (40.42, -3.7), (52.52, 13.4),
)  # fmt: skip


def photos() -> list[dict[str, object]]:
    """Return 120 photos around eight cities by 17 authors; three have no place."""
    rows: list[dict[str, object]] = []
    for i in range(120):
        lat, lon = CITIES[i % 8]
        off = i * 37 % 50 / 50 - 0.5  # half a degree to both sides, and some far away
        far = 8.0 if i % 7 == 0 else 0.0
        place = (f"{lat + off:.5f}", f"{lon + off / 2 + far:.5f}")
        if i in (50, 51, 52):
            place = [("", ""), ("91.5", "3.0"), ("", "7.0")][i - 50]
        row = {"id": f"p{i:03}.jpg", "lat": place[0], "lon": place[1]}
        rows.append(row | {"author": "" if i % 19 == 3 else f"user {i % 8}.{i % 3}"})
    return rows


def write_csv(name: str, rows: list[dict[str, object]]) -> None:
    with Path(name).open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def typed(words: str, stdin: str = "") -> str:
    """Return what a command tells, with its exit status unless it is 0."""
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", write_through=True)
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    status: object = 0
    with (
        mock.patch.object(sys, "argv", ["geodata", *shlex.split(words)]),
        mock.patch.object(sys, "stdin", given),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(out),
    ):
        try:
            main()
        except SystemExit as left:
            status = left.code or 0
    out.seek(0)
    told = "\n".join(line.rstrip() for line in out.read().splitlines())
    ended = f"\n[exit {status}]" if status else ""
    return f"$ geodata {words}\n{told}{ended}\n"


def file(name: str, most: int = 60) -> str:
    """Return what a file holds: its first lines, and the hash of all."""
    path = Path(name)
    if not path.is_file():
        return f"# {name} is not there\n"
    if path.suffix == ".parquet":
        rows = pq.read_table(path)
        told = "\n".join([str(rows.schema.remove_metadata()), *map(repr, rows.to_pylist())])
    else:
        told = path.read_text(encoding="utf-8")
    lines = told.rstrip().splitlines()
    if len(lines) > most:
        digest = hashlib.sha256(told.encode()).hexdigest()[:20]
        lines = [
            *lines[:most],
            f"... {len(lines)} lines, SHA-256 begins {digest[:10]} {digest[10:]}",
        ]
    return "\n".join([f"# {name}", *lines]) + "\n"


def tree(name: str) -> str:
    """Return the files below a folder, those of no fixed name by their kind."""
    found = {p.relative_to(name).as_posix() for p in Path(name).rglob("*") if p.is_file()}
    plain = {re.sub(r"[0-9a-f]{8,}[-0-9a-f]*", "<id>", one) for one in found}
    return "\n".join([f"# files of {name}", *sorted(plain)]) + "\n"


def labels() -> Iterator[str]:
    yield typed("label 48.8584 2.2945")
    yield typed("label 48.8584,2.2945 --lang ja")
    yield typed("label 48.8584 2.2945 --json")
    yield typed("label 48.8584 2.2945 --detail")
    yield typed("label 48.8584 2.2945 --json --detail")
    yield typed("label 45.0 34.1 --worldview ru")
    yield typed("label 0 -130")
    yield typed("label 43.0 -9.6 --max-offset-km 0")
    yield typed("label 18.33 -64.93")
    yield typed("label 18.33 -64.93 --dependencies sovereign")
    write_csv("few.csv", photos()[46:53])
    yield typed("label few.csv -o few_labelled.csv")
    yield file("few_labelled.csv")
    yield typed("label few.csv -o few_labelled.parquet --detail")
    yield file("few_labelled.parquet")
    yield typed("label -", Path("few.csv").read_text(encoding="utf-8"))
    yield typed("label few.csv -o part --shard 1/2")
    yield tree("part")
    for words in ("91 0", "48", "x y", "few.csv", "none.csv -o out.csv", "few.csv -o out.xyz",
                  "few.csv -o out.csv --lat nothing", "1 2 --worldview nowhere",
                  "1 2 --dependencies some", "few.csv -o part --shard 3/2"):  # fmt: skip
        yield typed(f"label {words}")
    yield typed('geocode "Kyoto, Japan"')
    yield typed("geocode --country FR --city Paris --json")
    yield typed("geocode --country US --admin1 Texas --city Paris")
    yield typed("geocode Springfield")
    yield typed("geocode Nowherecity")


def scores() -> Iterator[str]:
    rows = [row for row in photos() if row["id"] not in ("p050.jpg", "p051.jpg", "p052.jpg")][:40]
    write_csv("truth.csv", rows)
    for name, off in (("a", 0.2), ("b", 1.1)):
        write_csv(
            f"{name}.csv",
            [
                {
                    "id": row["id"],
                    "lat": f"{float(str(row['lat'])) + off * (i % 4) + i / 1000:.5f}",
                    "lon": row["lon"],
                }
                for i, row in enumerate(rows)
                if i % 9 or name == "a"
            ],
        )
    yield typed("evaluate a.csv -t truth.csv --no-regions --cluster author --by author")
    yield typed("evaluate b.csv -t truth.csv --no-regions --missing exclude --less-than --strict "
                "--thresholds 10,100 --json b.json --markdown b.md")  # fmt: skip
    yield file("b.md")
    yield typed("compare a.csv b.csv -t truth.csv --cluster author --thresholds 25,200")
    yield typed("table a.csv b.csv -t truth.csv --latex")
    yield typed("table a.csv b.csv -t truth.csv --markdown --thresholds 25,200")
    yield typed("lint b.csv -t truth.csv --train a.csv --against a.csv")
    yield typed("lint b.csv -t truth.csv --strict --json lint.json")
    yield file("lint.json")
    yield typed("lint a.csv")
    for words in ("evaluate none.csv -t truth.csv", "evaluate a.csv -t truth.csv --thresholds x",
                  "evaluate a.csv -t truth.csv --thresholds -1",
                  "evaluate a.csv -t truth.csv --by no",
                  "evaluate a.csv -t truth.csv --cluster no",
                  "evaluate a.csv -t truth.csv --missing x",
                  "evaluate a.csv -t truth.csv --distance flat",
                  "evaluate a.csv -t truth.csv --benchmark x",
                  "evaluate a.csv -t truth.csv --pred-lat no",
                  "compare a.csv none.csv -t truth.csv",
                  "table a.csv a.csv -t truth.csv", "evaluate a.csv -t truth.csv --match x",
                  "lint a.csv -t none.csv"):  # fmt: skip
        yield typed(words)


def lake() -> Iterator[str]:
    write_csv("photos.csv", photos())
    yield typed("photos import photos.csv --lake lake --no-salt --licence CC-BY-4.0 --name ours")
    yield typed("photos import photos.csv --lake lake --no-salt --licence CC-BY-4.0 --name ours")
    yield typed("photos import photos.csv -o few.parquet --no-salt")
    yield typed("dataset build labelled --lake lake --from photos")
    write_csv(
        "guesses.csv",
        [
            {"id": row["id"], "lat": row["lat"] if i % 40 < 2 else "10", "lon": row["lon"]}
            for i, row in enumerate(photos())
            if i not in (50, 51, 52)
        ],
    )
    yield typed("dataset build popular --lake lake --from labelled --predictions guesses.csv")
    yield typed("dataset build hard --lake lake --from labelled --popular popular --radius-km 30")
    yield typed("dataset build rand --lake lake --from labelled -n 30 --stratify country_code")
    yield typed(
        "dataset build split --lake lake --from labelled --validation 0.15 --test 0.15 "
        "--resolution 2 --buffer 0 --least 0"
    )
    yield typed("dataset build rand --lake lake --from labelled -n 20 --seed 3")
    yield typed("dataset list --lake lake")
    yield typed("dataset history rand --lake lake")
    yield typed("dataset diff rand 0 1 --lake lake")
    yield typed("dataset tag rand paper --lake lake --at 0")
    yield typed("dataset verify rand --lake lake")
    yield typed("dataset audit rand --lake lake")
    yield typed("dataset rebuild rand --lake lake --at 0")
    yield typed("dataset card rand --lake lake")
    yield typed("dataset export rand --lake lake -o exported --at paper")
    yield tree("exported")
    yield file("exported/README.md", 200)
    yield typed("dataset compact rand --lake lake")
    yield typed("dataset restore rand paper --lake lake")
    yield typed("dataset checkpoint rand --lake lake")
    yield typed("dataset untag rand paper --lake lake")
    yield typed("tables forget rand --lake lake --id p001.jpg --id p999.jpg")
    yield typed(
        "records sft --lake lake --from split --split train -o sft.jsonl --images "
        "reference --no-check"
    )
    yield file("sft.jsonl", 3)
    yield typed("records sft --lake lake --from split --split test --variant plain -o plain.jsonl "
                "--images reference --form text")  # fmt: skip
    yield file("plain.jsonl", 2)
    yield typed(
        "records grpo --lake lake --from hard -o grpo.parquet --images reference --no-check"
    )
    yield file("grpo.parquet", 30)
    yield typed("leakage --lake lake --train rand --test hard")
    yield typed("leakage --lake lake --train labelled --test hard --gallery popular -o leak")
    yield tree("leak")
    yield file("leak/leakage.md", 200)
    yield typed("sql 'SELECT country_code, count(*) AS n FROM labelled GROUP BY ALL ORDER BY ALL' "
                "--lake lake --rows 5")  # fmt: skip
    yield typed("sql 'FROM few ORDER BY photo_id LIMIT 3' few.parquet -o out.csv")
    yield file("out.csv")
    yield typed("map lake/labelled -o map.svg --around lake/popular --radius-km 50")
    for words in ("dataset build rand --lake lake --from none", "dataset history none --lake lake",
                  "dataset diff rand 0 99 --lake lake",
                  "dataset tag rand paper --lake lake --at 99",
                  "dataset untag rand none --lake lake", "dataset restore rand none --lake lake",
                  "dataset build split --lake lake --from labelled --test 2",
                  "dataset build popular --lake lake --from labelled --predictions none.csv",
                  "records sft --lake lake --from split -o x.jsonl", "map none.csv -o m.png",
                  "records sft --lake lake --from split --split no -o x.jsonl",
                  "sql 'SELECT 1; SELECT 2'", "map few.csv -o m.gif",
                  "tables forget rand --lake lake", "photos import none.csv -o p.parquet",
                  "leakage --lake lake --train none --test hard",
                  "dataset list --lake none"):  # fmt: skip
        yield typed(words)


def borders() -> Iterator[str]:
    yield typed("boundaries list")
    yield typed("boundaries describe bundled")
    yield typed("boundaries verify bundled")
    yield typed("boundaries diff bundled bundled")
    for words in ("describe none", "build file --from none.gpkg --out x", "fetch none",
                  "verify none",
                  "export bundled x.xyz"):  # fmt: skip
        yield typed(f"boundaries {words}")


def commands(group: Any, path: str = "") -> Iterator[str]:
    for name, below in group.commands.items():
        yield f"{path}{name}"
        if hasattr(below, "commands"):
            yield from commands(below, f"{path}{name} ")


def helps() -> Iterator[str]:
    """Every command without its words, as this version of Typer shows them."""
    yield f"# typer {typer.__version__}\n"
    yield typed("--help")
    yield typed("geocode")
    yield typed("--version")
    yield typed("nonsense")
    for words in commands(typer.main.get_command(app)):
        bare = typed(words).splitlines()
        yield "\n".join([*bare[:3], "...", *bare[-2:]]) + "\n"


SESSIONS = {"helps": helps, "labels": labels, "scores": scores, "lake": lake, "borders": borders}


def stable(text: str, folder: str) -> str:
    """Return a session without what differs from one machine, day and version to the next."""
    text = text.replace(folder, "<folder>").replace(SOFTWARE, "<software>")
    text = re.sub(r"^geodata [0-9.]+$", "geodata <version>", text, flags=re.MULTILINE)
    text = re.sub(r"bundled  \S+", "bundled  <folder>", text)
    text = re.sub(r'"(geodata|deltalake|numpy|pyarrow)": "[^"]*"', r'"\1": "<version>"', text)
    text = re.sub(r"(imagehash|pillow) [0-9.]+[0-9]", r"\1 <version>", text)
    text = re.sub(r"[\d,]+ bytes", "<bytes>", text)
    text = re.sub(r"\b[0-9a-f]{64}\b", "<sha256>", text)
    text = re.sub(
        r"(?<!begins )\b(?=[0-9a-f]*[a-f])(?=[0-9a-f]*[0-9])[0-9a-f]{7,40}\b", "<hash>", text
    )
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(\.\d+)?(\+00:00|Z)?", "<time>", text)
    return re.sub(r"-?\d+\.\d{10,}(e-?\d+)?", lambda found: f"{float(found[0]):.9g}", text)


def session(name: str) -> str:
    """Run a session in a folder of its own, at 80 columns."""
    before = Path.cwd()
    with (
        tempfile.TemporaryDirectory() as folder,
        mock.patch.dict(os.environ, {"COLUMNS": "80", "NO_COLOR": "1", "TERM": "dumb"}),
    ):
        os.chdir(folder)
        try:
            return stable("\n".join(SESSIONS[name]()), folder)
        finally:
            os.chdir(before)


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for one in sys.argv[1:] or SESSIONS:
        (GOLDEN / f"{one}.txt").write_text(session(one), encoding="utf-8")
