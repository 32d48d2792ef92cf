"""Which rows a shard has, and how it is written."""

import dataclasses
import io
import tarfile

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import files, tables
from geodata.scale import dealing
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


def spoiled(path, groups):
    """Make the pages of some row groups of a file unreadable; its footer stays."""
    with pq.ParquetFile(path) as file:
        chunks = [file.metadata.row_group(group).column(0) for group in groups]
    with path.open("r+b") as file:
        for chunk in chunks:
            file.seek(chunk.dictionary_page_offset or chunk.data_page_offset)
            file.write(b"\xff" * chunk.total_compressed_size)


ROWS = pa.table({"n": list(range(24)), "text": [f"{i}" for i in range(24)]})
SPANS = [(8, 12), (9, 11), (8, 16), (6, 9), (0, 4), (20, 24), (8, 8), (0, 0), (24, 24)]


def numbers(part, **asked):
    batches = list(part.tables(["n"], **asked))
    assert all(batch.num_rows and batch.column_names == ["n"] for batch in batches)
    return [n for batch in batches for n in batch["n"].to_pylist()], batches


@pytest.mark.parametrize(("start", "stop"), SPANS)
def test_row_groups_without_a_row_of_the_part_are_not_read(tmp_path, start, stop):
    path = tmp_path / "a.parquet"
    pq.write_table(ROWS, path, row_group_size=4)
    source = files.open_source(path)
    spoiled(path, [g for g in range(6) if g * 4 + 4 <= start or g * 4 >= stop or start == stop])
    found, batches = numbers(part_of(source, start, stop), rows=3)
    assert found == list(range(start, stop))
    assert max([batch.num_rows for batch in batches], default=0) <= 3
    if start < stop:
        spoiled(path, range(6))
        with pytest.raises(files.FileError, match=r"a\.parquet: cannot be read as parquet: "):
            numbers(part_of(source, start, stop))
    path.write_bytes(b"PAR1" * 9)
    with pytest.raises(files.FileError, match=r"a\.parquet: cannot be read as parquet: "):
        numbers(part_of(source, start, stop))


@pytest.mark.parametrize(("start", "stop"), SPANS)
def test_files_of_a_table_without_a_row_of_the_part_are_not_read(tmp_path, start, stop):
    """In a folder whose name holds what parts a table from its version."""
    path = tmp_path / "me@home" / "rows"
    tables.write(path, ROWS, file_rows=4)
    tables.append(path, ROWS)
    source = tables.open_rows(f"{path}@0")
    for i, file in enumerate(tables.open(path, 0).files):
        if i * 4 + 4 <= start or i * 4 >= stop or start == stop:
            spoiled(file, [0])
    found, batches = numbers(part_of(source, start, stop), rows=3)
    assert found == list(range(start, stop))
    assert max([batch.num_rows for batch in batches], default=0) <= 3


def test_the_outer_column_of_a_nested_one_is_read_of_a_table(tmp_path):
    nested = pa.table({"n": [1, 2], "at": [{"lat": 1.0}, {"lat": 2.0}], "o": [3, 4]})
    tables.write(tmp_path / "lake" / "rows", nested)
    part = part_of(tables.open_rows(tmp_path / "lake" / "rows"), 1, 2)
    assert pa.concat_tables(part.tables(["at.lat", "n"])).equals(nested.select(["n", "at"])[1:])
    assert pa.concat_tables(part.tables()).equals(nested[1:])


def as_tars(folder, *, field="1"):
    folder.mkdir(exist_ok=True)
    for shard in range(6):
        with tarfile.open(folder / f"{shard}.tar", "w") as tar:
            for n in range(shard * 4, shard * 4 + 4):
                member, text = tarfile.TarInfo(f"{n}.json"), f'{{"n": {n:2}, "o": {field}}}'
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text.encode()))


@pytest.mark.parametrize(("start", "stop"), SPANS)
def test_tars_without_a_row_of_the_part_are_not_read(tmp_path, start, stop):
    dealing._samples_in.cache_clear()
    as_tars(tmp_path / "tars")
    source = tables.open_rows(tmp_path / "tars")
    as_tars(tmp_path / "other", field='"')  # JSON without an end: n would be NULL
    for i in range(6):
        if i * 4 + 4 <= start or i * 4 >= stop or start == stop:
            (tmp_path / "other" / f"{i}.tar").replace(tmp_path / "tars" / f"{i}.tar")
    found, batches = numbers(part_of(source, start, stop), rows=3)
    assert found == list(range(start, stop))
    assert max([batch.num_rows for batch in batches], default=0) <= 3


def test_a_tar_that_was_written_anew_is_counted_anew(tmp_path):
    """Its samples are counted once a process, for the file as it is."""
    as_tars(tmp_path / "tars")
    assert numbers(part_of(tables.open_rows(tmp_path / "tars"), 4, 8))[0] == [4, 5, 6, 7]
    (tmp_path / "tars" / "0.tar").unlink()
    with tarfile.open(tmp_path / "tars" / "0.tar", "w") as tar:
        for n in (0, 1):
            member, text = tarfile.TarInfo(f"{n}.json"), f'{{"n": {n:2}, "o": 1}}'
            member.size = len(text)
            tar.addfile(member, io.BytesIO(text.encode()))
    source = tables.open_rows(tmp_path / "tars")
    assert count_rows(source) == 22
    assert numbers(part_of(source, 4, 8))[0] == [6, 7, 8, 9]


def test_a_part_says_what_it_is_of_and_keeps_the_kinds_of_the_whole(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"n": 1}\n{"n": 2, "o": "x"}\n')
    whole = files.open_source(tmp_path / "a.jsonl")
    part = part_of(whole, 0, 1)
    assert (part.name, part.columns, part.kind, part.rows) == (
        whole.name, whole.columns, "jsonl", 1
    )  # fmt: skip
    assert part.kinds() == whole.kinds() != {}
    typed = files.source_of(ROWS, "rows")
    part = part_of(typed, 5, 9)
    assert (part.name, part.columns, part.rows) == ("rows", ("n", "text"), 4)
    assert part.schema == ROWS.schema
    assert part.no_rows().schema == ROWS.schema
    assert dealing._Part("a", (), "table", 0).kinds() == {}


def test_rows_of_no_known_number_are_counted_by_their_first_column_and_read_to_the_end_of_a_part():
    asked, read = [], []

    def stream(names, rows):
        asked.append((names, rows))
        for at in range(0, 24, rows):
            read.append(at)
            yield ROWS.select(names).slice(at, rows)

    source = files.Source("made", ("n", "text"), "table", None, stream=stream)
    assert count_rows(source) == 24
    assert asked == [(["n"], files.BATCH_ROWS)]
    read.clear()
    assert numbers(part_of(source, 4, 8), rows=4)[0] == [4, 5, 6, 7]
    assert asked[-1] == (["n"], 4)
    assert read == [0, 4]


def test_rows_in_memory_may_be_called_parquet():
    """Without files there are no row groups."""
    source = files.source_of(ROWS)
    named = dataclasses.replace(source, kind="parquet", reference={"sha256": "a"})
    assert numbers(part_of(named, 3, 5))[0] == [3, 4]
