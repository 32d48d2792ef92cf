"""Relations between outputs: sums of parts, one answer in every form, more never gives less."""

import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from geodata import coords, cor, datasets, evaluation, popular, query, records, sphere, tables
from geodata.evaluation import report
from georl import rewards

THRESHOLDS = (1.0, 25.0, 200.0, 750.0, 2500.0)
seeds = st.integers(0, 2**32 - 1)


def answered(seed, n=60):
    """Truth in groups, and answers near and far, some of them missing; ids in another order."""
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(-80, 80, n), rng.uniform(-180, 180, n)
    off = rng.choice([1e-3, 0.1, 1.0, 5.0, 40.0], n)
    truth = pa.table(
        {
            "id": [f"p{i}" for i in range(n)],
            "lat": lat,
            "lon": lon,
            "group": rng.choice(["a", "b", None], n).tolist(),
        }
    )
    guess = np.clip(lat + off, -90, 90)
    there = rng.random(n) > 0.2
    order = rng.permutation(np.flatnonzero(there))
    preds = pa.table({"id": truth["id"], "lat": guess, "lon": lon}).take(order)
    return truth, preds


def score(preds, truth, **options):
    options = {"regions": False, "resamples": 50, "lint": False, **options}
    return evaluation.evaluate(preds, truth, **options)


# evaluation


@settings(max_examples=25, deadline=None)
@given(seeds, st.sampled_from(["wrong", "exclude"]))
def test_a_score_is_the_sum_of_its_groups(seed, missing):
    truth, preds = answered(seed)
    whole = score(preds, truth, by=("group",), missing=missing)
    groups = whole.scores.by["group"]
    assert sum(g.rows for g in groups) == whole.rows == truth.num_rows
    assert sum(g.answered for g in groups) == whole.scores.answered
    for km in THRESHOLDS:
        assert sum(g.correct[km] for g in groups) == whole.scores.correct[km]


@settings(max_examples=15, deadline=None)
@given(seeds)
def test_a_score_is_the_sum_of_its_pieces(seed):
    truth, preds = answered(seed)
    cut = seed % (truth.num_rows - 1) + 1
    pieces = [score(preds, part) for part in (truth.slice(0, cut), truth.slice(cut))]
    whole = score(preds, truth)
    for km in THRESHOLDS:
        right = sum(piece.accuracy[km] * piece.rows for piece in pieces)
        assert whole.accuracy[km] * whole.rows == pytest.approx(right)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_the_order_of_rows_changes_no_score(seed):
    truth, preds = answered(seed)
    rng = np.random.default_rng(seed)
    turned = score(
        preds.take(rng.permutation(preds.num_rows)), truth.take(rng.permutation(truth.num_rows))
    )
    whole = score(preds, truth)
    assert turned.accuracy == whole.accuracy
    assert turned.median_km == whole.median_km
    assert (turned.rows, turned.coverage) == (whole.rows, whole.coverage)


@settings(max_examples=25, deadline=None)
@given(seeds)
def test_scores_grow_with_the_threshold_and_shrink_with_what_is_missing(seed):
    truth, preds = answered(seed)
    all_, less = score(preds, truth), score(preds.slice(1), truth)
    strict = score(preds, truth, strict=True)
    only = score(preds, truth, missing="exclude")
    shares = [all_.accuracy[km] for km in THRESHOLDS]
    assert shares == sorted(shares)
    for km in THRESHOLDS:
        assert less.accuracy[km] <= all_.accuracy[km] <= only.accuracy[km]
        assert strict.accuracy[km] <= all_.accuracy[km]
        interval = all_.intervals[km]
        assert interval.low <= all_.accuracy[km] <= interval.high
    wide, narrow = (score(preds, truth, confidence=c).intervals[200] for c in (0.99, 0.5))
    assert wide.low <= narrow.low <= narrow.high <= wide.high


def test_a_file_against_itself_is_perfect_and_swapping_the_two_changes_no_distance():
    truth, preds = answered(3)
    assert set(score(truth, truth).accuracy.values()) == {1.0}
    both = truth.filter(pa.compute.is_in(truth["id"], preds["id"]))
    assert score(preds, both).accuracy == pytest.approx(score(both, preds).accuracy)


def test_json_markdown_and_the_fields_say_the_same(tmp_path):
    truth, preds = answered(4)
    found = score(preds, truth, by=("group",))
    told = json.loads(found.to_json())
    markdown = report.to_markdown(found)
    text = json.dumps(told)
    for km in THRESHOLDS:
        assert f"{100 * found.accuracy[km]:.2f}" in markdown
        assert str(found.accuracy[km])[:8] in text


# one distance


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_one_distance_everywhere(seed):
    """R1: NumPy, the SQL macro, the score and the reward of training."""
    rng = np.random.default_rng(seed)
    lat, lon = rng.uniform(-89, 89, (2, 50)).round(6), rng.uniform(-179, 179, (2, 50)).round(6)
    lat[1, :25] = np.clip(lat[0, :25] + rng.normal(0, 0.5, 25), -89, 89).round(6)
    lon[1, :25] = lon[0, :25]
    km = sphere.haversine_km(lat[0], lon[0], lat[1], lon[1])
    pairs = pa.table({"i": range(50), "a": lat[0], "b": lon[0], "c": lat[1], "d": lon[1]})
    by_sql = query.run("SELECT haversine_km(a, b, c, d) km FROM p ORDER BY i", files={"p": pairs})
    np.testing.assert_allclose(by_sql["km"].to_numpy(), km, atol=1e-6)
    texts = [f"({y:.6f}, {x:.6f})" for y, x in zip(lat[1], lon[1], strict=True)]
    earned = rewards.exponential(texts, lat[0].tolist(), lon[0].tolist(), scale_km=200.0)
    np.testing.assert_allclose(earned, np.exp(-km / 200.0), atol=1e-8)
    ids = [str(i) for i in range(50)]
    truth = {"id": ids, "lat": lat[0], "lon": lon[0]}
    scored = score({"id": ids, "lat": lat[1], "lon": lon[1]}, truth)
    assert scored.median_km == pytest.approx(float(np.median(km)), abs=1e-6)


# labels


def world(seed, n=200):
    rng = np.random.default_rng(seed)
    return np.degrees(np.arcsin(rng.uniform(-1, 1, n))), rng.uniform(-180, 180, n)


OPTIONS = (
    {},
    {"worldview": "cn"},
    {"dependencies": "sovereign"},
    {"max_offset_km": 0.0},
    {"lang": "fr"},
)


@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_label_equals_table_equals_file_equals_sql(options, tmp_path):
    """Relation of every form of a label, for every option."""
    lat, lon = world(1)
    table = cor.label_table(pa.table({"lat": lat, "lon": lon}), **options)
    source, target = tmp_path / "in.parquet", tmp_path / "out.parquet"
    pq.write_table(pa.table({"lat": lat, "lon": lon}), source)
    cor.label_file(source, target, **options)
    assert pq.read_table(target).to_pylist() == table.to_pylist()
    for i in range(0, len(lat), 7):
        one = cor.label(lat[i], lon[i], **options)
        row = table.slice(i, 1).to_pylist()[0]
        assert {k: row[k] for k in ("country", "country_code", "admin1", "city", "match")} == {
            k: getattr(one, k) for k in ("country", "country_code", "admin1", "city", "match")
        }
    by_sql = query.run("SELECT country_code, count(*) n FROM t GROUP BY ALL", files={"t": target})
    counted = {row["country_code"]: row["n"] for row in by_sql.to_pylist()}
    codes = table["country_code"].to_pylist()
    assert counted == {code: codes.count(code) for code in set(codes)}


@settings(max_examples=10, deadline=None)
@given(seeds)
def test_labels_follow_their_rows_and_more_offset_only_adds(seed):
    lat, lon = world(seed)
    order = np.random.default_rng(seed).permutation(len(lat))
    table = cor.label_table(lat, lon)
    assert cor.label_table(lat[order], lon[order]).equals(table.take(order))
    near = cor.label_table(lat, lon, max_offset_km=0.0)["country_code"].to_pylist()
    far = cor.label_table(lat, lon, max_offset_km=300.0)["country_code"].to_pylist()
    usual = table["country_code"].to_pylist()
    for none, some, most in zip(near, usual, far, strict=True):
        assert none is None or none == some == most
        assert some is None or some == most


# exclusion and sampling


@settings(max_examples=60, deadline=None)
@given(st.lists(st.none() | st.floats(-99, 99).map(repr), min_size=2), st.data())
def test_a_part_of_a_column_reads_as_that_part(texts, data):
    """A slice shares its buffers with the whole: pyarrow before 24 gave text of other rows."""
    start = data.draw(st.integers(0, len(texts) - 1))
    column = pa.chunked_array([pa.array(texts, pa.string())])
    whole = coords.parse_numbers(column).to_pylist()
    assert coords.parse_numbers(column.slice(start)).to_pylist() == whole[start:]


@settings(max_examples=20, deadline=None)
@given(seeds, st.floats(1.0, 3000.0), st.floats(1.0, 3000.0))
def test_a_larger_radius_keeps_a_subset(seed, one, other):
    (lat, lon), (y, x) = world(seed, 300), world(seed + 1, 20)
    near, far = sorted((one, other))
    within_near = popular.within_km(lat, lon, y, x, near)
    within_far = popular.within_km(lat, lon, y, x, far)
    assert (within_far | ~within_near).all()
    rows = pa.table({"i": range(300), "lat": lat, "lon": lon})
    kept = popular.exclude(rows, pa.table({"lat": y, "lon": x}), far)["i"].to_pylist()
    assert kept == np.flatnonzero(~within_far).tolist()
    more = popular.within_km(lat, lon, np.r_[y, 0.0], np.r_[x, 0.0], near)
    assert (more | ~within_near).all()  # another popular point only adds


def lake_of(folder, n=60):
    lat, lon = world(5, n)
    photos = {"photo_id": [f"p{i}" for i in range(n)], "lat": lat, "lon": lon}
    tables.append(folder / "labelled", cor.label_table(pa.table(photos)))
    return folder


def ids_of(lake, name, version=None):
    return tables.open(lake / name, version).arrow()["photo_id"].to_pylist()


def test_a_sample_is_a_subset_of_its_source_repeats_and_differs_by_seed(tmp_path):
    lake = lake_of(tmp_path)
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        datasets.build("rand", lake, name=name, n=20, seed=seed)
    a, b, c = (sorted(ids_of(lake, name)) for name in "abc")
    assert a == b != c
    assert set(a) | set(c) <= set(ids_of(lake, "labelled"))
    assert tables.open(lake / "a").content_hash == tables.open(lake / "b").content_hash
    datasets.build("rand", lake, name="all", n=60)
    assert sorted(ids_of(lake, "all")) == sorted(ids_of(lake, "labelled"))


# tables


def test_exported_and_taken_in_again_is_the_same(tmp_path):
    lake = lake_of(tmp_path / "lake")
    version = tables.open(lake / "labelled")
    out = tables.export(lake / "labelled", tmp_path / "out")
    again = pa.concat_tables([pq.read_table(p) for p in sorted(out.rglob("*.parquet"))])
    tables.append(tmp_path / "again", again.select(version.arrow().column_names))
    assert tables.open(tmp_path / "again").content_hash == version.content_hash
    by_sql = query.run("SELECT * FROM labelled", lake=lake)
    tables.append(tmp_path / "sql", by_sql)
    assert sorted(ids_of(tmp_path, "sql")) == sorted(ids_of(lake, "labelled"))


def test_what_two_versions_differ_in_is_what_was_done(tmp_path):
    rows = pa.table({"a": range(30)})
    tables.append(tmp_path / "t", rows.slice(0, 20))
    tables.append(tmp_path / "t", rows.slice(20))
    forth, back = tables.diff(tmp_path / "t", 0, 1), tables.diff(tmp_path / "t", 1, 0)
    assert (forth.rows_added, forth.rows_removed) == (10, 0)
    assert (back.rows_added, back.rows_removed) == (0, 10)


# records


def test_records_hold_each_row_once_whatever_the_seed_and_the_shards(tmp_path):
    lat, lon = world(6, 40)
    rows = cor.label_table(
        pa.table(
            {
                "photo_id": [f"p{i}" for i in range(40)],
                "lat": lat,
                "lon": lon,
                "image": ["a.jpg"] * 40,
                "status": ["ok"] * 40,
            }
        )
    )
    options = records.Options(check="skip")
    found = []
    for name, more in (("a", {"seed": 1}), ("b", {"seed": 2}), ("c", {"seed": 1, "shard_rows": 7})):
        records.write(rows, tmp_path / name, options=options, **more)
        parts = sorted((tmp_path / name).rglob("*.parquet"))
        found.append(pa.concat_tables([pq.read_table(p) for p in parts])["photo_id"].to_pylist())
    assert found[0] != found[1]
    assert found[0] == found[2]
    assert sorted(found[0]) == sorted(found[1]) == sorted(rows["photo_id"].to_pylist())
