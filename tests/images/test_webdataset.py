"""WebDataset shards as rows, those of others and ours."""

import io

import pyarrow as pa
import pytest
import webdataset
from PIL import Image

from geodata import cor, files, images, records, tables
from geodata.scale.dealing import part_of
from tests.images.shards import shard, text


def rows(path):
    return pa.concat_tables(images.open_samples(path).tables()).to_pylist()


def test_a_sample_is_a_row_and_its_picture_is_read_in_place(tmp_path):
    shard(
        tmp_path / "s" / "0.tar",
        ("a/7.seg.png", b"mask"), ("a/7.json", text(lat=1.5, lon=2, n=3, tags=["x", "y"])),
        ("a/7.txt", b"Paris"), ("b.cls", b"4"), ("b.jpg", b"picture"), (".hidden", b""),
        ("b.json", text(lat=None, lon=5.5, n=None)), ("c.json", b"{"),
    )  # fmt: skip
    found = rows(tmp_path / "s")
    assert found == [
        {"__key__": "a/7", "image": "0.tar#a/7.seg.png", "lat": 1.5, "lon": 2.0, "n": 3,
         "tags": ["x", "y"], "txt": "Paris", "cls": None},
        {"__key__": "b", "image": "0.tar#b.jpg", "lat": None, "lon": 5.5, "n": None,
         "tags": None, "txt": None, "cls": "4"},
        {"__key__": "c", "image": None, "lat": None, "lon": None, "n": None,
         "tags": None, "txt": None, "cls": None},
    ]  # fmt: skip
    assert images.open_image(found[1]["image"], root=tmp_path / "s") == b"picture"
    only = pa.concat_tables(images.open_samples(tmp_path / "s").tables(["image", "__key__"]))
    assert only.to_pylist() == [{k: row[k] for k in ("image", "__key__")} for row in found]


def test_shards_of_webdataset_are_read_label_and_all(tmp_path):
    place = tmp_path / "w"
    place.mkdir()
    for number in range(3):
        with webdataset.TarWriter(str(place / f"{number:06d}.tar")) as writer:
            for i in range(4):
                writer.write({"__key__": f"{number}-{i}", "jpg": b"...", "txt": "words",
                              "json": {"lat": 48.9 + i, "lon": 2.3, "key": f"{number}-{i}"},
                              })  # fmt: skip
    whole = pa.concat_tables(tables.open_rows(place).tables())
    assert whole.num_rows == 12
    cor.label_file(place, tmp_path / "out.parquet")
    made = files.read_table(tmp_path / "out.parquet")
    assert made["country_code"].to_pylist() == cor.label_table(whole)["country_code"].to_pylist()
    some = tables.open_rows(str(place / "00000[12].tar"))
    assert pa.concat_tables(some.tables()).num_rows == 8
    assert pa.concat_tables(tables.open_rows(place / "000001.tar").tables()).num_rows == 4
    for start, stop in ((0, 12), (3, 9), (4, 8), (11, 12)):
        part = pa.concat_tables(part_of(tables.open_rows(place), start, stop).tables())
        assert part.equals(whole.slice(start, stop - start))


def test_records_come_back_as_they_were_written(tmp_path):
    pictures = []
    for red in (10, 20, 30):
        buffer = io.BytesIO()
        Image.new("RGB", (8, 8), (red, 0, 0)).save(buffer, "PNG")
        pictures.append(buffer.getvalue())
    photos = pa.table({"photo_id": ["a", "b", "c"], "lat": [1.0, 2.0, 3.0],
                       "lon": [4.0, 5.0, 6.0], "image": pictures})  # fmt: skip
    options = records.Options(kind="sft")
    records.write(photos, tmp_path / "r", format="webdataset", shard_rows=2, options=options)
    found = {row["photo_id"]: row for row in rows(tmp_path / "r")}
    assert {k: row["lat"] for k, row in found.items()} == {"a": 1.0, "b": 2.0, "c": 3.0}
    assert found["b"]["prompt"][0]["role"] == "user"
    assert images.open_image(found["b"]["image"], root=tmp_path / "r") == pictures[1]


def test_the_identity_hangs_on_names_sizes_and_fields_only(tmp_path):
    def identity(folder, *members):
        shard(tmp_path / folder / "0.tar", *members)
        return images.open_samples(tmp_path / folder).identity()["sha256"]

    plain = identity("a", ("1.json", text(lat=1)), ("1.jpg", b"x"))
    assert identity("b", ("1.json", text(lat=1)), ("1.jpg", b"y")) == plain
    assert identity("c", ("1.json", text(lat=2)), ("1.jpg", b"x")) != plain
    assert identity("d", ("2.json", text(lat=1)), ("2.jpg", b"x")) != plain
    assert identity("e", ("1.json", text(lat=1)), ("1.jpg", b"xy")) != plain


def test_what_is_no_shard_is_told(tmp_path):
    (tmp_path / "empty.tar").write_bytes(bytes(10240))
    with pytest.raises(files.FileError, match="hold no sample, such as"):
        images.open_samples(tmp_path / "empty.tar")
    with pytest.raises(files.FileError, match="there is no tar shard"):
        images.open_samples(tmp_path / "none")
    (tmp_path / "text.tar").write_text("words")
    with pytest.raises(files.FileError, match="is no tar archive"):
        images.open_samples(tmp_path / "text.tar")
    shard(tmp_path / "twice.tar", ("1.jpg", b"a"), ("1.jpg", b"b"))
    with pytest.raises(files.FileError, match=r"holds '1\.jpg' twice"):
        rows(tmp_path / "twice.tar")
    many = [(f"{i}.json", text(lat=i)) for i in range(1000)]
    shard(tmp_path / "new.tar", *many, ("x.json", text(lat=1, city="a")))
    with pytest.raises(files.FileError, match="sample 'x' has the field 'city'"):
        rows(tmp_path / "new.tar")
    shard(tmp_path / "other.tar", *many, ("x.json", text(lat="north")))
    with pytest.raises(files.FileError, match="the field 'lat' is int64 in the first 1000"):
        rows(tmp_path / "other.tar")
    whole = (tmp_path / "twice.tar").read_bytes()
    (tmp_path / "cut.tar").write_bytes(whole[:700])
    with pytest.raises(files.FileError, match="cut short"):
        rows(tmp_path / "cut.tar")


def test_a_folder_of_rows_is_no_folder_of_shards(tmp_path):
    shard(tmp_path / "s" / "0.tar", ("1.jpg", b"a"))
    assert images.shard_paths(tmp_path / "s") == [tmp_path / "s" / "0.tar"]
    (tmp_path / "s" / "rows.csv").write_text("lat,lon\n")
    assert images.shard_paths(tmp_path / "s") == []
    assert images.shard_paths("a\0b.tar") == []
    (tmp_path / "t").mkdir()
    shard(tmp_path / "t" / "_beside.tar", ("1.jpg", b"a"))
    assert images.shard_paths(tmp_path / "t") == []
