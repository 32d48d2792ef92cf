"""What is gathered in one walk: columns, names, rows to show, and what they were made from."""

import hashlib

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import boundaries, evaluation
from geodata.evaluation.findings import PredictionError
from geodata.files import FileError, source
from geodata.places import Places

TRUTH = {
    "id": [f"p{i}" for i in range(6)],
    "lat": [48.86, 35.68, -33.87, 30.04, 0.0, 48.86],
    "lon": [2.35, 139.77, 151.21, 31.24, -130.0, 2.35],
    "author": [*"xyzxyz"],
}
ANSWERS = TRUTH | {"lat": [48.9, 35.68, 33.87, None, 0.1, 35.68], "lon": [2.35, 139.77, 151.21,
                   None, -130.0, 139.77]}  # fmt: skip


def scored(answers=ANSWERS, truth=TRUTH, **options):
    return evaluation.evaluate(answers, truth, **options)


@pytest.mark.parametrize(
    ("options", "own", "labels"),
    [
        ({"regions": True}, (), True), ({"by": ("country",)}, (), True),
        ({"cluster": "continent"}, (), True), ({}, (), False), ({"by": ("h3",)}, (), False),
        ({"by": ("author",)}, (), False), ({"by": ("country",)}, ("country",), False),
        ({"by": ("country", "town_km")}, ("country",), True),
        ({"cluster": "country"}, ("country",), False),
    ],
)  # fmt: skip
def test_what_was_read_names_the_labels_where_there_were_any(options, own, labels):
    truth = TRUTH | {name: [*"FFJJAA"] for name in own}
    found = scored(truth=truth, **{"regions": False} | options).inputs
    assert set(found) == {"predictions", "truth"} | ({"boundaries", "places"} if labels else set())


def test_what_was_read_is_known_by_its_bytes(tmp_path):
    """Each by its own: `sha256sum` of a file is what a reader can check a figure by."""
    paths = {}
    for name, table in (("predictions", ANSWERS), ("truth", TRUTH)):
        paths[name] = tmp_path / f"{name}.parquet"
        pq.write_table(pa.table(table), paths[name])
    found = scored(*paths.values(), regions=True).inputs
    told = {name: found[name]["sha256"] for name in paths}
    assert told == {n: hashlib.sha256(p.read_bytes()).hexdigest() for n, p in paths.items()}
    assert [found[name]["name"] for name in paths] == ["predictions.parquet", "truth.parquet"]
    assert found["boundaries"] == {"name": "bundled", "sha256": boundaries.load().sha256}
    assert found["places"] == {"name": "bundled", "sha256": Places.load().file.sha256}


def test_a_column_is_read_once_however_often_it_is_asked_for():
    found = scored(by=("author", "h3", "author"), cluster="author", regions=False)
    assert [*found.scores.by] == ["author", "h3"]
    assert [(g.value, g.rows) for g in found.scores.by["author"]] == [("x", 2), ("y", 2), ("z", 2)]
    alone = scored(cluster="author", regions=False)
    assert [*alone.scores.by] == ["author"]
    assert alone.options.by == ()


@pytest.mark.parametrize(("rows", "told"), [(100, [6]), (4, [4, 6]), (2, [2, 4, 6])])
def test_progress_counts_the_rows_of_the_truth(rows, told, monkeypatch):
    monkeypatch.setattr(source, "BATCH_ROWS", rows)
    seen = []
    scored(progress=lambda done, of: seen.append((done, of)), regions=False)
    assert seen == [(done, 6) for done in told]


def test_rows_are_shown_with_both_places():
    found = scored(regions=False)
    assert [row.id for row in found.worst] == ["p5", "p2", "p4", "p0", "p1"]
    first = found.worst[1]
    assert (first.lat, first.lon, first.pred_lat, first.pred_lon) == (-33.87, 151.21, 33.87, 151.21)
    assert first.distance_km == pytest.approx(np.radians(2 * 33.87) * 6371.0)
    assert sorted(row.id for row in found.sample) == ["p0", "p1", "p2", "p4", "p5"]
    assert [row.id for row in found.sample] != [row.id for row in scored(seed=1).sample]
    turned = {name: values[::-1] for name, values in ANSWERS.items()}
    assert scored(turned, regions=False).worst == found.worst


def test_regions_of_all_kinds_are_counted_apart():
    """Four truth rows lie in a country that is answered right, by place and by name."""
    names = {"country": ["France", "Japan", "AU", None, None, "Japan"],
             "city": ["Paris", "Kyoto", None, None, None, "Tokyo"]}  # fmt: skip
    own = {"Country": ["France", "Japan", "Australia", "Egypt", None, "France"],
           "CITY": ["Paris", "Tokyo", "Sydney", "Cairo", None, "Paris"]}  # fmt: skip
    found = scored(ANSWERS | names, TRUTH | own, regions=True)

    def counts(kind):
        return {level: (c.rows, c.labelled, c.answered, c.correct) for level, c in kind.items()}

    assert counts(found.regions)["country"] == (6, 5, 3, 2)
    assert counts(found.named_regions) == {"country": (6, 5, 4, 3), "city": (6, 5, 3, 1)}
    assert counts(found.string_regions) == {"country": (6, 5, 4, 2), "city": (6, 5, 3, 1)}
    plain = scored(ANSWERS | names, TRUTH, regions=True)
    assert plain.string_regions == {}
    assert plain.named_regions == found.named_regions
    twice = TRUTH | own | {"COUNTRY": own["Country"]}
    with pytest.raises(FileError, match="could all be the country"):
        scored(ANSWERS | names, twice, regions=True)
    assert scored(ANSWERS | names, twice, regions=False).named_regions == {}
    none = scored(ANSWERS | names, TRUTH | own, regions=False)
    assert none.regions == none.named_regions == none.string_regions == {}
    no_country = scored(ANSWERS | {"city": names["city"]}, TRUTH | own, regions=True)
    assert no_country.named_regions == no_country.string_regions == {}
    assert no_country.regions == found.regions


def test_regions_teach_how_far_down_to_answer():
    cities = [(48.86, 2.35), (35.68, 139.77), (-33.87, 151.21), (52.52, 13.4)]
    at = [cities[i % 4] for i in range(80)]
    truth = {"id": list(range(80)), "lat": [y for y, _ in at], "lon": [x for _, x in at]}
    sure = [i / 80 for i in range(80)]
    off = [y if i >= 40 else -y for i, (y, _) in enumerate(at)]
    answers = truth | {"lat": off, "confidence": sure}
    found = scored(answers, truth, regions=True).confidence.back_off
    assert [(one.level, one.held_out) for one in found] == [
        ("city", 40), ("admin1", 40), ("country", 40)
    ]  # fmt: skip
    assert 0.4 < found[0].bar <= 0.5
    assert found[0].precision >= 0.9
    assert scored(answers, truth, regions=False).confidence.back_off == ()


def test_a_file_of_distances_has_no_map_and_no_regions():
    km = {"id": TRUTH["id"], "distance_km": [1.0, 2.0, 3.0, None, 5.0, 6.0]}
    found = scored(km, TRUTH, regions=True, by=("country",))
    assert (found.sample, found.regions, found.answered) == ((), {}, 5)
    assert "mostly_invalid" not in {one.code for one in found.findings}
    assert [row.distance_km for row in found.worst] == [6.0, 5.0, 3.0, 2.0, 1.0]
    assert "boundaries" in found.inputs
    assert found.scores.by["country"][0].value == "FR"


def test_a_column_of_no_name_is_refused():
    with pytest.raises(ValueError, match="no column 'nobody' to break the score down by"):
        scored(by=("nobody",), regions=False)
    with pytest.raises(ValueError, match="no column 'nobody' to break the score down by"):
        scored(cluster="nobody", regions=False)


@pytest.mark.parametrize("rows", [999_999, 1_000_000, 1_000_001])
def test_regions_are_compared_up_to_a_million_rows(rows, monkeypatch):
    from geodata.evaluation import run

    asked = []
    monkeypatch.setattr(run, "evaluate_joined", lambda *_, regions, **__: asked.append(regions))
    n = pa.array(np.zeros(rows))
    table = pa.table({"id": pa.array(np.arange(rows)), "lat": n, "lon": n})
    evaluation.evaluate(table, table)
    evaluation.evaluate(table, table, regions=rows > 1_000_000)
    assert asked == [rows <= 1_000_000, rows > 1_000_000]


def test_ids_that_are_mostly_repeated_are_several_answers():
    twice = {name: values * 2 for name, values in ANSWERS.items()}
    twice["lat"] = [*ANSWERS["lat"], *(lat and lat + 1 for lat in ANSWERS["lat"])]
    found = scored(twice, regions=False)
    assert (found.candidates.k, found.candidates.layout) == (2, "rows")
    assert found.accuracy == scored(regions=False).accuracy
    with pytest.raises(PredictionError, match="duplicate_ids"):
        scored(twice, regions=False, candidates="none")
    own = {f"pred_{name}": values for name, values in twice.items() if name in ("lat", "lon")}
    with pytest.raises(PredictionError, match="duplicate_ids"):
        scored(twice | {n: TRUTH[n] * 2 for n in ("lat", "lon")} | own, None, regions=False)
    mine = twice | {"mine": [i / 12 for i in range(12)]}
    assert scored(mine, regions=False).confidence.curve.source == "agreement of the answers"
    named = scored(mine, regions=False, confidence_column="mine").confidence.curve
    assert named.source == "confidence of the first answer"
    wide = {f"{name}_{k}": twice[name] for name in ("lat", "lon") for k in (1, 2)}
    with pytest.raises(PredictionError, match="duplicate_ids"):
        scored({"id": twice["id"]} | wide, regions=False)
    few = {name: values[:7] for name, values in twice.items()}
    with pytest.raises(PredictionError, match="duplicate_ids"):
        scored(few, regions=False)


def test_columns_of_the_truth_are_named_in_either_file():
    """Names that nobody would guess, each option on its own: without it the file is refused."""
    own = {"handle": TRUTH["id"], "y": TRUTH["lat"], "x": TRUTH["lon"]}
    answers = {"pred_lat": ANSWERS["lat"], "pred_lon": ANSWERS["lon"]}
    columns = {"id": "handle", "lat": "y", "lon": "x"}
    alone = scored(own | answers, None, regions=False, **columns)
    turned = {name: values[::-1] for name, values in ANSWERS.items()}
    beside = scored(turned, own, regions=False, **columns)
    assert alone.worst[0].id == beside.worst[0].id == "p5"
    assert alone.accuracy == beside.accuracy == scored(regions=False).accuracy
    theirs = {"whose": TRUTH["id"], "up": ANSWERS["lat"], "right": ANSWERS["lon"]}
    named = {"pred_id": "whose", "pred_lat": "up", "pred_lon": "right"}
    theirs = {name: values[::-1] for name, values in theirs.items()}
    assert scored(theirs, regions=False, **named).accuracy == alone.accuracy
    for gone in ("lat", "lon"):
        less = {name: column for name, column in columns.items() if name != gone}
        with pytest.raises(FileError):
            scored(own | answers, None, regions=False, **less)
        with pytest.raises(FileError):
            scored(ANSWERS, own, regions=False, **less)
    for gone in ("pred_lat", "pred_lon"):
        less = {name: column for name, column in named.items() if name != gone}
        with pytest.raises(FileError):
            scored(theirs, regions=False, **less)


def test_an_encoding_is_that_of_both_files(tmp_path):
    head = "id,lat,lon,name\n"
    rows = [f"é{i},{i},{i},ü\n" for i in range(5)]
    for name in ("truth", "answers"):
        (tmp_path / f"{name}.csv").write_bytes((head + "".join(rows)).encode("latin-1"))
    files = tmp_path / "answers.csv", tmp_path / "truth.csv"
    found = scored(*files, regions=False, encoding="latin-1", by=("name",))
    assert (found.answered, found.worst[0].id) == (5, "é0")
    assert found.scores.by["name"][0].value == "ü"
    plain = {"id": [f"é{i}" for i in range(5)], "lat": [0.0] * 5, "lon": [0.0] * 5}
    for pair in ((files[0], plain), (plain, files[1])):
        with pytest.raises(FileError, match="encoding"):
            scored(*pair, regions=False)
        assert scored(*pair, regions=False, encoding="latin-1").answered == 5
