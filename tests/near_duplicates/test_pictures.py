"""The picture of a report: where each line runs, what is written beside it, which kind it is of."""

import numpy as np
import pyarrow as pa
import pytest
from matplotlib.colors import to_hex
from PIL import Image

from geodata.near_duplicates import pictures
from geodata.near_duplicates.findings import PAIRS, Leakage, Overlap

HEADS = {"png": b"\x89PNG", "svg": b"<?xml", "pdf": b"%PDF-"}


@pytest.mark.parametrize("ending", ["png", "PNG", "svg", "Pdf"])
def test_a_kind_is_told_by_the_ending(tmp_path, ending):
    found = Leakage({}, (), (), 12, 80)
    pictures.draw(found, tmp_path / f"a.{ending}")
    head = (tmp_path / f"a.{ending}").read_bytes()[:5]
    assert head.startswith(HEADS[ending.lower()])


def overlap(name, pairs, compared):
    empty = {f.name: [None] * len(pairs) for f in PAIRS}
    table = pa.table(empty | {"row": [p[0] for p in pairs], "bits": [p[1] for p in pairs]}, PAIRS)
    return Overlap(f"{name}@0", "train@1", 2000, compared, None, None, None, 1234, 0, table)


def test_a_line_is_the_share_of_rows_by_their_nearest_picture():
    one = overlap("test", [(0, 3), (0, 1), (5, 4), (7, 1), (9, 0)], 8)
    two = overlap("gallery", [], 0)
    single = pictures._figure(Leakage({}, (overlap("test", [(0, 2)], 1),), (), 2, 80))
    assert single.axes[0].get_lines()[0].get_ydata().tolist() == [0.0, 0.0, 100.0]
    (axes,) = pictures._figure(Leakage({}, (one, two), (), 4, 80)).axes
    first, second = axes.get_lines()
    assert first.get_xdata().tolist() == [0, 1, 2, 3, 4]
    assert first.get_ydata().tolist() == [12.5, 37.5, 37.5, 37.5, 50.0]
    assert second.get_ydata().tolist() == [0.0] * 5
    assert [line.get_label() for line in (first, second)] == [
        "test@0 in train@1: 1,234 of 8", "gallery@0 in train@1: 1,234 of 0"
    ]  # fmt: skip
    assert [to_hex(line.get_color()) for line in (first, second)] == ["#1d4e79", "#dc8a3c"]
    assert {(line.get_drawstyle(), line.get_marker(), line.get_markersize())
            for line in (first, second)} == {("steps-post", "o", 3)}  # fmt: skip
    assert axes.get_ylim()[0] == 0
    assert axes.get_xticks().tolist() == [0, 1, 2, 3, 4]
    assert axes.get_xlabel() == "bits of 64 in which the nearest picture differs, at most"
    assert axes.get_ylabel() == "rows with a near-duplicate, %"
    assert [n for n, spine in axes.spines.items() if spine.get_visible()] == ["left", "bottom"]
    assert {line.get_alpha() for line in axes.get_xgridlines()} == {0.3}
    legend = axes.get_legend()
    assert (legend.get_frame_on(), legend._loc, len(legend.get_texts())) == (False, 0, 2)
    assert legend.get_texts()[0].get_size() == pytest.approx(8.33, abs=0.01)
    figure = axes.figure
    assert figure.get_size_inches().tolist() == [6.4, 3.6]
    assert figure.get_layout_engine().__class__.__name__ == "ConstrainedLayoutEngine"


def test_without_pairs_of_tables_there_is_no_legend_and_150_dots_an_inch(tmp_path):
    found = Leakage({}, (), (), 2, 80)
    (axes,) = pictures._figure(found).axes
    assert axes.get_legend() is None
    pictures.draw(found, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as drawn:
        assert np.allclose(drawn.size, (960, 540), atol=1)


def test_each_of_three_pairs_of_tables_has_a_line_of_its_own_colour():
    lines = [overlap(name, [(0, bits)], 1) for bits, name in enumerate(("a", "b", "c"))]
    (axes,) = pictures._figure(Leakage({}, tuple(lines), (), 2, 80)).axes
    assert [line.get_ydata().tolist() for line in axes.get_lines()] == [
        [100.0, 100.0, 100.0], [0.0, 100.0, 100.0], [0.0, 0.0, 100.0]
    ]  # fmt: skip
    assert len({to_hex(line.get_color()) for line in axes.get_lines()}) == 3
