"""Whatever a model left behind is scored alike: formats, point columns, names of columns, ids."""

import datetime
import json
import struct
import zipfile

import numpy as np
import openpyxl
import pandas as pd
import pyarrow as pa
import pyarrow.feather as feather
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st

from geodata import cor, evaluation, files
from geodata.files import FileError
from geodata.files.points import points_of
from geodata.files.readers import parquet

IDS = ["a", "b", "c", "d"]
LAT, LON = [48.8584, -33.8568, 40.6892, None], [2.2945, 151.2153, -74.0445, None]
TRUTH = {"id": IDS, "lat": [48.86, -33.86, 10.0, 20.0], "lon": [2.3, 151.2, 10.0, 20.0]}


def wkb(lon, lat):
    return struct.pack("<BIdd", 1, 1, lon, lat)


def pairs(make):
    return [None if y is None else make(y, x) for y, x in zip(LAT, LON, strict=True)]


def scored(source, **options):
    result = evaluation.evaluate(source, TRUTH, regions=False, **options)
    return result.answered, result.missing, round(result.median_km, 6), result.accuracy[25]


@pytest.fixture(scope="module")
def expected():
    return scored({"id": IDS, "lat": LAT, "lon": LON})


# --- formats --------------------------------------------------------------------------------


def write_stream(table, path):
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)


@pytest.mark.parametrize("compression", ["lz4", "zstd", "uncompressed"])
def test_feather(tmp_path, expected, compression):
    table = pa.table({"id": IDS, "lat": LAT, "lon": LON})
    feather.write_feather(table, tmp_path / "p.feather", compression=compression)
    assert scored(tmp_path / "p.feather") == expected


def test_a_stream_and_a_folder_of_datasets(tmp_path, expected):
    table = pa.table({"id": IDS, "pred": [{"lat": y, "lon": x} for y, x in zip(LAT, LON)]})
    write_stream(table, tmp_path / "p.arrow")
    assert scored(tmp_path / "p.arrow") == expected
    folder = tmp_path / "saved"
    folder.mkdir()
    for i in (0, 1):
        write_stream(table.slice(2 * i, 2), folder / f"data-0000{i}-of-00002.arrow")
    for name in ("dataset_info.json", "state.json"):
        (folder / name).write_text("{}")
    assert scored(folder) == expected


def test_npz(tmp_path, expected):
    y, x = (np.array([np.nan if v is None else v for v in values]) for values in (LAT, LON))
    np.savez(tmp_path / "p.npz", id=np.array(IDS), lat=y, lon=x)
    assert scored(tmp_path / "p.npz")[0] == expected[0]
    np.savez_compressed(tmp_path / "q.npz", id=np.array(IDS, "S1"), coords=np.stack([y, x], 1))
    assert scored(tmp_path / "q.npz")[0] == expected[0]
    np.savez(tmp_path / "r.npz", id=np.array(IDS), lat=y[:2], lon=x)
    with pytest.raises(FileError, match=r"arrays of one length.*lat \(2,\)"):
        scored(tmp_path / "r.npz")
    np.savez(tmp_path / "o.npz", id=np.array(IDS, object), lat=y, lon=x)
    with pytest.raises(FileError, match="Python objects"):
        scored(tmp_path / "o.npz")


def test_xlsx_that_is_something_else(tmp_path):
    for content, what in (
        (b"<html><table><tr><td>id</td></tr></table></html>", "an HTML or XML page"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1", "old .xls kind"),
        (b"id,lat,lon\n", "no workbook"),
    ):
        (tmp_path / "p.xlsx").write_bytes(content)
        with pytest.raises(FileError, match=what):
            files.open_source(tmp_path / "p.xlsx")


def test_xlsx_without_its_reader_names_the_remedy(tmp_path):
    (tmp_path / "p.xlsx").write_bytes(b"PK\x03\x04 no zip")
    with pytest.raises(FileError, match=r"pip install openpyxl|cannot be read as XLSX"):
        files.open_source(tmp_path / "p.xlsx")


def test_xlsx(tmp_path, expected):
    book = openpyxl.Workbook()
    for row in (["id", "lat", "lon"], *zip(IDS, LAT, LON, strict=True)):
        book.active.append(row)
    book.save(tmp_path / "p.xlsx")
    assert scored(tmp_path / "p.xlsx") == expected
    pd.DataFrame({"id": IDS, "lat": LAT, "lon": LON}).to_excel(tmp_path / "q.xlsx")
    assert scored(tmp_path / "q.xlsx") == expected


def test_xlsx_as_people_leave_it(tmp_path, expected):
    """Text for numbers, dates, a column without a name, empty lines, another sheet."""
    book = openpyxl.Workbook()
    sheet = book.active
    sheet.append(["Photo ID ", None, "Latitude", "Longitude", "checked on"])
    for i, y, x in zip(IDS, LAT, LON, strict=True):
        sheet.append([i, "note", None if y is None else f" {y} ", x, datetime.date(2026, 5, 1)])
        sheet.append([])
    book.create_sheet("old").append(["id", "lat", "lon"])
    book.save(tmp_path / "p.xlsx")
    assert scored(tmp_path / "p.xlsx") == expected


def test_a_workbook_that_unfolds_without_end_is_refused_before_it_does(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["id", "lat", "lon"])
    book.save(tmp_path / "p.xlsx")
    with zipfile.ZipFile(tmp_path / "p.xlsx", "a", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("xl/worksheets/sheet9.xml", b" " * (1 << 27))
    assert (tmp_path / "p.xlsx").stat().st_size < 1 << 20
    with pytest.raises(FileError, match=r"unfolds into 128 MiB, .* up to 128 MiB; save it as .csv"):
        files.open_source(tmp_path / "p.xlsx")


def test_geojson(tmp_path, expected):
    features = [
        {"type": "Feature", "id": i, "properties": {"note": "x"}, "geometry": None if y is None else
         {"type": "Point", "coordinates": [x, y, 35.0]}}
        for i, y, x in zip(IDS, LAT, LON, strict=True)
    ]  # fmt: skip
    whole = {"type": "FeatureCollection", "features": features}
    (tmp_path / "p.geojson").write_text(json.dumps(whole))
    assert scored(tmp_path / "p.geojson") == expected
    (tmp_path / "p.geojson").write_text('{"type": "Feature"}')
    with pytest.raises(FileError, match="FeatureCollection"):
        scored(tmp_path / "p.geojson")


def test_latin_1_is_chosen_not_guessed(tmp_path, expected):
    rows = zip(IDS, LAT, LON, strict=True)
    lines = "".join(
        f"{i},{'' if y is None else y},{'' if x is None else x},Orléans\n" for i, y, x in rows
    )
    path = tmp_path / "p.csv"
    path.write_bytes(("id,lat,lon,city\n" + lines).encode("latin-1"))
    with pytest.raises(FileError, match=r"not UTF-8.*latin-1"):
        scored(path)
    source = files.open_source(path, encoding="latin-1")
    assert scored(source) == expected
    assert next(source.batches(["city"])).table["city"][0].as_py() == "Orléans"
    with pytest.raises(FileError, match="unknown encoding 'latin-99'"):
        files.open_source(path, encoding="latin-99")


@pytest.mark.parametrize("end", ["feather", "npz", "xlsx", "arrow"])
def test_formats_that_are_read_are_not_written(tmp_path, end):
    (tmp_path / "p.csv").write_text("id,lat,lon\na,1,2\n")
    with pytest.raises(FileError, match="is read, not written"):
        cor.label_file(tmp_path / "p.csv", tmp_path / f"out.{end}")


@pytest.mark.parametrize("end", ["feather", "arrow", "npz", "geojson"])
def test_damaged_files_say_so(tmp_path, end):
    for content in (b"", b"PK\x03\x04", b"ARROW1\x00\x00xxxx", b"\x00" * 50, b"{"):
        (tmp_path / f"p.{end}").write_bytes(content)
        with pytest.raises(FileError, match=end):
            files.open_source(tmp_path / f"p.{end}")


# --- columns that hold a point ----------------------------------------------------------------


POINTS = {
    "text": ("coordinates", pairs(lambda y, x: f"{y}, {x}")),
    "text in brackets": ("pred_coords", pairs(lambda y, x: f"({y}, {x})")),
    "lat,lon": ("lat,lon", pairs(lambda y, x: f"{y},{x}")),
    "lonlat": ("lonlat", pairs(lambda y, x: f"{x} {y}")),
    "WKT": ("geometry", pairs(lambda y, x: f"POINT ({x} {y})")),
    "EWKT": ("wkt", pairs(lambda y, x: f"SRID=4326;POINT({x} {y})")),
    "WKB": ("geometry", pairs(lambda y, x: wkb(x, y))),
    "hex": ("geom", pairs(lambda y, x: wkb(x, y).hex().upper())),
    "list": ("pred_location", pairs(lambda y, x: [y, x])),
    "GeoJSON": (
        "location",
        pairs(lambda y, x: json.dumps({"type": "Point", "coordinates": [x, y]})),
    ),
    "mapping as text": ("gps", pairs(lambda y, x: json.dumps({"lat": y, "lng": x}))),
}


@pytest.mark.parametrize("kind", POINTS)
def test_a_column_of_points(tmp_path, expected, kind):
    name, values = POINTS[kind]
    table = pa.table({"id": IDS, name: values})
    assert scored(table) == expected
    pq.write_table(table, tmp_path / "p.parquet")
    assert scored(tmp_path / "p.parquet") == expected
    if kind not in ("WKB", "list"):
        table.to_pandas().to_csv(tmp_path / "p.csv", index=False)
        assert scored(tmp_path / "p.csv") == expected


def test_lists_in_json(tmp_path, expected):
    rows = [{"id": i, "out": {"coordinates": c}} for i, c in zip(IDS, POINTS["list"][1])]
    (tmp_path / "p.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    assert scored(tmp_path / "p.jsonl") == expected


def test_truth_and_prediction_as_points_in_one_file(expected):
    truth = [f"{y}, {x}" for y, x in zip(TRUTH["lat"], TRUTH["lon"], strict=True)]
    table = {"id": IDS, "gt_coords": truth, "pred_coords": POINTS["text"][1]}
    result = evaluation.evaluate(table, regions=False)
    found = (result.answered, result.missing, round(result.median_km, 6), result.accuracy[25])
    assert found == expected


def test_a_column_of_names_is_no_column_of_points():
    table = {"id": IDS, "location": ["Paris", "Sydney", "New York", None]}
    with pytest.raises(FileError, match="found no predicted latitude"):
        scored(table)


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_points_are_read_back(lat, lon):
    shapely = pytest.importorskip("shapely")
    point = shapely.Point(lon, lat)
    forms = [
        point.wkb,
        point.wkb_hex,
        shapely.to_wkb(shapely.set_srid(point, 4326), include_srid=True),
    ]
    forms.append(shapely.to_wkb(shapely.Point(lon, lat, 5.0), byte_order=0, flavor="iso"))
    for form in forms:
        kind = pa.binary() if isinstance(form, bytes) else pa.string()
        y, x = points_of(pa.chunked_array([[form]], kind), "geometry")
        assert (y[0], x[0]) == (lat, lon)


@settings(max_examples=200)
@given(st.one_of(st.binary(max_size=60), st.text(max_size=60)))
def test_anything_else_is_no_point(value):
    kind = pa.binary() if isinstance(value, bytes) else pa.string()
    if isinstance(value, str) and not value.isascii():
        value = value.encode("ascii", "replace").decode()
    y, x = points_of(pa.chunked_array([[value]], kind))
    assert len(y) == len(x) == 1


# --- degrees and minutes in two columns ---------------------------------------------------------


def test_degrees_and_minutes_in_two_columns():
    preds = {
        "id": IDS,
        "lat": ["48°51'30\"N", "33°51′24.5″S", "40.6892° N", "somewhere"],
        "lon": ["2°17'40\"E", "151°12′55″E", "74.0445° W", "n"],
    }
    joined = evaluation.joining.join(preds, TRUTH).table(["pred_lat", "pred_lon", "status"])
    assert joined["status"].to_pylist() == ["ok", "ok", "ok", "invalid"]
    assert joined["pred_lat"].to_pylist()[:3] == pytest.approx([48.858333, -33.856806, 40.6892])
    assert joined["pred_lon"].to_pylist()[:3] == pytest.approx([2.294444, 151.215278, -74.0445])


def test_degrees_that_contradict_themselves_are_no_place():
    preds = {"id": IDS, "lat": ["48°N"] * 4, "lon": ["-2°W", "2°N", "2°E", "2°E 3°E"]}
    joined = evaluation.joining.join(preds, TRUTH).table(["status"])
    assert joined["status"].to_pylist() == ["invalid", "invalid", "ok", "invalid"]


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("lat", "lon"),
    [
        ("guess_1_lat", "guess_1_lon"),
        ("pred_lat_1", "pred_lon_1"),
        ("y_pred_lat", "y_pred_lon"),
        ("revised_lat", "revised_lng"),
        ("llava_7b_lat", "llava_7b_lon"),
        ("result.answer.location.lat", "result.answer.location.lng"),
        ("modelPredictedLatitude", "modelPredictedLongitude"),
    ],
)
def test_columns_are_found_by_their_last_part(expected, lat, lon):
    assert scored({"id": IDS, lat: LAT, lon: LON}) == expected


def test_a_choice_names_the_columns_that_were_seen():
    table = {"id": IDS, "a_lat": LAT, "a_lon": LON, "b_lat": LAT, "b_lon": LON}
    with pytest.raises(FileError, match="a_lat, a_lon, b_lat, b_lon could all be"):
        scored(table)
    assert scored(table, pred_lat="a_lat", pred_lon="a_lon")[0] == 3


# --- ids ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ours", "theirs", "mode"),
    [
        (["x.jpg.jpg", "y.JPG.jpg"], ["x", "y.jpg"], "endings"),
        (["X_1.jpg", "Y_2.jpg"], ["x_1", "y_2"], "case"),
        (["7", "42"], ["0007", "0042"], "zeros"),
        (["7.jpg", "42.jpg"], ["0007", "0042"], "zeros"),
    ],
)
def test_ids_that_match_in_one_way_only(ours, theirs, mode):
    preds = {"id": ours, "lat": [1.0, 2.0], "lon": [1.0, 2.0]}
    truth = {"id": theirs, "lat": [1.0, 2.0], "lon": [1.0, 2.0]}
    result = evaluation.evaluate(preds, truth, regions=False)
    assert result.accuracy[1] == 1.0
    assert f"ids_matched_by_{mode}" in [found.code for found in result.findings]
    assert evaluation.evaluate(preds, truth, regions=False, match=mode).accuracy[1] == 1.0
    assert evaluation.evaluate(preds, truth, regions=False, match="exact").accuracy[1] == 0.0


def test_a_zero_before_one_number_is_no_padding():
    preds = {"id": ["01000", "1001"], "lat": [1.0, 2.0], "lon": [1.0, 2.0]}
    truth = {"id": ["1000", "1001"], "lat": [1.0, 2.0], "lon": [1.0, 2.0]}
    assert evaluation.evaluate(preds, truth, regions=False).answered == 1


def test_ids_that_would_merge_are_not_matched_so():
    preds = {"id": ["A", "a", "b"], "lat": [1.0, 2.0, 3.0], "lon": [1.0, 2.0, 3.0]}
    truth = {"id": ["a", "B"], "lat": [2.0, 3.0], "lon": [2.0, 3.0]}
    result = evaluation.evaluate(preds, truth, regions=False)
    assert result.answered == 1


def test_a_shard_that_is_missing_is_told(tmp_path):
    for i in (0, 2):
        (tmp_path / f"part-0000{i}-of-00003.csv").write_text(f"id,lat,lon\n{i},1,2\n")
    with pytest.raises(FileError, match=r"1 of 3 shards are missing, such as part-00001-of-00003"):
        files.open_source(tmp_path)
    assert files.read_table(tmp_path / "part-*.csv").num_rows == 2
    (tmp_path / "part-00001-of-00003.csv").write_text("id,lat,lon\n1,1,2\n")
    assert files.read_table(tmp_path).num_rows == 3


def test_shards_may_be_counted_from_one_and_come_in_several_series(tmp_path):
    for name in ("test-1-of-2.csv", "test-2-of-2.csv", "train-00000-of-00001.csv"):
        (tmp_path / name).write_text("id,lat,lon\n1,1,2\n")
    assert files.read_table(tmp_path).num_rows == 3
    (tmp_path / "test-2-of-2.csv").unlink()
    with pytest.raises(FileError, match="test-2-of-2"):
        files.open_source(tmp_path)


def test_text_is_read_plainly_unless_one_string_is_long(tmp_path, monkeypatch):
    """The long string lies in the second row group, where the first does not tell of it."""
    path = tmp_path / "p.parquet"
    ids = [*map(str, range(1000)), *(["a"] * 500 + ["b" * 5_000] + ["a"] * 499)]
    pq.write_table(pa.table({"id": ids}), path, row_group_size=1000)
    assert files.read_table(path)["id"].to_pylist() == ids
    monkeypatch.setattr(parquet, "MAX_BATCH_BYTES", 1 << 10)  # every group is looked at
    monkeypatch.setattr(parquet, "PIECE_BYTES", 1 << 20)
    reader = parquet._Groups(
        pq.ParquetFile(path), lambda texts: pq.ParquetFile(path, read_dictionary=list(texts)), None
    )
    for group, kind in enumerate([pa.string(), pa.dictionary(pa.int32(), pa.string())]):
        table = next(reader.read(group, 1000, threads=False))
        assert table.schema.field("id").type == kind


@pytest.mark.parametrize("name", ["pred", "prediction", "answer", "gt", "result.pred"])
@pytest.mark.parametrize("kind", [pa.list_(pa.float64()), pa.list_(pa.float64(), 2)])
def test_a_list_of_two_numbers_under_a_bare_name_is_a_point(name, kind):
    table = pa.table({"id": ["a", "b"], name: pa.array([[48.5, 2.5], None], kind)})
    points = files.with_points(files.open_source(table))
    assert points.columns[-2:] == (f"{name}.lat", f"{name}.lon")
    assert next(points.batches()).table[f"{name}.lon"].to_pylist() == [2.5, None]


@pytest.mark.parametrize(
    "cells", [["48.5, 2.5"] * 2, [[[48.5, 2.5]]] * 2, [[48.5]] * 2, [["48.5", "2.5"]] * 2]
)
def test_words_and_longer_lists_under_a_bare_name_are_no_point(cells):
    table = pa.table({"id": ["a", "b"], "pred": cells})
    assert files.with_points(files.open_source(table)).columns == ("id", "pred")


def test_a_text_that_breaks_off_in_utf_16(tmp_path):
    path = tmp_path / "a.csv"
    path.write_bytes("id,lat,lon\na,1,2\n".encode("utf-16")[:-1])
    with pytest.raises(FileError, match="breaks off"):
        files.read_table(path)


# --- what spreadsheets, servers and harnesses write ------------------------------------------


def comma(value):
    return "" if value is None else str(value).replace(".", ",")


@pytest.mark.parametrize(
    ("head", "mark", "encoding"),
    [
        ("sep=;\r\n", ";", "utf-8-sig"),
        ("SEP=\t\r\n", "\t", "utf-16"),
        ("", "\t", "utf-16"),
        ("", "|", "utf-8"),
        ("sep=;\n", ";", "utf-8"),
    ],
)
def test_a_spreadsheet_says_what_separates_and_writes_commas(
    tmp_path, expected, head, mark, encoding
):
    lines = [mark.join(("id", "lat", "lon"))]
    lines += [mark.join((i, comma(y), comma(x))) for i, y, x in zip(IDS, LAT, LON, strict=True)]
    path = tmp_path / "p.csv"
    path.write_text(head + "\r\n".join(lines) + "\r\n", encoding=encoding, newline="")
    assert scored(path) == expected


def test_a_damaged_row_below_the_separator_has_its_line(tmp_path):
    path = tmp_path / "p.csv"
    path.write_text("sep=;\nid;lat;lon\na;1;2\nb;1\nc;3;4\n")
    source = files.open_source(path)
    (batch,) = source.batches(["id", "lat", "lon"], damaged="keep")
    assert batch.at == {1: 4}
    assert batch.table["id"].to_pylist() == ["a", "b", "c"]


ROWS = [{"id": i, "lat": y, "lon": x} for i, y, x in zip(IDS, LAT, LON, strict=True)]
OBJECTS = {
    "rows under one key": {"model": "m", "settings": {"t": 0.1}, "predictions": ROWS},
    "rows by their id": {row["id"]: {"lat": row["lat"], "lng": row["lon"]} for row in ROWS},
    "pairs by their id": {row["id"]: [row["lat"], row["lon"]] for row in ROWS},
}


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("made", OBJECTS.values(), ids=OBJECTS)
def test_one_object_that_holds_the_rows(tmp_path, expected, made, indent):
    path = tmp_path / "p.json"
    path.write_text(json.dumps(made, indent=indent))
    assert scored(path)[2:] == expected[2:]


def test_an_object_that_is_a_row_or_may_be_several_tables_is_none(tmp_path):
    path = tmp_path / "p.json"
    row = {"id": "a", "lat": 48.86, "lon": 2.3, "messages": [{"role": "user"}]}
    path.write_text(json.dumps(row, indent=1))
    assert files.open_source(path).columns == ("id", "lat", "lon", "messages")
    game = {"rounds": [{"panoId": "a", "lat": 1, "lng": 1}], "player": {"guesses": [{"lat": 2}]}}
    path.write_text(json.dumps(game))
    with pytest.raises(FileError, match=r"name it: --pred-id.*'rounds', 'player.guesses'"):
        scored(path)
    for one in ({"prediction": {"lat": 1, "lon": 2}}, {"a": {"lat": 1, "lon": 2}}):
        path.write_text(json.dumps(one, indent=1))
        assert files.open_source(path).columns == tuple(
            f"{next(iter(one))}.{c}" for c in ("lat", "lon")
        )
    two = {"prediction": {"lat": 1, "lon": 2}, "ground_truth": {"lat": 1, "lon": 3}}
    path.write_text(json.dumps(two, indent=1))
    assert len(files.open_source(path).columns) == 4
    path.write_text(json.dumps({"x": [{"id": "a"}], "y": [{"id": "b"}]}))
    assert files.open_source(path).columns == ("x", "y")


def said(row):
    return None if row["lat"] is None else f"Coordinates: ({row['lat']}, {row['lon']})"


WRAPPED = {
    "a batch server": lambda row: {
        "id": f"batch_{row['id']}",
        "custom_id": row["id"],
        "response": {"body": {"choices": [{"message": {"content": said(row)}}]}},
        "error": None,
    },
    "an engine": lambda row: {"id": row["id"], "prompt": "?", "outputs": [{"text": said(row)}]},
    "a harness": lambda row: {
        "doc_id": 7,
        "doc": {"image_id": row["id"], "lat": 1.0, "lon": 2.0},
        "resps": [[said(row)]],
        "filtered_resps": [said(row)],
    },
}


@pytest.mark.parametrize("made", WRAPPED.values(), ids=WRAPPED)
def test_what_servers_and_harnesses_put_around_an_answer(tmp_path, expected, made):
    path = tmp_path / "p.jsonl"
    path.write_text("".join(json.dumps(made(row)) + "\n" for row in ROWS))
    assert scored(path)[2:] == expected[2:]


def test_several_choices_stay_a_list(tmp_path):
    path = tmp_path / "p.jsonl"
    path.write_text(json.dumps({"id": "a", "choices": [{"text": "x"}, {"text": "y"}]}))
    assert files.open_source(path).columns == ("id", "choices")
