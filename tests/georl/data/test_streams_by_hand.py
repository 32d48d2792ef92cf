"""Rows of a stream, and what each process of a streamed run writes (georl.data.loader)."""

from types import SimpleNamespace

import pyarrow.parquet as pq
import pytest

from georl import data
from georl.config import load
from georl.data import DataError
from georl.run import JsonLines

from ..tiny_runs import SMALL
from .test_shards_by_hand import Given, loader_of, stream_of, write, zip_three


def test_a_chat_is_taught_without_its_place(tmp_path):
    """It brings its answer, so a place that is none is left out and the row is not."""
    turns = [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": "That."}]
    path = write(tmp_path / "a.parquet", 3, messages=[turns] * 3, lat=[1.0, 91.0, None])
    found = zip_three(stream_of(path, "data.question=null"))
    assert [problem for _, _, problem in found] == [None] * 3
    assert [row["completion"][0]["content"][0]["text"] for _, row, _ in found] == ["That."] * 3
    assert [row.get("lat") for _, row, _ in found] == [1.0, None, None]
    assert ["lon" in row for _, row, _ in found] == [True, False, False]


@pytest.mark.parametrize("more", ["data.lat=north", "data.lon=east"])
def test_a_place_that_is_named_must_be_there_beside_chats_too(tmp_path, more):
    """Whether photos are streamed or not; where none is named, chats need none."""
    turns = [{"role": "user", "content": "Which?"}, {"role": "assistant", "content": "That."}]
    path = write(tmp_path / "a.parquet", 3, messages=[turns] * 3)
    table = pq.read_table(path).drop_columns(["lat", "lon"])
    pq.write_table(table, path)
    given = [*SMALL, f"data.table={path}", "data.question=null", f"output={tmp_path / 'run'}"]
    for stream in ("true", "false"):
        run = load(None, [*given, f"data.stream={stream}"])
        opened = data.Stream if stream == "true" else data.load
        options = {} if stream == "true" else {"completions": True}
        opened(run, **options)
        with pytest.raises(DataError, match=r"data\.lat and data\.lon name them"):
            opened(load(None, [*given, f"data.stream={stream}", more]), **options)


@pytest.mark.parametrize(
    ("rank", "processes", "name"),
    [
        (0, 1, "unusable_photos.jsonl"),
        (0, 2, "unusable_photos-00000.jsonl"),
        (1, 2, "unusable_photos-00001.jsonl"),
    ],
)
def test_each_process_lists_its_bad_rows_in_a_file_of_its_own(tmp_path, rank, processes, name):
    """The first of several as well: a list that they share, each would cut back in turn."""
    made = loader_of(Given(lambda i: i == 1), tmp_path, rank=rank, processes=processes)
    assert next(iter(made)) == [0, 2]
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert [row["id"] for row in JsonLines(tmp_path / name).read()] == ["p1"]


@pytest.mark.parametrize("rank", [None, 0, 1])
def test_a_run_that_begins_anew_lists_its_bad_rows_once(tmp_path, rank):
    """One that was killed before its first checkpoint has listed them already."""
    bad = Given(lambda i: i in (1, 4), shards=SimpleNamespace(stamp=list))
    which = {} if rank is None else {"rank": rank, "processes": 2}
    name = "unusable_photos.jsonl" if rank is None else f"unusable_photos-0000{rank}.jsonl"
    listed = JsonLines(tmp_path / name)
    for _ in range(2):
        made = loader_of(bad, tmp_path, **which)
        reading = iter(made)
        assert [next(reading), next(reading)] == [[0, 2], [3, 5]]
        assert [row["id"] for row in listed.read()] == ["p1", "p4"]
    made.save(tmp_path)
    again = loader_of(bad, tmp_path, **which)
    again.restore(tmp_path, 7)
    next(iter(again))
    assert [row["id"] for row in listed.read()][:2] == ["p1", "p4"]  # it goes on with its list
