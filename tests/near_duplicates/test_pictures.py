"""A picture of a report is of the kind that its name ends with, in whatever case."""

import pytest

from geodata.near_duplicates import pictures
from geodata.near_duplicates.findings import Leakage

HEADS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF-"}


@pytest.mark.parametrize("ending", ["png", "PNG", "svg", "Pdf"])
def test_a_kind_is_told_by_the_ending(tmp_path, ending):
    found = Leakage({}, (), (), 12, 80)
    pictures.draw(found, tmp_path / f"a.{ending}")
    head = (tmp_path / f"a.{ending}").read_bytes()[:5]
    assert head.startswith(HEADS[ending.lower()])
