"""Which rows a shard has, and how it is written."""

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import files
from geodata.scale.dealing import Shard, ShardError, count_rows, part_of


@pytest.mark.parametrize(
    ("text", "shard"),
    [
        ("1/1", (1, 1)),
        (" 3/16 ", (3, 16)),
        ("16/16", (16, 16)),
        ("00002/00010", (2, 10)),
        ("99999/99999", (99_999, 99_999)),
    ],
)
def test_a_shard_is_read(text, shard):
    found = Shard.of(text)
    assert (found.number, found.count) == shard
    assert Shard.of(found) is found
    assert str(found) == "{}/{}".format(*shard)
    assert found.name == "shard-{:05d}-of-{:05d}".format(*shard)


NONE = ("", "3", "3/", "a/b", "-1/3", "1/3/4", "1.0/3", "100000/100000", "\u0663/\u0665", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        *((text, "is not i/n; write 3/16 for the third of sixteen shards") for text in NONE),
        ("0/3", "of 3 are numbered 1 to 3; a SLURM array that counts so is sbatch --array=1-3"),
        ("4/3", "of 3 are numbered 1 to 3; a SLURM array that counts so is sbatch --array=1-3"),
        ("0/0", "of 0 are numbered 1 to 0; a SLURM array that counts so is sbatch --array=1-1"),
        ("1/0", "of 0 are numbered 1 to 0; a SLURM array that counts so is sbatch --array=1-1"),
    ],
)
def test_what_is_no_shard_is_told(text, said):
    with pytest.raises(ShardError) as told:
        Shard.of(text)
    between = ": shards " if said.startswith("of ") else " "
    assert str(told.value) == f"--shard {text!r}{between}{said}"


@pytest.mark.parametrize("rows", [0, 1, 5, 7, 100])
@pytest.mark.parametrize("count", [1, 2, 3, 7, 11])
def test_spans_follow_each_other_and_differ_by_one_row_at_most(rows, count):
    spans = [Shard(i, count).span(rows) for i in range(1, count + 1)]
    assert (spans[0][0], spans[-1][1]) == (0, rows)
    assert [a[1] for a in spans[:-1]] == [b[0] for b in spans[1:]]
    sizes = [stop - start for start, stop in spans]
    assert max(sizes) - min(sizes) <= 1


def written(tmp_path, ending):
    table = pa.table({"id": [f"r{i}" for i in range(23)], "n": list(range(23)), "x": ["y"] * 23})
    if ending == "parquet":
        pq.write_table(table, tmp_path / "a.parquet", row_group_size=4)
    elif ending == "folder":
        (tmp_path / "a.folder").mkdir()
        for i in range(3):
            pq.write_table(
                table.slice(8 * i, 8), tmp_path / "a.folder" / f"{i}.parquet", row_group_size=3
            )
    elif ending == "csv":
        lines = [f"r{i},{i},y" for i in range(23)]
        (tmp_path / "a.csv").write_text("\n".join(["id,n,x", *lines]) + "\n")
    else:
        return table
    return tmp_path / f"a.{ending}"


@pytest.mark.parametrize("ending", ["parquet", "folder", "csv", "table"])
def test_the_parts_of_a_source_are_its_rows(tmp_path, ending):
    source = files.open_source(written(tmp_path, ending))
    assert count_rows(source) == 23
    for count in (1, 3, 5, 23, 30):
        found = []
        for i in range(1, count + 1):
            start, stop = Shard(i, count).span(23)
            part = part_of(source, start, stop)
            rows = [int(n) for batch in part.batches(["n"]) for n in batch.table["n"].to_pylist()]
            assert rows == list(range(start, stop))
            names = [b.table.column_names for b in part.batches(["n"])]
            assert all(name == ["n"] for name in names)
            found += rows
        assert found == list(range(23))
    small = [b.table.num_rows for b in part_of(source, 2, 19).batches(["id", "n"])]
    assert sum(small) == 17
