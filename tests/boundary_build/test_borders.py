"""Borders inside a country and between countries, moved as far as the places say, no farther."""

import numpy as np
import pyarrow as pa
import pytest
import shapely
from shapely import MultiPolygon, Point, box

from geodata.boundary_build import borders, cells, land_borders
from geodata.boundary_build.seeds import LANDMARK, codes_of

from .world import same, seeds

WEST, EAST = box(0, 0, 2, 2), box(2, 0, 4, 2)
CODES = ["X-W", "X-E"]
OWN = [(0.5, y / 10, "W", "") for y in range(1, 9)] + [(3.5, y / 10, "E", "") for y in range(1, 9)]


def straight(*rows, shapes=(WEST, EAST), codes=CODES):
    return borders.straighten(list(shapes), codes, seeds(*OWN, *rows))


def near(lon, lat=1.0, group="W", count=3):
    """A hamlet of places of one group, the first at the point, the others behind it."""
    return [(lon - i * 1e-5, lat, group, "") for i in range(count)]


# Past places


@pytest.mark.parametrize(
    ("place", "reach"),
    [
        (near(2.02), 0.02 * 1.3 + 0.005),
        ([(2.02, 1.0, LANDMARK + "X-W", "")], 0.02 * 1.1 + 0.002),
    ],
)
def test_a_border_moves_past_a_place_by_its_depth_and_a_little(place, reach):
    west, east = straight(*place)
    assert west.covers(Point(2.02 + reach - 1e-4, 1))
    assert east.covers(Point(2.02 + reach + 1e-4, 1))
    assert west.covers(Point(2.0001, 1 + reach * 0.5))
    assert east.covers(Point(2.0001, 1 + reach + 1e-4))
    assert west.area + east.area == pytest.approx(8, abs=1e-5)


def test_what_a_border_passes_is_a_polygon_of_sixteen_sides():
    """Around a landmark half a tenth behind it, of which the half on the far side was there."""
    turn, radius = np.arange(16) * np.pi / 8, 0.05 * 1.1 + 0.002
    corners = np.c_[2.05 + radius * np.cos(turn), 1 + radius * np.sin(turn)]
    _, east = straight((2.05, 1.0, LANDMARK + "X-W", ""))
    assert same(east, EAST.difference(shapely.Polygon(corners)), 1e-7)


@pytest.mark.parametrize(("depth", "moves"), [(0.0999, True), (0.1001, False)])
def test_a_place_a_tenth_of_a_degree_behind_a_border_moves_it(depth, moves):
    west, _ = straight((2 + depth, 1.0, LANDMARK + "X-W", ""))
    assert west.covers(Point(2.01, 1)) == moves


@pytest.mark.parametrize(("friends", "moves"), [([0, 4], True), ([4, 5], False), ([0, 5], False)])
def test_two_of_five_neighbours_must_belong_where_a_place_does(friends, moves):
    """The sixth neighbour and farther ones do not matter."""
    around = [(2.02 + 0.001 * (i + 1), 1.0, "W" if i in friends else "E", "") for i in range(7)]
    west, _ = straight((2.02, 1.0, "W", ""), *around)
    assert west.covers(Point(2.02, 1)) == moves


@pytest.mark.parametrize(("own", "moves"), [(1, True), (2, False)])
def test_a_place_is_no_neighbour_of_itself(own, moves):
    """In a country of few places: one of two neighbours is enough, one of three is not."""
    there = [(3, 0.5 + i, "", "X-E") for i in range(own)]
    rows = seeds((1, 1, "", "X-W"), *there, (2.02, 1.0, "", "X-W"))
    west, _ = borders.straighten([WEST, EAST], CODES, rows)
    assert west.covers(Point(2.02, 1)) == moves


def test_a_border_passes_no_nearer_place_of_its_own_unit():
    west, east = straight(*near(2.02), (2.03, 1.0, "E", ""))
    assert west.covers(Point(2.0249, 1))
    assert east.covers(Point(2.0251, 1))


def test_each_place_moves_the_border_of_the_unit_that_it_is_in_to_its_own():
    """Three units: hamlets of both others in the middle one, each goes home."""
    middle = box(2, 0, 2.4, 2)
    home = [(2.2, y / 10, "M", "") for y in range(1, 9)]
    west, mid, east = straight(
        *home, *near(2.02), *near(2.39, group="E"),
        shapes=(WEST, middle, box(2.4, 0, 4, 2)), codes=["X-W", "X-M", "X-E"],
    )  # fmt: skip
    assert west.covers(Point(2.03, 1))
    assert east.covers(Point(2.385, 1))
    assert mid.covers(Point(2.2, 1))
    assert west.area + mid.area + east.area == pytest.approx(8, abs=1e-5)


def test_a_place_goes_to_the_nearest_unit_of_its_code():
    """A division drawn in two parts: what is won joins the part beside it."""
    far = box(-3, 0, -2, 2)
    _, west, east = straight(*near(2.02), shapes=(far, WEST, EAST), codes=["X-W", "X-W", "X-E"])
    assert west.covers(Point(2.02, 1))
    assert not east.covers(Point(2.02, 1))


def test_a_unit_without_a_place_of_its_own_code_loses_nothing():
    empty = box(2, 0, 2.4, 2)
    shapes = (WEST, empty, box(2.4, 0, 4, 2))
    found = straight(*near(2.02), shapes=shapes, codes=["X-W", "X-M", "X-E"])
    assert found[1] == empty
    assert straight(*near(2.02), shapes=shapes, codes=["X-W", "", "X-E"])[1] == empty


def test_places_of_one_code_move_nothing():
    only = [row for row in OWN if row[2] == "W"]
    shapes = [WEST, EAST]
    assert borders.straighten(shapes, CODES, seeds(*only, (9, 9, "W", ""))) == shapes


def test_a_code_that_no_unit_has_moves_nothing():
    stray = (2.02, 1.0, LANDMARK + "X-Q", "")
    assert straight(stray) == [WEST, EAST]


# Islands


@pytest.mark.parametrize(("size", "goes"), [(0.9, True), (1.01, False)])
def test_an_island_goes_unless_it_is_more_than_half_of_its_unit(size, goes):
    rest, island = box(0, 0, 1, 1), box(0, 3, size, 4)
    home = [(0.5, y / 10, "W", "") for y in range(1, 9)]
    own, other = borders.straighten(
        [MultiPolygon([rest, island]), EAST],
        CODES,
        seeds(*home, *OWN[8:], (0.5, 3.5, "E", "")),
    )
    assert same(own, rest) == goes
    assert same(other, shapely.union_all([EAST, island])) == goes


def test_half_of_a_unit_is_counted_from_what_it_was():
    """Two islands of 30% each: the second would leave 40%."""
    rest, islands = box(0, 0, 1, 2), [box(0, 3, 1, 4.5), box(0, 5, 1, 6.5)]
    rows = [(0.5, y / 10, "W", "") for y in range(1, 9)]
    guests = [(0.5, 3.5, "E", ""), (0.5, 5.5, "E", "")]
    own, _ = borders.straighten(
        [MultiPolygon([rest, *islands]), EAST], CODES, seeds(*rows, *OWN[8:], *guests)
    )
    assert own.area == pytest.approx(3.5)


@pytest.mark.parametrize("guest", ["W", "Q"])
def test_an_island_with_places_of_two_units_or_its_own_stays(guest):
    """Also where its places are of three: nobody's count as nobody."""
    island = box(0, 3, 0.2, 3.2)
    both = MultiPolygon([WEST, island])
    rows = [(0.1, 3.05, guest, ""), (0.1, 3.1, "W", ""), (0.1, 3.15, "E", "")]
    home, _ = straight(*rows, shapes=(both, EAST))
    assert home.covers(Point(0.01, 3.01))


def test_an_island_with_places_of_two_other_units_stays():
    island = MultiPolygon([WEST, box(0, 3, 0.2, 3.2)])
    north, home = box(0, 5, 4, 6), [(3, 5 + y / 10, "N", "") for y in range(1, 9)]
    rows = [(0.1, 3.05, "N", ""), (0.1, 3.15, "E", "")]
    found = straight(*home, *rows, shapes=(island, EAST, north), codes=[*CODES, "X-N"])
    assert found == [island, EAST, north]


def test_an_island_of_its_own_places_or_of_a_unit_without_any_is_not_touched():
    """Not even made anew: a shape that is another one counts as moved."""
    both = MultiPolygon([WEST, box(0, 3, 0.2, 3.2)])
    assert straight((0.1, 3.1, "W", ""), shapes=(both, EAST))[0] is both
    third = MultiPolygon([box(5, 0, 6, 1), box(5, 3, 5.2, 3.2)])
    shapes, codes = (WEST, third, EAST), ["X-W", "X-M", "X-E"]
    assert straight((5.1, 3.1, "W", ""), shapes=shapes, codes=codes)[1] is third


def test_islands_of_units_after_one_without_islands_go_too():
    island = box(5, 0, 5.1, 0.1)
    west, east = straight((5.05, 0.05, "W", ""), shapes=(WEST, MultiPolygon([EAST, island])))
    assert west.covers(island)
    assert same(east, EAST)


def test_an_island_joins_the_nearest_unit_of_its_code():
    island = box(5, 0, 5.1, 0.1)
    far = box(50, 0, 51, 1)
    own, away, east = straight(
        (5.05, 0.05, "E", ""),
        shapes=(MultiPolygon([WEST, island]), far, EAST),
        codes=["X-W", "X-E", "X-E"],
    )
    assert own.area == pytest.approx(4)
    assert away == far
    assert east.covers(island)


@pytest.mark.parametrize(("away", "radius"), [(0.05, 0.0225), (0.06, 0.027), (0.5, 0.03)])
def test_the_disc_of_a_landmark_off_all_land_keeps_off_it(away, radius):
    west, east = straight((4 + away, 1.0, LANDMARK + "X-W", ""))
    assert west.covers(Point(4 + away + radius - 1e-5, 1))
    assert not west.covers(Point(4 + away + radius + 1e-5, 1))
    assert east == EAST
    assert west.area == pytest.approx(4 + 8 * np.sin(np.pi / 8) * radius**2, abs=1e-6)


def test_a_landmark_off_the_land_of_its_own_unit_draws_nothing():
    mark = LANDMARK + "X-W"
    west, east = straight((-0.05, 1.0, mark, ""))
    assert west is WEST
    assert east is EAST
    west, _ = straight((-0.05, 1.0, mark, ""), (4.5, 1.0, mark, ""))
    assert west.covers(Point(4.5, 1.0))


def test_a_landmark_in_another_unit_draws_nothing():
    """Far behind a border it moves none; a shape that did not change is the same one."""
    west, east = straight((2.5, 1.0, LANDMARK + "X-W", ""))
    assert west is WEST
    assert east is EAST


def test_units_are_served_in_order_until_half_is_gone():
    """A third of a small unit is around each of two landmarks; that of the later unit is first."""
    small = box(2, 0, 2.02, 0.02)
    marks = [(2.015, 0.01, LANDMARK + "X-E", ""), (2.005, 0.01, LANDMARK + "X-W", "")]
    own = (2.01, -0.05, "M", "X-M")
    west, left, east = straight(
        *marks, own, shapes=(WEST, small, box(2.02, 0, 4, 2)), codes=["X-W", "X-M", "X-E"]
    )
    assert west.covers(Point(2.005, 0.01))
    assert left.covers(Point(2.015, 0.01))
    assert 0.5 * small.area < left.area < 0.75 * small.area
    assert not east.covers(Point(2.015, 0.01))


def test_a_place_that_is_no_landmark_gets_no_disc():
    assert straight(*near(4.05)) == [WEST, EAST]


# Places and their codes


@pytest.mark.parametrize(("off", "owner"), [(0.0999, 0), (0.1001, -1)])
def test_a_place_off_the_land_counts_up_to_a_tenth_of_a_degree(off, owner):
    assert cells.owners([WEST], np.array([[-off, 1.0]])).tolist() == [owner]


def test_places_in_and_near_shapes():
    lonlat = np.array([[1.99, 1.0], [4.05, 1.0], [3.0, 1.0], [50.0, 50.0], [-0.05, 1.0]])
    assert cells.owners([WEST, EAST], lonlat).tolist() == [0, 1, 1, -1, 0]
    assert cells.owners([EAST, WEST], lonlat).tolist() == [1, 0, 0, -1, 1]
    assert cells.owners([], lonlat).tolist() == [-1] * 5


def test_a_place_on_a_border_counts_for_the_western_in_any_order():
    lonlat = np.array([[2.0, 1.0], [1.0, 1.0], [2.0, 0.0]])
    assert cells.owners([WEST, EAST], lonlat).tolist() == [0, 0, 0]
    assert cells.owners([EAST, WEST], lonlat).tolist() == [1, 1, 1]


def test_a_place_half_way_between_two_shapes_counts_for_the_western_in_any_order():
    beyond, between = box(2.125, 0, 4, 2), np.array([[2.0625, 1.0]])
    assert cells.owners([WEST, beyond], between).tolist() == [0]
    assert cells.owners([beyond, WEST], between).tolist() == [1]


def test_a_group_that_no_place_agrees_on_means_nothing():
    """Both lie in A mostly; the one that is left over lies in B nowhere."""
    mine = seeds(*[(0, 0, "1", "")] * 6, *[(0, 0, "2", "")] * 2)
    owner = np.array([0, 0, 0, 0, 0, 1, 0, 0])
    assert cells.agreed(mine, owner, ["X-A", "X-B"]) == {"1": "X-A"}


def test_a_group_that_the_table_codes_gives_no_vote_and_takes_its_code_away():
    owner = np.zeros(5, int)
    mine = seeds((0, 0, "1", "X-A"), *[(0, 0, "2", "")] * 2, *[(0, 0, "3", "")] * 2)
    assert cells.agreed(mine, owner, ["X-A"]) == {}  # it means group 1 already
    assert cells.agreed(mine, np.array([0, 1, 1, 0, 1]), ["X-A", "X-B"]) == {"2": "X-B"}
    assert codes_of(mine, {"2": "X-B"}).tolist() == ["X-A", "X-B", "X-B", "", ""]
    assert codes_of(mine, {"1": "X-B"}).tolist() == ["X-A", "", "", "", ""]  # the table's word


def test_votes_are_of_places_with_a_group_in_a_unit_with_a_code():
    rows = [(0, 0, "", ""), (0, 0, "00", ""), (0, 0, LANDMARK + "X-Z", ""), (0, 0, "1", "")]
    assert cells.agreed(seeds(*rows), np.zeros(4, int), ["X-A"]) == {"1": "X-A"}
    assert cells.agreed(seeds(*rows), np.zeros(4, int), [""]) == {}
    assert cells.agreed(seeds(*rows), np.full(4, -1), ["X-A"]) == {}


def test_a_group_means_what_most_of_its_places_lie_in_and_landmarks_their_own():
    rows = [(0, 0, "1", "")] * 3 + [(0, 0, "2", "")] * 2 + [(0, 0, LANDMARK + "X-Z", "")]
    mine = seeds(*rows)
    found = cells.agreed(mine, np.array([0, 0, 1, 1, 1, 0]), ["X-A", "X-B"])
    assert found == {"1": "X-A", "2": "X-B"}
    assert codes_of(mine, found).tolist() == ["X-A"] * 3 + ["X-B"] * 2 + ["X-Z"]


# Units of today


def test_the_parts_of_an_extinct_unit_meet_half_way_between_places_on_the_ground():
    """At 60° a degree of longitude is half one of latitude."""
    shape = box(0, 58, 4, 62)
    left, parts = cells.divide([shape], [""], seeds((1, 59, "", "X-A"), (3, 60, "", "X-B")))
    found = dict(parts)
    assert left[0].is_empty
    # (1, 59) and (3, 60) are (0.5, 59) and (1.5, 60) on the ground: the middle is (1, 59.5), and
    # the line there has the slope -1
    for lon, lat in [(2, 59.5), (1, 60), (3, 59)]:
        assert found["X-A"].covers(Point(lon - 0.01, lat))
        assert found["X-B"].covers(Point(lon + 0.01, lat))


def test_a_unit_drawn_under_a_parent_or_elsewhere_gets_no_islet():
    rows = [(1, 1, "", "X-A"), (9, 9, "", "X-B"), (9, 8, "", "X-C")]
    _, parts = cells.divide([WEST, box(20, 0, 21, 1)], ["X-A", "X-C"], seeds(*rows))
    assert [code for code, _ in parts] == ["X-B"]
    _, parts = cells.divide([WEST], ["X-A"], seeds(*rows), known=frozenset(["X-B", "X-C"]))
    assert parts == []


def test_islets_come_by_code_and_keep_off_land():
    rows = [(1, 1, "A", ""), (9, 9, "", "X-C"), (2.01, 1, "A", "X-B")]
    shapes = [WEST, box(2, 0, 2.005, 2)]
    left, parts = cells.divide(shapes[:1], ["X-A"], seeds(*rows))
    # (2.01, 1) counts for the unit beside it, so X-B is cut out of that one
    assert [code for code, _ in parts] == ["X-B", "X-C"]
    many = [(i, 9, "", f"X-{c}") for i, c in enumerate("FDBECA")]
    _, alone = cells.divide([WEST], ["X-W"], seeds(*many))
    assert [code for code, _ in alone] == [f"X-{c}" for c in "ABCDEF"]
    disc = cells.islets(np.array([[2.01, 1.0]]), [WEST, box(7, 7, 8, 8)])
    assert disc.bounds == pytest.approx((2.0, 0.98, 2.03, 1.02), abs=1e-6)
    free = cells.islets(np.array([[9.0, 1.0], [9.5, 1.0]]), [WEST])
    assert free.bounds == pytest.approx((8.98, 0.98, 9.52, 1.02))
    assert free.area == pytest.approx(2 * 8 * np.sin(np.pi / 8) * 0.02**2, abs=1e-9)
    assert left[0].area < 4


# Land borders


def units(*rows):
    return pa.table(
        {"country": [c for c, _ in rows], "geometry": shapely.to_wkb([g for _, g in rows])}
    )


def land(over, *, shapes=(WEST, EAST), codes="AB", fixed=(), places=None):
    known = {"A": seeds((1, 1, "", "")), "B": seeds((3, 1, "", ""))}
    rows = places or [("A", 2.001, 1)]
    for code in {row[0] for row in rows}:
        known[code] = seeds(*((lon, lat, "", "") for c, lon, lat in rows if c == code))
    return land_borders.with_land_borders(list(shapes), codes, list(fixed), units(*over), known)


@pytest.mark.parametrize(("wide", "moves"), [(0.0599, True), (0.0601, False)])
def test_a_strip_of_a_land_border_is_at_most_so_wide(wide, moves):
    west, east = land([("A", box(0, 0, 2 + wide, 2))])
    assert west.covers(Point(2.001, 1)) == moves
    assert east.covers(Point(2.001, 1)) != moves


@pytest.mark.parametrize(("area", "moves"), [(0.031, True), (0.029, False)])
def test_a_small_country_keeps_its_border(area, moves):
    small = box(2, 0, 2 + area / 2, 2)
    west, _ = land([("A", box(0, 0, 2.005, 2))], shapes=(WEST, small), places=[("A", 2.002, 1)])
    assert west.covers(Point(2.002, 1)) == moves


@pytest.mark.parametrize(("share", "moves"), [(0.49, True), (0.51, False)])
def test_a_strip_is_less_than_half_of_the_part_and_of_the_division(share, moves):
    small = box(2, 0, 2.04, 2)
    wide = 0.04 * share
    west, _ = land([("A", box(0, 0, 2 + wide, 2))], shapes=(WEST, small))
    assert west.covers(Point(2.001, 1)) == moves
    # half of the division: it reaches over the border with so much of itself
    division = box(2 - 0.02 * (1 - share), 0, 2 + 0.02 * share, 2)
    west, _ = land([("A", division)])
    assert west.covers(Point(2.001, 1)) == moves


def test_a_strip_of_exactly_half_of_a_part_stays():
    small = box(2, 0, 2.0625, 2)
    places = [("A", 2.001, 1)]
    found = land([("A", box(0, 0, 2.03125, 2))], shapes=(WEST, small), places=places)
    assert found == [WEST, small]


@pytest.mark.parametrize(("wide", "moves"), [(2e-7, False), (3e-7, True)])
def test_a_strip_that_is_rounding_stays(wide, moves):
    """A triangle as high as 0.008: of 0.8 and of 1.2 billionths of a square degree."""
    over = [(0, 0), (2, 0), (2, 1), (2 + wide, 1.004), (2, 1.008), (2, 2), (0, 2)]
    west, _ = land([("A", shapely.Polygon(over))], places=[("A", 2.0000001, 1.004)])
    assert west.covers(Point(2.0000001, 1.004)) == moves


def test_the_finer_border_counts():
    many = [(2, y / 10) for y in range(1, 20)]
    coded = shapely.Polygon([(2, 0), (4, 0), (4, 2), (2, 2), *many[::-1]])
    assert not land([("A", box(0, 0, 2.02, 2))], shapes=(WEST, coded))[0].covers(Point(2.001, 1))
    finer = shapely.Polygon(
        [(0, 0), (2.02, 0), *((2.02, y / 11) for y in range(1, 22)), (2.02, 2), (0, 2)]
    )
    assert land([("A", finer)], shapes=(WEST, coded))[0].covers(Point(2.001, 1))
    # what is finer elsewhere does not count
    elsewhere = [(4, y / 10) for y in range(1, 20)]
    coded = shapely.Polygon([(2, 0), (4, 0), *elsewhere, (4, 2), (2, 2)])
    assert land([("A", box(0, 0, 2.02, 2))], shapes=(WEST, coded))[0].covers(Point(2.001, 1))


@pytest.mark.parametrize(
    ("places", "moves"),
    [
        ([("A", 2.001, 1)], True),
        ([("A", 2.001, 1), ("B", 2.001, 1.1)], False),
        ([("A", 2.001, 1), ("A", 2.001, 1.2), ("B", 2.001, 1.1)], True),
        ([("A", 2.001, 1), ("C", 2.001, 1.1)], True),  # a third country has no say
        ([("C", 2.001, 1)], False),
    ],
)
def test_more_places_must_be_of_the_country_that_gets_a_strip(places, moves):
    west, _ = land([("A", box(0, 0, 2.02, 2))], places=places)
    assert west.covers(Point(2.001, 1.5)) == moves


def test_strips_go_to_the_largest_row_of_their_country_and_both_ways():
    """North of 1 the division of A reaches east, south of it that of B reaches west."""
    island = box(-5, 0, -4, 1)
    a = shapely.Polygon([(0, 0), (1.98, 0), (1.98, 1), (2.02, 1), (2.02, 2), (0, 2)])
    b = shapely.Polygon([(1.98, 0), (4, 0), (4, 2), (2.02, 2), (2.02, 1), (1.98, 1)])
    small, west, east = land(
        [("A", a), ("B", b), ("Q", box(1.99, 0, 2.01, 2))],
        shapes=(island, WEST, EAST),
        codes="AAB",
        places=[("A", 2.01, 1.5), ("B", 1.99, 0.5)],
    )
    assert small == island
    assert same(west, a)
    assert same(east, b)


def test_only_the_strip_that_touches_a_disputed_piece_stays():
    over = shapely.Polygon(
        [(0, 0), (2.02, 0), (2.02, 0.5), (2, 0.5), (2, 1.5), (2.02, 1.5), (2.02, 2), (0, 2)]
    )
    places = [("A", 2.01, 0.2), ("A", 2.01, 1.8)]
    west, _ = land([("A", over)], fixed=[box(2.01, 1.9, 2.5, 1.95)], places=places)
    assert west.covers(Point(2.01, 0.2))
    assert not west.covers(Point(2.01, 1.8))
    west, _ = land([("A", over)], places=places)
    assert west.covers(Point(2.01, 1.8))
