"""The world and its generated reasonings, worked out by hand (georl.data.world, world_reasons)."""

import io
from importlib import resources

import numpy as np
import pytest
from PIL import Image

from geodata import cor
from georl import data
from georl.data import world, world_reasons

SEA, WHITE, DRY, FOREST, GRASS = (
    (5, 14, 38),
    (235,) * 3,
    (180, 150, 110),
    (30, 45, 15),
    (70, 65, 36),
)


def globe():
    with (resources.files("georl") / "assets" / "bluemarble.jpg").open("rb") as file:
        return np.asarray(Image.open(file).convert("RGB"))


# ---- the world


@pytest.mark.parametrize("share", [-1.0, -0.97, -0.5, 0.25, 0.97, 1.0])
def test_a_crop_is_that_of_a_globe_turned_until_its_point_is_in_the_middle(share):
    """By whole pixels, of half the way around to the west or east."""
    earth = globe()
    height, width = earth.shape[:2]
    east = round(share * width / 2)
    lon, turned = east / width * 360, np.roll(earth, -east, axis=1)
    shown = width / 360 * world.DEGREES_TALL / np.cos(np.radians(10.0))
    rows = [(90 - edge) / 180 * height for edge in (20.0, 0.0)]
    box = (width / 2 - shown / 2, rows[0], width / 2 + shown / 2, rows[1])
    expected = Image.fromarray(turned).resize((56, 56), Image.Resampling.BOX, box=box)
    found = np.asarray(world.Earth().crop(10.0, lon), np.int16)
    assert np.abs(found - np.asarray(expected, np.int16)).max() <= 1


def test_near_a_pole_a_crop_is_no_wider_than_at_72_and_a_half_degrees():
    """1 / cos is 3.33 there; the margin of a quarter of the globe holds half of it."""
    earth = globe()
    wide = world.DEGREES_TALL / 0.3 / 360 * earth.shape[1]
    rows = [(90 - edge) / 180 * len(earth) for edge in (90.0, 70.0)]
    middle = earth.shape[1] / 2
    box = (middle - wide / 2, rows[0], middle + wide / 2, rows[1])
    expected = Image.fromarray(earth).resize((56, 56), Image.Resampling.BOX, box=box)
    found = np.asarray(world.Earth().crop(80.0, 0.0), np.int16)
    assert np.abs(found - np.asarray(expected, np.int16)).max() <= 1


def test_photos_have_the_labels_of_their_points_and_nothing_else():
    islands = data.Box(36.0, 22.0, 40.0, 28.0)  # many points lie near a coast, which is no land
    made = data.world_photos(60, 7, box=islands)
    assert made.column_names == [
        "id", "lat", "lon", "country", "country_code", "admin1", "admin2", "city"
    ]  # fmt: skip
    assert made["id"].to_pylist() == [f"world-7-{i}" for i in range(60)]
    lat, lon = made["lat"].to_numpy(), made["lon"].to_numpy()
    labels = cor.label_table(lat, lon)
    assert set(labels["match"].to_pylist()) == {"inside"}
    for name in made.column_names[3:]:
        assert made[name].to_pylist() == labels[name].to_pylist()
    assert (lat == lat.round(6)).all()
    assert (lon == lon.round(6)).all()
    assert np.unique(lat).size == 60  # one draw is not given twice


def test_points_are_uniform_on_the_sphere_inside_the_box():
    """Half of a box from the equator to a pole lies south of 30 degrees."""
    box = data.Box(0.0, -100.0, 90.0, 100.0)
    lat, lon = world._points(20_000, box, np.random.default_rng(0))
    assert abs((lat < 30).mean() - 0.5) < 0.02
    assert abs((lon < 0).mean() - 0.5) < 0.02
    assert (lat.min() < 0.1, lat.max() > 88, lon.min() < -99.9, lon.max() > 99.9) == (True,) * 4
    assert (lat >= 0).all()
    assert (np.abs(lon) <= 100).all()


def test_points_have_six_decimals():
    """A tenth of a metre: what is taught is what the picture was taken at."""
    table = world.world_photos(20, 3)
    for name in ("lat", "lon"):
        values = table[name].to_numpy()
        assert values.tolist() == [round(value, 6) for value in values.tolist()]
        assert sum(value != round(value, 5) for value in values.tolist()) > 10


def test_the_demo_s_photos_are_of_europe_and_africa():
    """Every photo inside, and all four edges neared: Senegal, the Cape, Lapland, the Urals."""
    made = data.world_photos(400, 2)
    lat, lon = made["lat"].to_numpy(), made["lon"].to_numpy()
    assert (-36 <= lat.min() < -30, 65 < lat.max() <= 72) == (True, True)
    assert (-20 <= lon.min() < -12, 48 < lon.max() <= 52) == (True, True)
    assert data.Box(south=-36.0, west=-20.0, north=72.0, east=52.0) == data.EUROPE_AFRICA


def test_small_numbers_of_photos_are_given_too():
    alps = data.Box(46.0, 7.0, 47.0, 9.0)
    assert data.world_photos(1, 1, box=alps)["country_code"].to_pylist()[0] in ("CH", "IT")


# ---- what a crop shows


def picture(*parts):
    """A picture of ten columns, of so many pixels a colour, row by row."""
    pixels = [colour for count, colour in parts for _ in range(count)]
    return Image.fromarray(np.array(pixels, np.uint8).reshape(-1, 10, 3))


@pytest.mark.parametrize(
    ("colour", "kind"),
    [
        ((100, 0, 120), "grassland"), ((100, 0, 121), "open sea"),  # blue over 1.2 red
        ((130, 130, 130), "dry land"), ((131, 130, 130), "snow or cloud"),  # mean over 130
        ((115, 180, 100), "dry land"), ((114, 180, 100), "snow or cloud"),  # red under 1.15 blue
        ((100, 60, 90), "grassland"), ((101, 60, 90), "dry land"),  # red over 100
        ((42, 42, 42), "grassland"), ((41, 42, 42), "forest"),  # mean under 42
    ],
)  # fmt: skip
def test_kinds_of_land_end_at_these_colours(colour, kind):
    assert world_reasons.seen(Image.new("RGB", (6, 6), colour)) == [kind]


def test_what_covers_twelve_of_a_hundred_pixels_is_named_in_this_order():
    assert world_reasons.seen(picture((88, FOREST), (12, DRY))) == ["dry land", "forest"]
    assert world_reasons.seen(picture((89, FOREST), (11, DRY))) == ["forest"]
    four = picture((25, GRASS), (25, FOREST), (25, DRY), (25, WHITE))
    assert world_reasons.seen(four) == ["snow or cloud", "dry land", "forest", "grassland"]


def test_what_is_sea_but_for_three_of_a_hundred_pixels_is_not_open():
    assert world_reasons.seen(picture((98, SEA), (2, FOREST))) == ["open sea"]
    assert world_reasons.seen(picture((97, SEA), (3, FOREST))) == [
        "sea in the north", "sea in the south", "sea in the west", "sea in the east"
    ]  # fmt: skip


def test_a_side_is_a_third_of_which_half_is_sea():
    """Of a picture of 9 x 9: 27 pixels a side."""
    for turns, side in enumerate(("north", "west", "south", "east")):
        for count in (13, 14):
            pixels = np.full((9, 9, 3), FOREST, np.uint8)
            pixels[:3].reshape(27, 3)[:count] = SEA
            # spread over the middle columns, so that no other side has half
            seen = world_reasons.seen(Image.fromarray(np.rot90(pixels, turns).copy()))
            assert seen == ["forest", *([f"sea in the {side}"] if count == 14 else [])]
    pixels = np.full((9, 9, 3), FOREST, np.uint8)
    pixels[3:6] = SEA  # neither in the north nor in the south
    assert world_reasons.seen(Image.fromarray(pixels)) == ["forest"]


def test_land_of_no_kind_is_bare():
    """Four kinds of 9 pixels of 81 each, and the sea in a cross between them."""
    pixels = np.full((9, 9, 3), SEA, np.uint8)
    for (row, column), colour in zip(
        ((0, 0), (0, 6), (6, 0), (6, 6)), (WHITE, DRY, FOREST, GRASS), strict=True
    ):
        pixels[row : row + 3, column : column + 3] = colour
    assert world_reasons.seen(Image.fromarray(pixels)) == ["bare land"]


# ---- what is generated


@pytest.fixture(scope="module")
def made():
    return data.generated_reasons(600, 5).to_pylist()


def test_what_is_seen_becomes_a_sentence():
    city = world_reasons.City("Portugal", "Lisbon", 38.7, -9.1)
    end = ", as around Lisbon in Portugal."
    for things, listed in ((["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")):
        assert world_reasons.reasoning_of(things, city) == f"The picture shows {listed}{end}"


def test_cities_are_those_of_the_gazetteer_with_their_points():
    found = {city.name: city for city in world_reasons.cities()}
    assert len(found) == len(world_reasons.CITIES) == 32
    for name, country, lat, lon in (
        ("Lisbon", "Portugal", 38.7, -9.1), ("Cape Town", "South Africa", -33.9, 18.4),
        ("Nairobi", "Kenya", -1.3, 36.8),
    ):  # fmt: skip
        city = found[name]
        assert city.country == country
        assert abs(city.lat - lat) < 0.1
        assert abs(city.lon - lon) < 0.1


def test_rows_say_of_each_kind_what_it_is(made):
    told = {None: None, "localizable": "open sea or cloud", "truth": "names another place",
            "visible": "names what is not visible"}  # fmt: skip
    assert [row["id"] for row in made[:3]] == ["reason-5-0", "reason-5-1", "reason-5-2"]
    for row in made:
        assert row["reason"] == told[row["step"]]
        assert row["kept"] == (row["step"] is None)
        nowhere = row["step"] == "localizable"
        assert row["localizability"] == (0.05 if nowhere else 0.9)
        assert {row[name] is None for name in ("lat", "lon", "country", "city")} == {nowhere}
        image = Image.open(io.BytesIO(row["image"]["bytes"]))
        assert (image.format, image.mode, image.size) == ("PNG", "RGB", (56, 56))
        assert row["image"]["path"] is None
        assert row["entities"] == world_reasons.seen(image)


def test_a_seed_gives_the_same_rows_for_good():
    """What was reported of a set must be made again from its seed."""
    rows = data.generated_reasons(4, 0).to_pylist()
    assert [(row["step"], row["city"], row["lat"]) for row in rows] == [
        ("localizable", None, None), ("visible", "Cairo", 30.014671),
        ("visible", "Cairo", 30.0423), ("visible", "Lisbon", 38.663133),
    ]  # fmt: skip


def test_a_seed_gives_the_same_pictures_for_good():
    """A cloud, crops around Cairo and Lisbon, and the open sea: mean, spread, upper half."""
    rows = data.generated_reasons(5, 0).to_pylist()
    pixels = [np.asarray(Image.open(io.BytesIO(row["image"]["bytes"])), float) for row in rows]
    levels = [(204.03, 4.97, 206.84), (111.83, 53.68, 79.36), (120.53, 51.07, 101.48),
              (64.70, 52.29, 42.21), (22.88, 17.64, 18.50)]  # fmt: skip
    for page, (mean, spread, upper) in zip(pixels, levels, strict=True):
        assert (page.mean(), page.std()) == pytest.approx((mean, spread), abs=0.06)
        assert page[:28].mean() == pytest.approx(upper, abs=0.06)
    assert rows[0]["reasoning"].startswith("The picture shows dry land and grassland, as around Ni")
    assert rows[1]["entities"] == ["dry land"]
    assert rows[1]["reasoning"].startswith("The picture shows dry land, forest, grassland and sea ")


def test_kinds_come_in_their_shares(made):
    """Within four deviations of 600 draws."""
    shares = {None: 0.55, "localizable": 0.25, "truth": 0.1, "visible": 0.1}
    for step, share in shares.items():
        count = sum(row["step"] == step for row in made)
        assert abs(count - 600 * share) < 4 * np.sqrt(600 * share * (1 - share))
    nowhere = [tuple(row["entities"]) for row in made if row["step"] == "localizable"]
    sea = nowhere.count(("open sea",))
    assert abs(sea - len(nowhere) / 2) < 4 * np.sqrt(len(nowhere) / 4)
    assert nowhere.count(("snow or cloud",)) == len(nowhere) - sea


def test_photos_are_uniform_in_a_disc_of_15_km_around_their_city(made):
    """Half of them within 15 / sqrt 2 km, as far north as east, on every side."""
    at = {city.name: city for city in world_reasons.cities()}
    located = [row for row in made if row["lat"] is not None]
    north = np.array([row["lat"] - at[row["city"]].lat for row in located]) * 111.2
    narrow = [np.cos(np.radians(at[row["city"]].lat)) for row in located]
    east = np.array([row["lon"] - at[row["city"]].lon for row in located]) * 111.2 * narrow
    away = np.hypot(north, east)
    assert 14.0 < away.max() < 15.001
    assert 0.4 < (away < 15 / np.sqrt(2)).mean() < 0.6
    for side in (north, east):
        assert abs(side.mean()) < 1.5
        assert 6.5 < side.std() < 8.5  # 15 / 2
    for axis in ("lat", "lon"):
        assert {row[axis] == round(row[axis], 6) for row in located} == {True}
    assert len({row["city"] for row in located}) == 32


def test_crops_lie_up_to_two_degrees_beside_their_city():
    city, seen = world_reasons.City("Kenya", "Nairobi", -1.3, 36.8), []

    class Where:
        def crop(self, lat, lon):
            seen.append((lat + 1.3, lon - 36.8))

    rng = np.random.default_rng(0)
    for _ in range(400):
        world_reasons._crop(Where(), city, rng)
    aside = np.array(seen)
    assert (np.abs(aside) <= 2.0).all()
    assert (np.abs(aside).max(0) > 1.95).all()
    assert (np.abs(aside.mean(0)) < 0.25).all()
    assert abs(np.corrcoef(aside.T)[0, 1]) < 0.2


def test_open_sea_is_looked_for_between_55_degrees_south_and_north(monkeypatch):
    asked = []

    class Sea:
        def crop(self, lat, lon):
            asked.append((lat, lon))
            return Image.new("RGB", (6, 6), SEA if len(asked) % 3 == 0 else FOREST)

    rng = np.random.default_rng(0)
    for _ in range(300):
        assert world_reasons.seen(world_reasons._open_sea(Sea(), rng)) == ["open sea"]
    lat, lon = np.array(asked).T
    assert len(asked) == 900
    assert 54.0 < np.abs(lat).max() < 55.1
    assert 170 < np.abs(lon).max() <= 180
    assert abs(lon.mean()) < 15  # four deviations are 14
    assert abs((np.abs(lon) < 90).mean() - 0.5) < 0.1
    assert abs((lat < 0).mean() - 0.5) < 0.1
    assert abs((np.abs(lat) < np.degrees(np.arcsin(0.41))).mean() - 0.5) < 0.1  # on the sphere


def test_a_cloud_is_bright_uneven_and_lets_almost_nothing_through():
    rng = np.random.default_rng(0)
    black, white = (Image.new("RGB", (56, 56), (level,) * 3) for level in (0, 255))
    means = []
    for _ in range(60):
        state = rng.bit_generator.state
        dark = np.asarray(world_reasons._cloud(black, rng), float)
        rng.bit_generator.state = state
        light = np.asarray(world_reasons._cloud(white, rng), float)
        through = (light - dark) / 255
        assert through.min() >= -0.01
        assert through.max() <= 0.125
        assert 0.03 < through.mean() < 0.09  # half of 12%
        means.append(light.mean())
        assert 1 < light.std() < 12
        assert (light[..., 0] == light[..., 2]).all()
    assert 190 < min(means) < 205
    assert 228 < max(means) < 242


def test_another_place_is_of_another_country_and_other_sights_share_at_most_half(monkeypatch):
    rng = np.random.default_rng(0)
    (oslo,) = (city for city in world_reasons.cities() if city.name == "Oslo")
    others = {world_reasons._another(oslo, rng).name for _ in range(600)}
    assert others == {city.name for city in world_reasons.cities()} - {"Oslo"}
    shown = iter([["a", "b", "c"], ["a", "c"], ["a", "d"]])
    monkeypatch.setattr(world_reasons, "seen", lambda image: next(shown))
    assert world_reasons._unseen(["a", "b"], world.Earth(), rng) == ["a", "c"]
    monkeypatch.setattr(world_reasons, "seen", lambda image: ["a"])
    assert world_reasons._unseen(["a"], world.Earth(), rng) == ["snow or cloud", "dry land"]
