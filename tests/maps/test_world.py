"""Maps: what is drawn lies where it should, and each promise of the picture is in the file."""

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, strategies as st
from PIL import Image
from pyproj import Geod, Proj

from geodata import datasets, maps, sphere, tables
from geodata.files import FileError

SPHERE = Geod(a=6371000.0, b=6371000.0)
ROWS = {"id": ["a", "b", "c"], "lat": [48.9, -33.9, None], "lon": [2.3, 151.2, 0.0]}


@given(st.floats(-90, 90), st.floats(-180, 180))
def test_the_projection_is_equal_earth(lat, lon):
    x, y = maps.project(lat, lon)
    assert np.allclose((x, y), Proj(proj="eqearth", R=1.0)(lon, lat), atol=1e-9)


@given(st.floats(-89, 89), st.floats(-180, 179.9), st.floats(1, 9000))
def test_a_cap_is_as_far_away_all_around(lat, lon, radius_km):
    pieces = maps.cap(lat, lon, radius_km)
    edge = np.concatenate(pieces)
    away = sphere.haversine_km(lat, lon, edge[:, 0], edge[:, 1])
    inner = np.abs(np.abs(edge[:, 1]) - 180.0) > 1e-9  # where it is cut the line is straight
    assert np.allclose(away[inner], radius_km, rtol=1e-6, atol=1e-6)
    assert all(np.abs(np.diff(piece[:, 1])).max() <= 180 for piece in pieces if len(piece) > 1)
    one = SPHERE.fwd(lon, lat, 0, radius_km * 1000)
    assert sphere.haversine_km(pieces[0][0, 0], pieces[0][0, 1], one[1], one[0]) < 1e-6


@pytest.mark.parametrize("dark", [False, True])
def test_rows_are_dots_at_their_places(tmp_path, dark):
    assert tables.draw_map(ROWS, tmp_path / "m.png", dark=dark, title="two") == 2
    image = np.asarray(Image.open(tmp_path / "m.png").convert("RGB")).astype(int)
    dots = np.abs(image - ([0x7F, 0xB2, 0xDD] if dark else [0x1D, 0x4E, 0x79])).sum(axis=2) < 12
    rows, cols = np.nonzero(dots)
    # the eastern, southern dot is Sydney; the other one Paris
    sea = np.abs(image - ([0x1A, 0x22, 0x2B] if dark else [0xF3, 0xF6, 0xF8])).sum(axis=2) < 6
    height = []
    west, east = np.nonzero(sea.any(axis=0))[0][[0, -1]]
    for lat, lon in ((48.9, 2.3), (-33.9, 151.2)):
        x, _ = maps.project(lat, lon)
        at = west + (float(x) / 2.7066 + 1) / 2 * (east - west)
        here = np.abs(cols - at) < 4
        assert here.any()
        height.append(rows[here].mean())
    assert height[0] < height[1] - 100
    page = image[0, 0].tolist()
    assert page == ([0x12, 0x17, 0x1D] if dark else [255, 255, 255])


@pytest.mark.parametrize("ending", ["svg", "pdf", "png"])
def test_formats_and_the_same_bytes_twice(tmp_path, ending):
    first, second = tmp_path / f"a.{ending}", tmp_path / f"b.{ending}"
    for path in (first, second):
        tables.draw_map(ROWS, path, title="t")
    assert {"svg": b"<?xml", "pdf": b"%PDF", "png": b"\x89PNG"}[ending] in first.read_bytes()[:8]
    if ending == "png":
        assert first.read_bytes() == second.read_bytes()


def test_a_format_that_is_none(tmp_path):
    with pytest.raises(
        FileError, match=r"written as \.png, \.svg, \.pdf or \.html, not as 'm\.gif'"
    ):
        tables.draw_map(ROWS, tmp_path / "m.gif")
    assert not list(tmp_path.iterdir())


def test_the_land_around_other_places_is_tinted(tmp_path):
    places = {"lat": [0.0], "lon": [0.0]}
    areas = []
    for radius_km in (500, 1000):
        path = tmp_path / f"{radius_km}.png"
        tables.draw_map(ROWS, path, around=places, radius_km=radius_km, title="t")
        image = np.asarray(Image.open(path).convert("RGB")).astype(int)
        areas.append((np.abs(image[:, :, 0] - image[:, :, 2]) > 40).sum())
    assert 3 < areas[1] / areas[0] < 5


def test_one_count_needs_no_scale(tmp_path):
    tables.draw_map(ROWS, tmp_path / "a.svg", title="t")
    text = (tmp_path / "a.svg").read_text()
    assert "1 row in half a degree" in text
    twice = {"lat": [1.0, 1.0, 2.0], "lon": [1.0, 1.0, 2.0]}
    tables.draw_map(twice, tmp_path / "b.svg", title="t")
    assert "1 row in half a degree" not in (tmp_path / "b.svg").read_text()


def test_the_card_of_hard_shows_what_was_kept_away_from(tmp_path):
    lake = tmp_path / "lake"
    rng = np.random.default_rng(3)
    lat, lon = rng.uniform(35, 60, 300), rng.uniform(-5, 40, 300)
    rows = pa.table({"photo_id": [f"p{i}" for i in range(300)], "lat": lat, "lon": lon})
    tables.write(lake / "labelled", rows)
    guesses = tmp_path / "guesses.parquet"
    found = datasets.build(
        "popular",
        lake,
        inputs={"rows": "labelled", "predictions": _guesses(guesses, lat, lon)},
    )
    assert found.rows
    datasets.build("hard", lake, inputs={"rows": "labelled", "popular": "popular"})
    card = tables.write_card(lake / "hard", tmp_path / "card")
    image = np.asarray(Image.open(card.parent / "map.png").convert("RGB")).astype(int)
    assert (image[:, :, 0] - image[:, :, 2] > 40).sum() > 500


def _guesses(path, lat, lon):
    near = pa.table({"id": [f"p{i}" for i in range(20)], "lat": lat[:20], "lon": lon[:20]})
    pq.write_table(near, path)
    return str(path)


@pytest.mark.parametrize("note", [{"inputs": ["x"]}, {"recipe": "hard", "inputs": ["x"]}])
def test_a_note_may_say_anything(tmp_path, note):
    tables.write(tmp_path / "t", pa.table({"lat": [1.0], "lon": [2.0]}), note=note)
    card = tables.write_card(tmp_path / "t", tmp_path / "card")
    assert (card.parent / "map.png").exists()


CAPITALS = {
    "FR": (48.86, 2.35), "JP": (35.69, 139.69), "BR": (-15.79, -47.88), "AU": (-35.28, 149.13),
    "US": (38.9, -77.04), "ZA": (-25.75, 28.19), "FJ": (-18.0, 178.3), "RU": (55.75, 37.62),
}  # fmt: skip


@pytest.mark.parametrize("code", CAPITALS)
def test_an_outline_is_the_land_of_its_country(code):
    import shapely

    land = shapely.union_all([shapely.Polygon(ring / 100.0) for ring in maps.outlines()[code]])
    lat, lon = CAPITALS[code]
    assert land.contains(shapely.Point(lon, lat))
    others = [at for other, at in CAPITALS.items() if other != code]
    assert not any(land.contains(shapely.Point(x, y)) for y, x in others)
