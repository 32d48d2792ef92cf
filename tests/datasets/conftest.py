"""The lake that most tests of recipes choose from."""

import pytest

from geodata import tables
from tests.datasets.small_lake import rows


@pytest.fixture
def lake(tmp_path):
    """A lake of one table, `labelled`, in three files."""
    tables.write(tmp_path / "labelled", rows(), file_rows=3)
    return tmp_path
