"""A Parquet file that promises more than its bytes can hold is refused from its footer."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import files
from geodata.files import FileError
from geodata.files.readers import parquet


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
