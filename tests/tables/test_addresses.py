"""What is written into a folder is not written into a bucket, nor into a folder called ``s3:``."""

from pathlib import Path

import pyarrow as pa
import pytest

from geodata import near_duplicates, records, scale, tables

ROWS = pa.table({"photo_id": ["a"], "lat": [1.0], "lon": [2.0], "image": ["a.jpg"]})
ASKED = {"options": records.Options(check="tell", kind="grpo")}
WRITES = {
    "card": lambda out: tables.write_card("lake/t", out),
    "export": lambda out: tables.export("lake/t", out),
    "map": lambda out: tables.draw_map("lake/t", f"{out}.png"),
    "shard": lambda out: scale.label_shard(ROWS, out, "1/1"),
    "shards on Ray": lambda out: scale.label_on_ray(ROWS, out, 1),
    "records": lambda out: scale.records_shard(ROWS, out, "1/1", **ASKED),
    "leakage": lambda out: near_duplicates.write(
        near_duplicates.Leakage({"train": "rand@1"}, (), (), most_bits=8, most_fine=40), out
    ),
}


@pytest.mark.parametrize("out", ["s3://bucket/out", Path("gs://bucket/out")], ids=["s3", "gs"])
@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_an_address_is_no_place_for_files(tmp_path, monkeypatch, write, out):
    monkeypatch.chdir(tmp_path)
    tables.append("lake/t", ROWS)
    with pytest.raises(tables.TableError, match=r"'(s3|gs)://bucket/out.* is an address"):
        write(out)
    assert [path.name for path in tmp_path.iterdir()] == ["lake"]
    assert [path.name for path in (tmp_path / "lake").iterdir()] == ["t"]
