"""Recipes: what they choose against brute force, replays, kills, bad input, audits."""

import contextlib
import itertools
import os
import random
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import duckdb
import h3
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st
from typer.testing import CliRunner

from geodata import cor, datasets, files, photos, query, sphere, tables
from geodata.cli.application import app
from geodata.datasets.recipes import rand as sample
from geodata.datasets.recipes.parts_on_disk import PartsOnDisk
from geodata.tables.lakes import kept_inputs
from geodata.tables.versions import inputs as lineage

ROWS = 2500


def metadata(n=ROWS, seed=0):
    """Rows as MP-16 has them: clumps of photos, few photographers with most, some bad rows."""
    rng = np.random.default_rng(seed)
    centres = np.array([[48.86, 2.35], [35.68, 139.77], [-33.9, 151.2], [40.7, -74.0], [65, -19],
                        [-1.3, 36.8], [19.4, -99.1], [55.7, 37.6]])  # fmt: skip
    which = rng.integers(0, len(centres), n)
    spread = rng.choice([0.02, 0.5, 6.0], n)
    lat = np.clip(centres[which, 0] + spread * rng.normal(size=n), -90, 90).round(6)
    lon = ((centres[which, 1] + spread * rng.normal(size=n) + 180) % 360 - 180).round(6)
    text = [f"{v:.6f}" for v in lat]
    text[7], text[8], text[9] = "91", "", "nan"
    author = which * 40 + rng.integers(0, 40, n)
    return pa.table(
        {
            "IMG_ID": [f"{i % 100:02d}/{i % 7:02d}/{4_000_000 + i}.jpg" for i in range(n)],
            "AUTHOR": [f"{a}@N00" for a in author],
            "LAT": text,
            "LON": [f"{v:.6f}" for v in lon],
        }
    )


def make_lake(folder):
    photos.import_(metadata(), folder / "photos", format="mp16")
    datasets.build(folder, "labelled", "labelled")
    return folder


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_lake(tmp_path_factory.mktemp("made") / "lake")


@pytest.fixture
def lake(made, tmp_path):
    """A lake of its own: files of versions never change, so links do."""
    shutil.copytree(made, tmp_path / "lake")
    return tmp_path / "lake"


def rows_of(lake, name, version=None):
    return tables.open(tables.path_of(lake, name), version).arrow()


def ids(table):
    return set(table["photo_id"].to_pylist())


def write_predictions(lake, path, near=0.3):
    """A model that is right about some rows, 40 km off for others, wrong for the rest."""
    rows = rows_of(lake, "labelled").to_pandas().dropna(subset=["lat"])
    rng = np.random.default_rng(3)
    kind = rng.choice(3, len(rows), p=[near, 0.2, 0.8 - near])
    away = np.choose(kind, [0.01, 0.36, 90.0])
    lat = np.clip(np.where(rows.lat > 0, rows.lat - away, rows.lat + away), -90, 90)
    table = pa.table({"IMG_ID": rows.photo_id.tolist(), "pred_lat": lat, "pred_lon": rows.lon})
    pq.write_table(table, path)
    return path


# labelled


def test_labelled_keeps_every_row_and_labels_as_label_table_does(made):
    """R5: the table and the function agree row by row."""
    given_ = rows_of(made, "photos")
    labelled = rows_of(made, "labelled")
    expected = cor.label_table(given_, lat="lat", lon="lon")
    assert labelled.num_rows == given_.num_rows == ROWS
    order = [("source_row", "ascending")]
    assert labelled.sort_by(order).equals(expected.cast(labelled.schema).sort_by(order))
    bad = labelled.filter(pa.compute.equal(labelled["match"], "invalid"))
    assert bad.num_rows == 3
    assert set(bad["status"].to_pylist()) == {"missing", "invalid"}


def test_labelled_is_sorted_so_that_statistics_prune(made, monkeypatch, tmp_path):
    from geodata.datasets.recipes import label

    monkeypatch.setattr(label, "BUCKET_ROWS", 100)  # many buckets, also unequal ones
    shutil.copytree(made / "_private", tmp_path / "_private")  # the salt of the other lake
    photos.import_(metadata(), tmp_path / "photos", format="mp16")
    built = datasets.build(tmp_path, "labelled", "labelled")
    codes = rows_of(tmp_path, "labelled")["country_code"].to_pylist()
    assert [c for c, _ in itertools.groupby(codes)] == [*sorted({c for c in codes if c}), None]
    assert built.content_hash == tables.open(made / "labelled").content_hash


def test_a_selective_query_reads_few_row_groups(lake, tmp_path):
    rows = rows_of(lake, "labelled")
    tables.write(tmp_path / "many" / "labelled", rows, file_rows=250)
    with query.connect(tmp_path / "many") as con:
        text = con.sql(
            "EXPLAIN ANALYZE SELECT count(*) FROM labelled WHERE country_code = 'JP'"
        ).fetchall()[0][1]
    counted = [line for line in text.splitlines() if "Row Groups Scanned" in line]
    if not counted:
        pytest.skip("this DuckDB does not tell the row groups it read")
    read, every = map(int, counted[0].split(":")[1].strip(" │").split("/"))
    assert every == 10
    assert read <= 3


# rand


def test_rand_takes_n_usable_rows(lake):
    built = datasets.build(lake, "rand", "rand", n=600, seed=5)
    rows = rows_of(lake, "rand")
    assert built.rows == rows.num_rows == len(ids(rows)) == 600
    assert set(rows["status"].to_pylist()) == {"ok"}
    assert built.report["without_valid_coordinates"] == 3
    assert built.ok


def test_a_smaller_sample_is_part_of_a_larger_and_seeds_differ(lake):
    small, large, other = (
        ids(rows_of(lake, name))
        for name, n, seed in (("a", 200, 1), ("b", 900, 1), ("c", 200, 2))
        if datasets.build(lake, name, "rand", n=n, seed=seed)
    )
    assert small < large
    assert len(small & other) < 60


def test_a_sample_does_not_depend_on_the_order_of_rows(lake):
    """R14: the same rows in another order, in other files, give the same sample."""
    rows = rows_of(lake, "labelled")
    shuffled = rows.take(pa.array(np.random.default_rng(0).permutation(rows.num_rows)))
    tables.write(lake / "shuffled", shuffled, file_rows=301)
    for params in ({}, {"stratify": "country_code"}, {"stratify": "h3_3", "allocation": "equal"}):
        one = datasets.build(lake, "one", "rand", "labelled", n=700, seed=3, **params)
        two = datasets.build(lake, "two", "rand", "shuffled", n=700, seed=3, **params)
        assert one.content_hash == two.content_hash


def test_photos_that_occur_twice_are_chosen_by_their_whole_content(tmp_path):
    rows = pa.table({"photo_id": ["same"] * 40, "lat": np.arange(40.0), "lon": np.zeros(40)})
    tables.write(tmp_path / "a", rows)
    tables.write(tmp_path / "b", rows.take(pa.array(np.arange(40)[::-1])))
    chosen = [
        datasets.build(tmp_path, f"rand_{name}", "rand", name, n=13).content_hash for name in "ab"
    ]
    assert chosen[0] == chosen[1]


def test_a_sample_is_uniform_over_seeds(lake):
    """Each of 2,497 rows is in a third of the samples: the spread is that of coin throws."""
    counts = dict.fromkeys(rows_of(lake, "labelled")["photo_id"].to_pylist(), 0)
    for seed in range(12):
        datasets.build(lake, "rand", "rand", n=832, seed=seed)
        for name in rows_of(lake, "rand")["photo_id"].to_pylist():
            counts[name] += 1
    values = np.array([c for c in counts.values() if c])
    assert abs(values.mean() - 4) < 0.1
    assert abs(values.var() - 12 * (1 / 3) * (2 / 3)) < 0.5


@pytest.mark.parametrize("allocation", ["proportional", "equal"])
def test_strata_get_their_numbers(lake, allocation):
    rows = rows_of(lake, "labelled").to_pandas().dropna(subset=["lat"])
    sizes = rows.country_code.fillna("-").value_counts()
    datasets.build(lake, "rand", "rand", n=500, stratify="country_code", allocation=allocation)
    got = rows_of(lake, "rand").to_pandas().country_code.fillna("-").value_counts()
    assert got.sum() == 500
    for code, size in sizes.items():
        count = got.get(code, 0)
        if allocation == "proportional":
            assert abs(count - 500 * size / len(rows)) < 1
        else:
            assert count == size or count >= got.max() - 1


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.integers(0, 60), min_size=1, max_size=12).filter(any),
    st.floats(0, 1),
    st.sampled_from(sample.ALLOCATIONS),
)
def test_allocations_add_up(sizes, share, allocation):
    n = max(1, int(share * sum(sizes)))
    got = sample._allocated(np.array(sizes), n, allocation)
    assert got.sum() == n
    assert (got >= 0).all()
    assert (got <= np.array(sizes)).all()


# popular and hard


def test_popular_rows_are_those_that_the_model_localizes(lake, tmp_path):
    answers = write_predictions(lake, tmp_path / "preds.parquet")
    built = datasets.build(lake, "popular", "popular", {"predictions": answers})
    rows = rows_of(lake, "labelled").to_pandas().dropna(subset=["lat"]).set_index("photo_id")
    given_ = pq.read_table(answers).to_pandas().set_index("IMG_ID")
    km = sphere.haversine_km(
        rows.lat, rows.lon, given_.pred_lat[rows.index], given_.pred_lon[rows.index]
    )
    got = rows_of(lake, "popular").to_pandas().set_index("photo_id")
    assert set(got.index) == set(rows.index[km <= 25])
    assert np.abs(got.error_km - km[rows.index.get_indexer(got.index)]).max() < 1e-9
    for choice in built.report["if_localized_means"]:
        near = km <= choice["within_km"]
        assert choice["popular_points"] == near.sum()
        far = brute_far(rows.lat, rows.lon, rows.lat[near], rows.lon[near], 200)
        assert choice["kept_rows"] == far.sum()
    assert [c["within_km"] for c in built.report["if_localized_means"]] == [1, 25, 200]


def brute_far(lat, lon, popular_lat, popular_lon, radius_km):
    limit = sphere.threshold_a(radius_km)
    y, x = np.asarray(popular_lat), np.asarray(popular_lon)
    return np.array(
        [not (sphere.haversine_a(a, o, y, x) <= limit).any() for a, o in zip(lat, lon, strict=True)]
    )


def test_thinning_leaves_one_row_a_cell(lake, tmp_path):
    answers = write_predictions(lake, tmp_path / "preds.parquet")
    whole = datasets.build(lake, "popular", "popular", {"predictions": answers})
    thin = datasets.build(lake, "thin", "popular", {"predictions": answers}, thin=3)
    rows = rows_of(lake, "thin").to_pylist()
    cells = [h3.latlng_to_cell(r["lat"], r["lon"], 3) for r in rows]
    every = {h3.latlng_to_cell(r["lat"], r["lon"], 3) for r in rows_of(lake, "popular").to_pylist()}
    assert len(cells) == len(set(cells)) == len(every) == thin.rows < whole.rows
    few = datasets.build(lake, "few", "popular", {"predictions": answers}, thin=3, n=5)
    assert few.rows == 5
    assert ids(rows_of(lake, "few")) < ids(rows_of(lake, "thin"))


def test_predictions_may_name_photos_by_their_stem(lake, tmp_path):
    answers = write_predictions(lake, tmp_path / "preds.parquet")
    table = pq.read_table(answers)
    stems = [Path(name).stem for name in table["IMG_ID"].to_pylist()]
    pq.write_table(table.set_column(0, "IMG_ID", pa.array(stems)), tmp_path / "stems.parquet")
    one = datasets.build(lake, "one", "popular", {"predictions": answers})
    two = datasets.build(lake, "two", "popular", {"predictions": tmp_path / "stems.parquet"})
    assert one.content_hash == two.content_hash


def with_popular(lake, n=6):
    rows = rows_of(lake, "labelled").to_pandas().dropna(subset=["lat"])
    places = pa.table({"lat": rows.lat[::331][:n].tolist(), "lon": rows.lon[::331][:n].tolist()})
    tables.write(lake / "popular", places)
    return places


def test_hard_rows_are_far_from_every_popular_point(lake):
    places = with_popular(lake)
    built = datasets.build(lake, "hard", "hard")
    rows = rows_of(lake, "labelled").to_pandas().dropna(subset=["lat"])
    far = brute_far(rows.lat, rows.lon, places["lat"], places["lon"], 200)
    assert ids(rows_of(lake, "hard")) == set(rows.photo_id[far])
    assert built.report["near_a_popular_point"] == (~far).sum()
    names = ["dataset_duplicate_ids", "dataset_bad_coordinates", "dataset_near_popular"]
    assert [a.name for a in built.audits] == names
    assert built.ok
    some = datasets.build(lake, "some", "hard", n=50, seed=4)
    assert some.rows == 50
    assert ids(rows_of(lake, "some")) < ids(rows_of(lake, "hard"))


def test_hard_agrees_with_the_sql_way(lake):
    from geodata import popular

    places = with_popular(lake)
    datasets.build(lake, "hard", "hard", radius_km=350)
    cells = popular.cells(places["lat"], places["lon"], 350)
    points = popular.cell_points(cells, places["lat"], places["lon"], 350)
    labelled = rows_of(lake, "labelled").filter(pa.compute.field("lat").is_valid())
    given_ = {"rows_": labelled, "cells": cells, "points": points}
    with query.connect(files=given_) as con:
        con.execute("CREATE VIEW photos AS SELECT *, h3_5 AS cell FROM rows_")
        found = con.sql(
            "SELECT photo_id FROM far_from_popular('photos', 'cells', 'points', 350)"
        ).fetchall()
    assert {row[0] for row in found} == ids(rows_of(lake, "hard"))


# split, exclude-benchmark, dedupe


def test_a_part_that_nobody_asked_for_is_counted_as_empty(tmp_path):
    rows = {"photo_id": ["a", "b"], "lat": [0.0, 40.0], "lon": [0.0, 90.0]}
    tables.write(tmp_path / "photos", pa.table(rows))
    for shares in ({"validation": 0.5, "test": 0.0}, {"validation": 0.0, "test": 0.5}):
        built = datasets.build(
            tmp_path, "split", "split", {"rows": "photos"}, buffer=0, least=0, **shares
        )
        none = next(name for name, share in shares.items() if not share)
        assert built.report["splits"][none] == 0
        assert sum(built.report["splits"].values()) == built.rows == 2


@pytest.mark.parametrize("seed", [0, 1])
def test_split_shares_no_photographer_cell_or_neighbour(lake, seed):
    built = datasets.build(lake, "split", "split", seed=seed, validation=0.2, test=0.2, least=0)
    rows = rows_of(lake, "split").to_pandas()
    assert built.report["splits"] == rows.split.value_counts().to_dict()
    assert (rows.groupby("author").split.nunique() == 1).all()
    cells = {name: set(part.h3_5) for name, part in rows.groupby("split")}
    for one, other in itertools.combinations(cells.values(), 2):
        around = {h3.str_to_int(c) for x in one for c in h3.grid_disk(h3.int_to_str(x), 1)}
        assert not around & other
    for one, other in itertools.combinations([p for _, p in rows.groupby("split")], 2):
        a = sphere.haversine_a(
            one.lat.to_numpy()[:, None], one.lon.to_numpy()[:, None], other.lat, other.lon
        )
        assert a.min() > sphere.threshold_a(5)  # a whole cell of resolution 5 lies between
    assert built.ok
    assert (
        built.rows
        + sum(
            built.report[k]
            for k in (
                "without_valid_coordinates",
                "with_another_status_than_ok",
                "photographer_at_home_in_another_split",
                "near_another_split",
            )
        )
        == built.report["rows_in"]
    )


def test_split_says_when_a_part_would_be_empty(lake):
    with pytest.raises(datasets.DatasetError, match=r"no row is left for 'test'.*another seed"):
        datasets.build(lake, "split", "split", test=0.0001, validation=0.3)
    with pytest.raises(datasets.DatasetError, match="must be shares"):
        datasets.build(lake, "split", "split", test=1.5)


def test_excluding_a_benchmark_counts_each_rule(lake, tmp_path):
    rows = rows_of(lake, "labelled").to_pandas()
    own = metadata().to_pandas()
    test = own.iloc[100:160].copy()
    name = test.IMG_ID.iloc[0].rsplit("/", 1)[1].removesuffix(".jpg")
    test.iloc[0, 0] = f"{name}_0123456789_3_1@N00.jpg"  # as IM2GPS3K names it
    test.iloc[1:40, 0] = [f"other-{i}" for i in range(39)]
    test.iloc[1:40, 1] = "nobody"
    path = tmp_path / "im2gps.csv"
    test.to_csv(path, index=False)
    built = datasets.build(lake, "clean", "exclude-benchmark", {"benchmark": path}, radius_km=2)
    shared = built.report["rows_that_share"]
    assert shared["photo_id"] == 21
    hashed = {photos_author(a, tables.lake_salt(lake)) for a in test.AUTHOR}
    assert shared["author"] == rows.author.isin(hashed).sum()
    places = set(zip(test.LAT.astype(float), test.LON.astype(float), strict=True))
    same = [(a, o) in places for a, o in zip(rows.lat, rows.lon, strict=True)]
    assert shared["coordinate"] == sum(same) >= 60
    known = rows.lat.notna()
    near = ~brute_far(
        rows.lat[known], rows.lon[known], test.LAT.astype(float), test.LON.astype(float), 2
    )
    assert shared["radius"] == near.sum()
    assert built.rows == len(rows) - built.report["dropped"]


def photos_author(name, salt):
    row = {"IMG_ID": ["a"], "AUTHOR": [name], "LAT": ["0.5"], "LON": ["0.5"]}
    table = next(photos.read(row, salt=salt))
    return table["author"][0].as_py()


def test_a_benchmark_table_is_audited(lake):
    photos.import_(metadata().slice(50, 30), lake / "benchmark", format="mp16")
    built = datasets.build(
        lake, "clean", "exclude-benchmark", {"benchmark": "benchmark"}, by="photo_id,coordinate"
    )
    assert built.report["rows_that_share"] == {"photo_id": 30, "coordinate": 30}
    assert [a.name for a in built.audits] == ["dataset_duplicate_ids", "dataset_leaked_rows"]
    assert built.ok


def test_dedupe_keeps_one_of_each(lake):
    rows = rows_of(lake, "photos")
    tables.write(lake / "twice", pa.concat_tables([rows, rows.slice(0, 200)]))
    built = datasets.build(lake, "once", "dedupe", "twice")
    assert built.report["rows_that_repeat_another"] == 200
    assert ids(rows_of(lake, "once")) == ids(rows)
    assert built.ok
    datasets.build(lake, "spots", "dedupe", "twice", by=["author", "h3_5"])
    frame = pl.DataFrame(rows)
    known = frame.drop_nulls(["author", "h3_5"]).unique(["author", "h3_5"]).height
    nulls = frame.filter(pl.any_horizontal(pl.col("author", "h3_5").is_null())).height
    extra = frame.slice(0, 200)
    nulls += extra.filter(pl.any_horizontal(pl.col("author", "h3_5").is_null())).height
    assert rows_of(lake, "spots").num_rows == known + nulls


def test_dedupe_prefers_a_row_with_coordinates(tmp_path):
    rows = pa.table({"photo_id": ["a", "a", None, None], "lat": [None, 1.0, 2.0, 2.0],
                     "lon": [None, 1.0, 2.0, 2.0]})  # fmt: skip
    tables.write(tmp_path / "photos", rows)
    datasets.build(tmp_path, "once", "dedupe")
    assert sorted(rows_of(tmp_path, "once")["lat"].to_pylist()) == [1.0, 2.0, 2.0]


# the same for any number of threads

EVERY = """
import sys
from geodata import datasets
lake, answers = sys.argv[1:]
for name, recipe, inputs, params in (
    ("labelled2", "labelled", None, {}),
    ("rand", "rand", "labelled", {"n": 400, "stratify": "country_code"}),
    ("popular", "popular", {"predictions": answers}, {"thin": 4}),
    ("hard", "hard", None, {"radius_km": 60, "n": 20}),
    ("split", "split", None, {"test": 0.2, "validation": 0.2, "least": 0}),
    ("clean", "exclude-benchmark", {"benchmark": answers.replace("preds", "bench")}, {}),
    ("once", "dedupe", "photos", {"by": "author,h3_3"}),
):
    print(name, datasets.build(lake, name, recipe, inputs, seed=9, **params).content_hash)
"""


def test_threads_and_hash_seeds_change_nothing(lake, tmp_path):
    """R14: 1 and 8 threads, two values of PYTHONHASHSEED."""
    answers = write_predictions(lake, tmp_path / "preds.parquet", near=0.02)
    pq.write_table(metadata().slice(0, 20), tmp_path / "bench.parquet")
    told = set()
    for threads, hashed in (("1", "0"), ("8", "12345")):
        limits = dict.fromkeys(("OMP_NUM_THREADS", "POLARS_MAX_THREADS"), threads)
        done = subprocess.run(
            [sys.executable, "-c", EVERY, str(lake), str(answers)],
            env={**os.environ, **limits, "PYTHONHASHSEED": hashed},
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        told.add(done.stdout)
    assert len(told) == 1
    assert len(next(iter(told)).splitlines()) == 7


# lineage and replay


def test_a_commit_says_how_its_rows_were_made(lake):
    with_popular(lake)
    datasets.build(lake, "hard", "hard", {"popular": "popular@0"}, seed=11, n=30)
    note = tables.open(lake / "hard").note
    assert (note["recipe"], note["seed"]) == ("hard", 11)
    assert note["parameters"] == {"radius_km": 200.0, "n": 30}
    for role, name in (("rows", "labelled"), ("popular", "popular")):
        assert note["inputs"][role] == tables.open(lake / name).reference()
    assert note["report"]["rows"] == 30
    assert {"geodata", "numpy", "pyarrow"} <= set(note["code"])


def test_every_recipe_replays(lake, tmp_path):
    """R14: the content hash of a replay is the recorded one, also when inputs went on."""
    answers = write_predictions(lake, tmp_path / "preds.parquet", near=0.02)
    for name, recipe, inputs, params in (
        ("rand", "rand", None, {"n": 100}),
        ("popular", "popular", {"predictions": answers}, {}),
        ("hard", "hard", None, {"radius_km": 60}),
        ("split", "split", None, {"test": 0.2, "validation": 0.2, "least": 0}),
        ("clean", "exclude-benchmark", {"benchmark": answers}, {"by": ["photo_id"]}),
        ("once", "dedupe", None, {"by": ["author"]}),
    ):
        if recipe == "exclude-benchmark":
            photos.import_(metadata().slice(0, 9), lake / "bench", format="mp16")
            inputs = {"benchmark": "bench"}
        datasets.build(lake, name, recipe, inputs, seed=2, **params)
    before = {name: tables.open(lake / name).content_hash for name in tables.names(lake)}
    photos.import_(metadata(50, seed=1), lake / "photos", format="mp16")
    datasets.build(lake, "labelled", "labelled", max_offset_km=3.0)
    for name in ("rand", "popular", "hard", "split", "clean", "once"):
        assert datasets.rebuild(lake, name).content_hash == before[name]
    again = datasets.rebuild(lake, "labelled", 0)
    assert (again.version, again.content_hash) == (0, before["labelled"])


def test_a_replay_restores_a_damaged_version(lake):
    built = datasets.build(lake, "rand", "rand", n=300)
    tables.open(lake / "rand").files[0].unlink()
    assert not tables.verify(lake / "rand").ok
    restored = datasets.rebuild(lake, "rand", write=True)
    assert (restored.version, restored.content_hash) == (1, built.content_hash)
    assert tables.open(lake / "rand").rows == 300


def test_a_replay_refuses_inputs_that_changed(lake, tmp_path, monkeypatch):
    monkeypatch.setattr(kept_inputs, "KEPT_BYTES", 0)  # large files are not copied into the lake
    answers = write_predictions(lake, tmp_path / "preds.parquet")
    datasets.build(lake, "popular", "popular", {"predictions": answers})
    write_predictions(lake, answers, near=0.4)
    with pytest.raises(datasets.DatasetError, match=r"sha256 is .* the dataset was built from"):
        datasets.rebuild(lake, "popular")
    answers.unlink()
    with pytest.raises(files.FileError, match="found nothing"):
        datasets.rebuild(lake, "popular")
    with pytest.raises(datasets.DatasetError, match="was not built by a recipe"):
        datasets.rebuild(lake, "photos")


def test_a_replay_that_differs_is_told(lake):
    datasets.build(lake, "rand", "rand", n=30)
    opened = tables.open(lake / "rand")
    note = {**opened.note, "code": {**opened.note["code"], "numpy": "1.0"}}
    tables.write(lake / "rand", opened.arrow().slice(1), note=note)
    with pytest.raises(datasets.DatasetError, match=r"the replay has content .*numpy was 1.0 and"):
        datasets.rebuild(lake, "rand")


# bad input


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (("x", "hrad"), "there is no recipe 'hrad'; the recipes are labelled, rand"),
        (("x", "rand", {"row": "labelled"}), "has no input 'row'; it has rows"),
        (("x", "popular"), "needs the input 'predictions'"),
        (("x", "rand", "nothing"), "there is no table"),
        (("x", "rand", "labelled@9"), "there is no version 9; the versions are 0 to 0"),
        (("x", "rand", "labelled@paper"), "there is no tag 'paper'"),
        (("x", "rand", "../photos"), "cannot name a table"),
        (("photos", "rand"), "was not built by a recipe; choose another name"),
        (("labelled", "rand"), "would be built from itself"),
        (("x", "rand", "rows.csv"), "found nothing there"),
    ],
)
def test_what_is_asked_wrongly_is_told(lake, call, message):
    with pytest.raises(ValueError, match=message):
        datasets.build(lake, *call)
    assert "x" not in tables.names(lake)


@pytest.mark.parametrize(
    ("recipe", "params", "message"),
    [
        ("rand", {"n": 2499}, r"n=2,499 rows are wanted, 2,497 of labelled@0.*choose n=2497"),
        ("rand", {"n": 0}, "must be a whole number above 0"),
        ("rand", {"radius_km": 3}, "has no parameter 'radius_km'; it has n, stratify, allocation"),
        ("rand", {"seed": -1}, "seed=-1 must be"),
        ("rand", {"n": 5, "stratify": "nation"}, "has no column 'nation'; its columns are"),
        ("rand", {"n": 5, "allocation": "fair"}, "expected proportional or equal"),
        ("rand", {"n": 5, "allocation": "equal"}, "of a column; name it with stratify="),
        ("hard", {"radius_km": 20_000}, "every row is within 20000 km of a popular point: radius"),
        ("hard", {"radius_km": -1}, "radius_km -1 must be"),
        ("hard", {"n": 99_999}, "are farther than 200 km"),
        ("dedupe", {"by": "photo"}, "has no column 'photo'"),
        ("split", {"resolution": 9}, "resolution=9 must be"),
    ],
)
def test_parameters_that_cannot_be_are_told_and_nothing_changes(lake, recipe, params, message):
    with_popular(lake)
    datasets.build(lake, "mine", "rand", n=10)
    with pytest.raises(ValueError, match=message):
        datasets.build(lake, "mine", recipe, **params)
    assert tables.open(lake / "mine").version == 0
    assert tables.verify(lake / "mine").ok


def test_missing_columns_and_unmatched_ids_are_told(lake, tmp_path):
    tables.write(lake / "odd", pa.table({"photo": ["a"], "lat": [1.0], "lon": [2.0]}))
    with pytest.raises(datasets.DatasetError, match=r"odd@0 has no column 'photo_id'.*photo, lat"):
        datasets.build(lake, "x", "rand", "odd", n=1)
    tables.write(lake / "odd", pa.table({"photo_id": ["a"], "latitud": [1.0]}))
    with pytest.raises(datasets.DatasetError, match="odd@1: found no latitude column"):
        datasets.build(lake, "x", "labelled", "odd")
    other = pa.table({"id": ["q", "r"], "lat": [1.0, 2.0], "lon": [1.0, 2.0]})
    pq.write_table(other, tmp_path / "other.parquet")
    with pytest.raises(datasets.DatasetError, match=r"no id of .*other.parquet is a photo_id of"):
        datasets.build(lake, "x", "popular", {"predictions": tmp_path / "other.parquet"})
    (tmp_path / "broken.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(files.FileError, match="cannot be read as parquet"):
        datasets.build(lake, "x", "popular", {"predictions": tmp_path / "broken.parquet"})
    with pytest.raises(TypeError, match="rows in memory cannot be replayed"):
        datasets.build(lake, "x", "rand", other)
    with pytest.raises(datasets.DatasetError, match="must be a table of the lake"):
        datasets.build(lake, "x", "rand", tmp_path / "other.parquet", n=1)
    assert "x" not in tables.names(lake)


def test_an_input_changed_behind_our_back_stops_the_build(lake):
    """R15: pages are checked while a recipe reads; the table it would write stays as it is."""
    datasets.build(lake, "rand", "rand", n=100)
    file = tables.open(lake / "labelled").files[0]
    data = bytearray(file.read_bytes())
    data[len(data) // 3] ^= 4
    file.write_bytes(data)
    with pytest.raises((ValueError, OSError)):
        datasets.build(lake, "rand", "rand", n=200)
    assert tables.open(lake / "rand").rows == 100
    assert not tables.verify(lake / "labelled").ok
    file.write_bytes(data[:-100])
    with pytest.raises(tables.TableChangedError, match="changed since the commit"):
        datasets.build(lake, "rand", "rand", n=200)


def test_rows_that_the_import_refused_are_not_sampled(tmp_path):
    rows = pa.table({"photo_id": list("abcd"), "lat": [1.0, 2.0, 3.0, None], "lon": [1.0] * 4,
                     "status": ["ok", "photo_unavailable", "mine", "missing"]})  # fmt: skip
    tables.write(tmp_path / "photos", rows)
    built = datasets.build(tmp_path, "rand", "rand", "photos", n=2)
    assert ids(rows_of(tmp_path, "rand")) == {"a", "c"}
    assert built.report["without_valid_coordinates"] == 1
    assert built.report["with_another_status_than_ok"] == 1


def test_an_empty_table_is_told(made, tmp_path):
    tables.write(tmp_path / "photos", rows_of(made, "photos").slice(0, 0))
    with pytest.raises(datasets.EmptyDatasetError, match="leaves no row"):
        datasets.build(tmp_path, "labelled", "labelled")


# audits return the rows that should not be there


def offending(sql, **given_):
    with duckdb.connect() as con:
        query.load_sql(con)
        for name, table in given_.items():
            con.register(name, table)
        return [row[0] for row in con.sql(f"SELECT photo_id FROM {sql} ORDER BY 1").fetchall()]


ROWS_ = pa.table(
    {
        "photo_id": ["a", "b", "c", "d", "d"],
        "author": ["x", "y", "x", None, "z"],
        "lat": [10.0, 10.0, 50.0, None, 91.0],
        "lon": [20.0, 20.0, 7.0, 1.0, 1.0],
        "h3_5": [1, 1, 2, None, 3],
        "split": ["train", "test", "train", "test", "train"],
        "match": ["inside", "inside", "none", "invalid", None],
        "country": ["Chad", None, None, None, None],
        "country_code": ["TD", None, None, None, None],
    }
)


def test_audits_find_the_rows():
    assert offending("dataset_null_country('r')", r=ROWS_) == ["b", "d"]
    assert offending("dataset_bad_coordinates('r')", r=ROWS_) == ["d", "d"]
    assert offending("dataset_duplicate_ids('r')", r=ROWS_) == ["d", "d"]
    assert offending("dataset_split_leaks('r')", r=ROWS_) == ["a", "b"]
    moved = ROWS_.set_column(5, "split", pa.array(["train", "train", "test", "test", "test"]))
    assert offending("dataset_split_leaks('r')", r=moved) == ["a", "c"]
    benchmark = pa.table({"photo_id": ["c", None], "author": ["y", None], "lat": [10.0, None],
                          "lon": [20.0, None]})  # fmt: skip
    assert offending("dataset_leaked_rows('r', 'b')", r=ROWS_, b=benchmark) == ["a", "b", "c"]


def test_the_audit_of_hard_rows_finds_near_ones(lake):
    places = with_popular(lake)
    built = datasets.build(lake, "hard", "hard")
    all_rows = rows_of(lake, "labelled")
    tables.write(lake / "hard", all_rows, note=tables.open(lake / "hard").note)
    audits = {audit.name: audit for audit in datasets.audit(lake, "hard")}
    rows = all_rows.to_pandas().dropna(subset=["lat"])
    near = ~brute_far(rows.lat, rows.lon, places["lat"], places["lon"], 200)
    assert audits["dataset_near_popular"].offending == near.sum() > 0
    assert audits["dataset_bad_coordinates"].offending == 3
    assert audits["dataset_near_popular"].rows.num_rows == min(near.sum(), 100)
    assert built.ok


# kills and full disks

BUILDER = """
import os, sys
from geodata import datasets, tables
lake = sys.argv[1]
for _ in sys.stdin:
    worker = os.fork()
    if worker == 0:
        print("ready", os.getpid(), flush=True)
        datasets.build(lake, "labelled", "labelled")
        datasets.build(lake, "rand", "rand", n=700, seed=3)
        os._exit(0)
    os.waitpid(worker, 0)
    print("over", flush=True)
"""


def test_a_killed_build_leaves_the_old_version_or_the_new(lake):
    """R10: 20 kills at random points; what is there verifies, and a resumed build is the same."""
    datasets.build(lake, "rand", "rand", n=700, seed=3)
    expected = {name: tables.open(lake / name).content_hash for name in ("labelled", "rand")}
    rng, took = random.Random(0), 0.0
    with subprocess.Popen(
        [sys.executable, "-c", BUILDER, str(lake)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as builder:  # fmt: skip
        for _ in range(21):
            builder.stdin.write("go\n")
            builder.stdin.flush()
            pid = int(builder.stdout.readline().split()[1])
            start = time.monotonic()
            if took:
                time.sleep(rng.uniform(0, took))
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            assert builder.stdout.readline() == "over\n"
            took = took or time.monotonic() - start
            for name, content_hash in expected.items():
                report = tables.verify(lake / name)
                assert report.ok, report.problems
                assert report.content_hash == content_hash
        builder.stdin.close()
    assert not [p for p in lake.iterdir() if not p.is_dir()]  # what was sorted is gone
    assert datasets.build(lake, "labelled", "labelled").content_hash == expected["labelled"]


FULL = """
import sys
from geodata import datasets, tables
try:
    datasets.build(sys.argv[1], "labelled", "labelled")
except tables.StorageFullError as error:
    print(error)
"""


@pytest.mark.parametrize("limit", [2_000, 60_000, 120_000])
def test_a_full_disk_stops_a_build_and_changes_nothing(lake, limit):
    """R11: while rows are sorted on disk, and while they are written."""
    done = subprocess.run(
        [sys.executable, "-c", FULL, str(lake)],
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit)),
        check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert "no room left" in done.stdout, done.stderr
    assert tables.open(lake / "labelled").version == 0
    assert tables.verify(lake / "labelled").ok


def test_spilled_parts_come_back_in_order(tmp_path):
    rng = np.random.default_rng(0)
    given_ = [pa.table({"a": rng.integers(0, 9, rng.integers(1, 50))}) for _ in range(30)]
    with PartsOnDisk(3, tmp_path) as spill:
        for i, table in enumerate(given_):
            spill.add(i % 2, table)
        assert list(tmp_path.iterdir()) == []
        for part in range(2):
            assert spill.take(part).equals(pa.concat_tables(given_[part::2]).combine_chunks())
            assert spill.take(part) is None
        assert spill.take(2) is None


# names of inputs


def test_inputs_are_tables_or_files(lake, tmp_path):
    assert lineage.open_input(lake, "rows", "labelled@0").label == "labelled@0"
    path = tmp_path / "p.csv"
    path.write_text("id,lat,lon\na,1,2\n")
    opened = lineage.open_input(lake, "predictions", path)
    assert opened.reference["sha256"] == files.sha256(path)
    points = next(iter(opened.points(["id"])))[0]
    assert points.lat.tolist() == [1.0]


# the command


def run(*args, code=0):
    done = CliRunner().invoke(app, [str(a) for a in args], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def test_the_command_builds_checks_and_hands_on(lake, tmp_path):
    with_popular(lake)
    told = run("dataset", "build", "hard", "--lake", lake, "-n", 40, "--seed", 2)
    assert "hard, version 0: 40 rows" in told
    assert "audit dataset_near_popular: 0 rows" in told
    run("dataset", "build", "hard", "--lake", lake, "-n", 60, "--seed", 2)
    assert "0 rows added, 20 removed" in run("dataset", "diff", "hard", 1, 0, "--lake", lake)
    assert "hard@paper is version 0" in run(
        "dataset", "tag", "hard", "paper", "--lake", lake, "--at", 0
    )
    listed = run("dataset", "history", "hard", "--lake", lake)
    assert "0 [paper]" in listed
    assert "hard of rows labelled@0, popular popular@0; seed 2" in listed
    assert "40 rows in" in run("dataset", "verify", "hard", "--lake", lake, "--at", "paper")
    assert "the same content hash" in run("dataset", "rebuild", "hard", "--lake", lake)
    assert "dataset_near_popular: 0" in run("dataset", "audit", "hard", "--lake", lake)
    assert "recipe" in run("dataset", "card", "hard", "--lake", lake).lower()
    run("dataset", "export", "hard", "--lake", lake, "-o", tmp_path / "out")
    assert pq.read_table(tmp_path / "out" / "data").num_rows == 60
    assert "hard " in run("dataset", "list", "--lake", lake)
    words = ("records", "grpo", "--lake", lake, "--from", "hard@paper")
    run(*words, "-o", tmp_path / "r.parquet", "--no-check")  # there are no pictures
    assert pq.read_table(tmp_path / "r.parquet").num_rows == 40
    tables.write(lake / "hard", rows_of(lake, "labelled"), note=tables.open(lake / "hard").note)
    assert "lat" in run("dataset", "audit", "hard", "--lake", lake, code=1)
    tables.open(lake / "hard", "paper").files[0].unlink()
    assert "is gone" in run("dataset", "verify", "hard", "--lake", lake, code=1)


def test_an_export_is_read_by_datasets(lake, tmp_path):
    hf = pytest.importorskip("datasets")
    datasets.build(lake, "rand", "rand", n=40)
    tables.export(lake / "rand", tmp_path / "out")
    loaded = hf.load_dataset(
        "parquet", data_dir=str(tmp_path / "out"), split="train", cache_dir=str(tmp_path / "c")
    )
    assert set(loaded["photo_id"]) == ids(rows_of(lake, "rand"))
