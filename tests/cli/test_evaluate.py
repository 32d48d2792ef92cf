"""The commands `geodata evaluate`, `compare` and `lint` as a user types them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

import geodata
from geodata import evaluation
from geodata.cli import app

TRUTH = [
    ("a.jpg", 48.8584, 2.2945, "ana"),
    ("b.jpg", -33.8568, 151.2153, "ana"),
    ("c.jpg", 35.6586, 139.7454, "bo"),
    ("d.jpg", 40.6892, -74.0445, "bo"),
    ("e.jpg", -22.9519, -43.2105, "cy"),
]
PREDS = [
    ("a.jpg", "48.8600", "2.3000"),
    ("b.jpg", "-33.9", "151.0"),
    ("c.jpg", "34.7", "135.5"),
    ("d.jpg", "", ""),
    ("e.jpg", "-23.5", "-46.6"),
]
runner = CliRunner()


@pytest.fixture
def files(tmp_path: Path) -> Path:
    _write(tmp_path / "truth.csv", "id,lat,lon,author", TRUTH)
    _write(tmp_path / "preds.csv", "id,lat,lon", PREDS)
    other = [("a.jpg", "0.5", "0.5"), *PREDS[1:]]
    _write(tmp_path / "other.csv", "id,lat,lon", other)
    return tmp_path


def _write(path: Path, head: str, rows: list) -> None:
    lines = [",".join(map(str, row)) for row in rows]
    path.write_text("\n".join([head, *lines]) + "\n", "utf-8")


def _run(folder: Path, *arguments: str):
    paths = [str(folder / a) if a.endswith((".csv", ".json", ".md", ".html")) else a
             for a in arguments]  # fmt: skip
    return runner.invoke(app, paths)


def _main(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    code = "from geodata.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, *arguments], cwd=folder, capture_output=True, text=True
    )


def test_evaluate_prints_what_was_scored(files):
    done = _run(files, "evaluate", "preds.csv", "-t", "truth.csv", "--no-regions")
    assert done.exit_code == 0, done.output
    assert "5 truth rows, 4 answered (coverage 80.00%); missing counts as wrong." in done.output
    assert "distance <= threshold, on the sphere (R = 6371 km)" in done.output
    assert "95%, Wilson" in done.output
    expected = evaluation.evaluate(files / "preds.csv", files / "truth.csv", regions=False)
    for t, share in expected.accuracy.items():
        line = next(text for text in done.output.splitlines() if text.startswith(f"{t:,g} km"))
        assert line.split()[2] == f"{100 * share:.2f}"


def test_nothing_is_wider_than_80_columns(files):
    done = _run(
        files, "evaluate", "preds.csv", "-t", "truth.csv", "--no-regions",
        "--benchmark", "im2gps3k", "--by", "author",
    )  # fmt: skip
    lines = [line for line in done.output.splitlines() if not line.startswith("wrote ")]
    assert max(map(len, lines)) <= 80
    assert "Closed world" in done.output
    assert "not checked" in done.output


def test_options_reach_the_score(files):
    done = _run(
        files, "evaluate", "preds.csv", "-t", "truth.csv", "--no-regions", "--less-than",
        "--distance", "wgs84", "--missing", "exclude", "--thresholds", "50,500",
        "--json", "out.json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "distance < threshold, on the WGS84 ellipsoid" in done.output
    assert "EXCLUDED" in done.output
    written = json.loads((files / "out.json").read_text("utf-8"))
    assert written["scoring"]["thresholds_km"] == [50.0, 500.0]
    assert written["denominator"] == 4
    assert (written["scoring"]["strict"], written["scoring"]["rule"]) == (True, "d < t")


def test_clusters_widen_what_is_said(files):
    done = _run(
        files, "evaluate", "preds.csv", "-t", "truth.csv", "--no-regions", "--cluster", "author"
    )
    assert "bootstrap over 3 clusters of 'author' (seed 0)" in done.output


def test_two_runs_write_the_same_bytes(files):
    arguments = ["evaluate", "preds.csv", "-t", "truth.csv", "--by", "country", "--cluster",
                 "author", "--no-regions"]  # fmt: skip
    for name in ("1", "2"):
        outputs = ["--json", f"{name}.json", "--markdown", f"{name}.md", "--report", f"{name}.html"]
        assert _run(files, *arguments, *outputs).exit_code == 0
    for ending in ("json", "md", "html"):
        assert (files / f"1.{ending}").read_bytes() == (files / f"2.{ending}").read_bytes()


def test_columns_can_be_named(files):
    _write(files / "odd_truth.csv", "key,north,east", [row[:3] for row in TRUTH])
    _write(files / "odd.csv", "nr,y1,x1", PREDS)
    done = _run(
        files, "evaluate", "odd.csv", "-t", "odd_truth.csv", "--id", "key", "--lat", "north",
        "--lon", "east", "--pred-id", "nr", "--pred-lat", "y1", "--pred-lon", "x1", "--no-regions",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    assert "5 truth rows, 4 answered" in done.output


def test_answers_are_parsed_from_words(files):
    lines = [{"id": i, "response": f"Coordinates: ({lat or 'x'}, {lon})"} for i, lat, lon in PREDS]
    target = files / "words.jsonl"
    target.write_text("\n".join(map(json.dumps, lines)), "utf-8")
    done = _run(files, "evaluate", str(target), "-t", "truth.csv", "--no-regions")
    assert done.exit_code == 0, done.output
    assert "5 truth rows, 4 answered" in done.output


def test_leakage_and_near_duplicates_become_findings(files):
    many = [(f"{i}.jpg", 10 + i / 7, 20 + i / 7, f"u{i}") for i in range(40)]
    _write(files / "truth.csv", "id,lat,lon,author", many)
    _write(files / "preds.csv", "id,lat,lon", [(i, lat + 0.2, lon) for i, lat, lon, _ in many])
    _write(files / "again.csv", "id,lat,lon", [(i, lat + 0.2, lon) for i, lat, lon, _ in many])
    _write(files / "train.csv", "id,lat,lon,author", [("new.jpg", 1, 2, "u7"), many[3]])
    done = _run(
        files, "evaluate", "preds.csv", "-t", "truth.csv", "--no-regions", "--train", "train.csv",
        "--against", "again.csv", "--json", "out.json",
    )  # fmt: skip
    assert done.exit_code == 0, done.output
    written = json.loads((files / "out.json").read_text("utf-8"))
    codes = {found["code"] for found in written["findings"]}
    assert {"near_duplicate", "author_overlap", "id_overlap", "coordinate_overlap"} <= codes


def test_strict_turns_warnings_into_exit_code_1(files):
    _write(files / "zero.csv", "id,lat,lon", [("a.jpg", 0, 0), *PREDS[1:]])
    for command in ("evaluate", "lint"):
        extra = ["--no-regions"] if command == "evaluate" else []
        calm = _run(files, command, "zero.csv", "-t", "truth.csv", *extra)
        assert (calm.exit_code, "null_island" in calm.output) == (0, True), calm.output
        assert (
            _run(files, command, "zero.csv", "-t", "truth.csv", "--strict", *extra).exit_code == 1
        )


def test_lint_names_rows_and_remedy(files):
    _write(files / "zero.csv", "id,lat,lon", [("a.jpg", 0, 0), *PREDS[1:]])
    done = _run(files, "lint", "zero.csv", "--json", "out.json")
    assert "warning null_island" in done.output
    assert "Remedy: " in done.output
    written = json.loads((files / "out.json").read_text("utf-8"))
    assert written["schema"] == "geodata.findings/1"
    assert written["findings"][0]["rows"] == [1]


def test_compare_prints_the_pair(files):
    done = _run(files, "compare", "preds.csv", "other.csv", "-t", "truth.csv", "--json", "out.json")
    assert done.exit_code == 0, done.output
    lines = [line for line in done.output.splitlines() if not line.startswith("wrote ")]
    assert max(map(len, lines)) <= 80
    line = next(text for text in done.output.splitlines() if text.startswith("25 km"))
    assert line.split()[2:5] == ["50.00", "25.00", "+25.00"]
    assert "On the 4 of 5 truth rows that both answered" in done.output.replace("\n", " ")
    written = json.loads((files / "out.json").read_text("utf-8"))
    assert written["schema"] == "geodata.comparison/1"
    assert written["paired"][1]["only_a"] == 1


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["evaluate", "none.csv", "-t", "truth.csv"], "none.csv"),
        (["evaluate", "preds.csv", "-t", "truth.csv", "--thresholds", "1,x"], "--thresholds"),
        (["evaluate", "preds.csv", "-t", "truth.csv", "--distance", "flat"], "sphere, wgs84"),
        (["evaluate", "preds.csv", "-t", "truth.csv", "--match", "fuzzy"], "--match"),
        (["evaluate", "preds.csv", "-t", "truth.csv", "--json", "no/out.json"], "no folder"),
        (["evaluate", "preds.csv", "-t", "truth.csv", "--benchmark", "x"], "IM2GPS3K"),
        (["evaluate", "preds.csv", "-t", "truth.csv", "--by", "camera"], "camera"),
        (["lint", "preds.csv", "--train", "truth.csv"], "--truth"),
    ],
)
def test_a_mistake_is_one_line_and_exit_code_2(files, arguments, words):
    done = _main(files, *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith("geodata: error: ")
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("command", ["evaluate", "compare", "lint"])
def test_help_has_an_example(command):
    done = runner.invoke(app, [command, "--help"])
    assert done.exit_code == 0
    assert f"Example: geodata {command}" in done.output


def test_two_files_and_a_table_have_a_report(files):
    for command, *more in (("compare", "preds.csv", "other.csv"), ("table", "preds.csv")):
        done = _run(files, command, *more, "-t", "truth.csv", "--report", f"{command}.html")
        assert done.exit_code == 0, done.output
        page = (files / f"{command}.html").read_text("utf-8")
        assert page.startswith("<!doctype html>")
        assert "Accuracy" in page
    done = _run(files, "table", "preds.csv", "-t", "truth.csv", "--report", "no/table.html")
    assert done.exit_code != 0
    assert "there is no folder" in str(done.exception)


@pytest.mark.parametrize("command", ["evaluate", "compare", "table", "lint"])
def test_an_encoding_can_be_named(files, command):
    for name in ("truth", "preds"):
        text = (files / f"{name}.csv").read_text("utf-8").replace("a.jpg", "ñ.jpg")
        (files / f"{name}.csv").write_bytes(text.encode("latin-1"))
    given = ["preds.csv", *(["preds.csv"] if command == "compare" else []), "-t", "truth.csv"]
    done = _run(files, command, *given)
    assert "--encoding latin-1" in str(done.exception)
    done = _run(files, command, *given, "--encoding", "latin-1")
    assert done.exit_code == 0, done.output
    assert "no prediction" not in done.output


def test_answers_that_are_not_in_their_own_words_are_told(files):
    rows = [(*row, f"I say ({row[1]}; {row[2]})") for row in PREDS[:2]]
    _write(files / "said.csv", "id,lat,lon,raw_text", [*rows, ("c.jpg", 1.5, 2.5, "(34.7; 135.5)")])
    done = _run(files, "evaluate", "said.csv", "-t", "truth.csv", "--no-regions")
    assert "not_in_text" in done.output
    assert "row 3" in done.output


def test_a_table_of_models_shows_the_shares_of_each(files):
    done = _run(files, "table", "preds.csv", "other.csv", "-t", "truth.csv")
    assert done.exit_code == 0, done.output
    shown = {"preds": [], "other": []}
    for line in done.output.partition("Every two models")[0].splitlines():
        name = line.split(" ")[0]
        if name in shown:  # how far off preds is: 0.4, 20, 400 and 352 km and no answer
            shown[name] += re.findall(r"(\d+\.\d\d)[ †]", line)
    assert shown == {
        "preds": ["20.00", "40.00", "40.00", "80.00", "80.00"],
        "other": ["0.00", "20.00", "20.00", "60.00", "60.00"],
    }


def test_the_version_is_the_package_s():
    for words in (["--version"], ["--version", "evaluate"]):
        done = runner.invoke(app, words)
        assert (done.exit_code, done.output) == (0, f"geodata {geodata.__version__}\n")
    assert "geodata-georl" not in runner.invoke(app, ["evaluate", "--help"]).output
