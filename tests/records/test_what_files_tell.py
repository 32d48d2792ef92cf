"""What a file of records tells of its own pictures, and how a folder of them is called."""

import io
import json
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from geodata import records, tables
from tests.records.test_trainers import photos

LEFT_OUT = b"geodata.left_out_of_pictures"


def picture(comment=None):
    out = io.BytesIO()
    Image.new("RGB", (8, 6)).save(out, "JPEG", **({"comment": comment} if comment else {}))
    return out.getvalue()


def rows(images):
    n = len(images)
    return pa.table({"photo_id": [f"p{i}" for i in range(n)], "lat": [1.0] * n, "lon": [2.0] * n,
                     "image": images})  # fmt: skip


@pytest.fixture
def home(tmp_path, monkeypatch):
    """Every third picture has no comment; the lake of their rows lies beside them."""
    home = tmp_path / "home"
    home.mkdir()
    for i in range(9):
        (home / f"{i}.jpg").write_bytes(picture(b"taken in Kyoto" if i % 3 else None))
    tables.write(home / "lake" / "rand", rows([f"../{i}.jpg" for i in range(9)]))
    monkeypatch.chdir(tmp_path)
    return home


@pytest.mark.parametrize("form", ["parquet", "verl", "easyr1"])
def test_each_file_tells_what_was_left_out_of_its_own_pictures(home, form):
    """Neither the pictures of the files before it nor those that had nothing to leave out."""
    asked = records.Options(images="bytes", image_root=str(home))
    table = rows([f"{i}.jpg" for i in range(9)])
    made = records.write(table, home / "out", format=form, shard_rows=2, options=asked)
    assert made.stripped == {"comment": 6, "pictures": 6}
    seen = []
    for name in made.names:
        file = pq.ParquetFile(home / "out" / name)
        held = [row[0]["path"] for row in file.read()["images"].to_pylist()]
        commented = sum(int(path.removesuffix(".jpg")) % 3 > 0 for path in held)
        told = (file.metadata.metadata or {}).get(LEFT_OUT)
        wanted = {"comment": commented, "pictures": commented}
        assert (json.loads(told) if told else None) == (wanted if commented else None), name
        seen.append(commented)
    assert sum(seen) == 6
    assert len(seen) == 5


@pytest.mark.parametrize("keep", [False, True])
def test_pictures_of_a_lake_keep_what_is_in_them_where_asked(home, keep):
    """Where no folder of pictures was named; what was left out is told of all forms."""
    asked = records.Options(images="bytes", keep_metadata=keep)
    for form in ("parquet", "verl", "webdataset", "llava"):
        made = records.write(
            "rand", home / form, lake=home / "lake", format=form, options=asked, shard_rows=4
        )
        assert made.stripped == ({} if keep else {"comment": 6, "pictures": 6}), form
    held = pq.read_table(home / "parquet" / "data").to_pylist()
    for row in held:
        number = int(row["photo_id"][1:])
        whole = (home / f"{number}.jpg").read_bytes()
        assert (row["images"][0]["bytes"] == whole) == (keep or number % 3 == 0)


@pytest.mark.parametrize("way", ["link", "."])
def test_pictures_beside_a_lake_are_beside_it_whatever_it_is_called(home, monkeypatch, way):
    """The folder that it lies in, not the one that its name begins with."""
    (home / "here").mkdir()
    (home / "here" / "link").symlink_to(home / "lake")
    monkeypatch.chdir(home / "lake" if way == "." else home / "here")
    asked = records.Options(images="bytes", keep_metadata=True)
    made = records.write("rand", home / "r.parquet", lake=way, options=asked)
    assert (made.rows, made.absent) == (9, 0)
    for row in pq.read_table(made.path).to_pylist():
        whole = (home / f"{row['photo_id'][1:]}.jpg").read_bytes()
        assert row["images"][0]["bytes"] == whole


@pytest.mark.parametrize(
    ("split", "name"), [("all", "geo run"), ("train", "geo run"), ("test", "geo run_test")]
)
def test_llama_factory_knows_the_records_by_the_name_of_their_folder(tmp_path, split, name):
    """As ``dataset:`` of its configuration names them; not by that of the unfinished folder."""
    options = records.Options(check="skip")
    records.write(photos(), tmp_path / "geo run", format="llama-factory", split=split,
                  options=options)  # fmt: skip
    told = json.loads((tmp_path / "geo run" / "dataset_info.json").read_text())
    assert list(told) == [name]
    records.write(photos(), tmp_path / "parts", format="llama-factory", split=split,
                  options=options, files_of=lambda stamp, count: range(count))  # fmt: skip
    told = json.loads((tmp_path / "parts" / "dataset_info.json").read_text())
    assert list(told) == [name.replace("geo run", "parts")]


def test_samples_of_all_shards_have_names_of_their_own(home):
    """Readers mix shards, where two of one name would be one; and no time is in a shard."""
    pytest.importorskip("webdataset")
    table = rows([f"{i}.jpg" for i in range(9)])
    asked = records.Options(image_root=str(home))
    made = records.write(table, home / "out", format="webdataset", shard_rows=4, options=asked)
    assert made.names == ("000000.tar", "000001.tar", "000002.tar")
    found = []
    for name in made.names:
        with tarfile.open(home / "out" / name) as shard:
            members = shard.getmembers()
            texts = [json.load(shard.extractfile(m)) for m in members if m.name.endswith("json")]
        found.append([m.name for m in members])
        assert {m.mtime for m in members} == {0}
        assert all("images" not in text for text in texts)
    expected = [[f"{i:09d}.{ending}" for i in part for ending in ("jpg", "json")]
                for part in (range(4), range(4, 8), range(8, 9))]  # fmt: skip
    assert found == expected


@pytest.mark.parametrize(("split", "part"), [("test", "test"), ("test,validation", "train")])
def test_rows_of_verl_name_the_split_that_was_chosen(home, split, part):
    """Several of them are no part of their own, so they are called as all are."""
    (home / "9.jpg").write_bytes(picture())
    asked = records.Options(image_root=str(home))
    table = photos(10)
    made = records.write(table, home / "out", format="verl", split=split, options=asked)
    assert made.names == (f"data/{part}-00000-of-00001.parquet",)
    found = [row["extra_info"] for row in pq.read_table(home / "out" / made.names[0]).to_pylist()]
    wanted = {i: s for i, s in zip(table["photo_id"].to_pylist(), table["split"].to_pylist())
              if s in split.split(",")}  # fmt: skip
    assert {one["photo_id"] for one in found} == set(wanted)
    assert [(one["split"], one["index"]) for one in found] == [(part, i) for i in range(len(found))]


def test_lines_in_one_file_name_pictures_whatever_is_embedded_elsewhere(home):
    asked = records.Options(images="bytes", image_root=str(home), check="skip")
    table = rows(["1.jpg", "p.zip#2.jpg"])
    for form in ("llava", "ms-swift", "llama-factory"):
        records.write(table, home / "r.jsonl", format=form, options=asked)
        lines = [json.loads(line) for line in (home / "r.jsonl").read_text().splitlines()]
        named = {line.get("photo_id", line.get("id")): line for line in lines}
        paths = [named[i].get("image") or named[i]["images"][0] for i in ("p0", "p1")]
        assert paths == [f"{home}/1.jpg", f"{home}/p.zip#2.jpg"]


def test_one_shard_may_be_named(home):
    """A file where a folder of shards would be: the form has to be said, the ending tells none."""
    pytest.importorskip("webdataset")
    asked = records.Options(image_root=str(home))
    table = rows([f"{i}.jpg" for i in range(9)])
    made = records.write(table, home / "r.tar", format="webdataset", shard_rows=4, options=asked)
    assert (made.rows, made.files, made.names) == (9, 1, ())
    with tarfile.open(home / "r.tar") as shard:
        assert len(shard.getnames()) == 18
    with pytest.raises(records.RecordError, match=r"format '\.tar' is not known; expected parquet"):
        records.write(table, home / "s.tar", options=asked)


@pytest.mark.parametrize("form", ["parquet", "verl", "easyr1"])
def test_pages_of_records_have_sums_by_which_damage_is_found(home, form):
    """A bit that turned on a disk is found by who reads with them, whatever it did to the rows."""
    made = records.write("rand", home / "r.parquet", lake=home / "lake", format=form)
    column = pq.ParquetFile(made.path).metadata.row_group(0).column(0)
    data = bytearray(made.path.read_bytes())
    start = column.dictionary_page_offset or column.data_page_offset
    data[start + column.total_compressed_size - 1] ^= 1
    made.path.write_bytes(data)
    with pytest.raises(OSError, match="CRC checksum verification failed"):
        pq.ParquetFile(made.path, page_checksum_verification=True).read()
