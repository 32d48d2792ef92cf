"""Arrays in a file, Arrow without views, names of columns, shards and writers, one by one."""

import hashlib
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import files
from geodata.files import arrays, arrow, columns, formats, shards, source, writers
from geodata.files.formats import FileError

# arrays


def bytes_of(path):
    return bytearray(path.read_bytes())


def some():
    return {
        "a": np.arange(5, dtype="<i2"), "none": np.zeros((0, 3)), "b": np.eye(3)[:, ::-1],
        "s": np.array([(1, 2.0)], [("x", "u1"), ("y", "<f8")]),
    }  # fmt: skip


def test_arrays_lie_where_the_layout_says(tmp_path):
    """Read by hand: eight bytes, the length of the header, the header, each array at its offset."""
    path = tmp_path / "a.bin"
    digest = files.save_arrays(path, some(), {"name": "é"})
    data = path.read_bytes()
    assert data[:8] == b"GEOARR01"
    length = int.from_bytes(data[8:16], "little")
    start = 16 + length
    assert start % 64 == 0
    header = json.loads(data[16:start])
    assert header["meta"] == {"name": "é"}
    assert header["sha256"] == digest == hashlib.sha256(data[start:]).hexdigest()
    assert {name: (e["offset"], e["shape"]) for name, e in header["arrays"].items()} == {
        "a": (0, [5]), "none": (64, [0, 3]), "b": (64, [3, 3]), "s": (192, [1]),
    }  # fmt: skip
    assert all(set(entry) == {"dtype", "shape", "offset"} for entry in header["arrays"].values())
    assert header["arrays"]["s"]["dtype"] == [["x", "|u1"], ["y", "<f8"]]
    assert len(data) == start + 192 + 9
    assert data[start : start + 10] == some()["a"].tobytes()
    assert data[start + 10 : start + 64] == bytes(54)
    opened = files.load_arrays(path, verify=True)
    assert (opened.meta, opened.sha256) == ({"name": "é"}, digest)
    for name, array in some().items():
        assert np.array_equal(opened.arrays[name], array)
        assert opened.arrays[name].dtype == array.dtype
        assert not opened.arrays[name].flags.writeable
    assert files.save_arrays(tmp_path / "again", some(), {"name": "é"}) == digest
    assert (tmp_path / "again").read_bytes() == data


@pytest.mark.parametrize("extra", range(60, 68))
def test_a_header_ends_where_arrays_may_begin(tmp_path, extra):
    files.save_arrays(tmp_path / "a", {"n": np.arange(3)}, {"pad": "x" * extra})
    data = (tmp_path / "a").read_bytes()
    start = 16 + int.from_bytes(data[8:16], "little")
    assert start % 64 == 0
    assert data[start - 64 : start].strip() != b""  # no more spaces than needed
    assert files.load_arrays(tmp_path / "a").arrays["n"].tolist() == [0, 1, 2]


def test_what_is_no_array_file_is_told(tmp_path):
    path = tmp_path / "a"
    with pytest.raises(TypeError, match="array 'o' holds Python objects"):
        files.save_arrays(path, {"n": np.arange(2), "o": np.array([None])}, {})
    assert not path.exists()
    for data in (None, b""):
        if data is not None:
            path.write_bytes(data)
        with pytest.raises(FileError, match="cannot be opened as an array file"):
            files.load_arrays(path)
    files.save_arrays(path, {"n": np.arange(9)}, {})
    whole = path.read_bytes()
    start = 16 + int.from_bytes(whole[8:16], "little")
    for data in (whole[: start - 1], b"x" + whole[1:], b"GEOARR01" + b"\xff" * 8):
        path.write_bytes(data)
        with pytest.raises(FileError, match="not an array file of this library"):
            files.load_arrays(path)
    path.write_bytes(whole[:start])
    with pytest.raises(FileError, match="is cut short or damaged"):
        files.load_arrays(path)
    for header in (b"{", b'{"meta":{},"arrays":{}}', b'{"arrays":{},"sha256":""}'):
        path.write_bytes(b"GEOARR01" + len(header).to_bytes(8, "little") + header)
        with pytest.raises(FileError, match="the header is damaged"):
            files.load_arrays(path)
    empty = b'{"meta":{},"arrays":{},"sha256":""}'
    path.write_bytes(b"GEOARR01" + len(empty).to_bytes(8, "little") + empty)
    assert files.load_arrays(path).arrays == {}
    flipped = bytearray(whole)
    flipped[start + 8] ^= 1
    path.write_bytes(flipped)
    assert files.load_arrays(path).arrays["n"][1] == 0
    with pytest.raises(FileError, match="does not match its SHA-256"):
        files.load_arrays(path, verify=True)
    assert arrays._MAX_HEADER == 1 << 24


def test_a_header_has_a_bound(tmp_path, monkeypatch):
    files.save_arrays(tmp_path / "a", {"n": np.arange(9)}, {})
    length = int.from_bytes((tmp_path / "a").read_bytes()[8:16], "little")
    monkeypatch.setattr(arrays, "_MAX_HEADER", length)
    assert files.load_arrays(tmp_path / "a").arrays
    monkeypatch.setattr(arrays, "_MAX_HEADER", length - 1)
    with pytest.raises(FileError, match="not an array file"):
        files.load_arrays(tmp_path / "a")


# Arrow

TEXT, VIEW, BYTES, BYTES_VIEW = pa.string(), pa.string_view(), pa.binary(), pa.binary_view()


@pytest.mark.parametrize(
    ("kind", "plain"),
    [
        (VIEW, TEXT), (BYTES_VIEW, BYTES), (pa.large_string(), pa.large_string()),
        (pa.dictionary(pa.int8(), VIEW, True), pa.dictionary(pa.int8(), TEXT, True)),
        (pa.dictionary(pa.int16(), VIEW), pa.dictionary(pa.int16(), TEXT)),
        (pa.struct([("a", VIEW), ("b", pa.int8())]), pa.struct([("a", TEXT), ("b", pa.int8())])),
        (pa.map_(VIEW, BYTES_VIEW), pa.map_(TEXT, BYTES)),
        (pa.list_(VIEW, 3), pa.list_(TEXT, 3)), (pa.large_list(VIEW), pa.large_list(TEXT)),
        (pa.list_(VIEW), pa.list_(TEXT)), (pa.list_view(VIEW), pa.list_(TEXT)),
        (pa.large_list_view(VIEW), pa.list_(TEXT)), (pa.int64(), pa.int64()),
    ],
    ids=str,
)  # fmt: skip
def test_a_type_without_views(kind, plain):
    assert arrow.without_views(kind) == plain


def test_a_table_without_views_keeps_all_else():
    words = pa.chunked_array([pa.array(["x", None], VIEW), pa.array(["y"], VIEW)])
    codes = pa.array(["x", "x", "y"]).dictionary_encode()
    table = pa.table({"w": words, "c": codes, "n": [1, 2, 3]})
    table = table.replace_schema_metadata({"a": "b"})
    found = files.as_table(table)
    assert found.schema.types == [TEXT, codes.type, pa.int64()]
    assert found["w"].to_pylist() == ["x", None, "y"]
    assert found["w"].num_chunks == 2
    assert files.as_table(table.select(["n"])) is not None
    plain = table.select(["n"])
    assert files.as_table(plain) is plain
    assert files.as_table(plain.to_batches()[0]).equals(plain)
    with pytest.raises(
        TypeError, match=r"^the rows is dict; expected a pyarrow\.Table or anything"
    ):
        arrow.as_table({}, "the rows")


def test_a_column_without_dictionaries_views_or_extensions():
    words = pa.array(["x", "x"]).dictionary_encode()
    for column, kind in (
        (words, TEXT), (pa.array(["x", "x"], VIEW), TEXT),
        (pa.array([b"x", b"x"], BYTES_VIEW), BYTES), (pa.array(["x", "x"]), TEXT),
        (pa.DictionaryArray.from_arrays([0, 0], pa.array(["x"], VIEW)), TEXT),
    ):  # fmt: skip
        for one in (column, pa.chunked_array([column, column])):
            found = files.plain_column(one)
            assert found.type == kind
            assert set(found.to_pylist()) in ({"x"}, {b"x"})
            assert len(found) == len(one)
    for kind, plain in ((VIEW, TEXT), (pa.int8(), pa.int8()), (pa.list_(VIEW), pa.list_(TEXT))):
        found = files.plain_column(pa.chunked_array([], kind))
        assert (len(found), found.type) == (0, plain)
    ids = pa.array([b"0" * 16], pa.binary(16))
    own = pa.ExtensionArray.from_storage(pa.uuid(), ids)
    assert files.plain_column(own).equals(ids)


@pytest.mark.parametrize(
    ("column", "texts"),
    [
        (pa.array([7.0, 1e15, 0.5, None, float("nan")]), ["7", "1" + "0" * 15, "0.5", None, None]),
        (pa.array([1e300, -2.0, 1e299]), ["1e+300", "-2", str(int(1e299))]),
        (pa.array([float("inf")]), ["inf"]), (pa.array([None, None]), [None, None]),
        (pa.array([7, None]), ["7", None]), (pa.array(["", "a", None]), [None, "a", None]),
        (pa.array(["a", "b"]), ["a", "b"]), (pa.array([], TEXT), []), (pa.array([""]), [None]),
        (pa.array(["", "a"], pa.large_string()), [None, "a"]), (pa.array([True]), ["true"]),
        (pa.array([b"x"]), ["x"]), (pa.array([None], TEXT), [None]),
    ],
    ids=str,
)  # fmt: skip
def test_ids_are_text(column, texts):
    for one in (column, pa.chunked_array([column])):
        found = files.id_text(one)
        assert found.to_pylist() == texts
        assert found.type == TEXT


# names of columns


@pytest.mark.parametrize(
    ("name", "axis"),
    [
        ("lat", ("lat", "plain", "")), ("Latitudes", ("lat", "plain", "")),
        ("lng", ("lon", "plain", "")), ("longs", ("lon", "plain", "")),
        ("predicted_lat", ("lat", "pred", "predicted")), ("lon_gt2", ("lon", "truth", "gt2")),
        ("gt_pred_lat", ("lat", "pred", "gtpred")), ("image_lat", ("lat", "plain", "image")),
        ("gps1_lat", ("lat", "plain", "gps1")), ("x", None), ("latency", None), ("lat_min", None),
        ("lat lon", None), ("a_lat", None), ("lat" + "_" * 300, ("lat", "plain", "")),
    ],
)  # fmt: skip
def test_the_axis_of_a_name(name, axis):
    assert files.axis_of(name) == axis


@pytest.mark.parametrize(
    ("names", "pair"),
    [
        (["lat", "lon", "pred_lat", "pred_lon"], ("lat", "lon")),
        (["gt_lat", "gt_lon", "pred_lat", "pred_lon"], ("gt_lat", "gt_lon")),
        (["pred_lat", "pred_lon"], ("pred_lat", "pred_lon")),
        (["image_lat", "image_lon", "lat", "lon"], ("lat", "lon")),
        (["x", "y"], ("y", "x")), (["x", "y", "z"], None), (["X", "Y", "id"], ("Y", "X")),
        (["llava_lat", "llava_lon"], ("llava_lat", "llava_lon")),
        (["llavaLat", "llavaLon"], ("llavaLat", "llavaLon")), (["min_lat", "min_lon"], None),
        (["a_lat", "b_lon"], None), (["lat"], None), ([], None), (["lat", "gt_lon"], None),
    ],
)  # fmt: skip
def test_which_pair_is_found(names, pair):
    assert files.find_pair(names, ("plain", "truth", "pred"), "t") == pair


@pytest.mark.parametrize(
    "names",
    [
        ["image_lat", "image_lon", "gps_lat", "gps_lon"], ["lat", "LAT", "lon"],
        ["lat", "lon", "LON"], ["a_lat", "a_lon", "b_lat", "b_lon"],
    ],
)  # fmt: skip
def test_two_pairs_that_could_be_meant_are_told(names):
    with pytest.raises(FileError) as told:
        files.find_pair(names, ("plain",), "t.csv")
    assert str(told.value).startswith("t.csv: ")
    assert all(name in str(told.value) for name in names)
    assert str(told.value).endswith(
        "could all be the coordinates; name them with lat= and lon= (--lat and --lon)"
    )


def test_roles_that_do_not_count():
    names = ["pred_lat", "pred_lon"]
    assert files.find_pair(names, ("truth", "plain"), "t") is None
    assert files.find_pair(["m_lat", "m_lon"], ("truth",), "t") is None
    assert files.find_pair(["m_lat", "m_lon"], ("pred",), "t") == ("m_lat", "m_lon")
    assert files.find_pair(["x", "y"], ("truth", "pred"), "t") is None


@pytest.mark.parametrize(
    ("named", "pair"),
    [
        ({"lat": "pred_lat"}, ("pred_lat", "pred_lon")), ({"lon": "gt_lon"}, ("gt_lat", "gt_lon")),
        ({"lat": "n"}, ("n", "lon")), ({"lon": "n"}, ("lat", "n")),
        ({"lat": "n", "lon": "m"}, ("n", "m")),
    ],
)  # fmt: skip
def test_the_other_one_of_a_pair(named, pair):
    names = ["lat", "lon", "gt_lat", "gt_lon", "pred_lat", "pred_lon", "n", "m"]
    assert files.coordinate_columns(names, **named) == pair


@pytest.mark.parametrize(
    ("names", "named", "missing"),
    [
        (["id", "lon"], {}, "latitude column"), (["id", "lat"], {}, "longitude column"),
        (["lat", "gt_lon"], {}, "latitude and longitude that go together"),
        (["id", "n"], {"lat": "n"}, "longitude column"),
        (["id", "n"], {"lon": "n"}, "latitude column"),
        ([], {}, "latitude column"),
        (["n", "lat", "LAT"], {"lon": "n"}, "latitude and longitude that go together"),
    ],
)  # fmt: skip
def test_coordinates_that_are_not_there_are_told(names, named, missing):
    for where, head in (("a.csv", "a.csv: "), ("", "")):
        with pytest.raises(FileError) as told:
            files.coordinate_columns(names, **named, where=where)
        listed = ", ".join(names) or "(no columns)"
        assert str(told.value).startswith(f"{head}found no {missing} among {listed}; expected one")
    with pytest.raises(FileError) as told:
        files.coordinate_columns(["c" * 50] * 40)
    assert str(told.value).count("c" * 40 + ",") == 29
    assert "c" * 41 not in str(told.value)


def test_names_are_listed_up_to_twenty():
    assert columns.listed([]) == "(none)"
    assert columns.listed(["a" * 50]) == repr("a" * 40)
    assert columns.listed(list("abcdefghijklmnopqrst")).endswith("'s', 't'")
    assert columns.listed(list("abcdefghijklmnopqrstu")).endswith("'s', 't' and 1 more")
    with pytest.raises(FileError, match=r"^w: no column 'x' for lat; the columns are 'a', 'b'$"):
        files.given("x", ["a", "b"], "lat", "w")


@pytest.mark.parametrize(
    ("names", "hint"),
    [
        (["a;b"], "give format='tsv'"), (["a\tb"], "give format='tsv'"), (["a|b"], "format='tsv'"),
        (["a;b", "c"], ""), (["ab"], ""), (["1", "2.5", "x"], "line 1 looks like data"),
        (["1", "x"], ""), (["+1", " -2 "], "line 1 looks like data"), ([], ""),
    ],
)  # fmt: skip
def test_what_may_have_gone_wrong_with_a_header(names, hint):
    told = str(files.not_found(names, "latitude", "w"))
    head = f"w: found no latitude among the columns {columns.listed(names)}"
    assert told.startswith(head)
    assert (hint in told) if hint else (told == head)


def test_a_usual_name_by_trust_and_once():
    assert files.find_named(["key", "IMG-ID"], files.ID_NAMES, "id", "w") == "IMG-ID"
    assert files.find_named(["a"], files.ID_NAMES, "id", "w") is None
    with pytest.raises(FileError, match=r"^w: ID, id could all be the id; name one with id=$"):
        files.find_named(["ID", "id", "key"], files.ID_NAMES, "id", "w")
    used = files.Columns("a", "b", "c", "a", (("city", "d"), ("country", "b"))).used()
    assert used == ["a", "b", "c", "d"]
    assert files.Columns(None, "b", None).used() == ["b"]
    assert [name for name in ("img_id", "id_x", "user", "ALTITUDE", "zipcode", "lat", "a_name")
            if files.is_name(name)] == ["img_id", "id_x", "user", "zipcode", "a_name"]  # fmt: skip


# shards and formats


def touch(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_the_files_of_a_folder_or_a_pattern(tmp_path):
    touch(tmp_path, "b.csv", "a/c.csv", "_log/x.csv", ".hid/x.csv", "a/_x.csv", "a/.y.csv",
          "readme.md", "state.json", "dataset_info.json", "dataset_dict.json")  # fmt: skip
    found = [path.relative_to(tmp_path).as_posix() for path in shards.shards(tmp_path)]
    assert found == ["a/c.csv", "b.csv"]
    assert shards.shards(tmp_path / "b.csv") == []
    assert shards.shards(tmp_path / "no*.csv".replace("*", "")) == []
    for pattern, names in (("*.csv", ["b.csv"]), ("**/*.csv", ["a/c.csv", "b.csv"]),
                           ("[b].csv", ["b.csv"]), ("?.csv", ["b.csv"])):  # fmt: skip
        found = [
            path.relative_to(tmp_path).as_posix() for path in shards.shards(tmp_path / pattern)
        ]
        assert found == names
    hidden = shards.shards(tmp_path / "_log")
    assert [path.name for path in hidden] == ["x.csv"]  # it was asked for by its name
    touch(tmp_path, "q[1].csv")
    assert shards.shards(tmp_path / "q[1].csv") == []
    with pytest.raises(FileError, match=r"no file has a name of this pattern"):
        shards.shards(tmp_path / "*.parquet")
    touch(tmp_path, "a/d.jsonl")
    for path in (tmp_path, tmp_path / "a" / "[cd].*"):
        with pytest.raises(FileError) as told:
            shards.shards(path)
        assert str(told.value) == (
            f"{path} holds csv and jsonl files; name one of them, one kind's folder, or a pattern "
            "such as *.csv"
        )


def test_a_folder_without_tables_says_what_it_holds(tmp_path):
    with pytest.raises(FileError, match=r"and is no table of a lake, but nothing$"):
        shards.shards(tmp_path)
    touch(tmp_path, *"dcba")
    with pytest.raises(FileError, match=r"is no table of a lake, but a, b, c$"):
        shards.shards(tmp_path)


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["s-1-of-2.csv", "s-2-of-2.csv"], ""), (["s-0-of-2.csv", "s-1-of-2.csv"], ""),
        (["s-1-of-2.csv"], "1 of 2 shards are missing, such as s-2-of-2.csv"),
        (["s-2-of-2.csv"], "1 of 2 shards are missing, such as s-1-of-2.csv"),
        (["s-0-of-3.csv"], "2 of 3 shards are missing, such as s-1-of-3.csv"),
        (["s-00001-of-00003.csv"], "2 of 3 shards are missing, such as s-00002-of-00003.csv"),
        (["a-0-of-1.csv", "b-0-of-2.csv"], "1 of 2 shards are missing, such as b-1-of-2.csv"),
        (["s-0-of-2.csv", "s-0-of-2.csv.gz"], "1 of 2 shards are missing, such as s-1-of-2.csv"),
        (["x/s-0-of-2.csv", "y/s-1-of-2.csv"], "1 of 2 shards are missing"),
        (["s-1-of-100000.csv"], "99999 of 100000 shards are missing"), (["s-1-of-100001.csv"], ""),
        (["s-1-of.csv", "s1of2.csv"], ""),
    ],
)  # fmt: skip
def test_a_series_of_shards_is_whole(tmp_path, names, told):
    touch(tmp_path, *names)
    if not told:
        assert len(shards.shards(tmp_path)) == len(names)
        return
    with pytest.raises(FileError) as error:
        shards.shards(tmp_path)
    assert told in str(error.value)
    assert len(shards.shards(tmp_path / "**" / "*")) == len(names)


@pytest.mark.parametrize(
    ("name", "kind", "packing"),
    [
        ("a.csv", "csv", None), ("a.TSV.GZ", "tsv", "gzip"), ("a.ndjson.bz2", "jsonl", "bz2"),
        ("a.json.zst", "json", "zstd"), ("a.pq", "parquet", None),
        ("a.geoparquet", "parquet", None),
        ("a.feather", "arrow", None), ("a.ipc", "arrow", None), ("a.npz", "npz", None),
        ("a.xlsx", "xlsx", None), ("a.geojson", "geojson", None), ("a.gz", None, "gzip"),
        ("a.txt", None, None), ("csv", None, None), ("a.csv.gz.gz", None, "gzip"),
    ],
)  # fmt: skip
def test_formats_by_the_ending(name, kind, packing):
    assert formats.compression_of(name) == packing
    assert files.is_table_file(name) == (kind is not None)
    if kind is not None:
        assert files.file_format(name) == kind
        return
    with pytest.raises(FileError, match=f"^{name}: unknown format "):
        files.file_format(name)


@pytest.mark.parametrize("ending", ["parquet", "pq", "arrow", "npz", "xlsx"])
def test_what_packs_itself_is_not_packed_again(ending):
    with pytest.raises(FileError) as told:
        files.file_format(f"x/a.{ending}.gz")
    kind = {"pq": "Parquet"}.get(ending, ending.capitalize())
    assert str(told.value) == (
        f"x/a.{ending}.gz: {kind} compresses inside; unpack it first and name it a.{ending}"
    )


# writers


@pytest.mark.parametrize("counts", [[1, 1, 1, 4, 1], [8], [3, 0, 1], []])
def test_small_batches_are_gathered_into_groups(tmp_path, monkeypatch, counts):
    monkeypatch.setattr(writers, "ROW_GROUP", 3)
    schema = pa.schema([("n", pa.int64())])
    with files.writing(tmp_path / "a.parquet", schema, {"by": "us"}) as writer:
        assert not writer.takes_lines
        for count in counts:
            writer.write(pa.table({"n": pa.array([7] * count, pa.int64())}))
    sizes, waiting = [], 0
    for count in counts:  # a group is full once it has three rows or more
        waiting += count
        if waiting >= 3:
            sizes, waiting = [*sizes, waiting], 0
    sizes += [waiting] if waiting else []
    with pq.ParquetFile(tmp_path / "a.parquet") as file:
        meta = file.metadata
        assert [meta.row_group(i).num_rows for i in range(meta.num_row_groups)] == sizes
        assert json.loads(meta.metadata[b"geodata"]) == {"by": "us"}
        assert all(meta.row_group(i).column(0).compression == "ZSTD" for i in range(len(sizes)))


def test_columns_that_hardly_repeat_and_those_that_come_coded(tmp_path):
    words = pa.array(["x", "y", "x", "x"])
    schema = pa.schema([("id", TEXT), ("word", TEXT), ("n", pa.int64())])
    rows = pa.table({"id": list("abcd"), "word": words, "n": [1, 2, 3, 4]}, schema=schema)

    def written(given, **options):
        with files.writing(tmp_path / "a.parquet", schema, **options) as writer:
            writer.write(given)
        assert files.read_table(tmp_path / "a.parquet").equals(rows)
        with pq.ParquetFile(tmp_path / "a.parquet") as file:
            group = file.metadata.row_group(0)
            found = [group.column(i) for i in range(3)]
            return [c.has_dictionary_page for c in found], [c.is_stats_set for c in found]

    assert written(rows) == ([True] * 3, [True] * 3)
    assert written(rows, plain=["id"]) == ([False, True, True], [True] * 3)
    codes = pa.chunked_array(
        [words.slice(0, 2).dictionary_encode(), words.slice(2).dictionary_encode()]
    )
    coded = rows.set_column(1, "word", codes)
    assert written(coded, coded=["word"]) == ([True] * 3, [True, False, True])


def test_json_as_lines_and_as_an_array(tmp_path):
    rows = pa.table({"a": [1.0, float("nan"), None], "b": ["é", None, "x"], "c": [[1], None, []]})
    for parts in ([rows], [rows.slice(0, 1), rows.slice(0, 0), rows.slice(1)]):
        for name, text in (
            ("a.jsonl", '{"a": 1.0, "b": "é", "c": [1]}\n{"a": null, "b": null, "c": null}\n'
                        '{"a": null, "b": "x", "c": []}\n'),
            ("a.json", '[\n{"a": 1.0, "b": "é", "c": [1]},\n{"a": null, "b": null, "c": null},\n'
                       '{"a": null, "b": "x", "c": []}\n]\n'),
        ):  # fmt: skip
            files.write_tables(parts, tmp_path / name, rows.schema)
            assert (tmp_path / name).read_text("utf-8") == text
    for name, text in (("n.jsonl", ""), ("n.json", "[]")):
        files.write_tables([], tmp_path / name, rows.schema)
        assert (tmp_path / name).read_text().strip() == text


@pytest.mark.parametrize(
    ("first", "more", "joined"),
    [
        ('{"a": 1}', {"b": 2}, '{"a": 1, "b": 2}'), ('{"a": 1 } ', {"b": 2}, '{"a": 1, "b": 2}'),
        ("{}", {"b": 2}, '{"b": 2}'), ("{ }", {"b": 2}, '{"b": 2}'), ('{"a": 1} ', {}, '{"a": 1} '),
    ],
)  # fmt: skip
def test_columns_are_added_to_a_line_as_it_is_written(first, more, joined):
    assert writers._joined(first, json.dumps(more)) == joined


def test_text_formats_are_packed_and_what_is_nested_becomes_json(tmp_path):
    rows = pa.table(
        {"a": [1, None], "t": ["x,y", 'q"'], "l": [[1, 2], None], "s": [{"b": 1}, None]}
    )
    files.write_table(rows, tmp_path / "a.csv")
    assert (tmp_path / "a.csv").read_text() == (
        '"a","t","l","s"\n1,"x,y","[1, 2]","{""b"": 1}"\n,"q""",,\n'
    )
    files.write_table(rows, tmp_path / "a.tsv.gz")
    import gzip

    assert gzip.decompress((tmp_path / "a.tsv.gz").read_bytes()).decode().splitlines()[1] == (
        '1\t"x,y"\t"[1, 2]"\t"{""b"": 1}"'
    )
    with pytest.raises(
        FileError, match=r"a\.arrow: arrow is read, not written; write parquet, csv"
    ):
        files.write_table(rows, tmp_path / "a.arrow")


def test_a_batch_that_does_not_fit_leaves_what_was_there(tmp_path):
    (tmp_path / "a.jsonl").write_text("old")
    schema = pa.schema([("a", pa.int64()), ("b", TEXT)])
    told = "column 'a' is int64 at first and string later; write it with one type"
    parts = [pa.table({"a": [1]}), pa.table({"a": ["x"]})]
    with pytest.raises(FileError, match=told):
        files.write_tables(parts, tmp_path / "a.jsonl", schema)
    assert (tmp_path / "a.jsonl").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["a.jsonl"]
    made = writers.conformed(pa.table({"x": [1], "a": pa.array([2], pa.int8())}), schema)
    assert (made.schema, made.to_pylist()) == (schema, [{"a": 2, "b": None}])


# sources


def test_a_source_in_memory_gives_what_is_asked_for():
    table = pa.table({"n": list(range(7)), "at": [{"lat": 1.0, "lon": 2.0}] * 7})
    made = files.source_of(table, "rows")
    assert (made.name, made.columns, made.kind, made.rows) == (
        "rows", ("n", "at.lat", "at.lon"), "table", 7
    )  # fmt: skip
    assert [len(t) for t in made.tables(rows=3)] == [3, 3, 1]
    assert next(made.tables(["at.lon"])).column_names == ["at"]
    assert made.identity() == {"name": "rows", "rows": 7}
    assert (made.path, made.paths) == (None, ())
    (batch,) = made.batches(["at.lat", "n"])
    assert batch.table.to_pydict() == {"at.lat": [1.0] * 7, "n": list(range(7))}
    assert made.no_rows().schema == table.schema
    assert files.open_source(made) is made


def test_what_tells_files_from_others(tmp_path):
    for name in "ab":
        (tmp_path / f"{name}.csv").write_text(f"id\n{name}\n")
    digests = [files.sha256(tmp_path / f"{name}.csv") for name in "ab"]
    one = files.open_source(tmp_path / "a.csv")
    assert one.identity() == {"name": "a.csv", "sha256": digests[0]}
    both = files.open_source(tmp_path)
    assert both.identity() == {
        "name": tmp_path.name, "files": 2,
        "sha256": hashlib.sha256("".join(digests).encode()).hexdigest(),
    }  # fmt: skip
    assert (one.path, both.path) == (tmp_path / "a.csv", None)
    assert both.paths == (tmp_path / "a.csv", tmp_path / "b.csv")
    assert both.rows is None
    pq.write_table(pa.table({"n": [1, 2]}), tmp_path / "c.parquet")
    assert files.open_source(tmp_path / "c.parquet").rows == 2


def test_kinds_of_json_are_those_of_all_files(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"n": 1, "x": 1.5}\n')
    (tmp_path / "b.jsonl").write_text('{"n": "a", "x": 2.5, "late": true}\n')
    kinds = files.open_source(tmp_path).kinds()
    alone = [files.open_source(tmp_path / f"{name}.jsonl").kinds() for name in "ab"]
    assert kinds == alone[0] | alone[1] | {"n": "text"}
    assert alone[0]["n"] != "text"
    assert set(kinds) == {"n", "x", "late"}


@pytest.mark.parametrize(
    ("given", "options", "told"),
    [
        ("a.csv", {"format": "xml"}, "unknown format 'xml'; expected csv, tsv, parquet, jsonl"),
        ("a.csv", {"encoding": "klingon"}, "unknown encoding 'klingon'; expected a name such"),
        ("no.csv", {}, "no.csv: expected a csv file, found nothing there"),
        ("a" * 300 + ".csv", {}, "is not a file"),
    ],
)  # fmt: skip
def test_what_cannot_be_opened_is_told(tmp_path, given, options, told):
    (tmp_path / "a.csv").write_text("id\nx\n")
    with pytest.raises(FileError) as error:
        files.open_source(tmp_path / given, **options)
    assert told in str(error.value)


def test_names_that_occur_twice_or_are_too_many(monkeypatch):
    with pytest.raises(FileError, match=r"^w: the names 'a', 'b' occur twice; column names must"):
        source._checked(("b", "a", "c", "a", "b"), "w")
    monkeypatch.setattr(source.readers, "MAX_COLUMNS", 3)
    assert source._checked(("a", "b", "c"), "w") == ("a", "b", "c")
    with pytest.raises(FileError, match=r"^w has 4 columns, more than 3; keep those you need"):
        source._checked(("a", "b", "c", "d"), "w")
