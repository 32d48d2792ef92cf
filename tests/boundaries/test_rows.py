"""What columns of a source become: levels, names, codes, disputes, ids and order of rows."""

import dataclasses
import json

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely

from geodata import boundaries
from geodata.boundaries.building import (
    checks,
    mapping,
    parents,
    providers,
    region_rows,
    regions,
    shapes,
    sources,
    views,
)
from geodata.boundaries.building.reading import Axes, Layer
from geodata.files import FileError
from tests.boundaries.sets import cantons, frame, square

ORIGIN = region_rows.Origin("src", "r1", "lic")


def region(level, shape, country="CH", **others):
    given = {
        "name": "x", "others": (), "code": None, "key": None, "parents": (), "disputed": False,
        "names": {}, "claims": (), "path": "",
    } | others  # fmt: skip
    return parents.Region(level=level, country=country, geometry=shape, **given)


def layout(**others):
    given = {"requires": ("iso",), "country": ("iso",), "names": ("name",), "level": "admin1"}
    return providers.Layout(**(given | others))


def batch(records, **others):
    """Read records with squares as their shapes."""
    cells = np.array([square(i, 0) for i in range(len(records))], object)
    return sources._batch(Layer("file", layout(**others), records, cells))


def one(record, **others):
    (found,) = batch([{"iso": "CH", "name": "N"} | record], **others).regions
    return found


# One record


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("CH", "CH"), (" ch ", "CH"), ("che", "CH"), ("XKX", "XK"), ("XKO", "XK"), ("KOS", "XK"),
        ("XK", "XK"), ("QQ", None), ("ZZZ", None), ("-1", None), ("-99", None), ("756", None),
    ],
)  # fmt: skip
def test_codes_of_two_and_three_letters(text, code):
    assert sources.alpha2(text) == code


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None), (float("nan"), None), ("", None), ("  ", None), (" a b ", "a b"),
        (12.0, "12"), (12.5, "12.5"), (12, "12"), (True, "True"),
    ],
)  # fmt: skip
def test_cells_become_text(value, text):
    assert sources._text(value) == text


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("a", {"b": 1, "m": [("en", "E"), ("de", "D")]}),
        ("a.b", 1),
        ("a.m.de", "D"),
        ("a.m.fr", None),
        ("x.y", "dotted"),
        ("n.b", None),
        ("none", None),
    ],
)
def test_a_dot_goes_into_structs_and_maps(column, value):
    record = {"a": {"b": 1, "m": [("en", "E"), ("de", "D")]}, "x.y": "dotted", "n": None}
    assert sources._value(record, column) == value


def test_the_first_column_with_a_code_counts():
    columns = {"country": ("iso", "alt")}
    assert one({"iso": "-99", "alt": "FRA"}, **columns).country == "FR"
    assert one({"iso": None, "alt": "DE"}, **columns).country == "DE"
    assert one({"iso": "IT", "alt": "DE"}, **columns).country == "IT"
    assert one({"iso": "IT"}, country_code="AT").country == "AT"


def test_names_come_the_best_first_and_once():
    found = one(
        {"en": " Berne ", "name": "Bern", "more": "Berne", "old": "Bärn", "same": "Bern"},
        names=("none", "en", "name", "more", "old", "same"),
    )
    assert (found.name, found.others) == ("Berne", ("Bern", "Bärn"))


def test_languages_are_columns_and_a_map():
    found = one(
        {"all": [("de", "Bern"), ("fr", " "), ("en", "Map")], "en": "Berne", "it": None},
        languages=(("en", "en"), ("it", "it")),
        language_map="all",
    )
    assert found.names == {"de": "Bern", "en": "Berne"}
    assert one({"en": "Berne"}).names == {}


@pytest.mark.parametrize(
    ("level", "code", "above", "kept"),
    [
        ("admin1", "CH-BE", None, "CH-BE"),
        ("admin1", "CH-BE", "CH-BE", "CH-BE"),
        ("admin1", "CH-QQ", None, None),
        ("admin1", "FR-BRE", None, None),  # of another country
        ("admin2", "CH-BE", None, "CH-BE"),
        ("admin2", "CH-BE", "CH-BE", None),  # the code of what it lies in
        ("country", "CH-BE", None, None),
        ("admin1", None, None, None),
    ],
)
def test_a_code_is_kept_where_iso_lists_it_for_the_region(level, code, above, kept):
    found = one({"c": code, "p": above}, level=level, code="c", parents=("p",))
    assert found.code == kept
    assert found.parents == ((above,) if above else ())


@pytest.mark.parametrize(
    ("record", "others", "disputed"),
    [
        ({}, {}, False),
        ({"d": True}, {"disputed": "d"}, True),
        ({"d": False}, {"disputed": "d"}, False),
        ({}, {"disputed": "d"}, False),
        ({"d": True}, {}, False),
        ({"V_FR": "FRA"}, {"views": "V_"}, True),
        ({"V_FR": "CHE"}, {"views": "V_"}, False),
        ({"V_FR": "QQQ"}, {"views": "V_"}, False),
        ({"iso": "-99", "V_FR": "FRA", "V_DE": "FRA"}, {"views": "V_"}, True),  # no code of its own
    ],
)
def test_what_is_disputed(record, others, disputed):
    assert one(record, **others).disputed is disputed


def test_views_are_those_that_name_another_country():
    found = one({"V_FR": "FRA", "V_DE": "CHE", "V_AT": "ITA", "W_ES": "ESP"}, views="V_")
    assert found.claims == (("at", "IT"), ("fr", "FR"))
    assert one({"V_FR": "FRA"}).claims == ()


def test_land_without_a_code_is_that_of_most_views():
    rows = [
        {"iso": "CH", "a3": "SWI", "name": "A"},
        {"iso": "CH", "a3": "SW2", "name": "B"},
        {"iso": "-1", "a3": "QQQ", "name": "C", "V_A": "SWI", "V_B": "SW2", "V_C": "FRA"},
        {"iso": "-1", "a3": "QQQ", "name": "D", "V_A": "ITA", "V_B": "FRA", "V_C": "FRA"},
        {"iso": "-1", "a3": "QQQ", "name": "E", "V_A": "ZZZ", "V_B": "ZZZ", "V_C": "FRA"},
        {"iso": "-1", "a3": "QQQ", "name": "F", "V_A": "ITA", "V_B": "FRA"},
        {"iso": "-1", "a3": "QQQ", "name": "G", "V_A": "FRA", "V_B": "ZZZ"},  # half is not most
    ]
    found = batch(rows, country=("iso", "a3"), views="V_")
    assert {r.name: r.country for r in found.regions} == {
        "A": "CH", "B": "CH", "C": "CH", "D": "FR", "F": "FR",
    }  # fmt: skip
    assert found.without_country == 2
    assert views.Views("", sources.alpha2).country({"V_A": "FRA"}) is None


@pytest.mark.parametrize(
    ("keep", "value", "kept"),
    [("k", True, 1), ("k", False, 0), ("k", None, 1), ("other", False, 1), ("", False, 1)],
)
def test_rows_are_kept_unless_a_column_says_no(keep, value, kept):
    assert batch([{"iso": "CH", "name": "N", "k": value}], keep=keep).rows == kept


def test_levels_by_value():
    given = ((None, "admin1"), ("t", "locality"), ("*", "admin2"))
    rows = [{"iso": "CH", "name": str(v), "l": v} for v in (None, "t", "other")]
    found = batch(rows, level="", level_column="l", level_values=given)
    assert [r.level for r in found.regions] == ["admin1", "locality", "admin2"]
    listed = batch(rows, level="", level_column="l", level_values=given[1:2])
    assert ([r.name for r in listed.regions], listed.rows) == (["t"], 1)


def test_what_is_left_out_is_counted():
    pairs = [("CH", "A"), ("QQ", "B"), ("CH", None), ("QQ", None)]
    rows = [{"iso": c, "name": n} for c, n in pairs]
    found = batch(rows)
    assert [r.name for r in found.regions] == ["A"]
    assert (found.rows, found.without_country, found.without_name) == (4, 2, 1)
    country = batch([{"iso": "CH", "name": None}], level="country")
    assert (country.regions[0].name, country.without_name) == ("", 0)


def test_progress_is_told_in_rows_read_so_far(tmp_path):
    told = []
    paths = [tmp_path / "a.parquet", tmp_path / "b.parquet"]
    for at, path in enumerate(paths):
        cells = [square(2 * at, 0), square(2 * at + 1, 0)]
        frame(cells, iso=["CH", "QQ"], name=[f"{at}", "x"]).to_parquet(path)
    mine = providers.Provider("mine", "CC0", "", (layout(),))
    reading = sources.read(mine, paths, progress=told.append)
    assert told == [2, 4]
    assert (reading.rows, reading.without_country, reading.without_name) == (4, 2, 0)
    assert (reading.joined, reading.repairs.empty) == (0, 0)
    units = reading.tables.units
    assert units["source"].to_pylist() == ["mine"] * 2
    assert (units["release"].to_pylist(), units["licence"].to_pylist()) == ([None] * 2, ["CC0"] * 2)


def test_rows_that_draw_parts_of_one_region_are_joined_and_counted(tmp_path):
    path = tmp_path / "a.parquet"
    cells = [square(0, 0), square(1, 0), square(2, 0), square(3, 0)]
    frame(cells, iso=["CH"] * 4, name=["A", "A", "B", "C"], key=["1", "1", "2", None]).to_parquet(
        path
    )
    mine = providers.Provider("mine", "CC0", "", (layout(key="key"),))
    reading = sources.read(mine, [path], origin=ORIGIN)
    assert reading.joined == 1
    units = reading.tables.units
    assert units["id"].to_pylist() == ["1", "2", "CH/C"]
    assert shapely.from_wkb(units["geometry"][0].as_py()).area == pytest.approx(0.02)
    assert units["source"].to_pylist() == ["src"] * 3


def test_nothing_usable_is_an_error(tmp_path):
    path = tmp_path / "a.parquet"
    frame([square(0, 0)], iso=["QQ"], name=["A"]).to_parquet(path)
    mine = providers.Provider("mine", "CC0", "", (layout(),))
    with pytest.raises(FileError) as caught:
        sources.read(mine, [path])
    assert str(caught.value) == "mine: no region with a country code and a shape in the files given"


# Tables


def tables(*regions):
    return region_rows.region_tables(list(regions), ORIGIN)


def column(table, *names):
    return list(zip(*(table[name].to_pylist() for name in names), strict=True))


def test_countries_that_nobody_drew_are_their_divisions_else_their_localities():
    made = tables(
        region("admin1", square(0, 0, 2), name="A"),
        region("admin2", square(3, 0), name="B"),
        region("locality", square(8, 0), name="left out of the union"),
        region("locality", square(20, 0), "IT", name="C"),
        region("locality", square(21, 0), "IT", name="D"),
        region("country", square(30, 0), "FR", names={"fr": "France !", "de": "F"}),
        region("admin1", square(40, 0), "FR", name="E"),
    )
    found = made.countries
    assert column(found, "id", "code", "alpha3", "name", "continent") == [
        ("CH", "CH", "CHE", "Switzerland", "Europe"),
        ("FR", "FR", "FRA", "France", "Europe"),
        ("IT", "IT", "ITA", "Italy", "Europe"),
    ]
    drawn = shapely.from_wkb(found["geometry"].to_pylist())
    assert [round(shape.area, 6) for shape in drawn] == [0.05, 0.01, 0.02]
    assert found["names"].to_pylist() == [  # by language: the same bytes for the same names
        [("en", "Switzerland")], [("de", "F"), ("en", "France"), ("fr", "France !")],
        [("en", "Italy")],
    ]  # fmt: skip
    assert set(column(found, "source", "release", "licence")) == {("src", "r1", "lic")}
    assert found["disputed"].to_pylist() == [False] * 3
    assert made.below["name"].to_pylist() == ["left out of the union", "C", "D"]


def test_territories_keep_their_sovereigns():
    """Of a code with several islands that of the largest."""
    codes = ["RE", "XK", "SJ", "BQ"]
    made = tables(*(region("country", square(i, 0), code) for i, code in enumerate(codes)))
    named = column(made.countries, "code", "sovereign_code", "sovereign_admin1_name", "alpha3")
    assert named == [
        ("BQ", "NL", "Bonaire", "BES"), ("RE", "FR", "La Réunion", "REU"),
        ("SJ", "NO", "Svalbard", "SJM"), ("XK", None, None, "XKX"),
    ]  # fmt: skip


def test_claims_name_countries_that_are_there():
    claims = (("fr", "FR"), ("it", "IT"))
    made = tables(
        region("country", square(0, 0), claims=claims, disputed=True),
        region("country", square(2, 0), "FR"),
        region("admin1", square(0, 0), claims=claims),
    )
    assert made.countries["claims"].to_pylist() == [[{"worldview": "fr", "code": "FR"}], []]
    assert made.countries["disputed"].to_pylist() == [True, False]
    assert len(made.units["claims"][0].as_py()) == 2
    assert made.units["disputed"].to_pylist() == [False]


def test_ids_are_keys_else_paths_and_never_twice():
    made = tables(
        region("country", square(0, 0, 2), key="k"),
        region("country", square(9, 9), key="k"),
        region("country", square(5, 5, 3)),
        region("admin1", square(0, 0), name="A"),
        region("admin1", square(1, 1), name="A"),
        region("admin1", square(1, 0), name="A", key="9"),
        region("admin2", square(0, 0, 0.5), name="B"),
        region("locality", square(0, 0, 0.2), name="C"),
        region("neighbourhood", square(0, 0, 0.1), name="D"),
    )
    assert made.countries["id"].to_pylist() == ["CH", "k", "k#2"]  # large to small
    assert set(column(made.units, "id", "parent")) == {
        ("CH/A", "CH"), ("CH/A#2", "CH"), ("9", "CH"), ("CH/A/B", "CH/A"),
    }  # fmt: skip
    assert column(made.below, "id", "parent", "level") == [
        ("CH/A/B/C", "CH/A/B", "locality"),
        ("CH/A/B/C/D", "CH/A/B/C", "neighbourhood"),
    ]


def test_rows_of_one_country_that_are_as_large_come_by_key():
    boxes = (("b", shapely.box(0, 0, 1, 1)), ("a", shapely.box(2, 0, 3, 1)))
    made = tables(*(region("country", shape, key=key) for key, shape in boxes))
    assert made.countries["id"].to_pylist() == ["a", "b"]


def test_regions_of_one_name_come_by_key_then_from_the_south_west():
    made = tables(
        region("locality", square(0, 0), key="2", name="Same"),
        region("locality", square(5, 0), key="1", name="Same"),
        region("locality", square(9, 0), name="Same"),
        region("locality", square(8, 0), name="Same"),
        region("locality", square(7, 0), name="Before"),
    )
    assert made.below["id"].to_pylist() == ["CH/Before", "CH/Same", "CH/Same#2", "1", "2"]
    west = [box["xmin"] for box in made.below["bbox"].to_pylist()]
    assert west == pytest.approx([7.7, 7.8, 7.9, 7.5, 7.0])


def test_rows_of_divisions_come_by_country_and_names():
    made = tables(
        region("admin1", square(0, 0), "IT", name="A"),
        region("admin2", square(5, 0, 0.5), name="Z"),
        region("admin1", square(5, 0), name="B"),
        region("admin1", square(7, 0), name="A"),
        region("admin2", square(7, 0, 0.5), name="Y"),
        region("admin2", square(7.5, 0, 0.5), name="X"),
    )
    assert column(made.units, "country", "admin1_name", "admin2_name") == [
        ("CH", "A", None), ("CH", "A", "X"), ("CH", "A", "Y"), ("CH", "B", None), ("CH", "B", "Z"),
        ("IT", "A", None),
    ]  # fmt: skip


def test_a_division_says_what_it_is_and_lies_in():
    made = tables(
        region("country", square(0, 0, 9), key="k"),
        region("admin1", square(0, 0, 4), name="One", code="CH-1", others=("Uno",)),
        region(
            "admin2", square(0, 0, 2), name="Two", code="CH-2", others=("Due",), names={"it": "Due"}
        ),
        region("admin1", square(5, 5), name="Bare"),
    )  # fmt: skip
    wanted = [
        "id", "level", "parent", "code", "name", "admin1_name", "admin1_code", "admin2_name",
        "admin2_code", "aliases", "admin1_aliases", "names",
    ]  # fmt: skip
    assert column(made.units, *wanted) == [
        ("CH/Bare", "admin1", "k", None, "Bare", "Bare", None, None, None, [], [], []),
        ("CH/One", "admin1", "k", "CH-1", "One", "One", "CH-1", None, None, ["Uno"], ["Uno"], []),
        (
            "CH/One/Two", "admin2", "CH/One", "CH-2", "Two", "One", "CH-1", "Two", "CH-2",
            ["Due"], ["Uno"], [("it", "Due")],
        ),
    ]  # fmt: skip


def test_the_units_of_a_country_are_the_first_divisions_that_are_drawn():
    made = tables(
        region("admin2", square(0, 0), name="Alone"),
        region("admin1", square(5, 0, 2), "FR", name="Above"),
        region("admin2", square(5, 0), "FR", name="Below"),
        region("locality", square(5, 0, 0.5), "FR", name="Town"),
    ).by_level()
    assert list(made) == ["country", "admin1", "admin2", "locality"]
    names = {level: table["name"].to_pylist() for level, table in made.items()}
    assert names["admin1"] == ["Alone", "Above"]
    assert (names["admin2"], names["locality"]) == (["Below"], ["Town"])


def test_a_table_is_written_for_each_level_that_has_rows(tmp_path):
    made = tables(
        region("admin1", square(0, 0), name="A"), region("locality", square(3, 3), name="B")
    )
    paths = regions.write_tables(made, tmp_path)
    assert [path.name for path in paths] == [
        "countries.parquet", "units.parquet", "localities.parquet",
    ]  # fmt: skip
    assert [pq.read_metadata(path).num_rows for path in paths] == [1, 1, 1]
    boxes = [json.loads(pq.read_schema(path).metadata[b"geo"])["columns"] for path in paths]
    assert boxes[2]["geometry"]["bbox"] == pytest.approx([7.3, 46.3, 7.4, 46.4])
    nothing = regions.write_tables(regions.RegionTables(made.countries, made.units[:0]), tmp_path)
    geo = json.loads(pq.read_schema(nothing[1]).metadata[b"geo"])
    assert geo["columns"]["geometry"]["bbox"] == [0, 0, 0, 0]
    first = paths[0].read_bytes()
    assert regions.write_tables(made, tmp_path)[0].read_bytes() == first


# Parents


def test_a_parent_lies_above_and_brings_its_own():
    by_level = {level: [] for level in boundaries.LEVELS}
    top = region("admin1", square(0, 0), key="1", name="top")
    other = region("admin1", square(50, 0), code="CH-X", name="other")
    middle = region("admin2", square(90, 0), key="2", parents=("1",), name="middle")
    town = region("locality", square(90, 0), key="3", parents=("2",), name="town")
    by_level["admin1"], by_level["admin2"] = [top, other], [middle]
    by_level["locality"] = [town]
    by_level["neighbourhood"] = [
        region("neighbourhood", square(0, 0), parents=("3", "CH-X")),  # the nearest first
        region("neighbourhood", square(0, 0), parents=("CH-X", "3")),
        region("neighbourhood", square(0, 0, 0.5)),
    ]
    found = parents.ancestors(by_level)
    named = [{k: v.name for k, v in row.items()} for row in found["neighbourhood"]]
    assert named == [
        {"locality": "town", "admin2": "middle", "admin1": "top"},
        {"admin1": "other", "locality": "town", "admin2": "middle"},
        {"admin1": "top"},
    ]
    assert found["locality"] == [{"admin2": middle, "admin1": top}]
    # what names itself, or one below or beside it, as its parent has none by it
    beside = region("admin2", square(0, 0), key="4", parents=("4", "2", "3"))
    below = {level: [] for level in boundaries.LEVELS} | {
        "admin1": [top], "admin2": [middle, beside], "locality": [town],
    }  # fmt: skip
    assert parents.ancestors(below)["admin2"][1] == {"admin1": top}


def test_only_a_second_level_goes_to_the_nearest_first_one():
    by_level = {level: [] for level in boundaries.LEVELS}
    near, far = region("admin1", square(5, 0)), region("admin1", square(-9, 0))
    by_level["admin1"] = [far, near]
    by_level["admin2"] = [region("admin2", square(0, 0)), region("admin2", square(0, 0), "FR")]
    by_level["locality"] = [region("locality", square(0, 5))]
    found = parents.ancestors(by_level)
    assert found["admin2"] == [{"admin1": near}, {}]
    assert found["locality"] == [{}]


# Checks


@pytest.mark.parametrize(
    ("west", "south", "swapped"),
    [
        (7.0, 46.0, False),
        (46.0, 7.0, True),
        (15.3, 42.0, False),  # at home: within five degrees of it
        (15.6, 7.0, False),  # neither way
        (50.0, 7.0, True),  # the other way: 47.8 + 5
        (53.5, 7.0, False),
    ],
)
def test_axes_are_swapped_where_only_that_brings_regions_home(west, south, swapped):
    rows = [region("admin1", shapely.box(west, south, west + 0.1, south + 0.1), path="f")]
    if swapped:
        with pytest.raises(FileError, match=r"^f: latitude and longitude look swapped: 'x' of CH"):
            checks.refuse_swapped_axes(rows)
    else:
        checks.refuse_swapped_axes(rows)


def test_half_of_the_regions_may_look_swapped():
    home, away = square(0, 0), shapely.box(46.2, 7.2, 46.4, 7.4)
    checks.refuse_swapped_axes([region("admin1", home), region("admin1", away)])
    told = r"'y' of CH would lie near latitude 7\.3, longitude 46\.3"
    rows = [("x", home), ("y", away), ("z", away)]
    with pytest.raises(FileError, match=told):
        checks.refuse_swapped_axes([region("admin1", s, name=n, path="f") for n, s in rows])


@pytest.mark.parametrize(
    ("other", "same"),
    [
        ({}, True),
        ({"name": "y"}, False),
        ({"country": "FR"}, False),
        ({"level": "admin2"}, False),
        ({"shape": square(0.45, 0)}, True),  # they share 55% of their boxes
        ({"shape": square(0.55, 0)}, False),
        ({"shape": square(0.2, 0.2, 0.5)}, True),  # of the smaller one
        ({"path": "a"}, False),
    ],
)
def test_two_files_of_one_place_and_name_are_refused(other, same):
    given = {"level": "admin1", "shape": square(0, 0), "path": "b"} | other
    rows = [region("admin1", square(0, 0), path="a"), region(**given)]
    if same:
        with pytest.raises(FileError, match=r"^admin1 'x' of CH is drawn in a and in b: two"):
            checks.joined(rows)
    else:
        assert checks.joined(rows) == rows


def test_two_files_with_one_key_are_refused():
    rows = [region("admin1", square(i, 0), key="1", name=f"{i}", path=f"{i}") for i in (1, 0)]
    with pytest.raises(
        FileError,
        match=r"^admin1 '1' of CH is drawn in 0 and in 1: two releases mixed\? give the files of",
    ):
        checks.joined(rows)


@pytest.mark.parametrize("field", ["level", "country", "key", "code", "disputed"])
def test_parts_of_a_region_are_alike_in_all_that_makes_it(field):
    first = region("admin1", square(0, 0), key="1", code="c")
    other = {"level": "admin2", "country": "FR", "key": "2", "code": "d", "disputed": True}
    second = dataclasses.replace(first, geometry=square(1, 0))
    (both,) = checks.joined([first, second])
    assert both.geometry.area == pytest.approx(0.02)
    assert both.geometry.geom_type == "MultiPolygon"
    changed = dataclasses.replace(second, **{field: other[field]})
    assert checks.joined([first, changed]) == [first, changed]
    bare = [dataclasses.replace(one, key=None) for one in (first, second)]
    assert checks.joined(bare) == bare


# Repairs


def test_degrees_have_bounds_on_every_side():
    for box in [(0, -90, 1, 90), (-540, 0, -539, 1), (539, 0, 540, 1)]:
        fixed, _ = shapes.repair([shapely.box(*box)])
        assert fixed[0].bounds[0] >= -180
        assert fixed[0].bounds[2] <= 180
    for box in [(0, -90.1, 1, 0), (0, 0, 1, 90.1), (-540.1, 0, -539, 1), (539, 0, 540.1, 1)]:
        with pytest.raises(ValueError, match="geometry in row 1 reaches"):
            shapes.repair([None, shapely.box(*box)])


def test_what_lies_beyond_the_antimeridian_is_moved_by_a_turn():
    east, _ = shapes.repair([shapely.box(170, 0, 190, 1)])
    west, counted = shapes.repair([shapely.box(-190, 0, -170, 1)])
    both = shapely.union_all([shapely.box(170, 0, 180, 1), shapely.box(-180, 0, -170, 1)])
    assert east[0].equals(both)
    assert west[0].equals(both)
    assert counted == shapes.Repairs(wrapped=1)
    whole, counted = shapes.repair([shapely.box(-180, 0, 180, 1)])
    assert counted == shapes.Repairs()
    assert whole[0].area == 360


def test_repairs_make_flat_multipolygons_in_one_order():
    shape = shapely.MultiPolygon([shapely.box(5, 0, 6, 1), shapely.box(0, 0, 1, 1)])
    high = shapely.Polygon([(0, 0, 7), (1, 0, 7), (1, 1, 7), (0, 1, 7)])
    fixed, counted = shapes.repair([shape, high])
    assert counted == shapes.Repairs()
    assert not fixed[1].has_z
    assert {one.geom_type for one in fixed} == {"MultiPolygon"}
    turned = shapely.MultiPolygon(list(shape.geoms)[::-1])
    assert shapely.to_wkb(shapes.repair([turned])[0][0]) == shapely.to_wkb(fixed[0])
    assert shapes.wkb([shape]) == shapes.wkb([turned])
    assert shapes.wkb([shape])[0][0] == 1  # little-endian


def test_snapping_is_to_ten_millionths():
    assert shapes.snap(shapely.Point(0.123456749, 0)).x == 0.1234567
    same = shapely.Point(0.1234567, 0)
    assert shapes.snap(same) is same


# A mapping of one's own


def test_a_mapping_becomes_a_layout():
    made = mapping.own_provider(
        {
            "country": "ISO", "admin1": "STATE", "admin2": "COUNTY", "admin2_code": "CODE",
            "id": "KEY", "disputed": "D", "name:fr": "NOM",
        },
        "CC0",
    )  # fmt: skip
    (found,) = made.layouts
    assert found == providers.Layout(
        requires=("COUNTY", "CODE", "KEY", "STATE", "D", "NOM", "ISO"),
        country=("ISO",),
        names=("COUNTY",),
        level="admin2",
        key="KEY",
        parents=("STATE",),
        code="CODE",
        disputed="D",
        languages=(("fr", "NOM"),),
    )
    assert (made.name, made.licence, made.url, made.shareable) == ("file", "CC0", "", True)
    assert not mapping.own_provider({"country": "A", "name": "B"}, None).shareable
    assert mapping.own_provider({"country": "A", "name": "B"}, None).licence == "not stated"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"name": "N"}, {"level": "admin1", "names": ("N",), "requires": ("N", "C")}),
        (
            {"name": "N", "level": "L"},
            {"level": "", "level_column": "L", "requires": ("N", "C", "L"), "names": ("N",)},
        ),
        ({"level": "country"}, {"level": "country", "names": (), "requires": ("C",)}),
        (
            {"locality": "T", "admin1": "S", "parent": "P"},
            {"level": "locality", "names": ("T",), "parents": ("P",), "requires": ("T", "P", "C")},
        ),
        (
            {"locality": "T", "admin1": "S", "admin2": "D"},
            {"level": "locality", "names": ("T",), "parents": ("S",), "requires": ("T", "S", "C")},
        ),
        (
            {"admin1": "S", "admin1_code": "X", "code": "Y"},
            None,
        ),
        (
            {"admin1": "S", "name": "M", "level": "admin2"},
            {"level": "admin2", "names": ("M",), "requires": ("M", "C")},
        ),
    ],
)
def test_a_mapping_says_level_name_and_parent(given, expected):
    if expected is None:
        assert mapping.own_provider({"country": "C"} | given, "x").layouts[0].code == "Y"
        return
    (found,) = mapping.own_provider({"country": "C"} | given, "x").layouts
    assert {name: getattr(found, name) for name in expected} == expected
    values = tuple((level, level) for level in boundaries.LEVELS)
    assert found.level_values == (() if found.level else values)


@pytest.mark.parametrize(
    ("country", "literal"), [("CH", True), ("ch", False), ("QQ", False), ("CHE", False)]
)
def test_a_country_is_a_code_in_capitals_or_a_column(country, literal):
    (found,) = mapping.own_provider({"country": country, "name": "N"}, "x").layouts
    assert found.country_code == (country if literal else "")
    assert found.requires == (("N",) if literal else ("N", country))


@pytest.mark.parametrize("key", ["land", "nam:fr", "admin1_code"])
def test_an_unknown_key_is_told_with_those_known(key):
    with pytest.raises(FileError) as caught:
        mapping.own_provider({"country": "C", "name": "N", key: "X"}, "x")
    assert str(caught.value) == (
        f"unknown key {key!r}; known are country, name, level, code, id, parent, disputed, "
        "name:LANGUAGE, admin1, admin2, locality, neighbourhood (-c/--column, columns=)"
    )


# Files


def test_only_the_columns_of_a_layout_are_read():
    given = layout(
        requires=("iso", "a.b"), key="k", code="c", keep="y", disputed="d", parents=("p",),
        languages=(("fr", "f"),), language_map="m.x", views="V_", level_column="l",
    )  # fmt: skip
    there = ["iso", "name", "a", "k", "c", "y", "d", "p", "f", "m", "l", "V_1", "other", "W_1", ""]
    assert given.columns(there) == set(there) - {"other", "W_1", ""}
    assert layout().columns(["iso", "V_1", "name"]) == {"iso", "name"}


def test_parquet_without_geo_metadata_needs_a_system_and_a_column(tmp_path):
    path = tmp_path / "plain.parquet"
    wkb = shapely.to_wkb([square(0, 0)]).tolist()
    pq.write_table(pa.table({"NAME": ["A"], "geometry": wkb}), path)
    columns = {"country": "CH", "admin1": "NAME"}
    with pytest.raises(FileError, match="names no coordinate system"):
        boundaries.build(path, tmp_path / "set", columns=columns)
    made = boundaries.build(path, tmp_path / "set", columns=columns, crs="EPSG:4326")
    assert made.units["name"].to_pylist() == ["A"]
    pq.write_table(pa.table({"NAME": ["A"]}), path)
    with pytest.raises(FileError, match="has no column 'geometry' with shapes"):
        boundaries.build(path, tmp_path / "set2", columns=columns, crs="EPSG:4326")


def test_a_parquet_of_other_columns_is_told_with_those_it_has(tmp_path):
    path = tmp_path / "other.parquet"
    frame([square(0, 0)], NAME=["A"], B=[1]).to_parquet(path)
    with pytest.raises(FileError) as caught:
        boundaries.build(path, tmp_path / "set", columns={"country": "CH", "admin1": "NOM"})
    told = "expected columns (NOM) (kind 'file'), found ['NAME', 'B']"
    assert str(caught.value) == f"{path}: {told}"


def test_a_large_parquet_is_read_by_the_batch_and_whole(tmp_path):
    from geodata.boundaries.building import reading

    path = tmp_path / "many.parquet"
    count = reading._BATCH_ROWS + 3
    wkb = shapely.to_wkb([square(0, 0)] * count).tolist()
    names = [str(i) for i in range(count)]
    pq.write_table(pa.table({"iso": ["CH"] * count, "name": names, "geometry": wkb}), path)
    mine = providers.Provider("mine", "", "", (layout(),))
    found = list(reading.layers(mine, path, Axes("EPSG:4326")))
    assert [len(one.records) for one in found] == [reading._BATCH_ROWS, 3]
    assert found[1].records[-1] == {"iso": "CH", "name": str(count - 1)}


def test_layers_of_a_file_that_have_no_layout_are_passed_over(tmp_path):
    path = tmp_path / "layers.gpkg"
    frame([square(5, 5)], OTHER=["x"]).to_file(path, layer="first")
    frame([square(0, 0)], NAME=["A"]).to_file(path, layer="second")
    made = boundaries.build(path, tmp_path / "set", columns={"country": "CH", "admin1": "NAME"})
    assert made.units["name"].to_pylist() == ["A"]


def test_coordinates_that_a_system_does_not_reach_are_refused(tmp_path):
    far = shapely.box(1e12, 1e12, 2e12, 2e12)
    path = cantons(tmp_path, "far.gpkg", [far], ("A",), crs="EPSG:3035")
    with pytest.raises(FileError, match=r"has coordinates that ETRS89.* does not reach; is that"):
        boundaries.build(path, tmp_path / "set", columns={"country": "CH", "admin1": "NAME"})


def test_files_of_a_folder_are_found_by_their_endings_in_order(tmp_path):
    from geodata.boundaries.building import reading

    deep = tmp_path / "b"
    deep.mkdir()
    for name in ("c.GPKG", "a.parquet", "x.txt", "b/z.shp", "b/z.dbf", "d.geojsonl"):
        (tmp_path / name).write_text("")
    (tmp_path / "e.zip").mkdir()
    found = [p.relative_to(tmp_path).as_posix() for p in reading.source_files(tmp_path)]
    assert found == ["a.parquet", "b/z.shp", "c.GPKG", "d.geojsonl"]
    several = [tmp_path / "x.txt", deep, tmp_path / "a.parquet"]
    assert reading.source_files(several) == [several[0], deep / "z.shp", several[2]]


@pytest.mark.parametrize(
    ("name", "content", "whole"),
    [
        ("a.geojson", b'{"a": 1}\n \n', True),
        ("a.geojson", b'{"a": 1', False),
        ("a.GeoJSON", b'{"a": 1', False),
        ("a.json", b"[1, 2]", False),
        ("a.gml", b"<a></a>\n", True),
        ("a.gml", b"<a></a", False),
        ("a.shp", bytes(24) + (50).to_bytes(4, "big") + bytes(72), True),
        ("a.shp", bytes(24) + (51).to_bytes(4, "big") + bytes(72), False),
        ("a.shp", bytes(24), True),  # no header to tell by
        ("a.zip", b"PK no archive", False),
        ("a.gpkg", b"no database", True),  # told by who reads it
        ("a.kml", b"<a", True),
        ("a.kml", b"SQLite format 3 of another name", True),
    ],
)
def test_half_a_file_is_told_by_its_end_or_its_header(tmp_path, name, content, whole):
    from geodata.boundaries.building import reading

    path = tmp_path / name
    path.write_bytes(content)
    if whole:
        reading._refuse_half(path)
    else:
        with pytest.raises(FileError, match=f"{name}: is cut short, half a download"):
            reading._refuse_half(path)


def test_a_damaged_database_is_told_also_where_its_size_is_right(tmp_path):
    from geodata.boundaries.building import reading

    path = cantons(tmp_path)
    reading._refuse_half(path)
    data = bytearray(path.read_bytes())
    data[-2000:-1000] = b"\xff" * 1000
    data[4096:4196] = b"\xff" * 100
    path.write_bytes(data)
    with pytest.raises(FileError, match="is cut short"):
        reading._refuse_half(path)
