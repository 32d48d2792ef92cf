"""Lines of YFCC100M, its SQLite file, and what is none of either."""

import gzip
import sqlite3

import pytest

from geodata import photos
from geodata.files import FileError
from geodata.photos.formats import yfcc

GOOD = {"photoid": "7", "latitude": "48.9", "longitude": "2.3", "marker": "0"}


def line(names=yfcc.NAMES, **changes):
    values = GOOD | changes
    return "\t".join(values.get(name, "x") for name in names)


@pytest.mark.parametrize("names", [yfcc.NAMES, yfcc.OLD_NAMES])
@pytest.mark.parametrize(
    ("changes", "is_row"),
    [
        ({}, True), ({"marker": "1"}, True), ({"marker": ""}, True), ({"marker": "2"}, False),
        ({"photoid": "7a"}, False), ({"photoid": ""}, False),
        ({"latitude": "", "longitude": ""}, True), ({"latitude": "N"}, False),
        ({"longitude": "E"}, False), ({"latitude": "1e1"}, True),
    ],
)  # fmt: skip
def test_a_line_is_told_by_its_numbers(names, changes, is_row):
    assert yfcc.text_names(line(names, **changes)) == (names if is_row else None)
    assert yfcc.text_names(line(names, **changes), sure=True) == names


def test_forms_have_25_and_23_fields():
    assert (len(yfcc.NAMES), len(yfcc.OLD_NAMES)) == (25, 23)
    assert set(yfcc.NAMES) - set(yfcc.OLD_NAMES) == {"line", "hash"}
    for names in (yfcc.NAMES[:24], (*yfcc.NAMES, "more"), yfcc.NAMES[:22]):
        assert yfcc.text_names(line(names), sure=True) is None


def test_the_first_line_is_cut_at_a_megabyte(tmp_path):
    path = tmp_path / "a.txt"
    path.write_bytes(b"x" * ((1 << 20) + 5) + b"\nsecond")
    assert yfcc.first_line(path) == "x" * (1 << 20)
    path.write_bytes(b" first\xff\r\nsecond")
    assert yfcc.first_line(path) == " first\ufffd"
    packed = tmp_path / "a.GZ"
    packed.write_bytes(gzip.compress(b"packed\nmore"))
    assert yfcc.first_line(packed) == "packed"
    packed.write_bytes(gzip.compress(b"packed\nmore")[:14])
    with pytest.raises(FileError, match=r"a\.GZ: cannot be read: "):
        yfcc.first_line(packed)
    with pytest.raises(FileError, match=r"none: cannot be read: \[Errno 2\]"):
        yfcc.first_line(tmp_path / "none")


def test_fields_are_decoded_as_they_were_written(tmp_path):
    path = tmp_path / "part"
    path.write_text(
        line(uid="a%40b", unickname="x+y", title='5" "q', description="%E6%97%A5", usertags="a,b",
             machinetags="m%3An", licensename="By+SA", capturedevice="", datetaken="2012-02-16+09",
             pageurl="http://a/%20+b", ext="j+g") + "\n" + line() + "\n",
        encoding="utf-8",
    )  # fmt: skip
    with path.open("a") as file:
        file.write(line(title='"open', photoid="8") + "\n" + line(photoid="9") + "\n")
    (batch,) = yfcc.text_batches(path, yfcc.NAMES, yfcc.NAMES)
    *rows, opened, last = batch.table.to_pylist()
    assert (opened["title"], opened["photoid"], last["photoid"]) == ('"open', "8", "9")
    first, second = rows
    assert {name: first[name] for name in first if first[name] != "x"} | GOOD == GOOD | {
        "uid": "a@b", "unickname": "x y", "title": '5" "q', "description": "日", "usertags": "a,b",
        "machinetags": "m:n", "licensename": "By SA", "capturedevice": None,
        "datetaken": "2012-02-16 09", "pageurl": "http://a/%20+b", "ext": "j+g",
    }  # fmt: skip
    assert second == {name: GOOD.get(name, "x") for name in yfcc.NAMES}


def database(path, *tables, rows=()):
    with sqlite3.connect(path) as con:
        for name in tables:
            con.execute(f'CREATE TABLE {name} (photoid, "la""t" REAL, Title)')
        con.executemany(f"INSERT INTO {yfcc.SQLITE_TABLE} VALUES (?, ?, ?)", rows)
    con.close()


def test_values_of_sqlite_are_text(tmp_path, monkeypatch):
    monkeypatch.setattr(yfcc, "ROWS", 2)
    path = tmp_path / "a#b?.db"
    rows = [(7, 0.1, "a%20b"), ("x", None, b"by\xfftes"), (None, 1e300, "+")]
    database(path, yfcc.SQLITE_TABLE, rows=rows)
    assert yfcc.is_sqlite(path)
    assert yfcc.sqlite_names(path) == ("photoid", 'la"t', "Title")
    batches = list(yfcc.sqlite_batches(path, ["Title", 'la"t', "photoid"]))
    assert [batch.table.num_rows for batch in batches] == [2, 1]
    assert [tuple(row.values()) for batch in batches for row in batch.table.to_pylist()] == [
        ("a b", "0.1", "7"), ("by\ufffdtes", None, "x"), (" ", "1e+300", None),
    ]  # fmt: skip
    assert [batch.bad for batch in batches] == [{}, {}]


def test_names_in_capitals_are_decoded_too(tmp_path):
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as con:
        con.execute(f"CREATE TABLE {yfcc.SQLITE_TABLE} (Title TEXT, DateTaken TEXT)")
        con.execute(f"INSERT INTO {yfcc.SQLITE_TABLE} VALUES ('a+b', '2012-05-18+17:11:13.0')")
    con.close()
    (batch,) = yfcc.sqlite_batches(path, ["Title", "DateTaken"])
    assert batch.table.to_pylist() == [{"Title": "a b", "DateTaken": "2012-05-18 17:11:13.0"}]


def test_a_database_without_the_table_says_which_it_has(tmp_path):
    path = tmp_path / "a.db"
    with sqlite3.connect(path) as con:
        con.execute("CREATE TABLE t (a)")
        con.execute("DROP TABLE t")
    con.close()
    said = f"{path}: has no table 'yfcc100m_dataset'; its tables and indexes are: "
    with pytest.raises(FileError) as told:
        yfcc.sqlite_names(path)
    assert str(told.value) == f"{said}none"
    with sqlite3.connect(path) as con:
        for i in range(21):
            con.execute(f"CREATE TABLE t{i} (a)")
    con.close()
    with pytest.raises(FileError) as told:
        yfcc.sqlite_names(path)
    assert str(told.value) == said + ", ".join(f"t{i}" for i in range(20))


def test_a_damaged_database_is_told(tmp_path):
    path = tmp_path / "a.db"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 3000)
    assert yfcc.is_sqlite(path)
    with pytest.raises(FileError, match=r"a\.db: cannot be read as SQLite: "):
        yfcc.sqlite_names(path)
    path.write_bytes(b"SQLite format 3")
    assert not yfcc.is_sqlite(path)


def test_a_report_has_columns_of_roles_only(tmp_path):
    """What else is read, such as the ending of a picture, is no role."""
    path = tmp_path / "part"
    path.write_text(line(ext="jpg") + "\n")
    report = photos.import_(path, tmp_path / "o.parquet")
    assert report.format == "yfcc100m"
    assert report.columns == report.made_by["columns"]
    assert report.columns == {
        "photo_id": "photoid", "lat": "latitude", "lon": "longitude", "image": "downloadurl",
        "author": "uid", "taken_at": "datetaken", "licence": "licensename",
    }  # fmt: skip
