"""Bad input ends in one line on the error output and exit 1 or 2, never in a silent score."""

import shlex
import subprocess
import sys

import numpy as np
import pytest

from geodata import evaluation, files
from geodata.files import FileError

TRUTH = {"id": [f"p{i}" for i in range(12)], "lat": np.arange(12.0), "lon": np.arange(12.0)}


def codes(found):
    return {one.code: one.severity for one in found.findings}


@pytest.mark.parametrize(
    ("worst", "severity"),
    [(1e9, "error"), (-1e9, "error"), (np.inf, "error"), (-np.inf, "error"),
     (1e6, "warning"), (np.nextafter(1e6, 2e6), "error"), (101.0, "warning"),
     (100.0, None), (-900.0, None)],
)  # fmt: skip
def test_a_confidence_that_no_model_has(worst, severity):
    sure = [*np.linspace(0.1, 0.9, 11), worst]
    found = evaluation.evaluate({**TRUTH, "confidence": sure}, TRUTH, regions=False)
    assert codes(found).get("confidence_range") == severity


def several(layout):
    """Two or three answers a photo."""
    k = [3 if i % 2 else 2 for i in range(12)]
    if layout == "rows":
        rows = [(name, rank) for name, n in zip(TRUTH["id"], k, strict=True) for rank in range(n)]
        return {"id": [r[0] for r in rows], "rank": [r[1] for r in rows],
                "lat": [1.0] * len(rows), "lon": [1.0] * len(rows)}  # fmt: skip
    if layout == "list":
        return {"id": TRUTH["id"], "candidates": [[[1.0, 2.0]] * n for n in k]}
    third = [1.0 if n == 3 else None for n in k]
    one = [1.0] * 12
    return {"id": TRUTH["id"], "lat_1": one, "lon_1": one, "lat_2": one, "lon_2": one,
            "lat_3": third, "lon_3": third}  # fmt: skip


@pytest.mark.parametrize("layout", ["rows", "list", "columns"])
def test_k_that_varies_is_an_error_unless_it_was_asked_for(layout):
    found = evaluation.evaluate(several(layout), TRUTH, regions=False)
    assert codes(found)["varying_candidates"] == "error"
    told = next(one for one in found.findings if one.code == "varying_candidates")
    assert f"--candidates {layout}" in told.remedy
    asked = evaluation.evaluate(several(layout), TRUTH, regions=False, candidates=layout)
    assert codes(asked)["varying_candidates"] == "warning"
    assert asked.accuracy == found.accuracy


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    truth = "id,lat,lon\n" + "".join(f"p{i},{i},{i}\n" for i in range(12))
    (tmp_path / "truth.csv").write_text(truth)
    head = "id,lat,lon,confidence\n"
    rows = "".join(f"p{i},{i},{i},{1e9 if i == 5 else 0.1 * i}\n" for i in range(12))
    (tmp_path / "sure.csv").write_text(head + rows)
    (tmp_path / "page.xlsx").write_text("<!DOCTYPE html><html><body>Sign in</body></html>")
    (tmp_path / "other.csv").write_text(truth.replace("p", "1e_") + "x,1,2\n")
    (tmp_path / "k.csv").write_text("id,rank,lat,lon\np0,1,0,0\np0,2,1,1\np1,1,1,1\n")
    mixed = b"id,lat,lon,place\np0,0,0,K\xc3\xb6ln\np1,1,1,K\xf6ln\n"
    (tmp_path / "mixed.csv").write_bytes(mixed)
    (tmp_path / "shards").mkdir()
    for i in (0, 2):
        (tmp_path / "shards" / f"a-0000{i}-of-00003.csv").write_text(truth)
    return tmp_path


@pytest.mark.parametrize(
    ("name", "code", "said"),
    [
        ("sure.csv", 1, "error: confidence_range: confidence goes from 0 to 1e+09"),
        ("k.csv", 1, "error: varying_candidates: photos have 1 to 2 answers"),
        ("other.csv", 1, "error: no_ids_match: no id of other.csv is one of the truth"),
        ("page.xlsx", 2, "error: page.xlsx: is an HTML or XML page"),
        ("mixed.csv", 2, "line 2 is UTF-8 and line 3 is not: two encodings in one file"),
        ("shards", 2, "error: shards: 1 of 3 shards are missing"),
    ],
)
@pytest.mark.parametrize("command", ["evaluate {}", "table {} truth.csv", "compare {} truth.csv"])
def test_one_line_and_an_exit_code(folder, name, code, said, command):
    if command.startswith("compare") and name == "other.csv":
        said = "no truth row is answered by both"
    words = shlex.split(f"{command.format(name)} --truth truth.csv")
    done = subprocess.run(
        [sys.executable, "-m", "geodata", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr


def test_encodings_are_named_by_their_lines(tmp_path):
    for name, text in (
        ("a.jsonl", b'{"id":"1","t":"caf\xe9"}\n{"id":"2","t":"caf\xc3\xa9"}\n'),
        ("a.csv", b"id,t\n1,caf\xe9\n2,caf\xc3\xa9\n"),
    ):
        path = tmp_path / name
        path.write_bytes(text)
        with pytest.raises(FileError, match=r"two encodings in one file"):
            files.read_table(path)
    path.write_bytes(b"id,t\n1,caf\xe9\n2,\xe9t\xe9\n")
    with pytest.raises(FileError, match="encoding='latin-1'"):
        files.read_table(path)
