"""filter, join, annotate, union, functions of one's own; inputs known by hash; orders of build."""

import json
import os
import shutil

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings, strategies as st
from typer.testing import CliRunner

from geodata import boundaries, datasets, files, query, tables
from geodata.cli import app
from geodata.tables.lakes import kept_inputs

N = 60


def photos(n=N):
    return pa.table(
        {
            "photo_id": [f"p{i}" for i in range(n)],
            "lat": [None if i % 10 == 3 else i - 30.0 for i in range(n)],
            "lon": [i / 10 for i in range(n)],
            "country_code": ["JP" if i % 3 else None for i in range(n)],
            "tags": [[str(i), "x"] for i in range(n)],
        }
    )


@pytest.fixture
def lake(tmp_path):
    tables.write(tmp_path / "lake" / "labelled", photos(), file_rows=17)
    return tmp_path / "lake"


def rows_of(lake, name, version=None):
    return tables.open(lake / name, version).arrow().to_pylist()


# filter


CONDITIONS = [
    "lat > 0",
    "country_code = 'JP' AND lat BETWEEN -10 AND 20",
    "country_code IS NULL -- a comment",
    "lat > (SELECT avg(lat) FROM rows)",
    "list_contains(tags, '7') OR photo_id LIKE 'p1%'",
    "haversine_km(lat, lon, 0, 0) < 1000",
]


@pytest.mark.parametrize("where", CONDITIONS)
def test_filter_is_where_of_sql(lake, where):
    built = datasets.build("filter", lake, where=where, source="labelled")
    con = duckdb.connect()
    query.load_sql(con)
    con.register("rows", photos())
    expected = {
        row[0] for row in con.execute(f"SELECT photo_id FROM rows WHERE {where}\n").fetchall()
    }
    assert {row["photo_id"] for row in rows_of(lake, "filter")} == expected
    report = built.report
    assert report["rows"] + report["where_false"] + report["where_null"] == report["rows_in"] == N
    assert tables.open(lake / "filter").note["parameters"] == {"where": where}
    assert datasets.rebuild(lake, "filter").content_hash == built.content_hash


@pytest.mark.parametrize(
    ("where", "message"),
    [
        (None, "needs a condition"),
        ("", "is no condition"),
        ("lat > ", "(?i)parser error"),
        ("nope = 1", "nope"),
        ("true) FROM rows; DROP TABLE rows; --", "(?i)statements|parser"),
        (
            "true) AS BOOLEAN) AS said FROM rows UNION ALL SELECT 1, CAST((true",
            "no condition on single rows",
        ),
        ("random() < 0.5", "uses random, which says something else each time"),
        ("now() > '2020-01-01'", "uses now"),
        ("lat > 1000", "true for none of 60 rows"),
        (
            "(SELECT count(*) FROM read_csv('/etc/passwd')) > 0",
            "(?i)cannot be used|disabled|permission|access",
        ),
        ("'word'", "(?i)conver"),
    ],
)
def test_conditions_that_cannot_be_are_told(lake, where, message):
    with pytest.raises(datasets.DatasetError, match=message):
        datasets.build("filter", lake, where=where)
    assert tables.names(lake) == ["labelled"]


# join


def scores(n=N, start=10):
    return pa.table({"photo_id": [f"p{i}" for i in range(start, n + start)],
                     "score": range(n), "word": [f"w{i}" for i in range(n)]})  # fmt: skip


@pytest.mark.parametrize("how", ["left", "inner"])
@pytest.mark.parametrize("kind", ["table", "parquet", "csv"])
def test_join_is_that_of_duckdb(lake, tmp_path, how, kind):
    other = "scores"
    if kind == "table":
        tables.write(lake / "scores", scores())
    else:
        other = tmp_path / f"scores.{kind}"
        if kind == "csv":
            pa.csv.write_csv(scores(), other)
        else:
            pq.write_table(scores(), other)
    built = datasets.build("join", lake, inputs={"other": other}, how=how)
    con = duckdb.connect()
    con.register("a", photos())
    con.register("b", scores())
    expected = con.sql(f"SELECT a.*, score, word FROM a {how} JOIN b USING (photo_id)")
    found = tables.open(lake / "join").arrow().sort_by("photo_id")
    assert found.to_pylist() == expected.to_arrow_table().sort_by("photo_id").to_pylist()
    assert built.report["with_a_partner"] == 50
    assert built.report["rows_of_the_other_side_unused"] == 10
    assert datasets.rebuild(lake, "join").content_hash == built.content_hash


def test_join_refuses_what_would_repeat_or_replace(lake):
    tables.write(lake / "twice", pa.concat_tables([scores(), scores()]))
    with pytest.raises(datasets.DatasetError, match=r"60 values .* several times.*annotate"):
        datasets.build("join", lake, inputs={"other": "twice"})
    tables.write(lake / "same", scores().append_column("LAT", scores()["score"]))
    with pytest.raises(datasets.DatasetError, match="has a column 'lat' already"):
        datasets.build("join", lake, inputs={"other": "same"})
    made = datasets.build("join", lake, inputs={"other": "same"}, prefix="new_", columns="LAT")
    assert "new_LAT" in tables.open(lake / "join").schema.names
    assert made.rows == N
    with pytest.raises(datasets.DatasetError, match="how='outer' is not known"):
        datasets.build("join", lake, inputs={"other": "same"}, how="outer")
    tables.write(lake / "none", pa.table({"photo_id": ["zz", None], "score": [1, 2]}))
    with pytest.raises(datasets.EmptyDatasetError, match="is in none@0"):
        datasets.build("join", lake, inputs={"other": "none"}, how="inner")


# annotate


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(-2, 8), st.sampled_from("abc"), st.integers(0, 3)), max_size=30)
)
def test_annotate_gives_each_row_its_answers(tmp_path_factory, answers):
    lake = tmp_path_factory.mktemp("lake")
    tables.write(lake / "labelled", photos(6))
    given_ = pa.table(
        {
            "photo_id": pa.array(
                [None if i == -2 else f"p{i}" for i, _, _ in answers], pa.string()
            ),
            "model": pa.array([m for _, m, _ in answers], pa.string()),
            "guess": pa.array([g for _, _, g in answers], pa.int64()),
        }
    )
    tables.write(lake / "answers", given_)
    built = datasets.build("annotate", lake, inputs={"annotations": "answers"}, by="model")
    for i, row in enumerate(rows_of(lake, "annotate")):
        own = sorted([(m, k, g) for k, (j, m, g) in enumerate(answers) if j == i])
        assert row["answers"] == [{"by": m, "guess": g} for m, _, g in own]
    report = built.report
    assert (
        report["answers"] == len(answers) == report["answers_given"] + report["answers_of_no_row"]
    )
    assert datasets.rebuild(lake, "annotate").content_hash == built.content_hash


def test_annotations_of_one_are_called_like_the_file(lake, tmp_path):
    path = tmp_path / "gpt.csv"
    path.write_text("photo_id,text,lat\np1,hm,1.5\np1,well,\np9,x,3\n")
    datasets.build("annotate", lake, inputs={"annotations": path}, column="said")
    found = {row["photo_id"]: row["said"] for row in rows_of(lake, "annotate")}
    assert found["p1"] == [
        {"by": "gpt.csv", "text": "hm", "lat": 1.5}, {"by": "gpt.csv", "text": "well", "lat": None},
    ]  # fmt: skip
    assert found["p2"] == []


# union


def test_union_keeps_every_row_and_says_where_from(lake):
    tables.write(lake / "more", photos(5).drop_columns("tags").append_column("new", [[1] * 5]))
    built = datasets.build("union", lake, inputs={"other": "more"}, origin="table_name")
    found = rows_of(lake, "union")
    assert len(found) == N + 5
    assert [row["table_name"] for row in found] == ["labelled"] * N + ["more"] * 5
    assert {row["new"] for row in found[:N]} == {None}
    assert found[-1]["tags"] is None
    assert not built.ok  # five ids are in both, and the audit says so
    assert {a.name: a.offending for a in built.audits}["dataset_duplicate_ids"] == 10
    tables.write(lake / "other", pa.table({"lat": ["north"]}))
    with pytest.raises(datasets.DatasetError, match="do not fit"):
        datasets.build("union", lake, inputs={"other": "other"})


def test_labels_of_two_sets_or_views_are_not_put_together(lake, tmp_path):
    from tests.boundaries.sets import whosonfirst

    points = pa.table({"photo_id": ["a", "b"], "lat": [46.1, 46.2], "lon": [7.1, 7.2]})
    tables.write(lake / "photos", points)
    boundaries.build(whosonfirst(tmp_path), tmp_path / "swiss", kind="whosonfirst")

    def labelled(name, **options):
        datasets.build("labelled", lake, name=name, inputs={"rows": "photos"}, **options)
        datasets.build(
            "filter", lake, name=f"{name}_some", inputs={"rows": name}, where="lat < 46.15"
        )

    labelled("bundled")
    labelled("again")
    labelled("swiss", boundaries=str(tmp_path / "swiss"))
    labelled("indian", worldview="in")
    together = {"rows": "bundled_some", "other": "again_some"}
    assert datasets.build("union", lake, inputs=together).rows == 2
    for other, said in (("swiss_some", "swiss [0-9a-f]{12}"), ("indian", "worldview in")):
        with pytest.raises(datasets.DatasetError, match=f"bundled_some@0 is labelled.*{said}"):
            datasets.build("union", lake, name="x", inputs=together | {"other": other})
    assert not (lake / "x").exists()
    # photos without labels, and tables that no note tells about, are put together as before
    datasets.build("union", lake, name="y", inputs=together | {"other": "photos"})
    tables.write(lake / "own", pa.table({"photo_id": ["c"], "country_code": ["FR"]}))
    datasets.build("union", lake, name="z", inputs=together | {"other": "own"})
    shutil.rmtree(lake / "swiss")  # what labelled it cannot be told any more
    datasets.build("union", lake, name="w", inputs=together | {"other": "swiss_some"})


# functions of one's own


def northern(rows, *, least=0.0, seed=0):
    return rows.filter(pa.compute.greater(rows["lat"], least + 0 * seed))


def test_a_function_is_a_recipe_with_its_source_in_the_lineage(lake):
    assert datasets.register(northern) is northern
    built = datasets.build("northern", lake, source="labelled", least=5.0)
    assert {r["lat"] > 5 for r in rows_of(lake, "northern")} == {True}
    note = tables.open(lake / "northern").note
    assert note["function"]["name"].endswith("test_more_recipes.northern")
    assert len(note["function"]["source_sha256"]) == 64
    assert note["parameters"] == {"least": 5.0}
    assert datasets.rebuild(lake, "northern").content_hash == built.content_hash

    def changed(rows, *, least=0.0, seed=0):
        return rows.filter(pa.compute.greater_equal(rows["lat"], least))

    datasets.register(changed, "northern")
    with pytest.raises(datasets.DatasetError, match=r"function .*changed of recipe .* changed"):
        datasets.rebuild(lake, "northern")
    datasets.register(northern)
    assert datasets.rebuild(lake, "northern").ok


def test_functions_that_make_no_recipe_are_told(lake):
    with pytest.raises(datasets.DatasetError, match="is built in"):
        datasets.register(northern, "rand")
    with pytest.raises(datasets.DatasetError, match="expected def name"):
        datasets.register(lambda *rows: rows[0], "mine")
    datasets.register(lambda rows: 3, "three")
    with pytest.raises(datasets.DatasetError, match="what three returns is int"):
        datasets.build("three", lake, source="labelled")
    with pytest.raises(datasets.DatasetError, match="needs the input 'rows'"):
        datasets.build("three", lake)
    namespace = {}
    exec("def typed(rows): return rows", namespace)
    datasets.register(namespace["typed"], "typed")
    with pytest.raises(datasets.DatasetError, match="source cannot be read"):
        datasets.build("typed", lake, source="labelled")


def test_a_recipe_that_is_not_registered_now_is_told(lake):
    note = {"recipe": "gone", "parameters": {}, "seed": 0, "inputs": {}, "report": {}}
    tables.write(lake / "gone", photos(), note=note)
    with pytest.raises(datasets.DatasetError, match=r"no recipe 'gone'.*datasets\.register"):
        datasets.rebuild(lake, "gone")


# the order of build


def test_both_orders_build_the_same(lake, monkeypatch):
    ways = (
        lambda: datasets.build("rand", lake, n=5),
        lambda: datasets.build("rand", lake, "rand", n=5),
        lambda: datasets.build("rand", str(lake), "rand", "labelled", n=5),
        lambda: datasets.build("rand", lake, source="labelled", n=5),
        lambda: datasets.build(recipe="rand", lake=lake, n=5),
        lambda: datasets.build(lake, "rand", "rand", n=5),
        lambda: datasets.build(str(lake), "rand", "rand", "labelled", n=5),
        lambda: datasets.build(str(lake), "rand", recipe="rand", inputs={"rows": "labelled"}, n=5),
        lambda: datasets.build(lake=lake, name="rand", recipe="rand", n=5),
    )
    assert len({way().content_hash for way in ways}) == 1
    assert tables.open(lake / "rand").version == len(ways) - 1
    # a lake that is called like a recipe
    shutil.copytree(lake / "labelled", lake.parent / "rand" / "labelled")
    monkeypatch.chdir(lake.parent)
    assert datasets.build("rand", "few", "rand", n=5).name == "few"
    assert tables.open("rand/few").rows == 5


def test_calls_that_say_too_little_or_too_much(lake):
    for call, message in (
        (lambda: datasets.build("rand"), "needs 'lake'"),
        (lambda: datasets.build("rand", lake, "a", "labelled", "more"), "by position"),
        (lambda: datasets.build("rand", lake, recipe="rand"), "cannot name a table|twice|needs"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            call()
    with pytest.raises(datasets.DatasetError, match="given twice"):
        datasets.build("rand", lake, "a", "labelled", source="labelled")
    with pytest.raises(datasets.DatasetError, match="there is no recipe 'nope'"):
        datasets.build("nope", lake)
    with pytest.raises(datasets.DatasetError, match="there is no recipe 'nope'"):
        datasets.build(lake, "a", "nope")


# inputs known by hash


def test_a_small_file_is_kept_and_replays_from_anywhere(lake, tmp_path, monkeypatch):
    home = tmp_path / "secret home"
    home.mkdir()
    pq.write_table(scores(), home / "scores.parquet")
    monkeypatch.chdir(home)
    built = datasets.build("join", lake, inputs={"other": "scores.parquet"})
    reference = tables.open(lake / "join").note["inputs"]["other"]
    assert reference["file"] == "scores.parquet"
    assert "secret" not in json.dumps(tables.open(lake / "join").note)
    (home / "scores.parquet").unlink()
    monkeypatch.chdir("/")
    moved = lake.rename(tmp_path / "moved")
    assert datasets.rebuild(moved, "join").content_hash == built.content_hash
    assert tables.names(moved) == ["join", "labelled"]


def test_a_large_file_is_found_where_it_was_or_where_it_is_said_to_be(lake, tmp_path, monkeypatch):
    monkeypatch.setattr(kept_inputs, "KEPT_BYTES", 10)
    (tmp_path / "a").mkdir()
    path = tmp_path / "a" / "scores.parquet"
    pq.write_table(scores(), path)
    built = datasets.build("join", lake, inputs={"other": path})
    monkeypatch.chdir("/")
    assert datasets.rebuild(lake, "join").content_hash == built.content_hash
    (tmp_path / "b").mkdir()
    path.rename(tmp_path / "b" / "scores.parquet")
    with pytest.raises(files.FileError, match=r"found nothing .* \(look_in=, --inputs\)"):
        datasets.rebuild(lake, "join")
    assert datasets.rebuild(lake, "join", look_in=[tmp_path / "b"]).content_hash == (
        built.content_hash
    )
    done = CliRunner().invoke(
        app, ["dataset", "rebuild", "join", "--lake", str(lake), "--inputs", str(tmp_path / "b")]
    )
    assert done.exit_code == 0, done.output
    audit = ["dataset", "audit", "join", "--lake", str(lake)]
    assert CliRunner().invoke(app, audit).exit_code != 0
    done = CliRunner().invoke(app, [*audit, "--inputs", str(tmp_path / "b")])
    assert done.exit_code == 0, done.output
    pq.write_table(scores(3), path)
    with pytest.raises(datasets.DatasetError, match=r"sha256 is .* the dataset was built from"):
        datasets.rebuild(lake, "join")


def test_a_commit_of_an_earlier_release_names_the_whole_path(lake, tmp_path):
    path = tmp_path / "scores.parquet"
    pq.write_table(scores(), path)
    datasets.build("join", lake, inputs={"other": path})
    note = tables.open(lake / "join").note
    note["inputs"]["other"]["file"] = os.fspath(path)
    shutil.rmtree(lake / "_inputs")
    tables.write(lake / "join", tables.open(lake / "join").arrow(), note=note)
    assert datasets.rebuild(lake, "join").version == 1
    note["inputs"]["other"]["sha256"] = "../../etc/passwd"
    tables.write(lake / "join", tables.open(lake / "join").arrow(), note=note)
    with pytest.raises(files.FileError, match="is no SHA-256"):
        datasets.rebuild(lake, "join")


# split and rand


def travelling(n=4000):
    """Two thirds of the photos are of people who travel, whose home is train."""
    return pa.table(
        {
            "photo_id": [f"p{i}" for i in range(n)],
            "lat": [(i * 37 % 1600) / 10 - 80 for i in range(n)],
            "lon": [(i * 91 % 3590) / 10 - 179 for i in range(n)],
            "author": [None if i % 3 == 0 else f"a{i % 20}" for i in range(n)],
        }
    )


SHARES = {"validation": 0.1, "test": 0.1, "resolution": 2, "buffer": 0}


def test_a_split_that_misses_its_share_is_refused_with_the_reason(tmp_path):
    rows = travelling()
    tables.write(tmp_path / "labelled", rows)
    told = r"only 1\d\d rows are left for 'validation', .*10\.00% was asked for.*at home in another"
    with pytest.raises(datasets.DatasetError, match=told) as caught:
        datasets.build("split", tmp_path, **SHARES)
    assert tables.names(tmp_path) == ["labelled"]
    least = float(str(caught.value).rpartition("least=")[2].split()[0])
    assert 0.2 < least < 0.5
    assert datasets.build("split", tmp_path, **SHARES, least=least - 0.05).ok
    assert datasets.build("split", tmp_path, **SHARES, least=least).ok  # for all parts, at once
    tables.write(tmp_path / "labelled", rows.drop_columns("author"))
    built = datasets.build("split", tmp_path, **SHARES)
    for part in built.report["parts"]:
        assert part["rows"] == built.report["splits"][part["part"]]
        assert part["rows"] >= 0.5 * part["asked"]
        assert part["share"] == round(part["rows"] / len(rows), 6)
    with pytest.raises(datasets.DatasetError, match="least=2 must be a share"):
        datasets.build("split", tmp_path, least=2)


def test_a_split_of_an_earlier_release_replays(tmp_path):
    tables.write(tmp_path / "labelled", travelling())
    built = datasets.build("split", tmp_path, **SHARES, least=0)
    note = tables.open(tmp_path / "split").note
    del note["parameters"]["least"]
    tables.write(tmp_path / "split", tables.open(tmp_path / "split").arrow(), note=note)
    assert datasets.rebuild(tmp_path, "split").content_hash == built.content_hash


def test_rand_takes_all_rows_on_the_command_line(lake):
    words = ["dataset", "build", "rand", "--lake", str(lake), "-n"]
    done = CliRunner().invoke(app, [*words, "all"])
    assert done.exit_code == 0, done.output
    assert tables.open(lake / "rand").rows == sum(
        r["lat"] is not None for r in photos().to_pylist()
    )
    assert tables.open(lake / "rand").note["parameters"]["n"] is None
    with pytest.raises(ValueError, match="neither a number of rows nor 'all'"):
        CliRunner().invoke(app, [*words, "many"], catch_exceptions=False)
