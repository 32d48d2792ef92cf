"""Options of files, photos, pictures, records and the point index."""

import io
import json
import zipfile

import pyarrow as pa
import pyarrow.parquet as pq
import shapely
from PIL import Image

from geodata import cor, files, images, locate, photos, records, tables
from tests.options.finding import differs, only_cost, seen_by
from tests.options.world import PARIS, World, said

# ---- files

CSV = "a,b\n1,2\n3,4\n"
BROKEN = "a,b\n1,2\n3,4,5,6\n7,8\n"


def source(w: World, text=CSV):
    return files.open_source(w.file("rows.csv", text))


differs(
    "files.Source.batches",
    lambda w, **o: [b.table.column_names for b in source(w).batches(**o)],
    columns=(["b"], [["a", "b"]], [["b"]]),
)
differs(
    "files.Source.batches",
    lambda w, **o: said(lambda: sum(b.table.num_rows for b in source(w, BROKEN).batches(**o))),
    damaged=("refuse", lambda n: isinstance(n, int), "FileError"),
)


def lines(w: World, **options):
    path = w.file("rows.jsonl", '{"a":  1}\n')
    return [b.lines and list(b.lines) for b in files.open_source(path).batches(**options)]


def lines_of_a_part(w: World, **options):
    part = files.open_source(w.file("rows.jsonl", '{"a":  1}\n')).parts[0]
    return [b.lines and list(b.lines) for b in files.batches_of(part, ["a"], **options)]


differs("files.Source.batches", lines, lines=(True, [None], [['{"a":  1}']]))
differs("files.batches_of", lines_of_a_part, lines=(True, [None], [['{"a":  1}']]))
TABLE = pa.table({"a": [1, 2, 3], "b": [4, 5, 6]})
differs(
    "files.Source.tables",
    lambda w, **o: [(t.num_rows, t.column_names) for t in files.source_of(TABLE).tables(**o)],
    columns=(["b"], [(3, ["a", "b"])], [(3, ["b"])]),
    rows=(2, [(3, ["a", "b"])], [(2, ["a", "b"]), (1, ["a", "b"])]),
)


def written(w: World, lines=None):
    schema = pa.schema([("a", pa.int64()), ("c", pa.int64())])
    with files.writing(w.folder / "o.jsonl", schema) as writer:
        if lines is None:
            writer.write(pa.table({"a": [1], "c": [2]}))
        else:
            writer.write(pa.table({"c": [2]}), lines)
    return (w.folder / "o.jsonl").read_text(encoding="utf-8")


differs(
    "files.Writer.write",
    written,
    lines=(['{"a":  1}'], lambda t: json.loads(t) == {"a": 1, "c": 2}, lambda t: '"a":  1' in t),
)


def refusal(call, *args, **options):
    try:
        call(*args, **options)
    except (TypeError, ValueError) as error:
        return str(error)
    return ""


def parquet_of(w: World, **options):
    path = w.folder / "parts.parquet"
    pq.write_table(TABLE, path, row_group_size=2)
    read = files.parquet_rows(path, **options)
    return said(lambda: [(t.num_rows, t.column_names) for t in read])


differs(
    "files.parquet_rows",
    parquet_of,
    names=(["b"], [(3, ["a", "b"])], [(3, ["b"])]),
    rows=(1, [(3, ["a", "b"])], [(1, ["a", "b"])] * 3),
    groups=([1], [(3, ["a", "b"])], [(1, ["a", "b"])]),
)
seen_by(
    "files/test_pieces.py::test_a_page_that_was_changed_is_noticed", "files.parquet_rows:checksums"
)
only_cost("files.parquet_rows", threads="columns decoded at the same time")


differs(
    "files.as_table",
    lambda w, **o: refusal(files.as_table, 7, **o),
    what=("the photos", lambda text: "the photos" not in text, lambda text: "the photos" in text),
)
NAMES = ["lat", "lon", "y", "x", "pred_lat", "pred_lon"]
differs(
    "files.coordinate_columns",
    lambda w, lat="lat", lon="lon": files.coordinate_columns(NAMES, lat, lon),
    lat=("y", ("lat", "lon"), ("y", "lon")),
    lon=("x", ("lat", "lon"), ("lat", "x")),
)
differs(
    "files.coordinate_columns",
    lambda w, **o: files.coordinate_columns(NAMES, **o),
    roles=(("pred",), ("lat", "lon"), ("pred_lat", "pred_lon")),
)
differs(
    "files.coordinate_columns",
    lambda w, **o: refusal(files.coordinate_columns, ["a"], **o),
    where=("my.csv", lambda text: "my.csv" not in text, lambda text: "my.csv" in text),
)
NESTED = pa.schema([("a", pa.struct([("b", pa.struct([("c", pa.int64())]))]))])
differs(
    "files.flat_names",
    lambda w, **o: files.flat_names(NESTED, **o),
    prefix=("x.", ("a.b.c",), ("x.a.b.c",)),
)
differs(
    "files.flat_names",
    lambda w, **o: files.flat_names(NESTED, **o),
    depth=(100, ("a.b.c",), ("a",)),
)


def damaged_arrays(w: World, **options):
    import numpy as np

    path = w.folder / "a.bin"
    files.save_arrays(path, {"a": np.arange(1000)}, {})
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)
    return said(lambda: type(files.load_arrays(path, **options)).__name__)


differs("files.load_arrays", damaged_arrays, verify=(True, "ArrayFile", "FileError"))


def damaged_index(w: World, **options):
    path = w.folder / "a.geoindex"
    locate.build([shapely.box(0, 0, 1, 1)]).save(path)
    data = bytearray(path.read_bytes())
    data[-9] ^= 1
    path.write_bytes(data)
    return said(lambda: type(locate.load(path, **options)).__name__)


differs("locate.load", damaged_index, verify=(True, "Index", "FileError"))
BOXES = [shapely.box(0, 0, 2, 2), shapely.box(1, 1, 2, 2)]


def built(w: World, **options):
    index = locate.build(BOXES, **options)
    return index.regions([1.5], [1.5]).tolist()


differs("locate.build", built, layer=([0, 1], [[1]], [[0, 1]]))
differs(
    "locate.build",
    lambda w, **o: locate.build(BOXES, **o).meta,
    meta=({"made": "by hand"}, lambda meta: "made" not in meta, lambda meta: "made" in meta),
)
ROUND = [shapely.Point(5, 5).buffer(3, quad_segs=400)]


def index_size(w: World, **options):
    locate.build(ROUND, **options).save(w.folder / "i.geoindex")
    return (w.folder / "i.geoindex").stat().st_size


def finer(size):
    return size > 0


differs(
    "locate.build",
    index_size,
    edges_per_strip=(100.0, finer, finer),
    max_division=(4, finer, finer),
    finer=(range(720 * 1440), finer, finer),
)
differs(
    "files.open_source",
    lambda w, **o: said(lambda: files.open_source(w.file("rows.txt", CSV), **o).columns),
    format=("csv", "FileError", ("a", "b")),
)
differs(
    "files.open_source", lambda w, **o: files.open_source(TABLE, **o).name, what=("t", "table", "t")
)
differs(
    "files.open_source",
    lambda w, **o: said(
        lambda: next(
            iter(files.open_source(w.file("l.csv", "a\nÎle\n".encode("latin-1")), **o).tables())
        )["a"].to_pylist()
    ),
    encoding=("latin-1", lambda found: found != ["Île"], ["Île"]),
)
differs(
    "files.read_table",
    lambda w, **o: files.read_table(w.file("rows.csv", CSV), **o).column_names,
    columns=(["b"], ["a", "b"], ["b"]),
)
differs(
    "files.source_of", lambda w, **o: files.source_of(TABLE, **o).name, name=("t", "table", "t")
)


def parquet_of(w: World, how, **options):
    path = w.folder / "o.parquet"
    if how == "write_table":
        files.write_table(TABLE, path, **options)
    elif how == "write_tables":
        files.write_tables([TABLE], path, TABLE.schema, **options)
    else:
        with files.writing(path, TABLE.schema, **options) as writer:
            writer.write(TABLE)
    meta = pq.read_metadata(path)
    column = meta.row_group(0).column(0)
    return b"by hand" in str(meta.metadata).encode(), "PLAIN_DICTIONARY" in column.encodings or (
        "RLE_DICTIONARY" in column.encodings
    )


for _how in ("write_table", "write_tables", "writing"):
    differs(
        f"files.{_how}",
        lambda w, _how=_how, **o: parquet_of(w, _how, **o)[0],
        made_by=({"made": "by hand"}, False, True),
    )
for _how in ("write_tables", "writing"):
    differs(
        f"files.{_how}",
        lambda w, _how=_how, **o: parquet_of(w, _how, **o)[1],
        plain=(["a"], True, False),
    )


only_cost(
    "files.writing", coded="columns of texts given as codes are written without looking at them"
)

# ---- photos

PHOTO = {
    "IMG_ID": ["45/77/1.jpg", "45/77/2.jpg"],
    "LAT": ["48.8584", "35.0"],
    "LON": ["2.2945", "135.77"],
}
MORE = {**PHOTO, "breite": ["1", "2"], "camera": ["X", "Y"], "AUTHOR": ["7@N00", "8@N00"]}


def read(w: World, table=MORE, **options):
    return pa.concat_tables(photos.read(pa.table(table), **options))


def imported(w: World, table=MORE, **options):
    photos.import_(pa.table(table), w.folder / "p.parquet", **options)
    return pq.read_table(w.folder / "p.parquet")


def pictures(w: World):
    """Photos of MP-16: one whole, one for which a server sent a placeholder."""
    with zipfile.ZipFile(w.folder / "photos.zip", "w") as made:
        made.writestr("45_77_1.jpg", b"\xff\xd8" + b"x" * 9000)
        made.writestr("45_77_2.jpg", b"\xff\xd8" + b"x" * 50)
    return w.folder / "photos.zip"


for _name, _call in (("read", read), ("import_", imported)):
    differs(
        f"photos.{_name}",
        lambda w, _call=_call, **o: _call(w, **o)["lat"].to_pylist(),
        columns=({"lat": "breite"}, [48.8584, 35.0], [1.0, 2.0]),
    )
    differs(
        f"photos.{_name}",
        lambda w, _call=_call, **o: "camera" in _call(w, **o).column_names,
        keep=(["camera"], False, True),
    )
    differs(
        f"photos.{_name}",
        lambda w, _call=_call, **o: sorted(_call(w, **o)["author"].to_pylist()),
        salt=("pepper", lambda ids: len(set(ids)) == 2, lambda ids: len(set(ids)) == 2),
    )
    differs(
        f"photos.{_name}",
        lambda w, _call=_call, **o: _call(w, **o)["licence"].to_pylist(),
        licence=("CC0", [None, None], ["CC0", "CC0"]),
    )
    differs(
        f"photos.{_name}",
        lambda w, _call=_call, **o: _call(w, **o)["source"].to_pylist(),
        source_name=("mine", lambda found: found != ["mine", "mine"], ["mine", "mine"]),
    )
    differs(
        f"photos.{_name}",
        lambda w, _call=_call, **o: said(
            lambda: _call(w, {"id": ["a"], "lat": [1.0], "lon": [2.0]}, **o)["lat"].to_pylist()
        ),
        format=("mp16", [1.0], "FileError"),
    )
    differs(
        f"photos.{_name}",
        lambda w, _call=_call, **o: _call(w, PHOTO, **o)["image"].to_pylist(),
        images=(
            pictures,
            lambda found: "photos.zip" not in str(found),
            lambda found: "photos.zip" in str(found),
        ),
    )
    differs(
        f"photos.{_name}",
        lambda w, _call=_call, **o: _call(w, PHOTO, images=pictures(w), **o)["status"].to_pylist(),
        min_image_bytes=(9500, lambda found: found[0] == "ok", lambda found: found[0] != "ok"),
    )


def imported_twice(w: World, **options):
    path = w.file("p.csv", "id,lat,lon\na,1,2\n")
    photos.import_(path, w.folder / "table")
    said(photos.import_, path, w.folder / "table", **options)
    return tables.open(w.folder / "table").rows


differs("photos.import_", imported_twice, again=(True, 1, 2))


def progress_of(function):
    """What a progress callback is given: nothing without one, the rows in the end with one."""

    def call(w: World, progress=None):
        steps = []
        function(w, **({"progress": lambda *step: steps.append(step)} if progress else {}))
        return steps

    return call


differs(
    "photos.import_",
    progress_of(imported),
    progress=(True, [], lambda steps: steps[-1][0] == 2),
)

# ---- pictures


def jpeg(**more):
    out = io.BytesIO()
    Image.new("RGB", (8, 6), "red").save(out, "JPEG", **more)
    return out.getvalue()


def beside(w: World):
    (w.folder / "photos").mkdir(exist_ok=True)
    (w.folder / "photos" / "a.jpg").write_bytes(jpeg())
    return w.folder / "photos"


differs(
    "images.open_image",
    lambda w, **o: said(lambda: len(images.open_image("a.jpg", **o)) > 100),
    root=(beside, "FileError", True),
)
differs(
    "images.reference_problems",
    lambda w, **o: images.reference_problems(["https://example.org/a.jpg"], None, **o),
    urls=(True, lambda found: found != [None], [None]),
)

# ---- records


def labelled(w: World, image="a.jpg", n=3):
    beside(w)
    rows = {
        "photo_id": [f"p{i}" for i in range(n)],
        "lat": [PARIS[0]] * n,
        "lon": [PARIS[1]] * n,
        "image": image if isinstance(image, list) else [image] * n,
        "status": ["ok"] * n,
        "split": (["train", "test", "train"] * n)[:n],
    }
    return cor.label_table(pa.table(rows))


def recorded(w: World, image="a.jpg", **options):
    asked = records.Options(**{"image_root": str(beside(w)), **options})
    return said(lambda: pa.concat_tables(records.batches(labelled(w, image), asked)).to_pylist())


def some_missing(w: World, **options):
    asked = records.Options(image_root=str(beside(w)), images="bytes", **options)
    rows = labelled(w, ["a.jpg", None, "a.jpg"])
    return sum(batch.num_rows for batch in records.batches(rows, asked))


def text_of(rows):
    return str(rows)


differs(
    "records.Options",
    recorded,
    kind=("grpo", lambda r: "completion" in r[0], lambda r: "completion" not in r[0]),
    variant=(
        "location",
        lambda r: "Country:" in text_of(r),
        lambda r: "Country: France" not in text_of(r),
    ),
    form=("messages", lambda r: "messages" not in r[0], lambda r: "messages" in r[0]),
    images=(
        "bytes",
        lambda r: r[0]["images"][0]["bytes"] is None,
        lambda r: r[0]["images"][0]["bytes"][:2] == b"\xff\xd8",
    ),
)
differs(
    "records.Options",
    lambda w, image_root=None: said(
        lambda: (
            pa.concat_tables(
                records.batches(
                    labelled(w),
                    records.Options(images="bytes", image_root=image_root and str(image_root)),
                )
            ).num_rows
        )
    ),
    image_root=(beside, lambda found: found != 3, 3),
)
differs(
    "records.Options",
    lambda w, **o: said(some_missing, w, **o),
    missing=("drop", "RecordError", 2),
)
seen_by(
    "images/test_embedding.py::test_embedded_pictures_are_clean_and_what_was_left_out_is_recorded",
    "records.Options:keep_metadata",
)
seen_by(
    "images/test_embedding.py::test_nothing_outside_the_folder_is_embedded", "records.Options:check"
)
seen_by(
    "images/test_embedding.py::test_references_to_what_is_no_picture_are_refused",
    "records.Options:urls",
)


def counted(w: World, embedder=None):
    embedder = images.Embedder("bytes", str(beside(w))) if embedder else None
    asked = records.Options(images="bytes", image_root=str(beside(w)), keep_metadata=False)
    rows = labelled(w)
    (beside(w) / "a.jpg").write_bytes(jpeg(comment=b"taken in Kyoto"))
    list(records.batches(rows, asked, embedder))
    return None if embedder is None else sum(embedder.stripped.values())


differs("records.batches", counted, embedder=(True, None, lambda n: n > 0))


def llava(w: World):
    line = {
        "id": "a",
        "image": "a.jpg",
        "conversations": [
            {"from": "human", "value": "<image>where?"},
            {"from": "gpt", "value": "(1.0, 2.0)"},
        ],
    }
    text = "".join(json.dumps({**line, "id": str(i)}) + "\n" for i in range(3))
    return w.file("llava.jsonl", text)


differs(
    "records.read_llava",
    lambda w, **o: str(records.read_llava(llava(w), **o)["images"][0]),
    image_root=("there", lambda t: "there" not in t, lambda t: "there/a.jpg" in t),
)
differs(
    "records.read_llava_batches",
    lambda w, **o: [
        (t.num_rows, "there" in str(t["images"])) for t in records.read_llava_batches(llava(w), **o)
    ],
    image_root=("there", [(3, False)], [(3, True)]),
    batch_rows=(2, [(3, False)], [(2, False), (1, False)]),
)


def wrote(w: World, rows=None, target="o", **options):
    out = w.folder / target
    asked = records.Options(image_root=str(beside(w)))
    records.write(
        labelled(w, n=12) if rows is None else rows,
        out,
        **{"split": "all", "options": asked, **options},
    )
    return out


def lake_of(w: World):
    tables.append(w.folder / "lake" / "with_images", labelled(w, n=12))
    return w.folder / "lake"


def ids(path):
    found = sorted(path.rglob("*.parquet")) or [path]
    return [pq.read_table(p)["photo_id"].to_pylist() for p in found if p.suffix == ".parquet"]


differs(
    "records.write",
    lambda w, **o: said(lambda: ids(wrote(w, **o))),
    split=("test", lambda f: len(f[0]) == 12, lambda f: len(f[0]) == 4),
    where=("photo_id = 'p3'", lambda f: len(f[0]) == 12, [["p3"]]),
    seed=(7, lambda f: len(f[0]) == 12, lambda f: len(f[0]) == 12),
    shard_rows=(5, lambda f: len(f) == 1, lambda f: [len(p) for p in f] == [5, 5, 2]),
)
differs(
    "records.write",
    lambda w, **o: sorted({p.suffix for p in wrote(w, **o).rglob("*.*")}),
    format=("llava", lambda found: ".parquet" in found, lambda found: ".jsonl" in found),
)
differs(
    "records.write",
    lambda w, options=None: (
        "prompt"
        in pq.read_schema(
            wrote(w, target="o.parquet", **({"options": options} if options else {}))
        ).names
    ),
    options=(records.Options(form="messages"), True, False),
)
differs(
    "records.write",
    lambda w, **o: said(lambda: len(ids(wrote(w, "with_images", "o.parquet", **o))[0])),
    lake=(lake_of, lambda found: found != 12, 12),
)
differs(
    "records.write",
    progress_of(lambda w, **o: wrote(w, **o)),
    progress=(True, [], lambda steps: steps[-1][0] == 12),
)
