"""Options of maps, of pictures that look alike, and of what reads text in another encoding."""

import re

import numpy as np
import pyarrow as pa

from geodata import evaluation, images, maps, popular, query, tables
from geodata.evaluation import joining, scores
from tests.options.finding import differs, seen_by

POINT = {"lat": [10.0], "lon": [20.0], "y": [-40.0], "x": [140.0]}


def drawn(world, path):
    """Return the SVG of a map without what differs from one file to the next."""
    return re.sub(r"clip-path=\"[^\"]*\"|id=\"[^\"]*\"|url\([^)]*\)", "", path.read_text())


def of_table(w, **options):
    tables.draw_map(POINT, w.folder / "m.svg", **{"title": "t", **options})
    return drawn(w, w.folder / "m.svg")


def changed(text):
    return lambda found: text in found


ANY = changed("<svg")
differs(
    "tables.draw_map",
    of_table,
    dark=(True, changed("#ffffff"), changed("#12171d")),
    title=("elsewhere", ANY, ANY),
    around=({"lat": [0.0], "lon": [0.0]}, ANY, changed("fill-opacity: 0.3")),
)
differs(
    "tables.draw_map",
    lambda w, **options: of_table(w, around={"lat": [0.0], "lon": [0.0]}, **options),
    radius_km=(2000.0, ANY, ANY),
)
differs(
    "tables.draw_map", lambda w, lat="lat": of_table(w, lat=lat, lon="lon"), lat=("y", ANY, ANY)
)
differs(
    "tables.draw_map", lambda w, lon="lon": of_table(w, lat="lat", lon=lon), lon=("x", ANY, ANY)
)


def world_map(w, **options):
    made = maps.WorldMap(**options)
    made.save(w.folder / "w.svg")
    return drawn(w, w.folder / "w.svg")


differs(
    "maps.WorldMap",
    world_map,
    title=("elsewhere", ANY, ANY),
    dark=(True, changed("#ffffff"), changed("#12171d")),
    width=(4.0, ANY, ANY),
)


def own_axes(w, axes=None):
    made = maps.WorldMap(axes=axes() if axes else None)
    return made.figure.get_size_inches().tolist()


def small():
    from matplotlib.figure import Figure

    return Figure(figsize=(3.0, 2.0)).subplots()


differs("maps.WorldMap", own_axes, axes=(lambda w: small, [9.0, 9.0 * 0.52], [3.0, 2.0]))


def layer(name, *arguments):
    def call(w, **options):
        made = maps.WorldMap()
        getattr(made, name)(*arguments, **options)
        made.save(w.folder / "l.svg")
        return drawn(w, w.folder / "l.svg")

    return call


CELLS = maps.count_cells(np.array([10.0]), np.array([20.0])) > 0
RING = [np.array([[0.0, 0.0], [0.0, 30.0], [30.0, 30.0], [30.0, 0.0]])]
differs("maps.WorldMap.shade", layer("shade", CELLS), label=("near", ANY, ANY))
differs("maps.WorldMap.circles", layer("circles", [0.0], [0.0], 500.0), label=("c", ANY, ANY))
differs(
    "maps.WorldMap.points",
    layer("points", [10.0], [20.0]),
    label=("p", ANY, ANY),
    colour=("#123456", ANY, changed("#123456")),
    size=(400.0, ANY, ANY),
)
differs(
    "maps.WorldMap.regions",
    layer("regions", RING),
    label=("r", ANY, ANY),
    colour=("#123456", ANY, changed("#123456")),
    alpha=(0.25, ANY, changed("0.25")),
)
differs(
    "popular.Circles",
    lambda w, **options: popular.Circles([0.0], [0.0], **options).hold([2.5], [0.0]).tolist(),
    radius_km=(300.0, [False], [True]),
)


def in_latin(w, name="truth.csv"):
    path = w.folder / name
    path.write_bytes("id,lat,lon,who\na,1,2,Zoë\n".encode("latin-1"))
    return path


def refused(call):
    try:
        return call()
    except ValueError as error:
        return "UTF-8" in str(error)


TRUTH = {"id": ["a"], "lat": [1.0], "lon": [2.0]}
differs(
    "evaluation.evaluate",
    lambda w, **o: refused(lambda: evaluation.evaluate(in_latin(w), TRUTH, **o).rows + 1),
    encoding=("latin-1", True, 2),
)
for _name, _call in (
    ("read_predictions", joining.read_predictions),
    ("read_truth", joining.read_truth),
):
    differs(
        f"evaluation.joining.{_name}",
        lambda w, _call=_call, **o: refused(lambda: _read(_call(in_latin(w), **o))),
        encoding=("latin-1", True, ["Zoë"]),
    )
differs(
    "evaluation.joining.open_answers",
    lambda w, **o: refused(lambda: _read(joining.open_answers(in_latin(w), **o).predictions)),
    encoding=("latin-1", True, ["Zoë"]),
)
differs(
    "tables.open_rows",
    lambda w, **o: refused(lambda: _rows(tables.open_rows(in_latin(w), **o))),
    encoding=("latin-1", True, ["Zoë"]),
)


def _read(opened):
    return _rows(opened.source)


def _rows(source):
    return [who for batch in source.batches(["who"]) for who in batch.table["who"].to_pylist()]


ROW = pa.table({"lat": [0.0], "lon": [0.0], "pred_lat": [0.1], "pred_lon": [0.0]})
BAD = pa.table({"lat": [None], "lon": [0.0], "pred_lat": [0.1], "pred_lon": [0.0]})
differs(
    "evaluation.scores.score_rows",
    lambda w, **o: scores.score_rows(ROW, **o).rank.tolist(),
    scoring=(scores.Scoring((20.0,)), [1], [0]),  # 11 km: the second threshold, or the only one
)


def first_bad(w, **options):
    try:
        scores.score_rows(BAD, **options)
    except ValueError as error:
        return re.search(r"truth row (\d+)", str(error))[1]


differs("evaluation.scores.score_rows", first_bad, first_row=(7, "0", "7"))

_REPORT = "near_duplicates/test_report.py::"
seen_by(
    f"{_REPORT}test_each_picture_is_hashed_once_and_the_odd_ones_are_said",
    "near_duplicates.hash_photos:progress,workers",
)
seen_by(f"{_REPORT}hashed", "near_duplicates.hash_photos:root")
seen_by(f"{_REPORT}test_the_report_counts_what_was_put_there", "near_duplicates.report:gallery")
seen_by(
    f"{_REPORT}test_the_limits_are_those_that_were_asked_for",
    "near_duplicates.report:most_fine",
)
seen_by(
    f"{_REPORT}test_fewer_cuts_of_a_photo_are_within_fewer_bits",
    "near_duplicates.report:most_bits",
)
seen_by(
    f"{_REPORT}test_a_table_of_another_name_and_an_older_version",
    "near_duplicates.hash_photos:table,version",
    "near_duplicates.report:hashes",
)
seen_by("cli/test_sql.py::test_a_long_query_says_how_far_it_is", "query.run:progress")


def streamed(w, progress=None):
    seen = []
    with query.stream("FROM range(3)", progress=progress and seen.append) as answer:
        rows = sum(batch.num_rows for batch in answer.batches)
    return rows, progress is not None and seen == sorted(seen)


differs("query.stream", streamed, progress=(True, (3, False), (3, True)))
differs(
    "tables.lake_salt",
    lambda w, **o: tables.lake_salt(w.folder, **o) is not None,
    make=(True, False, True),
)
seen_by(
    "tables/test_forgetting.py::test_the_last_row_of_a_table_and_a_column_of_another_name",
    "tables.forget:column",
)
seen_by(
    "tables/test_repairing.py::test_a_writer_that_is_at_work_keeps_its_files",
    "tables.repair:older_than_hours",
)


def committed(w, **options):
    parts = tables.write_part(w.folder / "t", pa.table({"a": [1]}))
    tables.commit_parts(w.folder / "t", parts, **options)
    return tables.history(w.folder / "t")[0].note.get("by")


def ordered(w, order=0):
    parts = [*tables.write_part(w.folder / "t", pa.table({"a": [1]}), order)]
    parts += tables.write_part(w.folder / "t", pa.table({"a": [2]}), 1)
    tables.commit_parts(w.folder / "t", parts)
    return tables.open(w.folder / "t").arrow()["a"].to_pylist()


differs("tables.commit_parts", committed, note=({"by": "hand"}, None, "hand"))
differs("tables.write_part", ordered, order=(2, [1, 2], [2, 1]))

_SHARDS, _RAY = "scale/test_shards.py::", "scale/ray_runs.py::"
seen_by(f"{_SHARDS}test_shards_of_records_are_the_files_of_one_process", "records.write:files_of")
seen_by(f"{_SHARDS}test_joining_twice_makes_one_version", "scale.join_shards:table")
seen_by(f"{_RAY}make", "scale.label_shard:progress", "scale.label_on_ray:progress")
seen_by(
    f"{_RAY}datasets",
    "scale.map_dataset:batch_rows",
    "scale.score_dataset:batch_rows,regions,scoring",
    "scale.score_file:pred,truth,regions,scoring",
    "scale.write_dataset:batch_rows,note",
)
seen_by(f"{_RAY}build", "scale.build_on_ray:span_rows,progress,inputs,name")
seen_by(
    "photos/test_elsewhere.py::test_bytes_come_from_the_folder_or_the_one_beside_it",
    "images.confined:beside",
)
differs(
    "images.leads_outside",
    lambda w, **o: images.leads_outside("../beside/a.jpg", w.folder / "photos", **o),
    beside=(lambda w: w.folder / "beside", True, False),
)
seen_by(
    "maps/test_interactive.py::test_the_tint_the_words_for_it_and_the_paper_are_those_given",
    "maps.write_page:near,said,dark",
)
seen_by("scale/test_on_ray.py::test_what_is_not_built_on_ray_is_said", "scale.build_on_ray:address")
seen_by(
    "scale/test_on_ray.py::test_what_cannot_work_on_ray_is_said_before_it_starts",
    "scale.label_on_ray:address",
    "scale.score_file:address",
)


def found_from_home(w, **options):
    (w.folder / "a.jpg").touch()
    table = pa.table({"image": ["a.jpg"], "path": pa.array(["a.jpg"], pa.large_string())})
    found = images.started_table(table, w.folder, **options)
    return [found[name].to_pylist() == ["a.jpg"] for name in ("image", "path")]


differs(
    "images.started_table",
    found_from_home,
    column=("path", lambda found: found == [False, True], lambda found: found == [True, False]),
)
