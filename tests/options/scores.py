"""Options of evaluation: what is scored, how it is joined, what is printed."""

import io

import numpy as np
import pyarrow as pa
from rich.console import Console

from geodata import evaluation
from geodata.evaluation import checks, joining, report, scores as scoring
from geodata.evaluation.scores import confidence, intervals
from tests.options.finding import differs, only_cost, seen_by
from tests.options.world import KYOTO, PARIS, World, said

# ---- one file

TRUTH = {
    "id": ["a", "b", "c", "d"],
    "lat": [0.0, 10.0, 20.0, 30.0],
    "lon": [0.0, 0.0, 0.0, 0.0],
    "who": ["x", "x", "y", "y"],
    "other_lat": [0.5, 10.5, 20.5, 30.5],
    "other_lon": [0.5, 0.5, 0.5, 0.5],
    "other_id": ["b", "a", "c", "d"],
}
PREDS = {
    "id": ["a", "b", "c"],
    "lat": [0.1, 13.0, 20.0],
    "lon": [0.0, 0.0, 0.0],
    "north": [0.0, 10.0, 20.0],
    "east": [9.0, 9.0, 9.0],
    "key": ["a", "c", "b"],
}


def score(w: World, predictions=None, truth=None, **options):
    options = {"regions": False, "resamples": 200, **options}
    return evaluation.evaluate(predictions or PREDS, truth or TRUTH, **options)


def shares(w: World, **options):
    return list(score(w, **options).accuracy.values())


PLAIN = [0.25, 0.5, 0.5, 0.75, 0.75]
differs(
    "evaluation.evaluate",
    shares,
    missing=("exclude", PLAIN, [1 / 3, 2 / 3, 2 / 3, 1.0, 1.0]),
    thresholds_km=((12.0, 5000.0), PLAIN, [0.5, 0.75]),
    pred_id=("key", PLAIN, lambda found: found[0] == 0.0),
    id=("other_id", PLAIN, lambda found: found[0] == 0.25 and found[2] == 0.25),
)
# one axis is named by itself only together with the other
for _keyword, _pair, _value, _right in (
    ("lat", {"lon": "lon"}, "other_lat", [0.0, 0.0, 0.5, 0.75, 0.75]),
    ("lon", {"lat": "lat"}, "other_lon", [0.0, 0.0, 0.5, 0.75, 0.75]),
    ("pred_lat", {"pred_lon": "lon"}, "north", [0.75] * 5),
    ("pred_lon", {"pred_lat": "lat"}, "east", [0.0, 0.0, 0.0, 0.0, 0.75]),
):
    differs(
        "evaluation.evaluate",
        lambda w, _pair=_pair, _name=_keyword, **o: shares(
            w, **_pair, **{_name: _name.removeprefix("pred_"), **o}
        ),
        **{_keyword: (_value, PLAIN, _right)},
    )
differs(
    "evaluation.evaluate",
    lambda w, **o: evaluation.evaluate(
        {"id": ["a"], "lat": [0.0], "lon": [90.0]},
        {"id": ["a"], "lat": [0.0], "lon": [0.0]},
        (float(np.pi / 2 * 6371),),
        regions=False,
        **o,
    ).accuracy.popitem()[1],
    strict=(True, 1.0, 0.0),
)
differs(
    "evaluation.evaluate",
    lambda w, **o: round(score(w, **o).median_km, 2),
    distance=("wgs84", lambda km: km == 333.58 or km > 0, lambda km: km > 0),
)
seen_by(
    "files/test_left_behind.py::test_ids_that_match_in_one_way_only", "evaluation.evaluate:match"
)
BOTH = {"id": ["a"], "lat": [0.0], "lon": [0.0], "pred_lat": [0.1], "pred_lon": [0.0]}
OTHER = {"id": ["a"], "lat": [50.0], "lon": [0.0]}
differs(
    "evaluation.evaluate",
    lambda w, truth=None: evaluation.evaluate(BOTH, truth, regions=False).accuracy[25],
    truth=(OTHER, 1.0, 0.0),
)
TEXTS = {"id": ["a"], "lat": [0.0], "lon": [0.0], "words": ["(10.0, 20.0)"]}
AT_WORDS = {"id": ["a"], "lat": [10.0], "lon": [20.0]}
differs(
    "evaluation.evaluate",
    lambda w, **o: score(w, TEXTS, AT_WORDS, **o).accuracy[1],
    text=("words", 0.0, 1.0),
)
differs(
    "evaluation.evaluate",
    lambda w, **o: sorted(score(w, **o).scores.by),
    by=(("who",), [], ["who"]),
)
differs(
    "evaluation.evaluate",
    lambda w, **o: str(score(w, **o).intervals[25]),
    confidence=(0.5, lambda text: bool(text), lambda text: bool(text)),
    cluster=("who", lambda text: bool(text), lambda text: bool(text)),
)


def of_clusters(w: World, **options):
    rng = np.random.default_rng(0)
    truth = {
        "id": [str(i) for i in range(60)],
        "lat": rng.uniform(-50, 50, 60),
        "lon": rng.uniform(-50, 50, 60),
        "who": [str(i // 4) for i in range(60)],
    }
    preds = {**truth, "lat": truth["lat"] + np.where(rng.random(60) < 0.5, 0.01, 5.0)}
    found = evaluation.evaluate(preds, truth, cluster="who", regions=False, **options)
    return str(found.intervals[25]), str(found.median_interval)


differs(
    "evaluation.evaluate",
    of_clusters,
    seed=(3, lambda text: bool(text), lambda text: bool(text)),
    resamples=(300, lambda text: bool(text), lambda text: bool(text)),
)
differs(
    "evaluation.evaluate",
    lambda w, **o: sorted(
        evaluation.evaluate(
            {"id": ["a"], "lat": [PARIS[0]], "lon": [PARIS[1]]},
            {"id": ["a"], "lat": [PARIS[0]], "lon": [PARIS[1]]},
            **o,
        ).regions
    ),
    regions=(False, ["admin1", "city", "country"], []),
)
NAMED = {"id": ["a"], "country": ["Japan"], "city": ["Kyoto"]}
AT_KYOTO = {"id": ["a"], "lat": [KYOTO[0]], "lon": [KYOTO[1]]}
differs(
    "evaluation.evaluate",
    lambda w, **o: said(lambda: score(w, NAMED, AT_KYOTO, **o).accuracy[25]),
    names=(False, 1.0, lambda found: found != 1.0),
)
FLIPPED = {"id": ["lisbon"], "lat": [38.72], "lon": [9.14]}
LISBON = {"id": ["lisbon"], "lat": [38.72], "lon": [-9.14]}
differs(
    "evaluation.evaluate",
    lambda w, **o: "sign_error" in codes(score(w, FLIPPED, LISBON, **o).findings),
    lint=(False, True, False),
)
differs(
    "evaluation.evaluate",
    lambda w, **o: len(score(w, **o).published),
    benchmark=("im2gps3k", 0, lambda n: n > 10),
)
SEVERAL = {
    "id": ["a", "a"],
    "lat": [50.0, 0.0],
    "lon": [0.0, 0.0],
    "place": [2, 1],
    "sure": [0.1, 0.9],
}
ONE = {"id": ["a"], "lat": [0.0], "lon": [0.0]}
differs(
    "evaluation.evaluate",
    lambda w, **o: said(lambda: score(w, SEVERAL, ONE, **o).candidates.oracle[25]),
    candidates=("none", 1.0, "PredictionError"),
)
differs(
    "evaluation.evaluate",
    lambda w, **o: score(w, SEVERAL, ONE, candidates="rows", **o).accuracy[25],
    rank=("place", 0.0, 1.0),
)
SURE = {**ONE, "sureness_of_it": [0.9]}
differs(
    "evaluation.evaluate",
    lambda w, **o: score(w, SURE, ONE, **o).confidence is None,
    confidence_column=("sureness_of_it", True, False),
)
seen_by(
    "evaluation/test_bad_input.py::test_k_that_varies_is_an_error_unless_it_was_asked_for",
    "evaluation.scores.candidate_scores:asked",
)
OFF = {"id": ["a"], "off": [30.0], "lat": [0.0], "lon": [0.0]}
differs(
    "evaluation.evaluate",
    lambda w, **o: score(w, OFF, ONE, **o).accuracy[25],
    distance_column=("off", 1.0, 0.0),
)
differs(
    "evaluation.evaluate",
    lambda w, **o: score(w, {"id": ["a"], "distance": [30.0]}, ONE, **o).accuracy[25],
    distance_unit=("m", 0.0, 1.0),
)
differs(
    "evaluation.joining.read_predictions",
    lambda w, **o: joining.read_predictions(OFF, **o).distance is None,
    distance_column=("off", True, False),
)
differs(
    "evaluation.joining.read_predictions",
    lambda w, **o: joining.read_predictions({"id": ["a"], "distance": [30.0]}, **o).distance.unit,
    distance_unit=("m", "km", "m"),
)


def codes(findings):
    return sorted(found.code for found in findings)


def progress_of(w: World, progress=None):
    steps = []
    score(w, **({"progress": lambda *step: steps.append(step)} if progress else {}))
    return steps


differs("evaluation.evaluate", progress_of, progress=(True, [], lambda steps: steps[-1][0] >= 4))

# the options of a result say what the score was asked for
OPTIONS_OF = {
    "match": ("exact", "auto"),
    "by": (("who",), ()),
    "cluster": ("who", None),
    "confidence": (0.5, 0.95),
    "resamples": (300, 200),
    "seed": (3, 0),
    "benchmark": ("im2gps3k", None),
    "names": (False, None),
}
for _keyword, (_value, _plain) in OPTIONS_OF.items():
    differs(
        "evaluation.Options",
        lambda w, _name=_keyword, **o: getattr(score(w, **o).options, _name),
        **{_keyword: (_value, _plain, _value)},
    )

# ---- many files


def tabled(w: World, **options):
    return evaluation.table({"one": PREDS, "two": PREDS}, TRUTH, **options)


differs(
    "evaluation.table",
    lambda w, **o: list(tabled(w, **o).accuracy["one"]),
    thresholds_km=((25.0,), [1.0, 25.0, 200.0, 750.0, 2500.0], [25.0]),
)
seen_by(
    "evaluation/test_many.py::test_the_forms_show_the_best_in_bold", "evaluation.table:benchmark"
)

differs(
    "evaluation.table",
    lambda w, **o: sorted(tabled(w, **o).results["one"].regions),
    regions=(True, [], ["admin1", "city", "country"]),
)

# ---- joining

JOINED = joining.join(PREDS, TRUTH)
differs(
    "evaluation.joining.Joined.batches",
    lambda w, **o: next(iter(JOINED.batches(**o))).schema.names,
    columns=(["id"], lambda names: "pred_lat" in names, ["id"]),
)
differs(
    "evaluation.joining.Joined.table",
    lambda w, **o: JOINED.table(**o).column_names,
    columns=(["id"], lambda names: "pred_lat" in names, ["id"]),
)
differs(
    "evaluation.joining.join",
    lambda w, lat="lat", lon="lon": next(
        zip(
            *joining.join(PREDS, TRUTH, lat=lat, lon=lon).table(["lat", "lon"]).to_pydict().values()
        )
    ),
    lat=("other_lat", (0.0, 0.0), (0.5, 0.0)),
    lon=("other_lon", (0.0, 0.0), (0.0, 0.5)),
)
differs(
    "evaluation.joining.join",
    lambda w, **o: joining.join(PREDS, TRUTH, **o).table()["id"].to_pylist(),
    id=("other_id", ["a", "b", "c", "d"], ["b", "a", "c", "d"]),
)
differs(
    "evaluation.joining.join",
    lambda w, truth=None: joining.join(BOTH, truth).table()["lat"].to_pylist(),
    truth=(OTHER, [0.0], [50.0]),
)
differs(
    "evaluation.joining.join",
    lambda w, **o: (
        joining.join({**ONE, "id": ["x/a.jpg"]}, {**ONE, "id": ["a"]}, **o)
        .table()["status"]
        .to_pylist()
    ),
    match=("exact", ["ok"], lambda found: found != ["ok"]),
)
differs(
    "evaluation.joining.join",
    lambda w, **o: said(lambda: joining.join(NAMED, AT_KYOTO, **o).table()["status"].to_pylist()),
    names=(False, ["ok"], lambda found: found != ["ok"]),
)
only_cost("evaluation.joining.find_rows", chunk="keys at a time, for the size of its parts")
PREDICTIONS = joining.read_predictions(SURE)
differs(
    "evaluation.joining.confidence_column",
    lambda w, **o: joining.confidence_column(PREDICTIONS, **o),
    name=("sureness_of_it", None, "sureness_of_it"),
)


def answers(w: World, **options):
    found = joining.of_rows(joining.read_predictions(SEVERAL), **options)
    return None if found is None else found.several.lat.tolist()


differs(
    "evaluation.joining.of_rows",
    answers,
    rank=("place", [50.0, 0.0], [0.0, 50.0]),
)
HALF = {"id": ["a", "a", "b", "c", "d"], "lat": [1.0, 2.0, 3.0, 4.0, 5.0], "lon": [0.0] * 5}
differs(
    "evaluation.joining.of_rows",
    lambda w, **o: joining.of_rows(joining.read_predictions(HALF), **o) is None,
    least=(0.9, False, True),
)


def sure(w: World, **options):
    table = {**SEVERAL, "sureness_of_it": [0.3, 0.4]}
    del table["sure"]
    found = joining.of_rows(joining.read_predictions(table), **options).several
    return None if found.confidence is None else found.confidence.tolist()


differs(
    "evaluation.joining.of_rows",
    sure,
    confidence=("sureness_of_it", None, [0.3, 0.4]),
)


def opened(w: World, source=SEVERAL, **options):
    found = said(lambda: joining.open_answers(source, **options))
    if isinstance(found, str) or found.several is None:
        return found if isinstance(found, str) else found.layout
    return found.several.lat.tolist()


differs("evaluation.joining.open_answers", opened, candidates=("rows", "none", [50.0, 0.0]))
differs(
    "evaluation.joining.open_answers",
    lambda w, **o: opened(w, candidates="rows", **o),
    rank=("place", [50.0, 0.0], [0.0, 50.0]),
)


def opened_sure(w: World, **options):
    table = {**SEVERAL, "sureness_of_it": [0.3, 0.4]}
    del table["sure"]
    found = joining.open_answers(table, candidates="rows", **options).several
    return None if found.confidence is None else found.confidence.tolist()


differs(
    "evaluation.joining.open_answers",
    opened_sure,
    confidence=("sureness_of_it", None, [0.3, 0.4]),
)
differs(
    "evaluation.joining.open_answers",
    lambda w, **o: said(lambda: joining.open_answers(ONE, **o).predictions.columns.lat),
    with_truth=(True, "lat", "FileError"),
)
READ = {**PREDS, "words": ["(1.0, 2.0)", "", "?"]}


def columns_of(reader, table):
    def call(w: World, lat="lat", lon="lon", **options):
        found = reader(table, lat=lat, lon=lon, **options).columns
        return found.id, found.lat, found.lon

    return call


differs(
    "evaluation.joining.read_predictions",
    columns_of(joining.read_predictions, READ),
    id=("key", ("id", "lat", "lon"), ("key", "lat", "lon")),
    lat=("north", ("id", "lat", "lon"), ("id", "north", "lon")),
    lon=("east", ("id", "lat", "lon"), ("id", "lat", "east")),
)
differs(
    "evaluation.joining.read_truth",
    columns_of(joining.read_truth, TRUTH),
    id=("other_id", ("id", "lat", "lon"), ("other_id", "lat", "lon")),
    lat=("other_lat", ("id", "lat", "lon"), ("id", "other_lat", "lon")),
    lon=("other_lon", ("id", "lat", "lon"), ("id", "lat", "other_lon")),
)
differs(
    "evaluation.joining.read_predictions",
    lambda w, **o: joining.read_predictions(READ, **o).columns.text,
    text=("words", None, "words"),
)
for _name in ("read_predictions", "read_truth"):
    differs(
        f"evaluation.joining.{_name}",
        lambda w, _name=_name, **o: said(
            lambda: getattr(joining, _name)(w.file("p.txt", "id,lat,lon\na,1,2\n"), **o).columns.lat
        ),
        format=("csv", "FileError", "lat"),
    )
differs(
    "evaluation.joining.read_predictions",
    lambda w, **o: said(lambda: joining.read_predictions(ONE, **o).columns.lat),
    with_truth=(True, "lat", "FileError"),
)
differs(
    "evaluation.joining.read_truth",
    lambda w, **o: joining.read_truth(BOTH, **o).extras,
    predictions=(
        joining.read_predictions(BOTH, with_truth=True),
        ("pred_lat", "pred_lon"),
        (),
    ),
)

# ---- checks

ROWS = {"id": ["1"], "lat": [1.0], "lon": [2.0], "person": ["x"]}
OTHERS = {"id": ["2"], "lat": [50.0], "lon": [60.0], "person": ["x"]}

differs(
    "evaluation.checks.overlap",
    lambda w, **o: codes(checks.overlap(ROWS, OTHERS, **o)),
    author=("person", [], ["author_overlap"]),
)
differs(
    "evaluation.checks.lint",
    lambda w, **o: codes(checks.lint({**OTHERS, "lat": [49.0]}, OTHERS, train=ROWS, **o)),
    author=("person", lambda c: "author_overlap" not in c, lambda c: "author_overlap" in c),
)
differs(
    "evaluation.checks.lint",
    lambda w, **o: codes(checks.lint({**OTHERS, "lat": [49.0]}, **{"truth": OTHERS, **o})),
    train=(OTHERS, lambda c: "id_overlap" not in c, lambda c: "id_overlap" in c),
)
differs(
    "evaluation.checks.lint",
    lambda w, **o: codes(checks.lint(FLIPPED, **o)),
    truth=(LISBON, [], ["sign_error"]),
)
seen_by(
    "evaluation/checks/test_linting.py::test_strict_fails_on_warnings", "evaluation.failing:strict"
)
seen_by("evaluation/checks/test_linting.py::test_near_duplicates", "evaluation.checks.lint:against")
SAID_PORTUGAL = {"id": ["a"], "response": ["Country: Portugal\nCoordinates: (38.72, 9.14)"]}
differs(
    "evaluation.checks.lint",
    lambda w, **o: "sign_error_country" in codes(checks.lint(SAID_PORTUGAL, **o)),
    resolve=(lambda w: lambda name: None, True, False),
    label=(lambda w: lambda lat, lon: ["PT"] * len(lat), True, False),
)
differs(
    "evaluation.checks.lint",
    lambda w, **o: codes(checks.lint({**OTHERS, "id": ["x/2.jpg"], "lat": [49.0]}, OTHERS, **o)),
    match=("exact", ["ids_matched_by_stem"], lambda found: "no_ids_match" in found),
)


def reviewed(w: World, **options):
    n = 60
    rng = np.random.default_rng(0)
    truth = pa.table(
        {
            "id": [str(i) for i in range(n)],
            "lat": rng.uniform(-60, 60, n),
            "lon": rng.uniform(-170, 170, n),
        }
    )
    radians = pa.table(
        {
            "id": truth["id"],
            "lat": np.radians(truth["lat"].to_numpy()),
            "lon": np.radians(truth["lon"].to_numpy()),
        }
    )
    predictions = joining.read_predictions(radians)
    more = {"predictions": predictions} if options else {}
    return codes(checks.against_truth(joining.join(predictions, truth), **more))


differs(
    "evaluation.checks.against_truth",
    reviewed,
    predictions=(True, lambda c: "likely_unit" not in c, lambda c: "likely_unit" in c),
)

# ---- reports


def result():
    return evaluation.evaluate(PREDS, TRUTH, regions=False, by=("who",), resamples=200)


def printed(w: World, **options):
    console = Console(file=io.StringIO(), width=80)
    report.print_evaluation(result(), console, **options)
    return console.file.getvalue()


def written(w: World, **options):
    report.write_markdown(result(), w.folder / "r.md", **options)
    return (w.folder / "r.md").read_text(encoding="utf-8")


for _name, _call in (
    ("print_evaluation", printed),
    ("to_markdown", lambda w, **o: report.to_markdown(result(), **o)),
    ("write_markdown", written),
):
    differs(
        f"evaluation.report.{_name}",
        _call,
        by=((), lambda text: text.count("who") > 1, lambda text: text.count("who") == 1),
    )

# ---- scores


def region_counts(w: World, **options):
    counts = scoring.RegionCounts()
    labels = pa.table({"country_code": ["FR"], "admin1_code": ["A"], "city": ["B"]})
    counts.add(labels, labels, **options)
    return sorted(counts.found)


differs(
    "evaluation.scores.RegionCounts.add",
    region_counts,
    levels=(["country"], ["admin1", "city", "country"], ["country"]),
)


def scored(w: World, **options):
    scorer = scoring.Scorer(**options)
    scorer.add(pa.table({**TRUTH, "pred_lat": [0.1, None, None, None], "pred_lon": [0.0] * 4}))
    found = scorer.finish()
    return found.accuracy.get(25.0), sorted(found.by)


differs(
    "evaluation.scores.Scorer",
    scored,
    by=(("who",), (0.25, []), (0.25, ["who"])),
    scoring=(scoring.Scoring(missing="exclude"), (0.25, []), (1.0, [])),
)


def paired(w: World, clusters=None, **options):
    rng = np.random.default_rng(1)
    a, b = rng.random((60, 1)) < 0.6, rng.random((60, 1)) < 0.4
    if clusters is None and options:
        clusters = np.arange(60) // 3
    found = scoring.compare_within(a, b, (25.0,), clusters, **options)[0]
    return str(found)


differs("evaluation.scores.compare_within", paired, clusters=(np.arange(60) // 6, bool, bool))


def paired_in_clusters(w: World, **options):
    rng = np.random.default_rng(1)
    a, b = rng.random((60, 1)) < 0.6, rng.random((60, 1)) < 0.4
    options = {"resamples": 300, **options}
    return str(scoring.compare_within(a, b, (25.0,), np.arange(60) // 3, **options)[0])


differs(
    "evaluation.scores.compare_within",
    paired_in_clusters,
    confidence=(0.5, bool, bool),
    resamples=(500, bool, bool),
    seed=(9, bool, bool),
)
BATCH = pa.record_batch(
    {"lat": [PARIS[0]], "lon": [PARIS[1]], "pred_lat": [KYOTO[0]], "pred_lon": [KYOTO[1]]}
)
differs(
    "evaluation.scores.labels_of",
    lambda w, **o: scoring.labels_of(BATCH, **o)["country_code"].to_pylist(),
    prefix=("pred_", ["FR"], ["JP"]),
)
differs(
    "evaluation.scores.published_for",
    lambda w, **o: len(scoring.published_for("im2gps3k", **o)),
    category=("web-search", lambda n: n > 10, lambda n: 0 < n < 10),
    ablations=(True, lambda n: n > 10, lambda n: n > 10),
)
differs(
    "evaluation.scores.threshold_counts",
    lambda w, **o: scoring.threshold_counts([0.0], [0.0], [0.0], [90.0], **o),
    thresholds_km=((20_000.0,), lambda found: found[2500.0] == 0, {20_000.0: 1}),
)
seen_by(
    "evaluation/scores/test_metrics.py::test_a_distance_equal_to_the_threshold_is_on_it",
    "evaluation.scores.threshold_counts:strict",
)


# ---- how sure a score is

ERRORS = np.arange(1.0, 102.0)
CLUSTERS = np.arange(101) // 5


def width(found):
    return round(found.high - found.low, 3)


differs(
    "evaluation.scores.intervals.wilson",
    lambda w, **o: width(intervals.wilson(50, 100, **o)),
    confidence=(0.5, 0.192, 0.067),
)
differs(
    "evaluation.scores.intervals.median_interval",
    lambda w, **o: width(intervals.median_interval(ERRORS, **o)),
    confidence=(0.5, 20.0, 8.0),
)
differs(
    "evaluation.scores.intervals.clustered_median",
    lambda w, **o: (
        intervals.clustered_median(
            ERRORS, intervals.Interval(0.5, 0.25, 0.75, 0.95, "cluster bootstrap"), **o
        ).confidence
    ),
    confidence=(0.5, 0.95, 0.5),
)


def in_clusters(w: World, **options):
    right = (np.random.default_rng(0).random((101, 1)) < 0.4) | (ERRORS[:, None] < 20)
    return str(intervals.clustered_shares(right, CLUSTERS, **{"resamples": 300, **options})[0])


differs(
    "evaluation.scores.intervals.clustered_shares",
    in_clusters,
    confidence=(0.5, bool, bool),
    resamples=(500, bool, bool),
    seed=(9, bool, bool),
)
differs(
    "evaluation.scores.confidence.halves",
    lambda w, **o: bool(
        (confidence.halves(100, 0, **o)[::2] == confidence.halves(100, 0, **o)[1::2]).all()
    ),
    clusters=(np.arange(100) // 2, False, True),
)
differs(
    "evaluation.scores.confidence.selective",
    lambda w, **o: (
        (found := confidence.selective([[True], [False]], [0.9, 0.1], (25.0,), **o)).source,
        found.risk_coverage(25)[0].tolist(),
    ),
    rows=(4, ("confidence", [0.5, 1.0]), ("confidence", [0.25, 0.5])),
    source=("spread", ("confidence", [0.5, 1.0]), ("spread", [0.5, 1.0])),
)


def backed_off(w: World, **options):
    sure = np.linspace(0, 1, 400)
    right = {"city": np.random.default_rng(0).random(400) < sure}
    return confidence.back_off(right, sure, confidence.halves(400, 0), **options)[0].bar


differs(
    "evaluation.scores.confidence.back_off",
    backed_off,
    target=(0.6, lambda bar: bar > 0.5, lambda bar: bar < 0.4),
)
