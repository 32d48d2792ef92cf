"""A dataset card line by line, and what the map and Croissant beside it say."""

import dataclasses
import json
from datetime import UTC, datetime

import numpy as np
import pyarrow as pa
import pytest

from geodata import datasets, files, maps, sphere, tables
from geodata.tables import data_files
from geodata.tables.exports import cards, croissant, exporting, mapping


def opened(tmp_path, rows, note=None, name="photos"):
    tables.append(tmp_path / "lake" / name, rows, note=note)
    return tables.open(tmp_path / "lake" / name)


def test_a_whole_card(tmp_path):
    rows = pa.table({
        "photo_id": ["a", "b", "c", "d"], "split": ["train", "test", "train", None],
        "country_code": ["FR", "FR", "JP", None], "country": ["France", "France", "Japan", None],
        "source": ["mine"] * 4, "licence": ["CC BY 4.0", "ODbL", "ODbL", None],
        "status": ["ok", "ok", "bad", "ok"],
    })  # fmt: skip
    note = {"made_with": "hands", "parameters": {"n": 4}, "seed": 7, "ok": True, "none": None}
    version = opened(tmp_path, rows, note)
    size = sum(file.stat().st_size for file in version.files)
    assert cards.card(version.path, title="*Photos*") == "\n".join([
        "---", 'pretty_name: "*Photos*"', "size_categories:", "- n<1K", "task_categories:",
        "- image-to-text", "tags:", "- image-geolocation", "- geospatial", "license: other",
        'license_name: "ODbL, CC BY 4.0"', "---",
        "", r"# \*Photos\*", "", "|  |  |", "|---|---|", "| rows | 4 |", "| version | 0 |",
        f"| content hash | `{version.content_hash}` |", f"| files | 1, {size:,} bytes |",
        "", "## Splits", "", "| splits | rows | share |", "|---|---|---|",
        "| train | 2 | 50.00% |", "| test | 1 | 25.00% |", "| (none) | 1 | 25.00% |",
        "", "## Continents", "", "| continents | rows | share |", "|---|---|---|",
        "| Europe | 2 | 50.00% |", "| Asia | 1 | 25.00% |", "| (none) | 1 | 25.00% |",
        "", "## Countries", "", "| countries | rows | share |", "|---|---|---|",
        "| France | 2 | 50.00% |", "| Japan | 1 | 25.00% |", "| (none) | 1 | 25.00% |",
        "", "## Sources", "", "| sources | rows | share |", "|---|---|---|",
        "| mine | 4 | 100.00% |",
        "", "## Licences", "", "| licences | rows | share |", "|---|---|---|",
        "| ODbL | 2 | 50.00% |", "| CC BY 4.0 | 1 | 25.00% |", "| (none) | 1 | 25.00% |",
        "", "## Status", "", "| status | rows | share |", "|---|---|---|",
        "| ok | 3 | 75.00% |", "| bad | 1 | 25.00% |",
        "", "## Columns", "", "| column | type |", "|---|---|",
        *(f"| {name} | `string` |" for name in
          ("photo_id", "split", "country_code", "country", "source", "licence", "status")),
        "", "## Made with", "", "hands", "", "## Parameters", "", "```json", "{", '  "n": 4', "}",
        "```", "", "## Seed", "", "7", "", "## Ok", "", "True", "", "## None", "", "```json",
        "null", "```", "",
    ])  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "size"),
    [
        (0, "n<1K"), (999, "n<1K"), (1_000, "1K<n<10K"), (9_999, "1K<n<10K"),
        (10_000, "10K<n<100K"), (99_999, "10K<n<100K"), (100_000, "100K<n<1M"),
        (999_999, "100K<n<1M"), (1_000_000, "n>1M"), (10**9, "n>1M"),
    ],
)  # fmt: skip
def test_the_size_that_hugging_face_files_it_under(tmp_path, rows, size):
    version = opened(tmp_path, pa.table({"n": [1]}))
    head = cards._head(dataclasses.replace(version, rows=rows), "x", None)
    assert f"size_categories:\n- {size}\n" in head
    assert "configs" not in head
    of_none = cards._head(version, "x", {})
    assert "data_files:\n---" in of_none


def test_twenty_values_are_listed_and_the_others_counted(tmp_path):
    """Those with most rows first, equal ones by their name, none behind them."""
    version = opened(tmp_path, pa.table({"n": list(range(50))}))
    counts = {f"v{i:02d}": 1 for i in range(21, -1, -1)} | {None: 1, "many": 5, "more": 7}
    lines = cards._section("Things", version, counts).splitlines()
    assert lines[:6] == [
        "## Things", "", "| things | rows | share |", "|---|---|---|", "| more | 7 | 14.00% |",
        "| many | 5 | 10.00% |",
    ]  # fmt: skip
    assert lines[6:-1] == [f"| v{i:02d} | 1 | 2.00% |" for i in range(18)]
    assert lines[-1] == "| 5 others | 5 | 10.00% |"
    first = cards._section("Things", version, {"a": 1, None: 2}).splitlines()[-2:]
    assert first == ["| (none) | 2 | 4.00% |", "| a | 1 | 2.00% |"]
    last = cards._section("Things", version, {None: 1, "a": 1}).splitlines()[-2:]
    assert last == ["| a | 1 | 2.00% |", "| (none) | 1 | 2.00% |"]
    whole = cards._section("Things", version, dict.fromkeys("abcdefghijklmnopqrst", 1))
    assert "others" not in whole
    assert "| a | 1 | 100.00% |" in cards._section(
        "X", dataclasses.replace(version, rows=0), {"a": 1}
    )


def test_continents_are_those_of_the_rows_or_of_their_codes(tmp_path):
    own = pa.table({"continent": ["Ours", "Ours"], "country_code": ["FR", "JP"]})
    text = cards.card(opened(tmp_path, own).path)
    assert "| Ours | 2 | 100.00% |" in text
    assert "Europe" not in text
    assert "| FR | 1 | 50.00% |" in text
    codes = {"FR": 2, "DE": 1, "JP": 1, "??": 3, "": 1, None: 1, "fr": 1}
    assert cards._by_continent(codes) == {"Europe": 3, "Asia": 1, None: 6}


def test_counts_are_of_all_files_and_only_of_text(tmp_path):
    for n in range(3):
        tables.append(
            tmp_path / "t", pa.table({"source": ["a", "b"][: n + 1], "status": [n, 1][: n + 1]})
        )
    text = cards.card(tmp_path / "t")
    assert "| a | 3 | 60.00% |" in text
    assert "## Status" not in text
    assert "## Continents" not in text
    assert "## Countries" not in text


def test_what_is_no_text_is_not_counted_and_hides_no_text(tmp_path):
    """Lists and records cannot be counted, and numbers name no country."""
    other = pa.table(
        {"country": [["FR"], ["JP"]], "country_code": ["FR", "JP"], "continent": [1, 2]}
    )
    text = cards.card(opened(tmp_path, other).path)
    assert "## Continents\n\n| continents | rows | share |\n|---|---|---|\n| Asia | 1 |" in text
    assert "## Countries\n\n| countries | rows | share |\n|---|---|---|\n| FR | 1 |" in text
    none = pa.table({"country": [{"a": 1}], "country_code": [[1]], "continent": [["Asia"]]})
    text = cards.card(opened(tmp_path, none, name="none").path)
    assert "## Continents" not in text
    assert "## Countries" not in text


@pytest.mark.parametrize(
    ("split", "counts"),
    [
        (["a", None, "a"], {"a": 2, None: 1}), ([None] * 3, {}), ([1, 2, 3], {}),
    ],
)  # fmt: skip
def test_splits_are_texts_of_which_one_at_least_is_there(tmp_path, split, counts):
    kind = pa.string() if split[0] != 1 else None
    version = opened(tmp_path, pa.table({"split": pa.array(split, kind)}))
    assert cards.split_counts(version) == counts
    assert cards.split_counts(opened(tmp_path, pa.table({"a": [1]}), name="other")) == {}


@pytest.mark.parametrize(
    ("note", "rows", "found", "lines"),
    [
        ({"licence": "cc_by 2.0"}, ["MIT"], ["cc_by 2.0"], ["license: cc-by-2.0"]),
        ({"license": "ODbL"}, ["MIT"], ["ODbL"], ["license: odbl"]),
        ({"licence": "ours"}, None, ["ours"], ["license: other", 'license_name: "ours"']),
        ({"licence": "é\x1b"}, None, ["é\x1b"], None),
        ({"licence": 5}, ["MIT", None], ["MIT"], ["license: mit"]),
        ({}, ["MIT", "b", "b", "", None, "a"], ["b", "MIT", "a"],
         ["license: other", 'license_name: "b, MIT, a"']),
        ({}, ["MIT", "mit"], ["MIT", "mit"], ["license: other", 'license_name: "MIT, mit"']),
        ({}, [1, 2], [], []), ({}, None, [], []), ({}, [None], [], []),
        ({}, [f"{i:02d}" for i in range(25)], [f"{i:02d}" for i in range(20)], None),
    ],
)  # fmt: skip
def test_the_licence_of_a_version(tmp_path, note, rows, found, lines):
    column = {} if rows is None else {"licence": rows}
    if rows == [None]:
        column = {"licence": pa.array(rows, pa.string())}
    version = opened(tmp_path, pa.table({"n": [0] * len(rows or [0]), **column}), note)
    assert cards.licences(version) == found
    if lines is not None:
        assert cards._licence_lines(found) == lines
    elif len(found) == 1:
        assert cards._licence_lines(found)[1].startswith('license_name: "é')
        assert "\x1b" not in cards._licence_lines(found)[1]


KNOWN = [
    "cc0-1.0",
    "cc-by-2.0",
    "cc-by-3.0",
    "cc-by-4.0",
    "cc-by-sa-2.0",
    "cc-by-sa-3.0",
    "cc-by-sa-4.0",
    "cc-by-nc-2.0",
    "cc-by-nc-3.0",
    "cc-by-nc-4.0",
    "cc-by-nc-sa-4.0",
    "cc-by-nc-nd-4.0",
    "odbl",
    "mit",
    "apache-2.0",
    "pddl",
]


def test_licences_that_hugging_face_knows_by_any_spelling():
    for name in KNOWN:
        for said in (name, name.upper().replace("-", " "), name.replace("-", "_")):
            assert cards._licence_lines([said]) == [f"license: {name}"]
    assert sorted(cards._KNOWN_LICENCES.values()) == sorted(KNOWN)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("/home/me/preds.csv", "preds.csv"), ("/home/me/", "me"), ("/", "/"),
        ("~/a/b.csv", "b.csv"),
        ("~\\a\\b.csv", "b.csv"), ("\\\\host\\a\\b.csv", "b.csv"), ("C:\\a\\b.csv", "b.csv"),
        ("c:/a/b.csv", "b.csv"), ("file:///a/b.csv", "b.csv"), ("a/b.csv", "a/b.csv"),
        ("see /home", "see /home"), ("~me", "~me"), ("lat/lon", "lat/lon"), (5, 5), (None, None),
        (["/a/b", {"x": "/a/c"}], ["b", {"x": "c"}]), ({"/a": "/b/c"}, {"/a": "c"}),
    ],
)  # fmt: skip
def test_a_card_tells_no_folder(said, shown):
    assert cards.without_folders(said) == shown


def test_a_card_has_a_map_where_there_are_places(tmp_path):
    rows = pa.table({"lat": [1.0, None], "lon": [2.0, 3.0]})
    opened(tmp_path, rows)
    for name, given, drawn in (
        ("some", rows, True), ("none", rows.slice(1), False), ("text", pa.table({"a": [1]}), False),
    ):  # fmt: skip
        version = opened(tmp_path, given, name=name)
        text = tables.write_card(version.path, tmp_path / "new" / name).read_text()
        assert ("map.png" in text) == drawn == (tmp_path / "new" / name / "map.png").is_file()
    tables.append(tmp_path / "lake" / "some", rows)
    older = tables.write_card(tmp_path / "lake" / "some", tmp_path / "old", 0).read_text()
    assert "| version | 0 |" in older


def test_when_a_version_was_committed(tmp_path):
    before = datetime.now(UTC).replace(microsecond=0)
    opened(tmp_path, pa.table({"n": [1]}))
    version = opened(tmp_path, pa.table({"n": [1]}))
    first = tables.open(version.path, 0)
    assert before <= cards.committed(first) <= cards.committed(version) <= datetime.now(UTC)
    history = tables.history(version.path)
    assert [cards.committed(one) for one in (version, first)] == [c.time for c in history]


# maps


def middle(row, col):
    return row / 2 - 89.75, col / 2 - 179.75


def test_the_land_within_a_radius_is_that_of_every_middle():
    points = np.zeros(maps.SHAPE, np.int64)
    where = [(0, 0), (180, 719), (359, 300)]
    for row, col in where:
        points[row, col] = 3
    near = mapping._within(points, 300.0)
    for row in (0, 1, 2, 90, 176, 179, 182, 186, 357, 359):
        for col in (0, 1, 5, 300, 310, 700, 714, 719):
            km = min(
                float(
                    sphere.haversine_km(
                        row / 2 - 89.75, col / 2 - 179.75, r / 2 - 89.75, c / 2 - 179.75
                    )
                )
                for r, c in where
            )
            assert near[row, col] == (km <= 300.0)


def told(path):
    return path.read_text(encoding="utf-8")


@pytest.fixture
def drawn(monkeypatch):
    """What maps are asked to show."""
    seen = []

    class Noting(maps.WorldMap):
        def __init__(self, name, **options):
            seen.append(("name", name, options))
            super().__init__(name, **options)

        def shade(self, cells, said):
            seen.append(("shade", int(cells.sum()), said))
            super().shade(cells, said)

        def counts(self, counts):
            seen.append(("counts", int(counts.sum()), None))
            super().counts(counts)

    monkeypatch.setattr(maps, "WorldMap", Noting)
    return seen


ROWS = pa.table({"y": [48.9, None, 35.0], "x": [2.3, 0.0, 135.8]})


def test_a_map_says_what_it_is_of(tmp_path, drawn):
    files.write_table(ROWS, tmp_path / "my.rows.csv")
    place = pa.table({"lat": [0.0], "lon": [0.0]})
    files.write_table(place, tmp_path / "popular.csv")
    out = tmp_path / "m.svg"
    assert tables.draw_map(tmp_path / "my.rows.csv", out, lat="y", lon="x") == 2
    assert drawn == [("name", "my.rows.csv", {"dark": False}), ("counts", 2, None)]
    drawn.clear()
    tables.draw_map(
        tmp_path / "my.rows.csv", out, lat="y", lon="x", around=tmp_path / "popular.csv",
        title="T", dark=True,
    )  # fmt: skip
    cells = int(mapping._within(mapping.count_rows(place), 200.0).sum())
    assert drawn == [
        ("name", "T", {"dark": True}), ("shade", cells, "within 200 km of popular.csv"),
        ("counts", 2, None),
    ]  # fmt: skip
    drawn.clear()
    tables.draw_map(ROWS, out, lat="y", lon="x", around=place, radius_km=1234.5)
    assert drawn[1][0::2] == ("shade", "within 1,234.5 km of those places")


def test_a_map_counts_the_rows_of_all_files(tmp_path):
    for lat in (1.0, 1.1, -40.0):
        tables.append(tmp_path / "t", pa.table({"lat": [lat, None], "lon": [2.0, 3.0]}))
    counts = mapping.count_rows(tables.open(tmp_path / "t"))
    assert {(int(r), int(c)): int(counts[r, c]) for r, c in zip(*np.nonzero(counts))} == {
        (182, 364): 2, (100, 364): 1
    }  # fmt: skip
    assert tables.draw_map(tmp_path / "t", tmp_path / "m.svg") == 3


def test_points_in_one_column_are_drawn(tmp_path):
    """As others write them: longitude first in well-known text, latitude first in a pair."""
    for column in ({"geometry": ["POINT (2 1)", None]}, {"coords": ["1, 2", None]}):
        counts = mapping.count_rows(pa.table({"id": ["a", "b"], **column}))
        assert [(int(r), int(c)) for r, c in zip(*np.nonzero(counts))] == [(182, 364)]
        assert tables.draw_map(pa.table({"id": ["a", "b"], **column}), tmp_path / "m.svg") == 1


def test_a_column_that_was_named_is_drawn_or_missed_with_those_that_are_there(tmp_path):
    out = tmp_path / "m.svg"
    files.write_table(ROWS, tmp_path / "rows.csv")
    for rows, name in ((ROWS, "table"), (tmp_path / "rows.csv", "rows.csv")):
        for named in ({"lat": "none", "lon": "x"}, {"lat": "y", "lon": "none"}, {"lon": "none"}):
            with pytest.raises(files.FileError, match=f"{name}: no column 'none' .* 'y', 'x'$"):
                tables.draw_map(rows, out, **named)
    both = pa.table({"lat": [1.0, 2.0], "lon": [1.0, 2.0], "pred_lat": [None, 1.0],
                     "pred_lon": [3.0, 4.0]})  # fmt: skip
    assert tables.draw_map(both, out) == 2
    assert tables.draw_map(both, out, lat="pred_lat") == 1
    assert tables.draw_map(both, out, lon="pred_lon") == 1


def test_the_map_of_what_was_kept_away_shows_from_where(tmp_path, drawn):
    lake = tmp_path / "lake"
    rows = pa.table({"photo_id": ["a", "b"], "lat": [10.0, 48.9], "lon": [10.0, 2.3]})
    tables.write(lake / "photos", rows)
    tables.write(lake / "popular", pa.table({"lat": [48.8], "lon": [2.3]}))
    datasets.build("hard", lake, source="photos", inputs={"popular": "popular"}, radius_km=500.0)
    assert mapping.draw_version(tables.open(lake / "hard"), tmp_path / "m.svg")
    cells = int(mapping._within(mapping.count_rows(tables.open(lake / "popular")), 500.0).sum())
    assert drawn == [
        ("name", "hard, version 0", {}), ("shade", cells, "within 500 km of a popular point"),
        ("counts", 1, None),
    ]  # fmt: skip
    hard = tables.open(lake / "hard")
    for spoil in ({"recipe": "rand"}, {"inputs": {}}, {"parameters": {"radius_km": "far"}},
                  {"parameters": 5},
                  {"inputs": {"popular": {"table": "gone", "version": 0}}}):  # fmt: skip
        tables.write(lake / "other", rows, hard.note | spoil)
        assert mapping._kept_away_from(tables.open(lake / "other")) is None
    tables.write(lake / "same", rows, hard.note)
    assert mapping._kept_away_from(tables.open(lake / "same"))[0] == 500.0


# exports


def test_croissant_says_what_is_there(tmp_path):
    kinds = {
        "flag": (pa.array([True]), "sc:Boolean"), "n": (pa.array([1]), "sc:Integer"),
        "x": (pa.array([1.0]), "sc:Float"), "day": (pa.array([0], pa.date32()), "sc:Date"),
        "d": (pa.array([1]).cast(pa.decimal128(21, 2)), "sc:Float"),
        "t": (pa.array(["a"]), "sc:Text"),
        "at": (pa.array([0], pa.timestamp("us")), "sc:DateTime"),
        "list": (pa.array([[1]]), "sc:Integer"), "s": (pa.array([{"a": 1}]), "sc:Text"),
    }  # fmt: skip
    rows = pa.table({name: column for name, (column, _) in kinds.items()})
    version = opened(tmp_path, rows, {"source": {"name": "/home/me/é.csv"}})
    out = tables.export(version.path, tmp_path / "out")
    found = json.loads(told(out / "croissant.json"))
    (file,) = (out / "data").iterdir()
    assert found["name"] == "photos"
    assert found["description"] == (
        f"1 rows of the table photos, version 0, content hash {version.content_hash}."
    )
    assert found["license"] == ["unknown: the rows and the note of the version name none"]
    assert found["url"] == f"urn:sha256:{version.content_hash}"
    assert found["version"] == "0.0.0"
    assert found["datePublished"] == cards.committed(version).date().isoformat()
    assert found["isLiveDataset"] is False
    assert found["rai:dataCollection"] == '{"source": {"name": "é.csv"}}'
    assert found["distribution"] == [{
        "@type": "cr:FileObject", "@id": f"data/{file.name}", "name": file.name,
        "contentUrl": f"data/{file.name}", "contentSize": f"{file.stat().st_size} B",
        "encodingFormat": "application/x-parquet", "sha256": files.sha256(file),
    }]  # fmt: skip
    ((records),) = found["recordSet"]
    assert (records["@id"], records["name"]) == ("train", "train")
    assert {one["name"]: one["dataType"] for one in records["field"]} == {
        name: kind for name, (_, kind) in kinds.items()
    }
    assert [one["name"] for one in records["field"] if one.get("repeated")] == ["list"]
    assert records["field"][1] == {
        "@type": "cr:Field", "@id": "train/n", "name": "n", "description": "Column n, int64.",
        "dataType": "sc:Integer",
        "source": {"fileObject": {"@id": f"data/{file.name}"}, "extract": {"column": "n"}},
    }  # fmt: skip


def test_files_of_a_split_are_one_set_and_a_split_without_files_is_none(tmp_path):
    tables.write(tmp_path / "t", pa.table({"n": [1, 2, 3]}), file_rows=2)
    version = tables.open(tmp_path / "t")
    out = tables.export(version.path, tmp_path / "out")
    paths = sorted((out / "data").iterdir())
    found = croissant._document(version, out, {"train": paths, "test": []})
    assert len(found["distribution"]) == 3
    assert found["distribution"][-1] == {
        "@type": "cr:FileSet", "@id": "files-train", "name": "files-train",
        "encodingFormat": "application/x-parquet", "includes": "data/train-*.parquet",
    }  # fmt: skip
    ((records),) = found["recordSet"]
    assert records["field"][0]["source"]["fileSet"] == {"@id": "files-train"}


@pytest.mark.parametrize(
    ("splits", "order"),
    [
        (["test", "b", "train", "validation", "a"], ["train", "validation", "test", "a", "b"]),
        (["v1.2", "A_b"], ["A_b", "v1.2"]), (["train"], ["train"]),
    ],
)  # fmt: skip
def test_splits_come_in_the_usual_order(tmp_path, splits, order):
    version = opened(tmp_path, pa.table({"split": splits}))
    assert list(exporting._splits(version)) == order


@pytest.mark.parametrize(
    "split", ["", ".a", "a.", "a..b", "a b", "a/b", "é", "a-b", "x" * 99 + "/"]
)
def test_splits_that_are_no_part_of_a_name(tmp_path, split):
    version = opened(tmp_path, pa.table({"split": ["a", split]}))
    with pytest.raises(tables.TableError) as error:
        exporting._splits(version)
    assert str(error.value).startswith(f"photos@0: the split {split!r:.80} is no part of a file's")


def test_each_file_of_an_export_has_the_box_of_its_points(tmp_path):
    lat, lon = [1.0, -2.0, None, 80.0, 91.0, None], [5.0, 6.0, 7.0, -3.0, 0.0, 9.0]
    tables.write(tmp_path / "t", pa.table({"lat": lat, "lon": lon}), file_rows=2)
    out = tables.export(tmp_path / "t", tmp_path / "out")
    boxes, paths = [], sorted((out / "data").iterdir())
    for path in paths:
        geo = json.loads(files_metadata(path)[b"geo"])
        assert (geo["version"], geo["primary_column"]) == ("1.1.0", "geometry")
        assert geo["columns"]["geometry"]["encoding"] == "WKB"
        assert geo["columns"]["geometry"]["geometry_types"] == ["Point"]
        boxes.append(geo["columns"]["geometry"].get("bbox"))
    assert boxes == [[5.0, -2.0, 6.0, 1.0], [-3.0, 80.0, -3.0, 80.0], None]
    assert [path.name for path in paths] == [f"train-{i:05d}-of-00003.parquet" for i in range(3)]
    assert (out.stat().st_mode & 0o777, (out / "data").is_dir()) == (0o755, True)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["out", "t"]


def files_metadata(path):
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        assert file.metadata.row_group(0).column(0).compression == "ZSTD"
        return file.metadata.metadata


def test_an_export_that_fails_leaves_nothing(tmp_path, monkeypatch):
    opened(tmp_path, pa.table({"n": [1]}))
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").touch()
    for out in (tmp_path / "file", tmp_path / "lake"):
        with pytest.raises(tables.TableError, match="exists and is not an empty folder"):
            tables.export(tmp_path / "lake" / "photos", out)
    assert tables.export(tmp_path / "lake" / "photos", tmp_path / "empty").is_dir()
    monkeypatch.setattr(data_files, "read", lambda *_: pytest.fail("a disk that fills"))
    with pytest.raises(pytest.fail.Exception):
        tables.export(tmp_path / "lake" / "photos", tmp_path / "new")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["empty", "file", "lake"]


def test_a_geometry_of_ones_own_is_not_replaced(tmp_path):
    rows = pa.table({"lat": [1.0], "lon": [2.0], "geometry": ["mine"]})
    opened(tmp_path, rows)
    out = tables.export(tmp_path / "lake" / "photos", tmp_path / "out")
    (path,) = (out / "data").iterdir()
    assert files.read_table(path).equals(rows)
    assert b"geo" not in (files_metadata(path) or {})
