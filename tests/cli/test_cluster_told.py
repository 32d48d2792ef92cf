"""What ``--engine ray`` hands over and tells; the same work is done in this process, not by Ray."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from geodata import cor, datasets, files, scale, tables
from geodata.cli import app


def run(*words, code=0):
    done = CliRunner().invoke(app, [str(word) for word in words], env={"COLUMNS": "80"})
    assert done.exit_code == code, (done.output, done.exception)
    return done


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("a.csv").write_text("id,lat,lon,y,x\n" + "".join(
        f"p{i},{i},{2 * i},{35 + i / 10},135.7\n" for i in range(1200)
    ))  # fmt: skip
    joined = {
        "lat": [0.0, 0.0, 10.0], "lon": [0.0, 0.0, 10.0], "pred_lat": [1.0, None, 10.0],
        "pred_lon": [0.0, None, 10.0], "y": [1.0, 0.0, 10.0], "x": [0.0, 5.0, 10.0],
    }  # fmt: skip
    pq.write_table(pa.table(joined), "joined.parquet")
    return tmp_path


# label


@pytest.fixture
def labelled_here(monkeypatch):
    """Shards one after the other; returns the addresses that were asked for."""

    def label_on_ray(source, folder, shards, *, address, progress, **options):
        asked.append(address)
        made = [scale.label_shard(source, folder, f"{i}/{shards}", progress=progress, **options)
                for i in range(1, shards + 1)]  # fmt: skip
        return made

    asked: list[str | None] = []
    monkeypatch.setattr(scale, "label_on_ray", label_on_ray)
    return asked


@pytest.mark.parametrize(
    ("words", "options"),
    [
        ((), {}), (("--lat", "y", "--lon", "x", "--lang", "ja"),
                   {"lat": "y", "lon": "x", "lang": "ja"}),
        (("--worldview", "in", "--detail"), {"worldview": "in", "detail": True}),
    ],
    ids=str,
)  # fmt: skip
def test_a_file_is_labelled_into_shards_as_it_is_asked(here, labelled_here, words, options):
    asked = ("label", "a.csv", "-o", "parts", "--engine", "ray", "--shards", 3, *words)
    assert run(*asked, "--address", "head:1").stdout.splitlines() == [
        "parts: 1,200 rows in 3 shards",
        "one version of them: geodata tables join-shards parts --lake LAKE",
    ]
    cor.label_file("a.csv", "whole.parquet", **options)
    expected = files.read_table("whole.parquet").to_pylist()
    assert files.read_table("parts").to_pylist() == expected
    next(Path("parts").glob("*.parquet")).unlink()
    again = run(*asked).stdout.splitlines()[0]
    assert again == "parts: 1,200 rows in 3 shards, 2 of them there already"
    assert labelled_here == ["head:1", None]


# dataset


def test_a_recipe_is_built_as_it_is_asked(here, monkeypatch):
    def build_on_ray(recipe, lake, name, inputs, *, address, progress, **asked):
        seen.append(address)
        progress(1, 2)
        return datasets.build(recipe, lake, name, inputs, **asked)

    seen: list[str | None] = []
    monkeypatch.setattr(scale, "build_on_ray", build_on_ray)
    rows = pa.table({"photo_id": [f"p{i}" for i in range(9)], "lat": [float(i) for i in range(9)],
                     "lon": [0.0] * 9})  # fmt: skip
    tables.write("lake/mine", rows)
    words = ("dataset", "build", "rand", "--lake", "lake", "--from", "mine", "-n", 4, "--seed", 3)
    plain = run(*words, "--name", "one").stdout.splitlines()
    told = run(*words, "--name", "two", "--engine", "ray", "--address", "head:1").stdout
    assert told.splitlines()[1:] == plain[1:]
    assert told.startswith("two, version 0: 4 rows\n")
    assert seen == ["head:1"]
    notes = [tables.open(f"lake/{name}").note for name in ("one", "two")]
    assert [(note["parameters"], note["seed"]) for note in notes] == [
        (notes[0]["parameters"], 3)
    ] * 2


# evaluate


@pytest.fixture
def no_cluster(monkeypatch):
    """The same sums, in this process: what is said of them needs no cluster."""

    def score_file(source, scoring, *, regions, pred, truth, address):
        opened = tables.open_rows(source)
        asked.append(address)
        names = (*(truth[i] or ("lat", "lon")[i] for i in (0, 1)),
                 *(pred[i] or ("pred_lat", "pred_lon")[i] for i in (0, 1)))  # fmt: skip
        score = scale.Score(scoring, regions=regions, columns=names)
        return scale.ScoreSums.read(score(pa.concat_tables(b.table for b in opened.batches())))

    asked: list[str | None] = []
    monkeypatch.setattr(scale, "score_file", score_file)
    return asked


@pytest.mark.parametrize(
    ("words", "shares"),
    [
        ((), (2, "33.33%", "66.67%")), (("--missing", "exclude"), (2, "50.00%", "100.00%")),
        (("--pred-lat", "y", "--pred-lon", "x"), (3, "33.33%", "66.67%")),
        (("--lat", "y", "--lon", "x"), (2, "66.67%", "66.67%")),
        (("--no-names", "--no-regions"), (2, "33.33%", "66.67%")),
    ],
    ids=str,
)  # fmt: skip
def test_sums_of_a_cluster_are_told(here, no_cluster, words, shares):
    asked = ("evaluate", "joined.parquet", "--engine", "ray", "--address", "head:1")
    told = run(*asked, "--thresholds", "0.5,200", "--json", "s.json", *words).stdout.splitlines()
    answered, near, far = shares
    assert told[:3] == [f"3 truth rows, {answered} answered", f"within     0.5 km  {near}",
                        f"within     200 km  {far}"]  # fmt: skip
    assert told[-1] == "s.json: written"
    assert no_cluster == ["head:1"]
    written = json.loads(Path("s.json").read_text())
    assert (written["rows"], written["answered"]) == (3, answered)


def test_what_is_right_on_the_border_of_a_threshold_hangs_on_its_rule(here, no_cluster):
    """A degree along the equator is 111.195 km on the sphere and 111.319 km on the ellipsoid."""
    exact = {"lat": [0.0] * 3, "lon": [0.0] * 3, "pred_lat": [0.0] * 3, "pred_lon": [0.0, 1.0, 1.0]}
    pq.write_table(pa.table(exact), "exact.parquet")
    words = ("evaluate", "exact.parquet", "--engine", "ray", "--thresholds", "0")
    told = run(*words).stdout
    assert told.splitlines()[1] == "within       0 km  33.33%"
    assert run(*words, "--less-than").stdout.splitlines()[1] == "within       0 km  0.00%"
    assert "mean 74.130 km, median 111." in told
    assert "mean 74.213 km" in run(*words, "--distance", "wgs84").stdout
    assert "country" not in told
    assert "country           " in run(*words, "--regions").stdout


def test_answers_without_an_error_have_a_mean_and_none_has_no_mean(here, no_cluster):
    words = ("evaluate", "exact.parquet", "--engine", "ray")
    rows = {"lat": [1.0, 2.0], "lon": [3.0, 4.0]}
    right = pa.table({**rows, "pred_lat": rows["lat"], "pred_lon": rows["lon"]})
    pq.write_table(right, "exact.parquet")
    told = run(*words).stdout
    assert "mean 0.000 km, median " in told
    assert "GeoScore 5000.0" in told
    nothing = pa.nulls(2, pa.float64())
    pq.write_table(pa.table({**rows, "pred_lat": nothing, "pred_lon": nothing}), "exact.parquet")
    told = run(*words).stdout.splitlines()
    assert told[0] == "2 truth rows, 0 answered"
    assert {line.split()[-1] for line in told[1:]} == {"0.00%"}
    run_ = run(*words, "--missing", "exclude").stdout.splitlines()
    assert {line.split()[-1] for line in run_[1:]} == {"-"}


@pytest.mark.parametrize(
    "words",
    ["evaluate joined.parquet", "label a.csv -o parts", "dataset build labelled --lake lake"],
)
def test_every_verb_refuses_an_address_alone_and_another_engine(here, words):
    for more, told in (
        ("--address auto", "--address 'auto' is of a Ray cluster: give --engine ray too"),
        ("--engine dask", "--engine 'dask' is unknown; expected one of ray"),
        ("--engine Ray --address auto", "--engine 'Ray' is unknown; expected one of ray"),
    ):
        done = CliRunner().invoke(app, [*words.split(), *more.split()])
        assert str(done.exception) == told
    assert not Path("parts").exists()
