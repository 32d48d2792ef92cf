"""Two sets compared: what is the same region, what moved, which points change."""

import numpy as np
import pytest
import shapely

from geodata import boundaries
from geodata.files import FileError
from tests.boundaries.sets import frame, square, whosonfirst

COLUMNS = {"country": "ISO", "name": "NAME", "level": "LEVEL", "code": "CODE"}


def made(folder, name, *rows):
    """Build a set of (level, country, name, code, shape)."""
    level, country, called, code, shapes = zip(*rows, strict=True)
    path = folder / f"{name}.parquet"
    frame(shapes, LEVEL=level, ISO=country, NAME=called, CODE=code).to_parquet(path)
    return boundaries.build(path, folder / name, columns=COLUMNS)


def admin1(name, shape, code=None, country="CH"):
    return "admin1", country, name, code, shape


@pytest.fixture(scope="module")
def swiss(tmp_path_factory):
    folder = tmp_path_factory.mktemp("swiss")
    return boundaries.build(whosonfirst(folder), folder / "set", kind="whosonfirst")


def test_a_region_is_the_same_by_its_code_else_by_country_and_name(tmp_path):
    old = made(
        tmp_path, "old",
        admin1("Eins", square(0, 0), "CH-AG"),
        admin1("Zwei", square(1, 0)),
        admin1("Zwei", square(2, 0)),
        admin1("Drei", square(3, 0), "CH-ZH"),
        admin1("Zwei", square(40, 0), None, "AT"),
        admin1("Weg", square(50, 0), None, "FR"),
    )  # fmt: skip
    new = made(
        tmp_path, "new",
        admin1("Uno", square(0, 0), "CH-AG"),
        admin1("Zwei", square(1, 0)),
        admin1("Zwei", square(2, 0)),
        admin1("Drei", square(3, 0)),  # has no code any more
        admin1("Eins", square(8, 0)),  # the code counts first
        admin1("Zwei", square(40, 0), None, "AT"),
        admin1("Neu", square(60, 0), None, "IT"),
    )  # fmt: skip
    found = boundaries.diff(old, new)
    assert list(found) == ["country", "admin1"]
    first = found["admin1"]  # of the countries that both have
    assert (first.same, first.added, first.removed) == (4, ["Eins (CH)"], [])
    assert first.renamed == [("Eins (CH)", "Uno")]
    assert first.moved == []
    countries = found["country"]
    assert (countries.added, countries.removed) == (["Italy (IT)"], ["France (FR)"])
    assert (countries.same, [name for name, _ in countries.moved]) == (1, ["Switzerland (CH)"])


def test_what_moved_is_told_from_the_largest_share_on(tmp_path):
    old = made(
        tmp_path, "old",
        *(admin1(name, square(i * 3, 0)) for i, name in enumerate("abcdef")),
    )  # fmt: skip
    wider = [2.0, 1.009, 1.5, 2.0, 1.0, 1.011]
    new = made(
        tmp_path, "new",
        *(
            admin1(name, shapely.box(*square(i * 3, 0).bounds[:2], 7 + i * 0.3 + 0.1 * w, 46.1))
            for i, (name, w) in enumerate(zip("abcdef", wider, strict=True))
        ),
    )  # fmt: skip
    found = boundaries.diff(old, new)["admin1"]
    assert [name for name, _ in found.moved] == ["a (CH)", "d (CH)", "c (CH)", "f (CH)"]
    shares = [share for _, share in found.moved]
    assert shares == pytest.approx([0.5, 0.5, 1 / 3, 1 - 1 / 1.011], abs=1e-5)
    assert found.same == 2
    assert len(boundaries.diff(old, new, moved_share=0.4)["admin1"].moved) == 2
    assert boundaries.diff(old, new, moved_share=0.4)["admin1"].same == 4
    assert len(boundaries.diff(old, new, moved_share=0.0)["admin1"].moved) == 5


def test_what_is_renamed_and_moved_is_told_by_its_old_name_and_moved_by_its_new_one(tmp_path):
    old = made(tmp_path, "old", admin1("Old", square(0, 0), "CH-ZH"))
    new = made(tmp_path, "new", admin1("New", square(0, 0, 2), "CH-ZH"))
    found = boundaries.diff(old, new)["admin1"]
    assert found.renamed == [("Old (CH)", "New")]
    assert found.moved == [("New (CH)", pytest.approx(0.75))]
    assert (found.same, found.added, found.removed) == (0, [], [])


def test_names_are_told_in_order(tmp_path):
    codes = ["CH-AG", "CH-AI", "CH-AR", "CH-BE"]
    old = made(
        tmp_path, "old",
        *(admin1(f"old {9 - i}", square(i, 0), code) for i, code in enumerate(codes)),
        *(admin1(f"gone {9 - i}", square(i, 2)) for i in range(4)),
    )  # fmt: skip
    new = made(
        tmp_path, "new",
        *(admin1(f"new {i}", square(i, 0), code) for i, code in enumerate(codes)),
        *(admin1(f"more {9 - i}", square(i, 4)) for i in range(4)),
    )  # fmt: skip
    found = boundaries.diff(old, new)["admin1"]
    assert found.renamed == [(f"old {9 - i} (CH)", f"new {i}") for i in (3, 2, 1, 0)]
    assert found.removed == [f"gone {i} (CH)" for i in (6, 7, 8, 9)]
    assert found.added == [f"more {i} (CH)" for i in (6, 7, 8, 9)]


def test_a_level_that_one_set_has_is_all_new(swiss, tmp_path):
    plain = made(tmp_path, "plain", admin1("Zurich", square(0, 0, 2), "CH-ZH"))
    found = boundaries.diff(plain, swiss)
    assert list(found) == list(boundaries.LEVELS)
    assert found["locality"].added == ["Anderswo (CH)", "Big Town (CH)", "Dorf (CH)"]
    assert boundaries.diff(swiss, plain)["locality"].removed == found["locality"].added


def test_points_change_where_neither_code_nor_name_stays(swiss, tmp_path):
    """Two towns and the district become others; the eastern canton keeps its code."""
    level = ["admin1", "admin1", "admin2", "locality", "locality"]
    rows = zip(
        level, ["CH"] * 5, ["Zurich", "Baern", "Kreis", "Big Town", "Elsewhere"],
        ["CH-ZH", "CH-BE", None, None, None],
        [square(0, 0, 2), square(2, 0, 2), square(0, 0, 2), square(0, 0, 2), square(2, 0)],
        strict=True,
    )  # fmt: skip
    other = made(tmp_path, "other", *rows)
    at = [(0.2, 0.2), (0.7, 0.7), (2.5, 0.5), (3.5, 3.5), (90, 0)]
    lat = np.array([46 + y / 10 for _, y in at])
    lon = np.array([7 + x / 10 for x, _ in at])
    # in the first two the district is another, in the second and third the town, in the fourth
    # nothing is left; a town of another id and the same name is the same
    assert boundaries.rows_changed(swiss, other, lat, lon) == {
        "country": 1, "admin1": 1, "admin2": 2, "locality": 2, "any": 4,
    }  # fmt: skip
    assert boundaries.rows_changed(swiss, swiss, lat, lon) == dict.fromkeys(
        ("country", "admin1", "admin2", "locality", "any"), 0
    )


def test_points_need_both_coordinates(swiss):
    with pytest.raises(FileError) as caught:
        boundaries.rows_changed(swiss, swiss, np.zeros(3), np.zeros(2))
    assert str(caught.value) == "lat has 3 values, lon 2; give one of each a point"
