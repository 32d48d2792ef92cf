"""Columns by their path, and text that would unfold into more than memory holds."""

import numpy as np
import pyarrow as pa
import pytest

from geodata import files
from geodata.files import FileError
from geodata.files.readers.flattening import MAX_BATCH_BYTES, column_at


@pytest.mark.parametrize("kind", [pa.string(), pa.binary()])
@pytest.mark.parametrize(("more", "refused"), [(0, False), (1, True)])
def test_a_dictionary_that_unfolds_into_a_bomb_is_refused(kind, more, refused):
    size = 1 << 20
    rows = 4 * MAX_BATCH_BYTES // size + more
    words = (
        pa.array([b"x" * size, b""]).cast(kind)
        if kind == pa.string()
        else pa.array([b"x" * size, b""])
    )
    rows = np.zeros(rows, np.int32)
    if not refused:
        rows[1:] = 1  # one is long, the others are empty: it unfolds into a megabyte
    table = pa.table({"t": pa.DictionaryArray.from_arrays(pa.array(rows), words)})
    if refused:
        with pytest.raises(FileError) as told:
            column_at(table, "t")
        assert str(told.value) == (
            f"{len(rows)} rows unfold into {len(rows)} MiB of text; the file is a bomb"
        )
    else:
        assert column_at(table, "t").type == kind


def test_a_path_takes_the_longest_name_that_fits():
    table = pa.table(
        {
            "a": [{"b": 1, "b.c": {"d": 2}}],
            "a.b": [{"c": 3}],
            "a.b.c": [4],
            "t": pa.array(["x"]).dictionary_encode(),
            "v": pa.array(["y"], pa.string_view()),
            "l": pa.array(["z"], pa.large_string()),
        }
    )
    found = {name: column_at(table, name).to_pylist()[0] for name in ("a.b.c", "t", "v", "l")}
    assert found == {"a.b.c": 4, "t": "x", "v": "y", "l": "z"}
    assert {column_at(table, name).type for name in ("t", "v", "l")} == {pa.string()}
    assert column_at(table.drop(["a.b.c"]), "a.b.c").to_pylist() == [3]
    assert column_at(table.drop(["a.b.c", "a.b"]), "a.b.c.d").to_pylist() == [2]
    assert column_at(table.drop(["a.b.c", "a.b"]), "a.b").to_pylist() == [1]


def test_of_a_name_without_end_the_first_200_characters_count():
    assert files.squeeze("a-" * 99 + "BC" + "d" * 1_000_000) == "a" * 99 + "bc"


def test_rows_of_a_file_that_is_loaded_whole_come_in_batches_of_the_columns_asked_for(tmp_path):
    np.savez(tmp_path / "a.npz", n=np.array([1, 2]), word=np.array(["x", "y"]))
    (batch,) = files.open_source(tmp_path / "a.npz").batches(["word"])
    assert batch.table.to_pydict() == {"word": ["x", "y"]}
