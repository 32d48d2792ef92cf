"""Strips and seas between the layers: what is filled at build time is what would be measured."""

import numpy as np
import pytest
import shapely
from hypothesis import given, settings, strategies as st

from geodata import boundaries, locate
from geodata.boundaries.building import compile_set, compiling
from geodata.boundaries.building.filling import fill
from geodata.boundaries.nearest import Borders
from geodata.boundary_build.places import write
from geodata.sphere import haversine_km
from tests.boundaries.sets import whosonfirst
from tests.boundary_build.world import place, write_gazette


def filled(units, country, cells=None):
    """Index a country of small divisions in a wide sea, and fill it, or some base cells of it."""
    index = locate.build([country, *units], np.arange(len(units) + 1) > 0)
    owners = np.column_stack([index.owners[:, 0], np.maximum(index.owners[:, 1] - 1, -1)])
    is_open = (owners[:, 0] >= 0) & (owners[:, 1] < 0)
    borders = Borders(np.array(units, object), np.zeros(len(units), np.int64))
    made = fill(
        index, owners.astype(np.int32), is_open, np.zeros(1, np.int64), borders, cells=cells
    )
    return index, made


def away(units, lat, lon):
    """Distance to each unit, by measuring to points every few hundred metres."""
    rims = [shapely.get_coordinates(shapely.segmentize(shapely.boundary(u), 0.003)) for u in units]
    return np.array([
        [haversine_km(y, x, rim[:, 1], rim[:, 0]).min() for rim in rims]
        for y, x in zip(lat, lon, strict=True)
    ])  # fmt: skip


@settings(max_examples=6, deadline=None)
@given(st.integers(0, 2**32 - 1), st.sampled_from([0.0, 58.0]))
def test_a_filled_cell_has_the_nearest_unit_of_all_its_points(seed, south):
    rng = np.random.default_rng(seed)
    corners = rng.uniform(0.5, 5, (3, 2)) + np.array([[0, south], [6, south], [3, south + 5.5]])
    units = [shapely.box(x, y, x + 0.6, y + 0.4) for x, y in corners]
    country = shapely.box(0, south, 12, south + 12)
    index, made = filled(units, country)
    lat, lon = south + rng.uniform(0, 12, 400), rng.uniform(0, 12, 400)
    unit = made.owners[made.locate(lat, lon), 1]
    distance = away(units, lat, lon)
    known = np.flatnonzero((unit >= 0) & ~shapely.contains_xy(shapely.union_all(units), lon, lat))
    assert distance[known, unit[known]] == pytest.approx(distance[known].min(axis=1), abs=0.3)
    assert np.mean(unit < 0) < 0.12
    assert len(made.data["head"]) > len(index.data["head"])  # open sea was divided
    assert (made.owners[made.locate(lat, lon), 0] == 0).all()


def test_some_cells_are_filled_as_all_of_them_would_be():
    rng = np.random.default_rng(4)
    units = [shapely.box(1, 1, 1.6, 1.4), shapely.box(8, 3, 8.6, 3.4)]
    lat, lon = rng.uniform(0, 12, (2, 4_000))
    home = locate.base_cell(lat, lon)
    cells = np.unique(home[:300])
    index, made = filled(units, shapely.box(0, 0, 12, 12))
    _, some = filled(units, shapely.box(0, 0, 12, 12), cells)
    unit, part = (one.owners[one.locate(lat, lon), 1] for one in (made, some))
    there = np.isin(home, cells)
    assert (part[there] == unit[there]).all()
    assert 0 < len(some.data["head"]) - len(index.data["head"]) <= len(cells)
    open_before = index.owners[index.locate(lat, lon), 1] < 0
    assert (part[~there & open_before] < 0).all()
    assert (unit[~there & open_before] >= 0).mean() > 0.5


def test_cells_are_finer_where_the_unit_is_open_at_places(tmp_path):
    """The north-eastern quarter, with Sion in it, has a country and no unit."""
    built = boundaries.build(whosonfirst(tmp_path), tmp_path / "set", kind="whosonfirst")
    halvings = built.index.data["head"] & 255
    assert set(halvings.tolist()) == {2, 4}  # 4 x 4, and 16 x 16 around the places
    lat, lon = np.full(50, 46.25), np.linspace(7.21, 7.39, 50)
    found = built.locate(lat, lon).unit
    western = (lon - 7.2) * np.cos(np.radians(46.25)) < 0.05  # degrees of latitude to the southern
    assert western.any()
    assert (found == np.where(western, found[0], found[-1])).all()
    assert found[0] != found[-1]


@pytest.mark.parametrize(("lat", "lon", "finer"), [(0.0, 0.0, False), (46.23, 7.36, True)])
def test_a_set_that_brings_its_own_places_is_finer_around_those(tmp_path, lat, lon, finer):
    """In the same quarter as above; the bundled places count for a set without any."""
    folder = boundaries.build(whosonfirst(tmp_path), tmp_path / "set", kind="whosonfirst").folder
    write(folder, write_gazette(tmp_path / "places.json", [place(1, "Only", lat, lon, "CH")]))
    compile_set(folder)
    index = locate.load(folder / "index.geoindex")
    assert (4 in (index.data["head"] & 255)) == finer


def test_a_large_set_is_divided_less_and_answers_the_same(tmp_path, monkeypatch):
    """No cell that borders cross is filled, and none is finer around places."""
    folder = boundaries.build(whosonfirst(tmp_path), tmp_path / "set", kind="whosonfirst").folder
    rng = np.random.default_rng(2)
    lat, lon = rng.uniform(45.95, 46.45, 500), rng.uniform(6.95, 7.45, 500)
    small = boundaries.load(folder)
    before, size = small.locate(lat, lon), small.index.nbytes
    with monkeypatch.context() as patch:
        patch.setattr(compiling, "LARGE_SET", 0)
        compile_set(folder)
    large = boundaries.load(folder)
    assert large is not small
    after = large.locate(lat, lon)
    for name in ("country", "unit"):
        assert getattr(after, name).tolist() == getattr(before, name).tolist()
    assert after.offset_km.tolist() == before.offset_km.tolist()
    assert {k: v.tolist() for k, v in after.deeper.items()} == {
        k: v.tolist() for k, v in before.deeper.items()
    }
    assert 4 not in (large.index.data["head"] & 255)
    assert large.index.nbytes < size
    assert large.sha256 == small.sha256
    compile_set(folder)
    assert boundaries.load(folder).index.nbytes == size


def test_a_smaller_share_of_edges_makes_a_finer_index(tmp_path):
    folder = boundaries.build(whosonfirst(tmp_path), tmp_path / "set", kind="whosonfirst").folder
    most = [
        int((locate.load(compile_set(folder, edges_per_strip=n)).data["head"] & 255).max())
        for n in (0.1, 50.0)
    ]
    assert most[0] > most[1]
    plain = compile_set(folder).read_bytes()
    assert compile_set(folder, edges_per_strip=4.0).read_bytes() == plain
