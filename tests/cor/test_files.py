"""`geodata label` on files: every format, nothing lost, mistakes told (R5, R13)."""

import json
import re
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from geodata import cor, files
from geodata.cor import labeller
from geodata.cor.files import label_file_with


@pytest.fixture(scope="module")
def engine():
    return labeller(None, "un", "own", 10.0)


def geodata(*arguments):
    return subprocess.run(
        [sys.executable, "-m", "geodata", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
    )


ROWS = [
    {"id": "007", "LAT": 48.8584, "LON": 2.2945, "note": 'a, "quoted" cell'},
    {"id": "1e3", "LAT": None, "LON": 2.0, "note": None},
    {"id": "1000", "LAT": 91.5, "LON": 2.0, "note": "line\nbreak"},
    {"id": "x", "LAT": 35.6595, "LON": 139.7005, "note": "渋谷"},
]


@pytest.fixture
def sources(tmp_path):
    table = pa.Table.from_pylist(ROWS)
    paths = {k: tmp_path / f"photos.{k}" for k in ("csv", "tsv", "parquet", "jsonl")}
    pacsv.write_csv(table, paths["csv"])
    pacsv.write_csv(table, paths["tsv"], pacsv.WriteOptions(delimiter="\t"))
    pq.write_table(table, paths["parquet"])
    paths["jsonl"].write_text("".join(json.dumps(row) + "\n" for row in ROWS))
    return paths


@pytest.mark.parametrize(("kind", "total"), [("csv", None), ("parquet", 300_000)])
def test_progress_counts_every_row(tmp_path, kind, total):
    rows = 300_000  # more than one batch
    source, told = tmp_path / f"many.{kind}", []
    table = pa.table({"lat": np.zeros(rows), "lon": np.full(rows, -30.0)})
    write = {"csv": pacsv.write_csv, "parquet": pq.write_table}[kind]
    write(table, source)
    cor.label_file(source, tmp_path / "out.parquet", progress=lambda *seen: told.append(seen))
    assert len(told) > (kind == "parquet")
    assert [seen for seen, _ in told] == sorted({seen for seen, _ in told})
    assert told[-1][0] == rows
    assert {of for _, of in told} == {total}


@pytest.mark.parametrize("kind", ["csv", "tsv", "parquet", "jsonl"])
@pytest.mark.parametrize("out", ["csv", "tsv", "parquet", "jsonl"])
def test_every_format_into_every_format(sources, engine, tmp_path, kind, out):
    target = tmp_path / f"labelled.{out}"
    report = label_file_with(engine, sources[kind], target)
    assert report.rows == 4
    assert report.matches == {"inside": 2, "nearest": 0, "none": 0, "invalid": 2}
    found = files.read_table(target)
    assert found.column_names[:4] == ["id", "LAT", "LON", "note"]
    assert found["id"].to_pylist() == ["007", "1e3", "1000", "x"]
    assert found["note"].to_pylist() == [row["note"] for row in ROWS]
    assert found["country_code"].to_pylist() == ["FR", None, None, "JP"]
    assert found["city"].to_pylist()[0] == "Paris"
    if out == "parquet":
        assert pa.types.is_floating(found["LAT"].type)
        made = json.loads(pq.read_schema(target).metadata[b"geodata"])
    else:
        made = json.loads((tmp_path / f"labelled.{out}.meta.json").read_text())
    assert made["boundaries_sha256"] == engine.boundaries.sha256
    assert made["worldview"] == "un"


def test_r5_a_file_gives_what_a_table_gives_in_any_batch_size(engine, tmp_path):
    rng = np.random.default_rng(3)
    lat, lon = rng.uniform(-90, 90, 5000), rng.uniform(-180, 180, 5000)
    table = pa.table({"lat": lat, "lon": lon})
    pq.write_table(table, tmp_path / "in.parquet", row_group_size=700)
    label_file_with(engine, tmp_path / "in.parquet", tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").equals(cor.label_table(table))


def test_empty_files_keep_their_columns(engine, tmp_path):
    (tmp_path / "in.csv").write_text("id,lat,lon\n")
    report = label_file_with(engine, tmp_path / "in.csv", tmp_path / "out.csv")
    assert report.rows == 0
    assert files.open_source(tmp_path / "out.csv").columns[:4] == ("id", "lat", "lon", "country")


@pytest.mark.parametrize("ending", ["csv", "jsonl", "parquet", "geojson"])
def test_a_column_that_a_label_replaces_is_told(engine, tmp_path, ending):
    rows = {"lat": [48.85], "lon": [2.29], "city": ["my own"], "match": ["?"], "note": ["x"]}
    told = label_file_with(engine, rows, tmp_path / f"out.{ending}")
    assert told.replaced == ("city", "match")
    assert "my own" not in (tmp_path / f"out.{ending}").read_bytes().decode("latin-1")
    assert label_file_with(engine, {"lat": [1.0], "lon": [1.0]}, tmp_path / "b.csv").replaced == ()


def test_swapped_columns_get_a_hint(engine, tmp_path):
    rows = "\n".join(f"{lon},{lat}" for lat, lon in [(35.6, 139.7)] * 50 + [(48.8, 2.3)] * 50)
    (tmp_path / "in.csv").write_text(f"lat,lon\n{rows}\n")
    report = label_file_with(engine, tmp_path / "in.csv", tmp_path / "out.csv")
    assert report.beyond_pole == 50
    assert "swapped" in report.swap_hint
    again = label_file_with(engine, tmp_path / "in.csv", tmp_path / "b.csv", lat="lon", lon="lat")
    assert again.swap_hint is None
    assert again.matches["inside"] == 100


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ("a,b\n1,2\n", "in.csv", "found no latitude column among a, b"),
        ("lat,lon\n1,2\n3\n", "in.csv", "line 3 has 1 fields, the header has 2"),
        ("lat,lat\n1,2\n", "in.csv", "repeats 'lat'"),
        ("", "in.csv", "line 1 is empty"),
        ("not parquet", "in.parquet", "cannot be read as parquet"),
        ("[1]\n", "in.jsonl", "line 1 is list, expected an object"),
        ("lat,lon\n", "in.doc", "unknown format '.doc'"),
    ],
)
def test_unreadable_files_are_one_line_and_exit_code_2(tmp_path, content, name, message):
    (tmp_path / name).write_text(content)
    done = geodata("label", tmp_path / name, "-o", tmp_path / "out.csv")
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "out.csv").exists()


@pytest.mark.parametrize(
    ("rows", "code", "said"),
    [
        (
            "488584000,22945000\n-338568000,1512153000\n",
            1,
            "lat and lon; expected decimal degrees$",
        ),
        ("48° 51' N,2° 17' E\n", 1, "no row of"),
        ("151.2153,-33.8568\n139.7,35.7\n", 1, "may be swapped; try --lat lon"),
        ("48.85,2.29\nx,y\n", 0, ""),
        ("", 0, ""),
    ],
)
def test_a_file_without_any_place_is_a_failure(tmp_path, rows, code, said):
    (tmp_path / "in.csv").write_text("lat,lon\n" + rows)
    done = geodata("label", tmp_path / "in.csv", "-o", tmp_path / "out.csv")
    assert done.returncode == code
    assert re.search(said, done.stderr)
    assert (tmp_path / "out.csv").read_text().count("\n") == rows.count("\n") + 1
    assert code == 0 or done.stderr.startswith("geodata: error: ")


def test_one_point_on_the_command_line():
    done = geodata("label", "-33.8568", "151.2153", "--max-offset-km", "5")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == "Country: Australia"
    assert "Coordinates: (-33.856800, 151.215300)" in done.stdout
    as_json = json.loads(geodata("label", "48.8584", "2.2945", "--json").stdout)
    assert as_json["admin1_code"] == "FR-IDF"
    wrong = geodata("label", "91", "0")
    assert wrong.returncode == 2
    assert "did you swap lat and lon?" in wrong.stderr


def test_help_has_an_example():
    for verb in ("label", "sql"):
        assert "Example:" in geodata(verb, "--help").stdout


def test_a_failed_write_leaves_the_old_file(engine, tmp_path):
    (tmp_path / "in.csv").write_text("lat,lon\n1,2\n3\n")
    (tmp_path / "out.csv").write_text("old")
    with pytest.raises(files.FileError, match="line 3"):
        label_file_with(engine, tmp_path / "in.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["in.csv", "out.csv"]
