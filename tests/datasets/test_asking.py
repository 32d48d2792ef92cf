"""What a build is asked with, and functions of one's own: both orders, each refusal."""

import hashlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from geodata import datasets, tables
from geodata.datasets.recipes import asking, catalogue, own
from tests.datasets.small_lake import rows

# functions of one's own


def two(rows, other, *, seed, least=0):
    return rows.append_column("n", [[seed + least + other.num_rows] * rows.num_rows])


def test_a_function_gets_its_tables_in_their_order_and_the_seed(lake):
    datasets.register(two, "both")
    tables.write(lake / "few", rows(2))
    built = datasets.build("both", lake, inputs={"rows": "few", "other": "labelled"}, least=5,
                           seed=100)  # fmt: skip
    assert built.name == "both"
    assert built.report == {"rows_in": 2, "rows": 2}
    assert tables.open(lake / "both").arrow()["n"].to_pylist() == [113, 113]
    assert tables.open(lake / "both").note["parameters"] == {"least": 5}
    assert catalogue.recipe_of("both").inputs == {"rows": None, "other": None}


def test_a_function_is_noted_by_where_it_stands(lake):
    """One of this name may stand in another function, or in a class."""

    class Mine:
        @staticmethod
        def kept(rows):
            return rows

    datasets.register(Mine.kept, "mine")
    datasets.build("mine", lake, source="labelled")
    name = tables.open(lake / "mine").note["function"]["name"]
    here = "test_a_function_is_noted_by_where_it_stands.<locals>.Mine.kept"
    assert name == f"{__name__}.{here}"


def test_types_that_a_table_holds_as_others_replay(lake):
    """What a function returns is hashed as it is kept: seconds as microseconds, views as texts."""

    def other_types(rows):
        seconds = pa.array([1_700_000_000] * rows.num_rows, pa.timestamp("s"))
        named = pa.array(["a", None] * (rows.num_rows // 2), pa.string()).cast(pa.string_view())
        return rows.append_column("at", seconds).append_column("named", named)

    datasets.register(other_types)
    built = datasets.build("other_types", lake, source="labelled")
    kept = tables.open(lake / "other_types").arrow().schema
    assert (kept.field("at").type, kept.field("named").type) == (pa.timestamp("us"), pa.string())
    assert datasets.rebuild(lake, "other_types").content_hash == built.content_hash


def test_a_function_that_returns_no_row(lake):
    datasets.register(lambda rows: rows.slice(0, 0), "nothing")
    with pytest.raises(datasets.EmptyDatasetError, match="nothing returned no row"):
        datasets.build("nothing", lake, source="labelled")


def star(rows, *more):
    return rows


def stars(rows, **more):
    return rows


def late(other, rows):
    return rows


def only_words(*, rows):
    return rows


@pytest.mark.parametrize("function", [star, stars, late, only_words])
def test_forms_that_a_recipe_cannot_have(function):
    with pytest.raises(datasets.DatasetError, match=f"^{function.__name__}\\("):
        own.roles_of(function)
    assert own.roles_of(two) == ["rows", "other"]


def test_the_source_of_a_function_does_not_know_how_deep_it_stands():
    def outer():
        def inner(rows):
            return rows

        return inner

    text = "def inner(rows):\n    return rows\n"
    assert own.source_hash(outer()) == hashlib.sha256(text.encode()).hexdigest()
    with pytest.raises(datasets.DatasetError, match=r"^'len': its source cannot be read"):
        own.source_hash(len)


# what is asked for


@pytest.mark.parametrize("seed", [True, -1, 1 << 63, 1.0, "1", None])
def test_seeds_that_are_none(seed):
    with pytest.raises(datasets.DatasetError, match=f"seed={seed!r} must be a whole number from 0"):
        catalogue.all_parameters("rand", {}, seed)


@pytest.mark.parametrize("seed", [0, (1 << 63) - 1])
def test_seeds_at_the_ends(seed):
    spec, values = catalogue.all_parameters("rand", {"n": 3}, seed)
    assert spec is datasets.RECIPES["rand"]
    assert values == {"n": 3, "stratify": None, "allocation": "proportional"}
    assert datasets.RECIPES["rand"].parameters()["n"] == 500_000  # asking changes no default


@pytest.mark.parametrize(
    ("recipe", "name", "values", "asked"),
    [
        ("union", "origin", [5], "a text"),
        ("labelled", "worldview", [5, ["un"]], "a text"),
        ("join", "how", [3], "a text"),
        ("annotate", "values", [3, [3], {"a": 1}], "a text or a list of texts"),
        ("dedupe", "by", [5, ["photo_id", 5]], "a text or a list of texts"),
        ("hard", "radius_km", ["5", True, [5]], "a number"),
        ("split", "validation", ["a"], "a number"),
    ],
)
def test_values_of_another_kind_are_told_before_anything_is_read(recipe, name, values, asked):
    for value in values:
        with pytest.raises(datasets.DatasetError) as told:
            catalogue.all_parameters(recipe, {name: value}, 0)
        assert str(told.value) == f"{name}={value!r} must be {asked}"
    assert catalogue.all_parameters(recipe, {}, 0)[1][name] == catalogue.RECIPES[
        recipe].parameters()[name]  # fmt: skip


def test_numpys_numbers_arrays_and_paths_are_kept_as_json_has_them():
    _, values = catalogue.all_parameters("hard", {"radius_km": np.float32(5), "n": np.int64(7)}, 0)
    assert values == {"radius_km": 5.0, "n": 7}
    assert [type(value) for value in values.values()] == [float, int]
    _, values = catalogue.all_parameters("dedupe", {"by": np.array(["photo_id"])}, 0)
    assert values == {"by": ["photo_id"]}
    _, values = catalogue.all_parameters("labelled", {"boundaries": Path("a/b")}, 0)
    assert values["boundaries"] == "a/b"


def test_parameters_and_inputs_that_are_missing(lake):
    def needs(rows, *, least):
        return rows

    datasets.register(needs)
    with pytest.raises(datasets.DatasetError, match="'needs' needs the parameter 'least'"):
        catalogue.all_parameters("needs", {}, 0)
    assert catalogue.all_parameters("needs", {"least": 1}, 0)[1] == {"least": 1}
    with pytest.raises(datasets.DatasetError, match=r"recipes are labelled, .*, union, .*needs"):
        catalogue.all_parameters("nope", {}, 0)
    spec = datasets.RECIPES["hard"]
    assert catalogue.all_inputs("hard", spec, None) == {"rows": "labelled", "popular": "popular"}
    assert catalogue.all_inputs("hard", spec, "mine") == {"rows": "mine", "popular": "popular"}
    asked = {"rows": None, "popular": Path("p.csv")}
    assert catalogue.all_inputs("hard", spec, asked) == {
        "rows": "labelled",
        "popular": Path("p.csv"),
    }
    with pytest.raises(datasets.DatasetError, match="has no input 'other'; it has rows, popular"):
        catalogue.all_inputs("hard", spec, {"other": "x"})
    with pytest.raises(datasets.DatasetError, match="'join' needs the input 'other': the name of"):
        catalogue.all_inputs("join", datasets.RECIPES["join"], {"other": None})


def test_what_recipes_start_from_and_were_made_with_before():
    first = {name: recipe.inputs["rows"] for name, recipe in datasets.RECIPES.items()}
    photos_first = {"labelled", "dedupe"}
    assert first == {n: "photos" if n in photos_first else "labelled" for n in datasets.RECIPES}
    assert {n: dict(r.before) for n, r in datasets.RECIPES.items() if r.before} == {
        "split": {"least": 0.0}
    }


ASKED = [
    (("rand", "lake"), ("rand", "lake", "rand", None)),
    (("rand", "lake", "a"), ("rand", "lake", "a", None)),
    (("rand", "lake", "a", "in"), ("rand", "lake", "a", "in")),
    (("exclude-benchmark", "lake"), ("exclude-benchmark", "lake", "exclude_benchmark", None)),
    (("lake", "a", "rand"), ("rand", "lake", "a", None)),
    (("lake", "a", "rand", "in"), ("rand", "lake", "a", "in")),
    (("rand", "lake", "rand"), ("rand", "lake", "rand", None)),
    (("rand", "there", "rand"), ("rand", "there", "rand", None)),
    ((Path("lake"), "a", "rand"), ("rand", Path("lake"), "a", None)),
    (("nope", "lake"), ("nope", "lake", "nope", None)),
    (("lake", "a", "nope"), ("nope", "lake", "a", None)),
]


@pytest.mark.parametrize(("given_", "expected"), ASKED)
def test_both_orders_are_understood(given_, expected, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "there").mkdir()
    assert asking.asked_for(given_, {}) == expected


def test_a_lake_that_is_called_like_a_recipe(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "rand").mkdir()
    assert asking.asked_for(("rand", "hard", "hard"), {}) == ("hard", "rand", "hard", None)
    (tmp_path / "hard").mkdir()  # both are folders: the order of today
    assert asking.asked_for(("rand", "hard", "hard"), {}) == ("rand", "hard", "hard", None)


def test_words_are_taken_out_of_the_parameters():
    params = {"lake": "lake", "name": "a", "inputs": "in", "n": 5}
    assert asking.asked_for(("rand",), params) == ("rand", "lake", "a", "in")
    assert params == {"n": 5}
    params = {"recipe": "rand", "n": 5}
    assert asking.asked_for(("lake", "a"), params) == ("rand", "lake", "a", None)
    assert params == {"n": 5}


@pytest.mark.parametrize(
    ("given_", "params", "message"),
    [
        (("rand", "lake", "a", "in", 5), {}, "takes recipe, lake, name, inputs by position, got 5"),
        (("rand", "lake"), {"lake": "x"}, "got 'lake' twice, by position and by name"),
        ((), {"recipe": "rand"}, "build needs 'lake'"),
        ((), {}, "build needs 'recipe'"),
        ((None, "lake"), {}, "build needs 'recipe'"),
    ],
)
def test_calls_that_cannot_be_understood(given_, params, message):
    with pytest.raises(TypeError, match=message):
        asking.asked_for(given_, dict(params))


def test_the_rows_are_given_once():
    assert asking.with_source(None, "a") == {"rows": "a"}
    assert asking.with_source({"other": "b"}, "a") == {"rows": "a", "other": "b"}
    for inputs in ("b", {"rows": "b"}):
        with pytest.raises(datasets.DatasetError, match="rows are given twice, source='a' and inp"):
            asking.with_source(inputs, "a")


def test_the_rows_may_be_given_beside_other_inputs(lake):
    tables.write(lake / "few", rows(2))
    tables.write(lake / "places", rows(1))
    built = datasets.build("hard", lake, inputs={"popular": "places"}, source="few", radius_km=50)
    assert built.report["rows_in"] == 2
    assert tables.open(lake / "hard").arrow()["photo_id"].to_pylist() == ["p1"]
