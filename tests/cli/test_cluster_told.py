"""What commands with ``--engine ray`` say, on a local cluster, beside what one process makes."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner

from geodata import cor, files, tables
from geodata.cli import app
from tests.scale.test_on_ray import needs_ray, ran

EVALUATE = "evaluate joined.parquet --thresholds 0.5,200 --json {}.json"
RAND = "dataset build rand --lake lake --from mine -n 4 --seed 3 --name"
COMMANDS = {
    "label": "label a.csv -o plain --shards 3",
    "label again": "label a.csv -o plain --shards 3",
    "label columns": "label a.csv -o columns --shards 2 --lat y --lon x --lang ja",
    "label view": "label a.csv -o view --shards 2 --worldview in --detail",
    "build": f"{RAND} two",
    "evaluate": EVALUATE.format("plain"),
    "missing": EVALUATE.format("missing") + " --missing exclude",
    "predictions": EVALUATE.format("predictions") + " --pred-lat y --pred-lon x",
    "truth": EVALUATE.format("truth") + " --lat y --lon x",
    "no names": EVALUATE.format("none") + " --no-names --no-regions",
    "border": "evaluate degree.parquet --thresholds 0",
    "less than": "evaluate degree.parquet --thresholds 0 --less-than",
    "wgs84": "evaluate degree.parquet --thresholds 0 --distance wgs84",
    "regions": "evaluate degree.parquet --thresholds 0 --regions",
    "right": "evaluate right.parquet",
    "nothing": "evaluate nothing.parquet",
    "nothing left": "evaluate nothing.parquet --missing exclude",
}


@pytest.fixture(scope="module")
def here(tmp_path_factory):
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "a.csv").write_text("id,lat,lon,y,x\n" + "".join(
        f"p{i},{i},{2 * i},{35 + i / 10},135.7\n" for i in range(1200)
    ))  # fmt: skip
    two = {"lat": [1.0, 2.0], "lon": [3.0, 4.0]}
    none = pa.nulls(2, pa.float64())
    for name, columns in {
        "joined": {
            "lat": [0.0, 0.0, 10.0], "lon": [0.0, 0.0, 10.0], "pred_lat": [1.0, None, 10.0],
            "pred_lon": [0.0, None, 10.0], "y": [1.0, 0.0, 10.0], "x": [0.0, 5.0, 10.0],
        },
        "degree": {"lat": [0.0] * 3, "lon": [0.0] * 3, "pred_lat": [0.0] * 3,
                   "pred_lon": [0.0, 1.0, 1.0]},
        "right": {**two, "pred_lat": two["lat"], "pred_lon": two["lon"]},
        "nothing": {**two, "pred_lat": none, "pred_lon": none},
    }.items():  # fmt: skip
        pq.write_table(pa.table(columns), folder / f"{name}.parquet")
    rows = {"photo_id": [f"p{i}" for i in range(9)], "lat": [float(i) for i in range(9)]}
    tables.write(folder / "lake" / "mine", pa.table({**rows, "lon": [0.0] * 9}))
    return folder


@pytest.fixture(scope="module")
def said(here):
    """Lines that each command printed; all of them went well."""
    asked = [[*words.split(), "--engine", "ray"] for words in COMMANDS.values()]
    (here / "commands.json").write_text(json.dumps(asked))
    found = dict(zip(COMMANDS, ran("commands", here)["said"], strict=True))
    assert {name: told for name, (code, told) in found.items() if code} == {}
    return {
        name: [line for line in told.splitlines() if "(raylet)" not in line]  # Ray's own warnings
        for name, (_, told) in found.items()
    }


@needs_ray
def test_a_file_is_labelled_into_shards_as_it_is_asked(here, said):
    joined = "one version of them: geodata tables join-shards plain --lake LAKE"
    assert said["label"] == ["plain: 1,200 rows in 3 shards", joined]
    assert said["label again"] == [
        "plain: 1,200 rows in 3 shards, 3 of them there already", joined
    ]  # fmt: skip
    for folder, options in (
        ("plain", {}),
        ("columns", {"lat": "y", "lon": "x", "lang": "ja"}),
        ("view", {"worldview": "in", "detail": True}),
    ):
        cor.label_file(here / "a.csv", here / f"{folder}.parquet", **options)
        expected = files.read_table(here / f"{folder}.parquet").to_pylist()
        assert files.read_table(here / folder).to_pylist() == expected, folder


@needs_ray
def test_a_recipe_is_built_as_it_is_asked(here, said, monkeypatch):
    monkeypatch.chdir(here)
    words = [*RAND.split(), "one"]
    plain = CliRunner().invoke(app, words, env={"COLUMNS": "80"}).stdout.splitlines()
    assert said["build"][0] == "two, version 0: 4 rows"
    assert said["build"][1:] == plain[1:]
    one, two = (tables.open(here / "lake" / name).note for name in ("one", "two"))
    assert (two["parameters"], two["seed"]) == (one["parameters"], 3)


@needs_ray
@pytest.mark.parametrize(
    ("name", "file", "answered", "near", "far"),
    [
        ("evaluate", "plain", 2, "33.33%", "66.67%"),
        ("missing", "missing", 2, "50.00%", "100.00%"),
        ("predictions", "predictions", 3, "33.33%", "66.67%"),
        ("truth", "truth", 2, "66.67%", "66.67%"),
        ("no names", "none", 2, "33.33%", "66.67%"),
    ],
)
def test_sums_of_a_cluster_are_told(here, said, name, file, answered, near, far):
    assert said[name][:3] == [
        f"3 truth rows, {answered} answered",
        f"within     0.5 km  {near}",
        f"within     200 km  {far}",
    ]
    assert said[name][-1] == f"{file}.json: written"
    written = json.loads((here / f"{file}.json").read_text())
    assert (written["rows"], written["answered"]) == (3, answered)


@needs_ray
def test_what_is_right_on_the_border_of_a_threshold_hangs_on_its_rule(said):
    """A degree along the equator is 111.195 km on the sphere and 111.319 km on the ellipsoid."""
    assert said["border"][1] == "within       0 km  33.33%"
    assert said["less than"][1] == "within       0 km  0.00%"
    assert any(line.startswith("mean 74.130 km, median 111.") for line in said["border"])
    assert any(line.startswith("mean 74.213 km") for line in said["wgs84"])
    assert not any(line.startswith("country") for line in said["border"])
    assert any(line.startswith("country           ") for line in said["regions"])


@needs_ray
def test_answers_without_an_error_have_a_mean_and_none_has_no_mean(said):
    assert said["right"][-2].startswith("mean 0.000 km, median ")
    assert said["right"][-1] == "GeoScore 5000.0"
    assert said["nothing"][0] == "2 truth rows, 0 answered"
    assert {line.split()[-1] for line in said["nothing"][1:]} == {"0.00%"}
    assert {line.split()[-1] for line in said["nothing left"][1:]} == {"-"}


@pytest.mark.parametrize(
    "words",
    ["evaluate joined.parquet", "label a.csv -o parts", "dataset build labelled --lake lake"],
)
def test_every_verb_refuses_an_address_alone_and_another_engine(here, monkeypatch, words):
    monkeypatch.chdir(here)
    for more, told in (
        ("--address auto", "--address 'auto' is of a Ray cluster: give --engine ray too"),
        ("--engine dask", "--engine 'dask' is unknown; expected one of ray"),
        ("--engine Ray --address auto", "--engine 'Ray' is unknown; expected one of ray"),
    ):
        done = CliRunner().invoke(app, [*words.split(), *more.split()])
        assert str(done.exception) == told
    assert not Path("parts").exists()
