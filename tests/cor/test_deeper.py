"""Levels below the first in a label: whose they are, in which language, and where they give way."""

import numpy as np
import pytest

from geodata import boundaries, cor
from tests.boundaries.sets import frame, square

COLUMNS = {
    "country": "ISO", "name": "NAME", "level": "LEVEL", "name:fr": "FR", "code": "CODE", "id": "ID",
}  # fmt: skip
HERE = square(0, 0)
ROWS = [
    ("CH", "Land", "country", None, None, HERE),
    ("CH", "Zurich", "admin1", "Zurich FR", "CH-ZH", square(0, 0, 0.6)),
    ("CH", "Berne", "admin1", None, "CH-BE", square(0.6, 0, 0.4)),
    ("CH", "Kreis", "admin2", "District", None, square(0, 0, 0.5)),
    ("CH", "Dorf", "locality", "Village", None, square(0, 0, 0.3)),
    ("CH", "Weiler", "locality", None, None, square(0.6, 0, 0.2)),
    ("RE", "Island", "country", None, None, square(5, 0)),
    ("RE", "Nord", "admin1", "Le Nord", None, square(5, 0, 0.6)),
    ("RE", "Kreis 2", "admin2", None, None, square(5, 0, 0.5)),
    ("RE", "Stadt", "locality", None, None, square(5, 0, 0.4)),
    ("FR", "France", "country", None, None, square(9, 0)),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return build(tmp_path_factory.mktemp("deeper"), ROWS)


def build(folder, rows):
    iso, name, level, fr, code, shapes = zip(*rows, strict=True)
    ids = [f"id{i}" for i in range(len(rows))]
    table = frame(shapes, ISO=iso, NAME=name, LEVEL=level, FR=fr, CODE=code, ID=ids)
    table.to_parquet(folder / "rows.parquet")
    return boundaries.build(folder / "rows.parquet", folder / "set", columns=COLUMNS)


def at(column, row=0.1):
    return 46 + 0.1 * row, 7 + 0.1 * column


@pytest.mark.parametrize(
    ("point", "options", "expected"),
    [
        (at(0.1), {}, ("Switzerland", "CH", "Zurich", "CH-ZH", "Kreis", "Dorf")),
        (at(0.1), {"lang": "fr"}, ("Suisse", "CH", "Zurich FR", "CH-ZH", "District", "Village")),
        (at(0.4), {"lang": "fr"}, ("Suisse", "CH", "Zurich FR", "CH-ZH", "District", None)),
        (at(0.7), {"lang": "fr"}, ("Suisse", "CH", "Berne", "CH-BE", None, "Weiler")),
        (at(0.9), {}, ("Switzerland", "CH", "Berne", "CH-BE", None, None)),
        (at(5.1), {}, ("Réunion", "RE", "Nord", None, "Kreis 2", "Stadt")),
        # a territory that is shown as a region has its first level as its second, and no others
        (
            at(5.1), {"dependencies": "sovereign"},
            ("France", "FR", "La Réunion", "FR-974", "Nord", None),
        ),
        (
            at(5.1), {"dependencies": "sovereign", "lang": "fr"},
            ("France", "FR", "La Réunion", "FR-974", "Le Nord", None),
        ),
        (
            at(0.1), {"dependencies": "sovereign"},
            ("Switzerland", "CH", "Zurich", "CH-ZH", "Kreis", "Dorf"),
        ),
    ],
)  # fmt: skip
def test_each_level_is_named(made, point, options, expected):
    chain = cor.label(*point, boundaries=made, **options)
    names = ("country", "country_code", "admin1", "admin1_code", "admin2")
    assert tuple(getattr(chain, name) for name in names) == expected[:5]
    (row,) = cor.label_table([point[0]], [point[1]], boundaries=made, **options).to_pylist()
    assert all(row[name] == getattr(chain, name) for name in (*names, "city", "city_distance_km"))
    if expected[5]:
        assert (chain.city, chain.city_distance_km) == (expected[5], 0.0)
    else:  # the nearest place, which this set does not name
        assert chain.city_distance_km != 0.0


def test_a_territory_is_a_region_only_where_its_sovereign_is_drawn(tmp_path):
    """There is no France to be a region of: all levels stay as they are."""
    own = build(tmp_path, [row for row in ROWS if row[0] != "FR"])
    point = at(5.1)
    chain = cor.label(*point, boundaries=own, dependencies="sovereign")
    assert (chain.country, chain.country_code) == ("Réunion", "RE")
    assert (chain.admin1, chain.admin2, chain.city) == ("Nord", "Kreis 2", "Stadt")
    assert chain.city_distance_km == 0.0
    (row,) = cor.label_table(
        [point[0]], [point[1]], boundaries=own, dependencies="sovereign"
    ).to_pylist()
    assert all(row[name] == getattr(chain, name) for name in ("country_code", "admin2", "city"))


def test_a_country_of_which_only_the_second_level_is_drawn(tmp_path):
    alone = [("AT", "Bezirk", "admin2", "Quartier", None, HERE)]
    own = build(tmp_path, alone)
    for options, expected in (
        ({}, ("Austria", None, "Bezirk")),
        ({"lang": "fr"}, ("Autriche", None, "Quartier")),
    ):
        chain = cor.label(*at(0.1), boundaries=own, **options)
        assert (chain.country, chain.admin1, chain.admin2) == expected


def test_ids_are_the_sets_own(made):
    chain = cor.label(*at(0.1), boundaries=made, detail=True)
    assert (chain.ids["country"], chain.ids["admin1"]) == ("id0", "id1")
    assert chain.method["admin1"] == "inside"


def test_what_lies_off_every_country_has_no_deeper_level(made):
    lat, lon = at(-0.3)
    near = cor.label(lat, lon, boundaries=made)
    assert (near.match, near.admin1) == ("nearest", "Zurich")
    assert near.admin2 is None
    rows = cor.label_table([lat, *at(0.1)[:1]], [lon, at(0.1)[1]], boundaries=made)
    assert rows["admin2"].to_pylist() == [None, "Kreis"]
    far = cor.label_table([60.0], [60.0], boundaries=made).to_pylist()[0]
    assert (far["admin2"], far["city"], far["city_distance_km"]) == (None, None, None)


def test_rows_of_a_set_by_level(made):
    lat, lon = (np.array(column) for column in zip(at(0.1), at(0.7), at(3), strict=True))
    found = made.containing(lat, lon)
    names = {
        level: [*made.table(level, ["name"])["name"].to_pylist(), None] for level in made.levels
    }
    assert {level: [names[level][row] for row in rows] for level, rows in found.items()} == {
        "country": ["Switzerland", "Switzerland", None],
        "admin1": ["Zurich", "Berne", None],
        "admin2": ["Kreis", None, None],
        "locality": ["Dorf", "Weiler", None],
    }
    deeper = {level: rows.tolist() for level, rows in made.locate(lat, lon).deeper.items()}
    one = [made.deeper_one(y, x) for y, x in zip(lat.tolist(), lon.tolist(), strict=True)]
    assert deeper == {level: [row[level] for row in one] for level in ("admin2", "locality")}
