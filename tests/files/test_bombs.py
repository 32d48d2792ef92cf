"""A file that promises more than its bytes can hold is refused from its footer."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import files
from geodata.files import FileError
from geodata.files.readers import loaded, parquet


def test_rows_that_cost_no_bytes_are_refused(tmp_path):
    path = tmp_path / "rows.parquet"
    for rows, told in ((9_000_000, False), (20_000_000, True)):
        pq.write_table(pa.table({"a": np.zeros(rows, np.int8)}), path, row_group_size=rows)
        assert rows > parquet.BOMB_ROWS_PER_BYTE * path.stat().st_size
        if told:
            with pytest.raises(FileError, match=f"claims {rows} rows"):
                parquet.parquet_head(path)
        else:
            assert parquet.parquet_head(path).rows == rows


def test_a_row_group_that_unfolds_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(parquet, "MAX_BATCH_BYTES", 1 << 20)
    path = tmp_path / "group.parquet"
    for rows, told in ((60_000, False), (1_000_000, True)):
        table = pa.table({"lat": np.zeros(rows), "lon": np.zeros(rows)})
        pq.write_table(table, path, use_dictionary=False, compression="zstd")
        if told:
            with pytest.raises(FileError, match=r"row group 0 unfolds from \d+ bytes into 15 MiB"):
                files.read_table(path)
        else:
            assert files.read_table(path).num_rows == rows


@pytest.mark.parametrize(
    ("free", "ratio", "refused"),
    [
        (160_256, 0, False), (160_255, 0, True), (1 << 10, 1000, False), (1 << 10, 1, True),
        (1 << 20, 1, False),
    ],
    ids=["just so many", "a byte too many", "dense enough", "a bomb", "few"],
)  # fmt: skip
def test_an_archive_of_arrays_may_unfold_so_far(tmp_path, monkeypatch, free, ratio, refused):
    """Up to so many bytes, or up to so many times its own size, whichever is more."""
    path = tmp_path / "p.npz"
    np.savez_compressed(path, lat=np.zeros(10_000), lon=np.zeros(10_000))
    assert 1000 * path.stat().st_size > 160_256
    monkeypatch.setattr(loaded, "FREE_BYTES", free)
    monkeypatch.setattr(loaded, "BOMB_RATIO", ratio)
    if refused:
        with pytest.raises(FileError, match=rf"unfold from {path.stat().st_size} bytes into"):
            files.read_table(path)
    else:
        assert files.read_table(path).num_rows == 10_000
