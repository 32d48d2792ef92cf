"""How an index is divided, what it says of itself, what it refuses: figures worked out by hand."""

import numpy as np
import pytest
import shapely

from geodata import files, locate
from geodata.files import FileError
from geodata.locate import building
from geodata.locate.edges import Edges, Heads, expand


def ring(count, lat=0.125, lon=0.125, radius=0.1):
    """A polygon of so many corners inside one base cell."""
    turn = np.linspace(0, 2 * np.pi, count, endpoint=False)
    return shapely.Polygon(np.c_[lon + radius * np.cos(turn), lat + radius * np.sin(turn)])


def divisions(index):
    return (1 << (index.data["head"] & 255)).tolist()


def test_an_index_says_what_it_is_made_of():
    west, east, all_ = shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(5, 5, 6, 6)
    index = building.build([west, east, all_], [0, 0, 1], meta={"mine": 1})
    assert index.meta == {"format": "locate-1", "layers": 2, "regions": 3, "edges": 11, "mine": 1}
    assert building.build([west], meta={"layers": 7}).meta["layers"] == 7  # notes come last
    assert index.nbytes == sum(a.size * a.itemsize for a in index.data.values())
    assert index.owners[0].tolist() == [-1, -1]


@pytest.mark.parametrize(
    ("corners", "options", "k"),
    [
        (4, {}, 4),  # four at least
        (16, {}, 4),
        (17, {}, 8),  # the power of two from a quarter of the edges
        (40, {}, 16),
        (300, {}, 64),
        (300, {"max_division": 32}, 32),
        (300, {"max_division": 2}, 2),
        (40, {"edges_per_strip": 1}, 64),
        (40, {"edges_per_strip": 20}, 4),
        (4, {"finer": [360 * 1440 + 720]}, 16),
        (300, {"finer": [360 * 1440 + 720]}, 64),
        (4, {"finer": [360 * 1440 + 721]}, 4),
    ],
)
def test_a_cell_is_divided_by_its_edges(corners, options, k):
    index = building.build([ring(corners)], **options)
    assert divisions(index) == [k]
    assert len(index.data["sub"]) == k * k


def test_the_first_of_equal_areas_wins_and_layers_count_on_their_own():
    box = shapely.box(0, 0, 1, 1)
    index = building.build([box, box, box, shapely.box(0, 0, 3, 3)], [1, 0, 0, 1])
    assert index.regions([0.5, 2.0], [0.5, 2.0]).tolist() == [[1, 0], [-1, 3]]


@pytest.mark.parametrize("beside", [(1, 0), (0, 1)])
def test_an_edge_that_a_region_has_twice_bounds_nothing(beside):
    """Two halves of one region: the line between them is none of its edges, whichever its way."""
    east, north = beside
    halves = [shapely.box(0, 0, 1, 1), shapely.box(east, north, east + 1, north + 1)]
    index = building.build([shapely.MultiPolygon(halves)])
    assert index.meta["edges"] == 6
    at = np.array([0.99, 1.0, 1.01])
    lat, lon = np.where(north, at, 0.5), np.where(east, at, 0.5)
    assert index.regions(lat, lon).ravel().tolist() == [0, 0, 0]
    assert building.build(halves).meta["edges"] == 7


def test_what_lies_in_an_odd_number_of_parts_is_inside():
    """Parts that overlap, as no valid polygon has them: an edge three times is an edge."""
    parts = [shapely.box(0, 0, 1, 1), shapely.box(1, 0, 2, 1), shapely.box(1, 0, 3, 1)]
    index = building.build([shapely.MultiPolygon(parts)])
    assert index.regions([0.5] * 4, [0.5, 1.5, 2.5, 3.5]).ravel().tolist() == [0, -1, 0, -1]


def test_polygons_of_which_nothing_is_left_are_refused():
    """Their corners are one point at 1e-7 degrees; beside a larger one they own nothing."""
    speck = shapely.box(0, 0, 1e-8, 1e-8)
    with pytest.raises(ValueError) as caught:
        building.build([speck, speck])
    assert str(caught.value) == (
        "no geometry is as large as 1e-07 degrees (1 cm), so none has an edge; check their unit"
    )
    index = building.build([speck, shapely.box(0, 0, 1, 1)])
    assert index.regions([0.0, 0.5], [0.0, 0.5]).ravel().tolist() == [1, 1]


def test_more_than_fourteen_regions_in_a_cell_of_a_4096th_of_a_degree_are_too_many():
    """Sixteen squares side by side in one such cell; a cell of a 16384th would hold four."""
    width, start = 55e-6, 0.12501
    squares = [
        shapely.box(start + i * width, start + j * width, start + i * width + width,
                    start + j * width + width)
        for i in range(4) for j in range(4)
    ]  # fmt: skip
    with pytest.raises(ValueError, match=r"^more than 14 regions meet in one small cell"):
        building.build(squares)
    index = building.build(squares[:14])
    middle = start + (np.arange(4) + 0.5) * width
    found = index.regions(np.tile(middle, 4), np.repeat(middle, 4)).ravel()
    assert found.tolist() == [*range(14), -1, -1]


@pytest.mark.parametrize(("slices", "fits"), [(14, True), (15, False)])
def test_fourteen_regions_may_meet_in_a_point(slices, fits):
    turn = np.linspace(0, 2 * np.pi, slices + 1)
    rim = np.c_[10.1 + np.cos(turn), 20.1 + np.sin(turn)]
    pies = [shapely.Polygon([(10.1, 20.1), rim[i], rim[i + 1]]) for i in range(slices)]
    if fits:
        index = building.build(pies)
        middle = (turn[:-1] + turn[1:]) / 2
        found = index.regions(20.1 + 1e-4 * np.sin(middle), 10.1 + 1e-4 * np.cos(middle))
        assert found.ravel().tolist() == list(range(slices))
    else:
        told = r"^more than 14 regions meet in one small cell near lat 20\.0, lon 10\.0; dissolve"
        with pytest.raises(ValueError, match=told):
            building.build(pies)


@pytest.mark.parametrize("box", [(-181, 0, 1, 1), (0, 0, 181, 1), (0, -91, 1, 1), (0, 0, 1, 91)])
def test_coordinates_off_the_globe_are_refused_on_each_side(box):
    west, south, east, north = map(float, box)
    with pytest.raises(ValueError) as caught:
        building.build([shapely.box(*box)])
    assert str(caught.value).startswith(f"coordinates span {west}..{east}, {south}..{north}; ")
    edge = np.clip(box, (-180, -90, -180, -90), (180, 90, 180, 90))
    assert building.build([shapely.box(*edge)]).meta["regions"] == 1


def test_the_geometry_that_is_none_is_named():
    good = shapely.box(0, 0, 1, 1)
    for bad in (shapely.MultiPolygon(), shapely.LineString([(0, 0), (1, 1)])):
        with pytest.raises(ValueError, match=r"^geometry 1 is <.*; expected a filled polygon$"):
            building.build([good, bad, bad])
    for layers in ([-1], [0, -1]):
        with pytest.raises(ValueError, match=rf"got shape \({len(layers)},\)$"):
            building.build([good] * len(layers), layers)
    assert building.build([shapely.MultiPolygon([good])]).meta["edges"] == 4


def test_vertices_are_snapped_and_edges_without_length_dropped():
    shape = shapely.Polygon([(0, 0), (1, 0), (1 + 1e-9, 1e-9), (1, 1), (0, 1)])
    assert building.build([shape]).meta["edges"] == 4


def test_an_index_of_another_format_is_told(tmp_path):
    path = tmp_path / "old.geoindex"
    for meta, found in (({"format": "locate-0"}, "locate-0"), ({}, "no format")):
        files.save_arrays(path, {"base": np.zeros(1, np.int32)}, meta)
        with pytest.raises(FileError) as caught:
            locate.load(path)
        told = f"expected an index in format locate-1, found {found}; build it again"
        assert str(caught.value) == f"{path}: {told}"


def test_points_come_in_chunks_that_are_joined():
    index = building.build([shapely.box(0, 0, 1, 1)])
    count = (1 << 16) + 3
    lon = np.where(np.arange(count) % 3 == 0, 0.5, 2.0)
    found = index.regions(np.full(count, 0.5), lon).ravel()
    assert (found == np.where(lon < 1, 0, -1)).all()
    assert index.regions([], []).shape == (0, 1)


def test_expanding_ranges():
    who, value = expand(np.array([3, 5, 9]), np.array([4, 4, 9]))
    assert (who.tolist(), value.tolist()) == ([0, 0, 2], [3, 4, 9])


def test_edges_know_the_regions_on_both_sides():
    edges = Edges(np.zeros((2, 4), np.int32), np.zeros((2, 4)), np.array([0, 2, 3]),
                  np.array([4, 7, 4]), 8)  # fmt: skip
    who, region = edges.bounds(np.array([1, 0]))
    assert (who.tolist(), region.tolist()) == ([0, 1, 1], [4, 4, 7])
    cell, region = edges.candidates(np.array([0, 1, 1]), np.array([5, 5, 2]))
    assert (cell.tolist(), region.tolist()) == ([2, 5, 5], [4, 4, 7])


def test_heads_lie_where_their_cells_do():
    heads = Heads(np.array([0, 1441]), *(np.zeros(1, np.int64) for _ in range(4)))
    assert heads.west.tolist() == [-180.0, -179.75]
    assert heads.south.tolist() == [-90.0, -89.75]
