"""Cities of the science demo: which are taken, how they are named, what a picture spells."""

import numpy as np
import pytest

from geodata.places import Places
from georl.data import EUROPE_AFRICA, Box
from georl.demo import cities
from georl.demo.cities import Cities, largest, picture


def test_answers_round_to_whole_degrees_and_name_the_city_first():
    two = Cities(("ABCD", "EFGH"), np.array([10.4, -35.6]), np.array([-19.6, 50.5]))
    assert len(two) == 2
    assert two.coordinates(1) == "Coordinates: (-36.0, 50.0)"
    assert two.chain(0) == "City: ABCD\nCoordinates: (10.0, -20.0)"


def test_the_largest_come_first_and_a_head_is_taken_once():
    """Against all places of the box, one by one."""
    places, found = Places.load(), largest(120)
    heads: dict[str, int] = {}
    order = np.argsort(-places.population, kind="stable").tolist()
    for row in order:
        inside = -36 <= places.lat[row] <= 72 and -20 <= places.lon[row] <= 52
        head = "".join(c for c in places.name(row).upper() if c.isascii() and c.isalpha())[:4]
        plain = places.name(row).isascii()
        if inside and plain and len(head) == 4 and places.city[row] == row:
            heads.setdefault(head, row)
        if len(heads) == 150:
            break
    expected = [head for head in heads if head in found.heads]
    assert [head for head in found.heads if head in heads] == expected
    assert len(expected) > 100  # the others are spelled with signs beyond ASCII
    for head, lat, lon in zip(found.heads, found.lat, found.lon, strict=True):
        if head in heads:
            assert (lat, lon) == (places.lat[heads[head]], places.lon[heads[head]])


@pytest.mark.parametrize(
    ("lat", "lon", "name", "head"),
    [
        (50.06, 19.94, "Kraków", "KRAK"),
        (47.37, 8.54, "Zürich", "ZURI"),
        (6.13, 1.22, "Lomé", "LOME"),
        (46.2, 6.15, "Genève", "GENE"),
    ],
)
def test_accents_are_taken_off_a_head(lat, lon, name, head):
    assert largest(1, box=Box(lat - 0.1, lon - 0.1, lat + 0.1, lon + 0.1)).heads == (head,), name


def test_a_box_holds_its_edges_and_no_more_than_it_holds():
    one = largest(1)
    lat, lon = float(one.lat[0]), float(one.lon[0])
    assert largest(1, box=Box(lat, lon, lat, lon)).heads == one.heads
    with pytest.raises(ValueError, match=r"^2 cities are asked for and the box holds 1 with diff"):
        largest(2, box=Box(lat, lon, lat, lon))
    assert (EUROPE_AFRICA.south, EUROPE_AFRICA.north) == (-36.0, 72.0)


def test_a_part_of_a_city_is_no_city():
    """Soweto has more people than most cities, and is Johannesburg."""
    soweto = (-26.26781, 27.85849)
    around = Box(soweto[0] - 1e-3, soweto[1] - 1e-3, soweto[0] + 1e-3, soweto[1] + 1e-3)
    places = Places.load()
    there = (np.abs(places.lat - soweto[0]) < 1e-3) & (np.abs(places.lon - soweto[1]) < 1e-3)
    assert [places.name(row) for row in np.flatnonzero(there)] == ["Soweto"]
    with pytest.raises(ValueError, match="1 cities are asked for and the box holds 0 "):
        largest(1, box=around)


def blocks(head, seed=0):
    """Return the four quarters of a picture, (4, 28, 28, 3)."""
    page = np.asarray(picture(head, np.random.default_rng(seed)), float)
    return [page[y : y + 28, x : x + 28] for y in (0, 28) for x in (0, 28)]


def test_each_quarter_is_its_letter_s_block_of_two_colours():
    """The edges of a block, where no letter stands: an upper and a lower half, 45 or 210 each."""
    seen = {}
    for k, block in enumerate(blocks("ABCA")):
        upper, lower = (block[rows][:, 1:5].mean((0, 1)) for rows in (slice(1, 13), slice(16, 27)))
        assert np.abs(upper - lower).max() > 100
        for colour in (upper, lower):
            assert np.minimum(np.abs(colour - 45), np.abs(colour - 210)).max() < 8
        bits = (*(upper > 128), *(lower > 128))
        assert seen.setdefault("ABCA"[k], bits) == bits
    assert len(set(seen.values())) == 3
    assert {k: "".join("01"[bool(b)] for b in v) for k, v in seen.items()} == BLOCKS


BLOCKS = {"A": "110101", "B": "101010", "C": "110100"}
"""Red, green and blue of the upper half and of the lower: pictures of one seed stay the same."""


def test_letters_are_black_in_a_white_line_in_the_middle_of_their_block():
    pages = np.mean([np.asarray(picture("IIII", np.random.default_rng(k)), float)
                     for k in range(40)], axis=0)  # fmt: skip
    for y in (0, 28):
        for x in (0, 28):
            block = pages[y : y + 28, x : x + 28]
            dark = np.argwhere(block.max(-1) < 20)
            light = np.argwhere(block.min(-1) > 235)
            assert len(dark) > 10
            assert len(light) > 10
            assert dark.mean(0) == pytest.approx([13.5, 13.5], abs=1.5)
            assert (dark.max(0) - dark.min(0))[0] in range(11, 17)  # letters of 20 points
            assert (light.min(0) <= dark.min(0)).all()
            assert (light.max(0) >= dark.max(0)).all()


def test_the_widest_letter_fills_seventeen_of_twenty_eight_columns():
    pages = np.mean([np.asarray(picture("WWWW", np.random.default_rng(k)), float)
                     for k in range(40)], axis=0)  # fmt: skip
    columns = np.flatnonzero((pages[:28, :28].max(-1) < 60).any(0))
    assert (columns.min(), columns.max()) == (5, 21)


def test_noise_has_fifteen_levels_and_ends_at_black_and_white():
    pages = np.stack([np.asarray(picture("IIII", np.random.default_rng(k)), float)
                      for k in range(40)])  # fmt: skip
    assert pages[:, 1:12, 1:6].std(0).mean() == pytest.approx(15.0, abs=0.6)
    assert (pages.min(), pages.max()) == (0.0, 255.0)
    dark = pages.mean(0).max(-1) < 20
    assert pages[:, dark].max() < 100  # nothing goes round from black to white
    same = [np.asarray(picture("PARI", np.random.default_rng(1))) for _ in range(2)]
    assert (same[0] == same[1]).all()


def test_no_two_letters_have_the_same_two_colours():
    pairs = cities._colours()
    assert len(set(pairs)) == len(pairs) == 26
    assert all(upper != lower for upper, lower in pairs)
