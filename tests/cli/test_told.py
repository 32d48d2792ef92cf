"""What commands tell of reports: each line at a value of its own, also those that are seldom."""

import datetime as dt

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from geodata import datasets, tables
from geodata.cli import app, photos, sharding
from geodata.cli.datasets import commands, recipes, reports
from geodata.datasets import Audit
from geodata.photos import ImportReport
from geodata.scale import Sharded


def run(*words, code=0):
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done


# what a recipe counted


def test_counts_are_told_one_a_line(capsys):
    reports.print_report({
        "rows_in": 12345, "by": ["photo_id", "lat"], "share": 0.5, "is_whole": True,
        "shared": {"photo_id": None, "deep": {"n_rows": 1000}}, "empty": [],
        "parts": [{"part_of": "train", "rows_n": 1200}, {"part_of": "test", "rows_n": 3}],
    })  # fmt: skip
    assert capsys.readouterr().out.splitlines() == [
        "  rows in: 12,345", "  by: photo_id, lat", "  share: 0.5", "  is whole: True",
        "  shared:", "    photo id: not compared", "    deep:", "      n rows: 1,000",
        "  empty: ", "  parts:", "    part of train, rows n 1,200", "    part of test, rows n 3",
    ]  # fmt: skip


def test_a_row_of_an_audit_is_told_by_what_it_is_and_what_was_found():
    row = {"lon": 2.0, "other": 1, "photo_id": "a", "lat": None, "source": "s", "copies": 2}
    assert reports._line_of(row) == "photo_id a, lon 2.0, copies 2, source s"
    assert reports._line_of({"n": 1, "lat": 3.0}) == "lat 3.0"
    assert reports._line_of({"n": "x" * 74}) == f"n {'x' * 74}"  # 76 in all
    assert reports._line_of({"n": "x" * 75}) == f"n {'x' * 71}..."


def test_audits_are_told_with_their_first_rows(capsys):
    rows = pa.table({"photo_id": [f"p{i}" for i in range(7)]})
    found = Audit("dataset_null_country", 1200, rows)
    with pytest.raises(typer.Exit) as stop:
        reports.print_audits([Audit("other", 0, rows.slice(0, 0)), found])
    told = capsys.readouterr()
    assert stop.value.exit_code == 1
    assert told.out.splitlines() == ["audit other: 0 rows",
                                     "audit dataset_null_country: 1,200 rows"]  # fmt: skip
    assert told.err.splitlines() == [f"  photo_id p{i}" for i in range(5)]
    reports.print_audits([Audit("dataset_duplicate_ids", 0, rows.slice(0, 0))])
    assert capsys.readouterr().err == ""


def test_an_export_is_told_by_its_files(tmp_path, capsys):
    (tmp_path / "data").mkdir()
    for name, rows in (("train-0", 900), ("train-1", 800), ("test-0", 3)):
        pq.write_table(pa.table({"n": range(rows)}), tmp_path / "data" / f"{name}.parquet")
    reports.print_exported(tmp_path)
    assert capsys.readouterr().out == (
        f"{tmp_path}: 1,703 rows (train 1,700, test 3), card and Croissant file\n"
    )


# versions


@pytest.fixture
def lake(tmp_path):
    rows = pa.table({"photo_id": [f"p{i}" for i in range(1500)], "lat": [1.0] * 1500,
                     "lon": [2.0] * 1500})  # fmt: skip
    source = {"name": "a.csv", "sha256": "0123456789abcdef"}
    tables.write(tmp_path / "labelled", rows, note={"source": source, "step": "download"})
    return tmp_path


def test_the_history_says_where_rows_came_from(lake):
    more = tables.open(lake / "labelled").arrow().slice(0, 3)
    tables.append(lake / "labelled", more, note={"source": {"name": "b.csv"}})
    tables.append(lake / "labelled", more, note={"source": "by hand"})
    tables.tag(lake / "labelled", "first", 0)
    tables.tag(lake / "labelled", "paper", 0)
    lines = run("dataset", "history", "labelled", "--lake", lake).output.splitlines()
    assert [line for line in lines if line.startswith(" ")] == [
        "   import of b.csv", "   download of a.csv, SHA-256 0123456789ab",
    ]  # fmt: skip
    heads = [line for line in lines if not line.startswith(" ")]
    assert [head.partition("  ")[0] for head in heads] == ["2", "1", "0 [first, paper]"]
    assert heads[0].endswith("append, 3 rows")
    assert heads[2].endswith("write, 1,500 rows")
    when = heads[2].split("  ")[1]
    assert dt.datetime.strptime(when, "%Y-%m-%d %H:%M:%S UTC").year >= 2026


def test_the_history_says_what_a_recipe_was_asked(lake):
    score = lake / "s.csv"
    score.write_text("photo_id,s\np0,1\n")
    datasets.build("join", lake, inputs={"other": score}, prefix="ä_", seed=4)
    lines = run("dataset", "history", "join", "--lake", lake).output.splitlines()
    assert lines[1:] == [
        "   join of rows labelled@0, other s.csv; seed 4",
        '   {"on": "photo_id", "columns": null, "prefix": "ä_", "how": "left"}',
    ]


def test_the_list_says_the_latest_version_and_recipe(lake):
    datasets.build("rand", lake, n=1200)
    assert run("dataset", "list", "--lake", lake).output.splitlines() == [
        "labelled                 version   0        1,500 rows  -",
        "rand                     version   0        1,200 rows  rand",
    ]


def test_verify_says_what_it_could_not_check():
    class Found:
        unsealed, unrecorded = (), ()

    assert commands._unchecked(Found) == []
    Found.unsealed, Found.unrecorded = tuple(range(5)), ("x.parquet", "y.parquet")
    first, second = commands._unchecked(Found)
    assert first.startswith("5 commits have no seal (0, 1, 2, 3, 4): a writer")
    assert second.startswith("2 files have no recorded SHA-256 (x.parquet): another tool")
    Found.unsealed = tuple(range(6))
    assert "(0, 1, 2, 3, 4, ...)" in commands._unchecked(Found)[0]


def test_verify_tells_rows_files_and_hashes(lake):
    report = tables.verify(lake / "labelled")
    told = run("dataset", "verify", "labelled", "--lake", lake)
    assert told.stdout.splitlines() == [
        "labelled, version 0: 1,500 rows in 1 files", f"content hash {report.content_hash}",
        f"SHA-256      {report.sha256}",
        "nothing is wrong: the log, tags, files and rows are those that were committed",
    ]  # fmt: skip
    assert told.stderr == ""


def test_a_repair_says_what_it_moved(lake):
    import os

    left = lake / "labelled" / "part-00000000-left.parquet"
    left.write_bytes(b"x")
    os.utime(left, (1, 1))
    told = run("dataset", "verify", "labelled", "--lake", lake, "--repair").output.splitlines()
    assert told[0] == f"moved part-00000000-left.parquet to {lake}/_leftovers/labelled"
    assert not left.exists()
    assert "no version uses" not in "".join(told)


def test_columns_that_came_and_went(lake):
    rows = tables.open(lake / "labelled").arrow()
    changed = rows.drop_columns("lon").append_column("n", [range(1500)])
    tables.write(lake / "labelled", changed.set_column(1, "lat", pa.array([1] * 1500)))
    told = run("dataset", "diff", "labelled", 0, "--lake", lake).output.splitlines()
    assert told == [
        "version 0 (1,500 rows) -> 1 (1,500 rows): 1,500 rows added, 1,500 removed",
        "columns added: n", "columns removed: lon", "columns changed: lat",
    ]  # fmt: skip


def test_vacuum_says_how_much_is_freed(lake):
    tables.write(lake / "labelled", pa.table({"a": range(400_000)}))
    size = sum(file.stat().st_size for file in tables.open(lake / "labelled").files)
    tables.write(lake / "labelled", pa.table({"a": [1]}))
    tables.tag(lake / "labelled", "first", 0)
    asked = ("dataset", "vacuum", "labelled", "--lake", lake, "--hours", 0)
    told = f"labelled: 1 files, {size / 1e6:,.1f} MB "
    assert run(*asked, "--dry-run").output == f"{told}would be removed; tags: first (0)\n"
    assert run(*asked).output == f"{told}removed; tags: first (0)\n"
    assert run(*asked).output == "labelled: 0 files, 0.0 MB removed; tags: first (0)\n"


def test_an_audit_is_of_the_version_that_is_named(lake):
    datasets.build("rand", lake, n=5)
    note = tables.open(lake / "rand").note
    tables.write(lake / "rand", pa.table({"photo_id": ["a", "a"]}), note=note)
    home = ("dataset", "audit", "rand", "--lake", lake)
    assert run(*home, "--at", 0).stdout.splitlines() == [
        "audit dataset_duplicate_ids: 0 rows", "audit dataset_bad_coordinates: 0 rows",
    ]  # fmt: skip
    assert run(*home, code=1).stdout == "audit dataset_duplicate_ids: 2 rows\n"


def test_a_card_is_told_by_its_file(lake, tmp_path):
    datasets.build("rand", lake, n=5)
    told = run("dataset", "card", "rand", "--lake", lake, "--out", tmp_path / "card").output
    assert told == f"{tmp_path / 'card'}\n" or told == f"{tmp_path / 'card' / 'README.md'}\n"


# what is typed


@pytest.mark.parametrize(
    ("typed", "n"), [(None, None), ("30", 30), (" 7 ", 7), ("all", recipes.EVERY),
                     (" ALL ", recipes.EVERY)],
)  # fmt: skip
def test_a_number_of_rows_or_all(typed, n):
    assert recipes._count(typed) == n


@pytest.mark.parametrize("typed", ["", "-3", "1.5", "every"])
def test_no_number_of_rows(typed):
    with pytest.raises(ValueError, match=f"-n {typed!r} is neither a number of rows nor 'all'"):
        recipes._count(typed)


def test_tables_are_called_like_their_recipe():
    assert recipes._table("exclude-benchmark") == "exclude_benchmark"


# photos


def imported(**changed):
    usual = {
        "target": "lake/photos", "version": 3, "format": "csv", "detected": "by its ending",
        "columns": {"lat": "LAT", "lon": "LON"}, "rows": 9, "statuses": {"ok": 7, "missing": 2},
        "unreadable": (), "beyond_pole": 0, "made_by": {"authors": "salted"},
    }  # fmt: skip
    return ImportReport(**usual | changed)


def test_an_import_is_told(capsys):
    photos._print(imported())
    told = capsys.readouterr()
    lines = told.out.splitlines()
    assert lines[:3] == ["lake/photos (version 3): 9 rows", "format csv: by its ending",
                         "columns lat = LAT, lon = LON"]  # fmt: skip
    assert lines[3].startswith("             7  ok                 ")
    assert lines[4].startswith("             2  missing            ")
    assert len(lines) == 5
    assert told.err == ""


def test_what_is_odd_about_an_import_is_told(capsys):
    bad = tuple((i, f"why {i}") for i in range(7))
    photos._print(imported(
        version=None, unreadable=bad, raw={"nef": 2, "cr2": 3}, repeated_ids=4, known_ids=5,
        columns={"lat": "LAT", "lon": "LON", "author": "WHO"}, beyond_pole=9, ids="row number",
        statuses={},
    ))  # fmt: skip
    told = capsys.readouterr()
    assert told.out.splitlines() == [
        "lake/photos: 9 rows", "format csv: by its ending",
        "columns lat = LAT, lon = LON, author = WHO", *(f"  row {i}: why {i}" for i in range(5)),
        "             5  RAW files (cr2, nef) are left out; export them as JPEG",
        "             4  rows have the id of an earlier row of the source",
        "             5  rows have an id that the table held before",
        "  equal ids stay; geodata dataset build dedupe keeps one row of each",
        "authors are hashed: salted",
    ]  # fmt: skip
    assert [line.partition(" ")[0] for line in told.err.splitlines()] == ["warning:"] * 2
    assert "try --lat LON --lon LAT" in told.err
    assert "name a column with --id" in told.err


@pytest.mark.parametrize(("repeated", "known"), [(1, None), (None, 1), (None, None), (0, 0)])
def test_equal_ids_are_told_where_there_are_some(capsys, repeated, known):
    photos._print(imported(repeated_ids=repeated, known_ids=known))
    told = capsys.readouterr().out
    assert ("equal ids stay" in told) == bool(repeated or known)
    assert ("of the source" in told) == bool(repeated)
    assert ("held before" in told) == bool(known)


def test_photos_go_to_a_file_or_to_a_lake(tmp_path):
    assert photos._target(tmp_path / "A.PQ", None, "photos") == tmp_path / "A.PQ"
    assert photos._target(tmp_path / "a.parquet", None, "photos") == tmp_path / "a.parquet"
    assert photos._target(None, tmp_path, "mine") == tmp_path / "mine"
    for out, home, message in (
        (tmp_path / "a.parquet", tmp_path, "got both"), (None, None, "got neither"),
        (tmp_path / "a.csv", None, r"expected a name that ends in \.parquet"),
    ):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            photos._target(out, home, "photos")


def test_a_salt_is_given_or_none_is_used():
    assert photos._salt(None, False) is None
    assert photos._salt("s", False) == "s"
    assert photos._salt(None, True) is False
    with pytest.raises(ValueError, match="exclude each other"):
        photos._salt("s", True)


def test_hashed_pictures_are_told(capsys):
    class Done:
        pictures, known, statuses, rows_without = 1234, 1000, {"ok": 1200, "unreadable": 3}, 0

    photos.print_hashed("mp16", Done)
    assert capsys.readouterr().out == (
        "mp16: 1,234 pictures, 1,000 hashed before; now 1,200 ok, 3 unreadable\n"
    )
    Done.statuses, Done.rows_without = {}, 1500
    photos.print_hashed("mp16", Done)
    assert capsys.readouterr().out.splitlines() == [
        "mp16: 1,234 pictures, 1,000 hashed before; now none to do",
        "mp16: 1,500 rows name no picture",
    ]


# shards and records


def test_a_shard_is_told(capsys):
    from geodata.scale import Shard

    for resumed, was in ((False, "written"), (True, "was there already")):
        sharding.tell_shard(Sharded("p", Shard(3, 16), 1200, resumed))
        assert capsys.readouterr().out == f"p: shard 3/16, 1,200 rows, {was}\n"


def test_a_table_needs_a_lake(tmp_path):
    with pytest.raises(ValueError, match="--table names a table of a lake: give --lake too"):
        run("tables", "join-shards", tmp_path, "--table", "a")


# what is typed reaches the recipe


def typed(lake, recipe, *words):
    """Build as a person types it; return the parameters, seed and inputs that were recorded."""
    told = run("dataset", "build", recipe, "--lake", lake, "--name", "made", *words).output
    assert told.startswith("made, version 0: ")
    note = tables.open(lake / "made").note
    rows = {role: ref.get("table") or ref["file"] for role, ref in note["inputs"].items()}
    return {**note["parameters"], "seed": note["seed"]}, rows


@pytest.fixture
def small(tmp_path):
    """Twelve rows in two places, of two authors, and what other tables say of them."""
    places = [(48.9, 2.3), (35.7, 139.7)] * 6
    rows = pa.table({
        "photo_id": [f"p{i}" for i in range(12)], "lat": [p[0] for p in places],
        "lon": [p[1] for p in places], "author": ["a", "b"] * 6,
    })  # fmt: skip
    for name in ("labelled", "mine"):
        tables.write(tmp_path / name, rows)
    others = rows.set_column(0, "photo_id", pa.array([f"q{i}" for i in range(12)]))
    tables.write(tmp_path / "other", others)
    tables.write(tmp_path / "far", pa.table({"lat": [-60.0], "lon": [0.0]}))
    scores = pa.table({"author": ["a", "b"], "n": [1, 2], "m": [3, 4], "who": ["x", "y"]})
    tables.write(tmp_path / "scores", scores)
    tables.write(tmp_path / "answers", rows)
    return tmp_path


MINE = ("--from", "mine", "--seed", 5)
TYPED = [
    ("labelled", ("--worldview", "in", "--dependencies", "sovereign", "--max-offset-km", 3,
                  "--boundaries", "bundled"),
     {"worldview": "in", "dependencies": "sovereign", "max_offset_km": 3.0,
      "boundaries": "bundled"}, {}),
    ("rand", ("-n", 7, "--stratify", "author", "--allocation", "equal"),
     {"n": 7, "stratify": "author", "allocation": "equal"}, {}),
    ("rand", ("-n", "all"), {"n": None, "stratify": None, "allocation": "proportional"}, {}),
    ("popular", ("--predictions", "answers", "--radius-km", 3, "--thin", 4, "-n", 1,
                 "--exclude-km", 9),
     {"radius_km": 3.0, "thin": 4, "n": 1, "exclude_km": 9.0}, {"predictions": "answers"}),
    ("hard", ("--popular", "far", "--radius-km", 30, "-n", 3), {"radius_km": 30.0, "n": 3},
     {"popular": "far"}),
    ("split", ("--validation", 0, "--test", 0.5, "--resolution", 2, "--buffer", 0, "--least", 0.1),
     {"validation": 0.0, "test": 0.5, "resolution": 2, "buffer": 0, "least": 0.1}, {}),
    ("exclude-benchmark", ("--benchmark", "other", "--by", "photo_id", "--radius-km", 2),
     {"by": "photo_id", "radius_km": 2.0}, {"benchmark": "other"}),
    ("dedupe", ("--by", "photo_id,lat"), {"by": "photo_id,lat"}, {}),
    ("filter", ("--where", "lat > 40"), {"where": "lat > 40"}, {}),
    ("join", ("--other", "scores", "--on", "author", "--columns", "n", "--prefix", "of_", "--how",
              "inner"),
     {"on": "author", "columns": "n", "prefix": "of_", "how": "inner"}, {"other": "scores"}),
    ("annotate", ("--annotations", "scores", "--on", "author", "--by", "who", "--values", "m",
                  "--column", "said"),
     {"on": "author", "by": "who", "values": "m", "column": "said"}, {"annotations": "scores"}),
    ("union", ("--other", "other", "--origin", "whence"), {"origin": "whence"},
     {"other": "other"}),
]  # fmt: skip


@pytest.mark.parametrize(("recipe", "words", "parameters", "inputs"), TYPED)
def test_every_word_reaches_the_recipe(small, recipe, words, parameters, inputs):
    asked, rows = typed(small, recipe, *MINE, *words)
    assert asked == {**parameters, "seed": 5}
    assert rows == {"rows": "mine", **inputs}


def test_the_name_of_a_table_and_the_seed_are_the_usual_ones_unless_given(small):
    told = run("dataset", "build", "hard", "--lake", small, "--popular", "far").output
    assert told.startswith("hard, version 0: 12 rows\ncontent hash ")
    note = tables.open(small / "hard").note
    assert (note["seed"], note["inputs"]["rows"]["table"]) == (0, "labelled")
