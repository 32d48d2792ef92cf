"""Batch functions: any split and order gives the rows of one process; a stranger is refused."""

import os
import pickle
import shutil
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from geodata import boundaries, cor, evaluation, hashing, popular, query, records, scale, sphere
from geodata.evaluation.scores import Scoring
from geodata.files import FileError, open_source
from geodata.scale.agreeing import BatchFunction, refuse_differences
from geodata.scale.scoring import exact_sum, total

RNG = np.random.default_rng(7)
N = 240


def photos(n=N):
    lat = np.degrees(np.arcsin(RNG.uniform(-1, 1, n)))
    lon = RNG.uniform(-180, 180, n)
    guess_lat = np.clip(lat + RNG.normal(0, 3, n) * RNG.integers(0, 2, n), -90, 90)
    none = RNG.random(n) < 0.1
    return pa.table({
        "photo_id": [f"p{i}" for i in range(n)],
        "lat": lat, "lon": lon,
        "pred_lat": pa.array(guess_lat, mask=none), "pred_lon": pa.array(lon, mask=none),
        "image": [f"{i}.jpg" for i in range(n)],
    })  # fmt: skip


ROWS = photos()


@st.composite
def splits(draw):
    """Rows in any order, cut anywhere, also into empty batches."""
    seed = draw(st.integers(0, 2**32 - 1))
    cuts = sorted(draw(st.lists(st.integers(0, N), max_size=6)))
    rows = ROWS.take(np.random.default_rng(seed).permutation(N))
    ends = [0, *cuts, N]
    return [rows.slice(a, b - a) for a, b in pairwise(ends)]


def content(tables):
    tables = list(tables)
    return hashing.digest(hashing.combine(map(hashing.of_table, tables)), tables[0].schema)


@pytest.fixture(scope="module")
def popular_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("popular") / "popular.parquet"
    pq.write_table(ROWS.slice(0, 40).select(["lat", "lon"]), path)
    return path


@settings(max_examples=15, deadline=None)
@given(splits())
def test_labels_are_those_of_one_process(parts):
    function = pickle.loads(pickle.dumps(scale.Label(detail=("country_id",), worldview="in")))
    whole = cor.label_table(ROWS, detail=("country_id",), worldview="in")
    assert content(map(function, parts)) == content([whole])


@settings(max_examples=15, deadline=None)
@given(splits(), st.sampled_from(["keep", "drop"]))
def test_exclusion_is_that_of_one_process(popular_file, parts, invalid):
    function = pickle.loads(pickle.dumps(scale.Exclude(popular_file, 900.0, invalid=invalid)))
    whole = popular.exclude(ROWS, pq.read_table(popular_file), 900.0, invalid=invalid)
    assert 0 < whole.num_rows < N
    assert content(map(function, parts)) == content([whole])


@settings(max_examples=15, deadline=None)
@given(splits())
def test_popular_rows_are_those_within_the_radius(parts):
    found = pa.concat_tables(map(pickle.loads(pickle.dumps(scale.Popular(150.0))), parts))
    expected = {}
    for row in ROWS.to_pylist():
        if row["pred_lat"] is not None:
            km = sphere.haversine_km(row["lat"], row["lon"], row["pred_lat"], row["pred_lon"])
            if km <= 150.0:
                expected[row["photo_id"]] = float(km)
    told = dict(zip(found["photo_id"].to_pylist(), found["error_km"].to_pylist()))
    assert told == expected
    assert 0 < len(told) < N


@settings(max_examples=10, deadline=None)
@given(splits())
def test_a_condition_keeps_the_rows_of_one_process(parts):
    function = pickle.loads(pickle.dumps(scale.Filter("lat > 10 AND lon < 50")))
    keep = query.true_rows(open_source(ROWS), "lat > 10 AND lon < 50").true
    assert content(map(function, parts)) == content([ROWS.filter(pa.array(keep))])


@settings(max_examples=10, deadline=None)
@given(splits(), st.sampled_from(["sft", "grpo"]))
def test_records_are_those_of_one_process(parts, kind):
    options = records.Options(kind=kind, variant="cot")
    function = pickle.loads(pickle.dumps(scale.Records(options)))
    whole = getattr(records, kind)(ROWS, variant="cot")
    assert content(map(function, parts)) == content([whole])


@settings(max_examples=15, deadline=None)
@given(
    splits(),
    st.sampled_from([Scoring(), Scoring((100.0, 5.0), strict=True, missing="exclude")]),
)
def test_scores_add_up_to_those_of_one_process(parts, scoring):
    function = pickle.loads(pickle.dumps(scale.Score(scoring, regions=True)))
    found = total(map(function, parts))
    whole = evaluation.evaluate(
        ROWS.select(["photo_id", "pred_lat", "pred_lon"]),
        ROWS.select(["photo_id", "lat", "lon"]),
        scoring.thresholds_km, strict=scoring.strict, missing=scoring.missing, regions=True,
    )  # fmt: skip
    scores = whole.scores
    assert (found.rows, found.answered, found.coverage) == (N, scores.answered, scores.coverage)
    assert dict(zip(scoring.thresholds_km, found.within)) == scores.correct
    assert found.accuracy == scores.accuracy
    assert found.regions == whole.regions
    assert found.mean_km == pytest.approx(scores.mean_km, abs=1e-9)
    assert found.geoscore == pytest.approx(scores.geoscore, abs=1e-9)
    for share in (0.0, 0.1, 0.5, 0.9, 1.0):
        low, high = (np.quantile(scores.distances_km, share, method=m) for m in ("lower", "higher"))
        assert low * 0.999 - 1e-6 <= found.quantile_km(share) <= high * 1.001 + 1e-6


@settings(max_examples=10, deadline=None)
@given(splits())
def test_sums_do_not_depend_on_the_order_of_addition(parts):
    sums = [scale.ScoreSums.read(scale.Score()(part)) for part in parts]
    there = back = scale.ScoreSums()
    for one, other in zip(sums, reversed(sums)):
        there, back = there + one, other + back
    assert there == back
    assert there.as_dict()["rows"] == N
    assert there.as_dict()["accuracy"].keys() == {"1.0", "25.0", "200.0", "750.0", "2500.0"}


def test_sums_stay_exact_where_floats_do_not():
    values = np.concatenate([np.full(300_000, 20_015.0), [1e-9]])
    assert exact_sum(values) == 300_000 * 20_015 * 10**9 + 1


def test_nothing_scored_is_nothing():
    empty = scale.ScoreSums.read(scale.Score()(ROWS.slice(0, 0)))
    assert empty == scale.ScoreSums()
    assert [empty.mean_km, empty.geoscore, empty.coverage, empty.quantile_km(0.5)] == [None] * 4
    with pytest.raises(ValueError, match="outside"):
        empty.quantile_km(50)
    with pytest.raises(ValueError, match="cannot be added"):
        _ = empty + scale.ScoreSums(Scoring(strict=True))


def test_record_batches_are_taken_as_they_come():
    (batch,) = ROWS.to_batches()
    assert scale.Label(lat="lat", lon="lon")(batch).equals(cor.label_table(ROWS))


class _Counting(BatchFunction):
    done = 0

    def _made(self, batch):
        type(self).done += 1
        return batch


def test_a_worker_of_another_version_is_refused_before_it_does_anything():
    function = _Counting(expected={"software": "geodata-georl 0.0.9"})
    with pytest.raises(scale.WorkerMismatchError, match=r"0\.1\.0.*on this worker.*0\.0\.9"):
        function(ROWS)
    assert _Counting.done == 0
    _Counting()(ROWS)
    assert _Counting.done == 1


@pytest.mark.parametrize(
    "name", ["boundaries_sha256", "places_sha256", "worldview", "max_offset_km", "lat", "lang"]
)
def test_a_worker_with_another_set_or_option_is_refused(name):
    function = scale.Label(lang="ja")
    other = scale.Label(lang="ja", expected=function.expected | {name: "f" * 64})
    with pytest.raises(scale.WorkerMismatchError, match=f"{name} is .* on this worker and f{{12}}"):
        other(ROWS)
    function(ROWS)


def test_a_set_that_was_built_anew_under_its_name_is_refused(tmp_path):
    folder = tmp_path / "own"
    shutil.copytree(boundaries.load().folder, folder)
    function = pickle.loads(pickle.dumps(scale.Label(boundaries=folder)))
    assert content([function(ROWS)]) == content([cor.label_table(ROWS)])
    assert scale.Label(boundaries=boundaries.load(folder)).boundaries == str(folder)
    shutil.rmtree(folder)
    with pytest.raises(ValueError, match="no boundary set"):
        function(ROWS)


def test_popular_points_that_changed_are_refused(popular_file, tmp_path):
    path = tmp_path / "points.parquet"
    shutil.copy(popular_file, path)
    function = scale.Exclude(str(path), 900.0)
    assert function(ROWS).num_rows < N
    pq.write_table(ROWS.slice(0, 41).select(["lat", "lon"]), tmp_path / "new.parquet")
    (tmp_path / "new.parquet").replace(path)
    with pytest.raises(scale.WorkerMismatchError, match="popular_sha256"):
        function(ROWS)


def test_popular_points_that_were_written_in_place_are_read_anew(tmp_path):
    """Under the same name and number of the file system, at another time."""
    path, rows = tmp_path / "points.csv", pa.table({"lat": [1.0, 50.0], "lon": [2.0, 60.0]})
    left = []
    for second, text in enumerate(("lat,lon\n1,2\n", "lat,lon\n50,60\n")):
        path.write_text(text)
        os.utime(path, (second + 1, second + 1))
        left.append(scale.Exclude(str(path), 10.0)(rows)["lat"].to_pylist())
    assert left == [[50.0], [1.0]]


def test_popular_points_may_be_repeated_texts(tmp_path):
    """As pandas writes a categorical column."""
    column = {"lat": ["1", "-50", "1"], "lon": ["2", " 60", "2"]}
    points = {name: pa.array(texts).dictionary_encode() for name, texts in column.items()}
    pq.write_table(pa.table(points), tmp_path / "points.parquet")
    rows = pa.table({"lat": [1.0, 50.0, -50.0], "lon": [2.0, 60.0, 60.0]})
    found = scale.Exclude(tmp_path / "points.parquet", 10.0)(rows)
    assert found.to_pydict() == {"lat": [50.0], "lon": [60.0]}


@pytest.mark.parametrize("kind", [pa.string(), pa.dictionary(pa.int32(), pa.string())])
def test_coordinates_of_a_batch_may_be_texts(tmp_path, kind):
    """As in files: they were no places, and their rows stayed, went or were wrong silently."""
    (tmp_path / "points.csv").write_text("lat,lon\n1,2\n")
    texts = {"lat": ["1", "50", "x"], "lon": ["2", "60", "1"],
             "pred_lat": ["1.1", "50", "3"], "pred_lon": [" 2", "70", None]}  # fmt: skip
    rows = pa.table({name: pa.array(column).cast(kind) for name, column in texts.items()})
    assert scale.Exclude(tmp_path / "points.csv", 10.0)(rows) == rows.slice(1)
    assert scale.Exclude(tmp_path / "points.csv", 10.0, invalid="drop")(rows) == rows.slice(1, 1)
    found = scale.Popular(25.0)(rows)
    assert found.drop_columns("error_km") == rows.slice(0, 1)
    assert found["error_km"].to_pylist() == [pytest.approx(11.119, abs=1e-3)]
    sums = total([scale.Score()(rows.slice(0, 2))])
    assert (sums.rows, sums.answered, sums.accuracy[25.0]) == (2, 2, 0.5)


def test_bad_options_are_refused_on_the_driver(popular_file):
    with pytest.raises(ValueError, match="worldview"):
        scale.Label(worldview="atlantis")
    with pytest.raises(ValueError, match="invalid"):
        scale.Exclude(popular_file, invalid="error")
    with pytest.raises(ValueError, match="radius_km"):
        scale.Popular(0.0)


@pytest.mark.parametrize(
    ("expected", "found", "told"),
    [
        ({"a": 1}, {"a": 2}, "a is 2 on this worker and 1 on the driver"),
        ({"a": 1}, {}, "a is None on this worker and 1 on the driver"),
        ({"a": 1}, {"a": 1, "b": "x"}, "b is 'x' on this worker and None on the driver"),
        ({"b": 1, "a": 1}, {"a": 2, "b": 2}, "b is 2 on this worker"),
        ({"a": "5" * 64}, {"a": "6" * 63}, f"a is '{'6' * 63}' on this worker and {'5' * 12} on"),
        ({"a": [0] * 64}, {"a": 1}, f"a is 1 on this worker and {[0] * 64} on"),
    ],
)
def test_the_first_difference_is_told(expected, found, told):
    with pytest.raises(scale.WorkerMismatchError) as error:
        refuse_differences(expected, found)
    assert str(error.value).startswith(told)
    refuse_differences(found, dict(found))


def test_what_the_driver_has_may_be_given_by_name_only():
    with pytest.raises(TypeError):
        BatchFunction({"software": "a"})


def test_an_exclusion_is_of_200_km_and_keeps_what_is_no_place_unless_told(popular_file):
    function = scale.Exclude(popular_file)
    assert (function.radius_km, function.invalid) == (200.0, "keep")
    points = pq.read_table(popular_file)
    lat, lon = points["lat"][0].as_py(), points["lon"][0].as_py()
    here = {"lat": [lat, None, lat], "lon": [lon, 0.0, 999.0]}
    assert function(pa.table(here))["lon"].to_pylist() == [0.0, 999.0]
    drop = scale.Exclude(popular_file, invalid="drop")
    assert drop(pa.table(here)).num_rows == 0
    assert {"radius_km": 200.0, "invalid": "drop"}.items() <= drop.identity().items()


def test_points_that_are_away_or_a_folder_are_told(tmp_path):
    for path in (tmp_path / "none.parquet", tmp_path):
        with pytest.raises(FileError):
            scale.Exclude(path)


def test_rows_localized_at_the_radius_itself_are_kept():
    km = float(sphere.haversine_km(0.0, 0.0, 0.0, 1.0))
    rows = pa.table({
        "lat": [0.0, 0.0, 95.0, 0.0], "lon": [0.0] * 4, "error_km": [7.0] * 4,
        "pred_lat": [0.0, 0.0, 95.0, 91.0], "pred_lon": [1.0, 1.001, 0.0, 0.0],
    })  # fmt: skip
    found = scale.Popular(np.nextafter(km, 1e9))(rows)
    assert found["error_km"].to_pylist() == [km]
    assert found.column_names == ["lat", "lon", "pred_lat", "pred_lon", "error_km"]
    assert scale.Popular().within_km == 25.0
    assert scale.Popular(3.0).identity()["within_km"] == 3.0


@pytest.mark.parametrize("count", [0, 3])
def test_a_batch_of_which_no_row_is_a_record_has_its_columns(count):
    rows = ROWS.slice(0, count).drop_columns(["image"])
    rows = rows.append_column("image", pa.nulls(count, pa.string()))
    function = scale.Records(records.Options(kind="grpo", missing="drop"))
    whole = function(ROWS.slice(0, 2))
    assert (function(rows).num_rows, function(rows).schema) == (0, whole.schema)


def test_no_place_is_farther_than_the_antipode():
    """The distance is the radius itself there, whatever rounding makes of it elsewhere."""
    rows = pa.table({"lat": [0.0, 90.0, 0.0], "lon": [0.0, 0.0, 0.0],
                     "pred_lat": [0.0, -90.0, 0.0], "pred_lon": [180.0, 0.0, 0.0]})  # fmt: skip
    found = scale.Popular(20_100.0)(rows)["error_km"].to_pylist()
    assert found == pytest.approx([np.pi * 6371.0, np.pi * 6371.0, 0.0])
    assert scale.Popular(20_000.0)(rows)["error_km"].to_pylist() == [0.0]


def test_what_a_function_hangs_on_is_told():
    """Each option of a function is a part of what all workers must have in common."""
    plain = scale.Label().identity()
    for changed in ({"lat": "y"}, {"lon": "x"}, {"detail": True}, {"detail": ("country_id",)},
                    {"worldview": "in"}, {"dependencies": "sovereign"}, {"max_offset_km": 1.0},
                    {"lang": "ja"}):  # fmt: skip
        assert scale.Label(**changed).identity() != plain
    assert scale.Label(detail=("country_id",)).identity()["detail"] == ["country_id"]
    assert scale.Label(lat="y", lon="x").identity().items() >= {"lat": "y", "lon": "x"}.items()
    assert scale.Filter("lat > 1").identity()["where"] == "lat > 1"
    told = scale.Records(records.Options(kind="grpo")).identity()["records"]
    assert told == str(records.Options(kind="grpo")) != str(records.Options())
    score = scale.Score(Scoring((5.0,)), columns=("a", "b", "c", "d"))
    assert score.identity()["columns"] == ["a", "b", "c", "d"]
    assert score.identity()["scoring"] == str(Scoring((5.0,)))
    sources = {"boundaries_sha256", "places_sha256"}
    assert not sources & score.identity().keys()
    assert sources <= scale.Score(regions=True).identity().keys()


def test_columns_may_be_named(popular_file):
    rows = ROWS.rename_columns(["photo_id", "y", "x", "pred_lat", "pred_lon", "image"])
    labelled = scale.Label(lat="y", lon="x", dependencies="sovereign", max_offset_km=0.0)(rows)
    expected = cor.label_table(rows, lat="y", lon="x", dependencies="sovereign", max_offset_km=0.0)
    assert labelled.equals(expected)
    named = scale.Exclude(popular_file, 900.0, lat="y", lon="x")(rows)
    assert named.num_rows == scale.Exclude(popular_file, 900.0)(ROWS).num_rows
