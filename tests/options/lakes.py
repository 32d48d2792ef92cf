"""Options of tables, datasets, exclusion and SQL."""

import errno
import json

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from geodata import datasets, files, hashing, popular, query, tables
from tests.options.finding import differs, only_cost, seen_by
from tests.options.world import LYON, PARIS, World, photos, said

# ---- tables


def _closed():
    """A connection on which nothing can run any more."""
    con = duckdb.connect()
    con.close()
    return con


def appended(w: World, writes=tables.append, **options):
    writes(w.folder / "t", photos(), **options)
    made = tables.open(w.folder / "t")
    return json.dumps(made.note), len(made.files), str(made.schema.field("lat").type)


NARROW = pa.schema([("photo_id", pa.string()), ("lat", pa.float32())])
for name in ("append", "write"):
    differs(
        f"tables.{name}",
        lambda w, name=name, **o: said(appended, w, getattr(tables, name), **o),
        note=({"by": "hand"}, lambda f: "hand" not in f[0], lambda f: "hand" in f[0]),
        file_rows=(5, lambda f: f[1] == 1, lambda f: f[1] == 3),
    )
seen_by(
    "tables/test_tables.py::test_an_iterator_with_its_schema_is_written_as_the_rows_are",
    "tables.append:schema",
    "tables.write:schema",
)
seen_by(
    "tables/test_buckets.py::test_a_view_of_a_lake_brings_what_it_is_asked_for",
    "tables.near:only,inputs",
)
differs(
    "tables.open",
    lambda w, **o: tables.open(w.shared_lake / "photos", **o).rows,
    version=(0, 12, 6),
)
differs(
    "tables.open_rows",
    lambda w, **o: said(
        lambda: tables.open_rows(w.file("rows.txt", "lat,lon\n1,2\n"), **o).columns
    ),
    format=("csv", "FileError", ("lat", "lon")),
)
differs(
    "tables.open_rows",
    lambda w, **o: tables.open_rows(photos(), **o).name,
    what=("the truth", "table", "the truth"),
)


def without_a_file(w: World, **options):
    tables.open(w.table).files[0].unlink()
    return said(lambda: tables.open_version(w.table, None, **options).rows)


differs("tables.open_version", without_a_file, check=(False, "TableChangedError", 12))
differs(
    "tables.TableVersion.arrow",
    lambda w, **o: tables.open(w.shared_lake / "photos").arrow(**o).column_names,
    columns=(["lon"], lambda names: "lat" in names, ["lon"]),
)
differs(
    "tables.TableVersion.batches",
    lambda w, **o: [
        (b.num_rows, b.num_columns) for b in tables.open(w.shared_lake / "photos").batches(**o)
    ],
    columns=(["lon"], [(6, 5), (6, 5)], [(6, 1), (6, 1)]),
    batch_rows=(4, [(6, 5), (6, 5)], [(4, 5), (2, 5), (4, 5), (2, 5)]),
)


def through_duckdb(w: World, **options):
    version = tables.open(w.shared_lake / "photos")
    with duckdb.connect() as mine:
        if "con" in options:
            return (
                mine.sql("SELECT count(*) FROM own").fetchall()
                if version is None
                else len(version.duckdb(mine).fetchall())
            )
        return len(version.duckdb(mine, **options).fetchall())


def links(w: World):
    """Other files, under whose names the connection is to find those of the version."""
    paths = []
    for i, file in enumerate(tables.open(w.shared_lake / "photos").files):
        paths.append(str(w.folder / f"{i}.parquet"))
        pq.write_table(pq.read_table(file).slice(0, 1), paths[-1])
    return paths


differs("tables.TableVersion.duckdb", through_duckdb, names=(links, 12, 2))
differs(
    "tables.TableVersion.duckdb",
    lambda w, con=None: said(
        lambda: len(tables.open(w.shared_lake / "photos").duckdb(con).fetchall())
    ),
    con=(_closed(), 12, "ConnectionException"),
)
differs(
    "tables.card",
    lambda w, **o: tables.card(w.shared_lake / "photos", **o),
    version=(0, lambda text: "hand" not in text, lambda text: text.count("6") > 0),
    title=("My photos", lambda t: "# My photos" not in t, lambda t: "# My photos" in t),
)
differs(
    "tables.write_card",
    lambda w, **o: tables.write_card(w.shared_lake / "photos", w.folder / "c", **o).read_text(
        encoding="utf-8"
    ),
    version=(0, lambda text: "| rows | 12 |" in text, lambda text: "| rows | 6 |" in text),
)
differs("tables.checkpoint", lambda w, **o: tables.checkpoint(w.table, **o), version=(0, 1, 0))


def compacted(w: World, **options):
    for n in range(12):
        tables.append(w.folder / "t", photos().slice(n, 1))
    tables.compact(w.folder / "t", **options)
    return len(tables.open(w.folder / "t").files)


differs("tables.compact", compacted, file_rows=(4, 1, 3))
differs(
    "tables.diff",
    lambda w, **o: tables.diff(w.shared_lake / "photos", 0, **o).rows_added,
    b=(0, 6, 0),
)


def exported(w: World, **options):
    out = tables.export(w.shared_lake / "photos", w.folder / "out", **options)
    return sum(pq.read_table(p).num_rows for p in out.rglob("*.parquet"))


differs("tables.export", exported, version=(0, 12, 6))
differs(
    "tables.kept_schema",
    lambda w, **o: tables.kept_schema(pa.schema([("a", pa.int32())]), **o).names,
    known=(pa.schema([("b", pa.string())]), ["a"], ["b", "a"]),
)


def full(w: World, passing=()):
    error = OSError(errno.ENOSPC, "no space")
    try:
        with tables.storage(w.folder, "writing", [error] if passing else []):
            raise error
    except Exception as raised:
        return type(raised).__name__


differs("tables.storage", full, passing=(True, "StorageFullError", "OSError"))
differs("tables.tag", lambda w, **o: tables.tag(w.table, "v", **o), version=(0, 1, 0))


def tagged(w: World, **options):
    tables.tag(w.table, "v", 0)
    return said(lambda: tables.tag(w.table, "v", 1, **options))


differs("tables.tag", tagged, move=(True, "TableError", 1))


def vacuumed(w: World, **options):
    tables.append(w.folder / "t", photos())
    tables.write(w.folder / "t", photos().slice(0, 3))
    tables.vacuum(w.folder / "t", **{"retention_hours": 0, **options})
    return said(lambda: tables.open(w.folder / "t", 0).rows)


differs(
    "tables.vacuum",
    vacuumed,
    keep=([0], "TableChangedError", 12),
    dry_run=(True, "TableChangedError", 12),
)


def vacuumed_late(w: World, **options):
    tables.append(w.folder / "t", photos())
    tables.write(w.folder / "t", photos().slice(0, 3))
    return len(tables.vacuum(w.folder / "t", **options))


differs("tables.vacuum", vacuumed_late, retention_hours=(0, 0, lambda n: n >= 1))


def verified(w: World, **options):
    tables.append(w.folder / "t", photos(), file_rows=6)
    tables.write(w.folder / "t", photos().slice(0, 2))
    return tables.verify(w.folder / "t", **options).rows


differs("tables.verify", verified, version=(0, 2, 12))
differs(
    "tables.verify",
    lambda w, **o: tables.verify(w.shared_lake / "photos", **o).ok,
    expect=("0" * 64, True, False),
)


def input_of(w: World, **options):
    return next(iter(tables.open_input(w.shared_lake, "rows", "photos").batches(**options)))


differs(
    "tables.Input.batches",
    lambda w, **o: input_of(w, **o).column_names,
    columns=(["lon"], lambda names: "lat" in names, ["lon"]),
)
differs(
    "tables.Input.points",
    lambda w, **o: (
        "author_id"
        in next(iter(tables.open_input(w.shared_lake, "rows", "photos").points(**o)))[
            1
        ].column_names
    ),
    extra=(["author_id"], False, True),
)

# ---- datasets


def dataset(w: World, **options):
    datasets.build("rand", w.lake, name="mine", n=6, **options)
    return sorted(tables.open(w.lake / "mine").arrow()["photo_id"].to_pylist())


differs("datasets.build", dataset, seed=(5, lambda ids: len(ids) == 6, lambda ids: len(ids) == 6))
differs(
    "datasets.build",
    lambda w, **o: not dataset(w, **o)[0].startswith("p"),
    source=(lambda w: own_rows(w), False, True),
)


def own_rows(w: World):
    tables.append(
        w.lake / "own", photos().set_column(0, "photo_id", pa.array(["own", *map(str, range(11))]))
    )
    return "own"


def rebuilt(w: World, **options):
    tables.open(w.lake / "rand")
    datasets.rebuild(w.lake, "rand", **options)
    return tables.open(w.lake / "rand").version


differs("datasets.rebuild", rebuilt, write=(True, 0, 1))


def two_versions(w: World):
    datasets.build("rand", w.lake, n=3)
    return w.lake


differs(
    "datasets.rebuild",
    lambda w, **o: datasets.rebuild(two_versions(w), "rand", **o).rows,
    version=(0, 3, 6),
)
seen_by(
    "datasets/test_more_recipes.py::test_a_large_file_is_found_where_it_was_or_where_it_is_said_to_be",
    "datasets.rebuild:look_in",
    "datasets.audit:look_in",
    "tables.reopen:look_in",
)
differs(
    "datasets.audit",
    lambda w, **o: said(lambda: len(datasets.audit(with_another_commit(w), "rand", **o))),
    version=(0, "DatasetError", lambda n: n >= 0),
)


def with_another_commit(w: World):
    """A lake whose latest version of a dataset no recipe made."""
    tables.append(w.lake / "rand", tables.open(w.lake / "rand").arrow().slice(0, 1))
    return w.lake


def registered(w: World, **options):
    def northern(rows, *, least_lat=0.0):
        return rows.filter(rows["lat"].to_numpy() > least_lat)

    datasets.register(northern, **options)
    name = options.get("name", "northern")
    return name, datasets.build(name, w.lake, inputs="labelled").rows


differs("datasets.register", registered, name=("mine", ("northern", 9), ("mine", 9)))

# ---- exclusion

ROWS = {"lat": [PARIS[0], LYON[0]], "lon": [PARIS[1], LYON[1]], "y": [0.0, 0.0], "x": [90.0, 90.0]}
POPULAR = {"lat": [PARIS[0]], "lon": [PARIS[1]]}
differs(
    "popular.exclude",
    lambda w, **o: popular.exclude(pa.table(ROWS), pa.table(POPULAR), **o).num_rows,
    radius_km=(1000.0, 1, 0),
)
differs(
    "popular.exclude",
    lambda w, lat="lat", lon="lon": (
        popular.exclude(pa.table(ROWS), pa.table(POPULAR), lat=lat, lon=lon).num_rows
    ),
    lat=("y", 1, 2),
    lon=("x", 1, 2),
)
differs(
    "popular.exclude",
    lambda w, **o: (
        popular.exclude(
            pa.table({"lat": [None, 0.0], "lon": [1.0, 2.0]}), pa.table(POPULAR), **o
        ).num_rows
    ),
    invalid=("drop", 2, 1),
)
IN_LYON, IN_PARIS = ([LYON[0]], [LYON[1]]), ([PARIS[0]], [PARIS[1]])
differs(
    "popular.within_km",
    lambda w, **o: popular.within_km(*IN_LYON, *IN_PARIS, **o).tolist(),
    radius_km=(1000.0, [False], [True]),
)
differs(
    "popular.cells",
    lambda w, **o: popular.cells(*IN_PARIS, **{"resolution": 3, **o}).num_rows,
    radius_km=(50.0, lambda n: n > 12, lambda n: n < 12),
    resolution=(2, lambda n: n > 12, lambda n: n < 12),
)
differs(
    "popular.cell_points",
    lambda w, **o: (
        popular.cell_points(
            popular.cells([PARIS[0], LYON[0]], [PARIS[1], LYON[1]], resolution=3),
            [PARIS[0], LYON[0]],
            [PARIS[1], LYON[1]],
            **o,
        ).num_rows
    ),
    radius_km=(1000.0, lambda n: n > 18, lambda n: n > 18),
)


def contains(w: World, **options):
    regions = popular.PopularRegions(**options)
    regions.add(*IN_PARIS)
    return regions.contains(*IN_LYON).tolist()


differs("popular.PopularRegions", contains, radius_km=(1000.0, [False], [True]))
differs(
    "popular.PopularRegions.from_table",
    lambda w, **o: said(
        lambda: (
            popular.PopularRegions.from_table(pa.table(POPULAR), **o).contains(*IN_LYON).tolist()
        )
    ),
    radius_km=(1000.0, "ValueError", [True]),
)
differs(
    "hashing.sampling_keys",
    lambda w, **o: len(np.unique(hashing.sampling_keys(photos(), 0, **o))),
    columns=(["author_id"], 12, 3),
)

# ---- SQL


def asked(function, sql):
    """Ask a query of the lake or of a file, and return the rows or what is raised."""

    def call(w: World, **options):
        if function is query.run:
            return said(lambda: [tuple(r.values()) for r in query.run(sql, **options).to_pylist()])

        def rows():
            with query.stream(sql, **options) as answer:
                return [tuple(r.values()) for batch in answer.batches for r in batch.to_pylist()]

        return said(rows)

    return call


LONG = "SELECT count(*) FROM range(100000000) a(i), range(100000) b(j) WHERE hash(i) = hash(j)"
WIDE = "SELECT count(DISTINCT repeat(i::VARCHAR, 40)) FROM range(3000000) t(i)"
for function, name in ((query.run, "run"), (query.stream, "stream")):
    differs(
        f"query.{name}",
        asked(function, "SELECT count(*) FROM photos"),
        lake=(lambda w: w.shared_lake, "QueryError", [(12,)]),
        files=(lambda w: {"photos": w.parquet(a=[1, 2])}, "QueryError", [(2,)]),
    )
    differs(
        f"query.{name}",
        asked(function, "FROM range(5) t(i)"),
        max_rows=(2, [(0,), (1,), (2,), (3,), (4,)], [(0,), (1,)]),
    )
    differs(
        f"query.{name}",
        asked(function, "SELECT count(*) FROM range(30000000) t(i) WHERE hash(i) % 7 = 0"),
        timeout_s=(0.02, lambda rows: rows[0][0] > 0, "QueryLimitError"),
    )
    differs(
        f"query.{name}",
        asked(function, "SELECT len(list(i)) FROM range(20_000_000) t(i)"),
        memory_limit=("50MB", [(20_000_000,)], "QueryLimitError"),
    )
    only_cost(f"query.{name}", threads="cores; what `query.connect` does with it has a case")
differs(
    "query.run",
    asked(query.run, "SELECT repeat('x', 100) AS x FROM range(1000)"),
    max_bytes=(5_000, lambda rows: len(rows) == 1000, "QueryLimitError"),
)


def setting(name):
    def call(w: World, **options):
        with query.connect(**options) as con:
            return con.sql(f"SELECT current_setting('{name}')").fetchall()[0][0]

    return call


differs(
    "query.connect",
    setting("memory_limit"),
    memory_limit=("200MB", lambda m: m != "190.7 MiB", "190.7 MiB"),
)
differs("query.connect", setting("threads"), threads=(3, lambda n: n != 3, 3))
differs("query.connect", setting("enable_external_access"), locked=(False, False, True))
differs(
    "query.connect",
    lambda w, **o: said(
        lambda: query.connect(**o).sql("SELECT count(*) FROM photos").fetchall()[0][0]
    ),
    lake=(lambda w: w.shared_lake, "CatalogException", 12),
    files=(lambda w: {"photos": w.parquet(a=[1, 2])}, "CatalogException", 2),
)


def spilled(w: World, **options):
    folder = w.folder / "spill"
    folder.mkdir()
    query.Connection(duckdb.connect(), None, **options).close()
    return folder.exists()


differs("query.Connection", spilled, spill=(lambda w: w.folder / "spill", True, False))


def chosen(w: World, **options):
    source = files.open_source({"split": ["a", "b", None], "lat": [1.0, 2.0, 3.0]})
    found = said(lambda: query.choose(source, **options))
    return found if isinstance(found, str) else found.tolist()


differs(
    "query.choose",
    chosen,
    split=("a", "QueryError", [True, False, False]),
    where=("lat > 1 AND split = 'b'", "QueryError", [False, True, False]),
)
differs(
    "query.typed_rows",
    lambda w, **o: query.typed_rows(files.open_source({"a": [1], "b": [2]}), **o).column_names,
    columns=(["b"], ["a", "b"], ["b"]),
)
