"""The commands `geodata dataset` as a user types them, each option with an effect of its own."""

import inspect
import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from geodata import boundaries, datasets, tables
from geodata.cli import app
from geodata.scale.datasets_on_ray import RECIPES as ON_RAY

BUILD = typer.main.get_command(app).commands["dataset"].commands["build"].commands


def run(*words, code=0):
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


# what is declared


def test_each_recipe_is_a_command():
    assert list(BUILD) == list(datasets.RECIPES)


@pytest.mark.parametrize("recipe", datasets.RECIPES)
def test_a_recipe_has_its_own_options_and_their_defaults(recipe):
    """No default is written twice: an option not given is None, and the function decides."""
    own = datasets.RECIPES[recipe]
    options = {option.name: option for option in BUILD[recipe].params if option.name != "help"}
    engine = {"engine", "address"} if recipe in ON_RAY else set()
    assert set(options) == {"lake", "name", "seed", *engine, *own.inputs, *own.parameters()}
    for name, option in options.items():
        assert option.default is None
        assert option.required == (name == "lake" or own.inputs.get(name, "optional") is None)


@pytest.mark.parametrize("recipe", datasets.RECIPES)
def test_the_help_shows_the_defaults_of_the_python_function(recipe, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    told = " ".join(run("dataset", "build", recipe, "--help").replace("│", " ").split())
    own = datasets.RECIPES[recipe]
    for default in (*own.inputs.values(), *own.parameters().values()):
        if isinstance(default, tuple):
            assert f"[default: {','.join(default)}]" in told
        elif default is not None:
            shown = f"{default:g}" if isinstance(default, float) else default
            assert f"[default: {shown}]" in told
    seed = inspect.signature(datasets.build).parameters["seed"].default
    chosen = ("filter", "join", "annotate", "union")
    random = recipe not in ("labelled", "exclude-benchmark", *chosen)
    assert (f"same rows. [default: {seed}]" in told) is random
    assert f"Example: geodata dataset build {recipe} --lake" in told


@pytest.mark.parametrize("recipe", datasets.RECIPES)
def test_options_of_other_recipes_are_refused(recipe):
    own = {name for option in BUILD[recipe].params for name in option.opts}
    every = {
        name for command in BUILD.values() for option in command.params for name in option.opts
    }
    assert every - own
    for name in every - own:
        told = run("dataset", "build", recipe, "--lake", "lake", name, 1, code=2)
        assert f"No such option: {name}" in told


def test_an_unknown_recipe_is_told():
    assert "No such command 'hrad'" in run("dataset", "build", "hrad", "--lake", "lake", code=2)


def test_an_allocation_without_a_column_is_told():
    with pytest.raises(ValueError, match="--stratify COLUMN"):
        run("dataset", "build", "rand", "--lake", "lake", "--allocation", "equal")


def test_a_lake_without_tables_is_told(tmp_path):
    assert "no tables; geodata photos import" in run("dataset", "list", "--lake", tmp_path)


# what each option does

OFF_COAST = (19051, 43411, 97371)
"""Rows of the gallery outside every country, less than 10 km from one."""
DISPUTED = (4530, 7842)
"""Rows of the gallery that India claims."""


@pytest.fixture(scope="module")
def lake(shared, tmp_path_factory):
    """Real places under made-up names: a photographer has the photos of one square degree."""
    folder = tmp_path_factory.mktemp("dataset")
    gallery = pacsv.read_csv(shared / "points" / "geoclip_gallery_100k.csv")
    points = gallery.take([*range(0, 100_000, 60), *OFF_COAST, *DISPUTED])
    places = list(zip(points["LAT"].to_pylist(), points["LON"].to_pylist()))
    rows = pa.table(
        {
            "id": [f"p{i}" for i in range(len(places))],
            "lat": points["LAT"],
            "lon": points["LON"],
            "author": [f"{lat:.0f} {lon:.0f}" for lat, lon in places],
        }
    )
    pacsv.write_csv(rows, folder / "photos.csv")
    pacsv.write_csv(pa.concat_tables([rows, rows.slice(0, 100)]), folder / "twice.csv")
    pacsv.write_csv(rows.slice(0, 40), folder / "benchmark.csv")
    pacsv.write_csv(rows.slice(0, 20), folder / "smaller.csv")
    pacsv.write_csv(rows.slice(0, 5), folder / "places.csv")
    write_answers(rows, pc.greater(rows["lat"], 45), folder / "answers.csv")
    write_answers(rows, pc.less(rows["lat"], 0), folder / "southern.csv")
    write_renamed_set(folder / "renamed")
    scores = pa.table({"photo_id": rows["id"], "author": rows["id"], "score": range(len(rows)),
                       "model": ["m"] * len(rows)})  # fmt: skip
    pacsv.write_csv(scores, folder / "scores.csv")
    pacsv.write_csv(scores.slice(0, 700), folder / "half.csv")
    pacsv.write_csv(pa.concat_tables([scores, scores]), folder / "votes.csv")
    home = ("--lake", folder)
    run("photos", "import", folder / "photos.csv", *home)
    run("photos", "import", folder / "twice.csv", *home, "--table", "twice")
    for name, n in (("others", 30), ("few-others", 20)):
        named = rows.slice(0, n).set_column(0, "id", pa.array([f"q{i}" for i in range(n)]))
        pacsv.write_csv(named, folder / f"{name}.csv")
        run("photos", "import", folder / f"{name}.csv", *home, "--table", name)
    run("dataset", "build", "labelled", *home)
    run("dataset", "build", "popular", *home, "--predictions", folder / "answers.csv")
    run("dataset", "build", "rand", *home, "--name", "fewer", "-n", 900, "--seed", 5)
    return folder


def write_answers(rows, near, path):
    """A model that is 1, 11 or 20 km off where ``near``, and far off elsewhere."""
    given = enumerate(zip(rows["lat"].to_pylist(), near.to_pylist()))
    lat = [lat + (0.01, 0.1, 0.18)[i % 3] if close else -lat + 7 for i, (lat, close) in given]
    pacsv.write_csv(pa.table({"id": rows["id"], "lat": lat, "lon": rows["lon"]}), path)


def write_renamed_set(folder):
    """The bundled boundaries with another name for France."""
    shutil.copytree(
        boundaries.load().folder, folder, copy_function=lambda a, b: Path(b).symlink_to(a)
    )
    countries = pq.read_table(folder / "countries.parquet")
    names = ["Gaule" if name == "France" else name for name in countries["name"].to_pylist()]
    at = countries.column_names.index("name")
    (folder / "countries.parquet").unlink()
    pq.write_table(countries.set_column(at, "name", pa.array(names)), folder / "countries.parquet")


def built(lake, recipe, name, *options):
    """Build a dataset; return its content hash and all else that was told about it."""
    options = [lake / word if str(word).endswith(".csv") or word == "renamed" else word
               for word in options]  # fmt: skip
    told = run("dataset", "build", recipe, "--lake", lake, "--name", name, *options)
    lines = told.splitlines()
    assert lines[0].startswith(f"{name}, version 0: ")
    return lines[1], lines[2:]


ANSWERS = ("--predictions", "answers.csv")
BENCHMARK = ("--benchmark", "benchmark.csv")
JAPAN = ("--where", "country_code = 'JP'")
SCORES = ("--other", "scores.csv", "--prefix", "of_")
OTHERS = ("--other", "others")
VOTES = ("--annotations", "votes.csv")
OPTIONS = [
    ("labelled", (), ("--from", "fewer")),
    ("labelled", (), ("--boundaries", "renamed")),
    ("labelled", (), ("--worldview", "in")),
    ("labelled", (), ("--dependencies", "sovereign")),
    ("labelled", (), ("--max-offset-km", 0)),
    ("rand", ("-n", 500), ("--from", "fewer")),
    ("rand", ("-n", 500), ("-n", 501)),
    ("rand", ("-n", 500), ("--stratify", "country_code")),
    ("rand", ("-n", 500, "--stratify", "country_code"), ("--allocation", "equal")),
    ("rand", ("-n", 500), ("--seed", 1)),
    ("popular", ANSWERS, ("--from", "fewer")),
    ("popular", ANSWERS, ("--predictions", "southern.csv")),
    ("popular", ANSWERS, ("--radius-km", 15)),
    ("popular", ANSWERS, ("--thin", 2)),
    ("popular", ANSWERS, ("-n", 50)),
    ("popular", (*ANSWERS, "-n", 50), ("--seed", 1)),
    ("hard", (), ("--from", "fewer")),
    ("hard", (), ("--popular", "places.csv")),
    ("hard", (), ("--radius-km", 900)),
    ("hard", (), ("-n", 50)),
    ("hard", ("-n", 50), ("--seed", 1)),
    ("split", (), ("--from", "fewer")),
    ("split", (), ("--validation", 0.3)),
    ("split", (), ("--test", 0.3)),
    ("split", (), ("--resolution", 1)),
    ("split", (), ("--buffer", 0)),
    ("split", (), ("--seed", 1)),
    ("exclude-benchmark", BENCHMARK, ("--from", "fewer")),
    ("exclude-benchmark", BENCHMARK, ("--benchmark", "smaller.csv")),
    ("exclude-benchmark", BENCHMARK, ("--by", "photo_id")),
    ("exclude-benchmark", BENCHMARK, ("--radius-km", 300)),
    ("filter", JAPAN, ("--from", "fewer")),
    ("filter", JAPAN, ("--where", "country_code = 'FR'")),
    ("join", SCORES, ("--from", "fewer")),
    ("join", SCORES, ("--other", "half.csv")),
    ("join", SCORES, ("--on", "author")),
    ("join", SCORES, ("--columns", "score")),
    ("join", SCORES, ("--prefix", "s_")),
    ("join", ("--other", "half.csv", "--prefix", "of_"), ("--how", "inner")),
    ("annotate", VOTES, ("--from", "fewer")),
    ("annotate", VOTES, ("--annotations", "scores.csv")),
    ("annotate", VOTES, ("--on", "author")),
    ("annotate", VOTES, ("--by", "model")),
    ("annotate", VOTES, ("--values", "score")),
    ("annotate", VOTES, ("--column", "votes")),
    ("union", OTHERS, ("--from", "fewer")),
    ("union", OTHERS, ("--other", "few-others")),
    ("union", OTHERS, ("--origin", "table_name")),
    ("dedupe", (), ("--from", "labelled")),
    ("dedupe", (), ("--by", "author")),
    ("dedupe", ("--by", "author"), ("--seed", 1)),
]
base = {}
"""What each recipe gave without the option: built once."""


@pytest.mark.parametrize(("recipe", "without", "option"), OPTIONS)
def test_an_option_changes_the_rows(lake, recipe, without, option):
    if (recipe, without) not in base:
        base[recipe, without] = built(lake, recipe, f"base{len(base)}", *without)
    name = f"tried{OPTIONS.index((recipe, without, option))}"
    assert built(lake, recipe, name, *without, *option)[0] != base[recipe, without][0]


@pytest.mark.parametrize("recipe", datasets.RECIPES)
def test_the_command_gives_the_rows_of_the_python_function(lake, recipe):
    file = {"popular": "answers.csv", "exclude-benchmark": "benchmark.csv", "join": "scores.csv",
            "annotate": "votes.csv", "union": "others"}.get(recipe)  # fmt: skip
    role = next((role for role, own in datasets.RECIPES[recipe].inputs.items() if not own), None)
    # the lake has fewer rows than the default
    few = {"rand": ("-n", {"n": 500}), "filter": ("--where", {"where": "lat > 0"})}.get(recipe)
    more = {"join": {"columns": "score"}}.get(recipe, few[1] if few else {})
    inputs = {role: lake / file if "." in file else file} if role else None
    expected = datasets.build(lake, f"python-{recipe}", recipe, inputs, **more)
    words = [f"--{role}", file] if role else [few[0], *few[1].values()] if few else []
    words += ["--columns", "score"] if recipe == "join" else []
    assert built(lake, recipe, f"typed-{recipe}", *words)[0].endswith(expected.content_hash)
    notes = [tables.open(lake / f"{how}-{recipe}").note for how in ("python", "typed")]
    assert notes[0]["parameters"] == notes[1]["parameters"]
    assert notes[0]["seed"] == notes[1]["seed"]


def test_every_option_of_a_recipe_is_tried():
    tried = {(recipe, option[0]) for recipe, _, option in OPTIONS}
    elsewhere = {
        ("popular", "--exclude-km"),
        ("labelled", "--seed"),
        ("exclude-benchmark", "--seed"),
        ("split", "--least"),
        *((recipe, option) for recipe in ON_RAY for option in ("--engine", "--address")),
        *((recipe, "--seed") for recipe in ("filter", "join", "annotate", "union")),
    }
    declared = {
        (recipe, option.opts[0])
        for recipe, command in BUILD.items()
        for option in command.params
        if option.name not in ("lake", "name", "help")
    }
    assert tried | elsewhere == declared


def test_the_radius_of_the_hard_set_is_only_reported(lake):
    one = built(lake, "popular", "reported", *ANSWERS)
    two = built(lake, "popular", "reported-nearer", *ANSWERS, "--exclude-km", 20)
    assert one[0] == two[0]
    assert any("exclude km 200.0," in line for line in one[1])
    assert any("exclude km 20.0," in line for line in two[1])


def test_a_recipe_without_chance_records_the_seed(lake):
    """One seed for all recipes is what scripts give."""
    one = built(lake, "labelled", "seeded", "--from", "fewer", "--seed", 7)
    assert one == built(lake, "labelled", "not-seeded", "--from", "fewer")
    assert "seed 7" in run("dataset", "history", "seeded", "--lake", lake)


def test_without_a_name_the_table_is_called_like_the_recipe(lake):
    home = ("--lake", lake)
    told = run("dataset", "build", "exclude-benchmark", *home, "--benchmark", lake / "smaller.csv")
    assert told.startswith("exclude_benchmark, version 0: ")


# options of the commands about a version


@pytest.fixture
def versions(lake, tmp_path):
    """A lake with two versions of ``rand``: 30 rows, tagged ``first``, then 20."""
    shutil.copytree(lake / "labelled", tmp_path / "lake" / "labelled")
    home = ("--lake", tmp_path / "lake")
    run("dataset", "build", "rand", *home, "-n", 30)
    run("dataset", "tag", "rand", "first", *home)
    run("dataset", "build", "rand", *home, "-n", 20)
    return home


@pytest.mark.parametrize("at", [0, "first"])
def test_at_chooses_a_version(versions, tmp_path, at):
    for command in ("verify", "rebuild"):
        assert "version 1: 20 rows" in run("dataset", command, "rand", *versions)
        assert "version 0: 30 rows" in run("dataset", command, "rand", *versions, "--at", at)
    assert run("dataset", "card", "rand", *versions) != run(
        "dataset", "card", "rand", *versions, "--at", at
    )
    for rows, words in ((20, ()), (30, ("--at", at))):
        out = tmp_path / f"export{rows}"
        told = run("dataset", "export", "rand", *versions, "-o", out, *words)
        assert f"export{rows}: {rows} rows (train {rows}), card and Croissant file" in told
        assert pq.read_table(out / "data").num_rows == rows
    assert "rand@old is version 0" in run("dataset", "tag", "rand", "old", *versions, "--at", at)


def test_audit_looks_at_the_version(versions):
    note = tables.open(versions[1] / "rand").note
    far = pa.table({"photo_id": ["a"], "lat": [91.0], "lon": [0.0]})
    tables.write(versions[1] / "rand", far, note=note)
    told = run("dataset", "audit", "rand", *versions, code=1)
    assert "dataset_bad_coordinates: 1 rows" in told
    assert "  photo_id a, lat 91.0, lon 0.0" in told
    assert "dedupe" not in told
    assert "dataset_bad_coordinates: 0 rows" in run(
        "dataset", "audit", "rand", *versions, "--at", "first"
    )


def test_rows_of_an_audit_are_told_in_a_line(versions):
    note = tables.open(versions[1] / "rand").note
    rows = {name: ["x" * 90, "x" * 90] for name in ("country", "reason", "source")}
    twice = pa.table({"photo_id": ["a", "a"], "lat": [9.0, 9.0], "lon": [0.0, 0.0], **rows})
    tables.write(versions[1] / "rand", twice, note=note)
    told = run("dataset", "audit", "rand", *versions, code=1)
    (line, *_) = [one for one in told.splitlines() if "photo_id a" in one]
    assert line.startswith("  photo_id a, lat 9.0, lon 0.0, copies 2, source xxx")
    assert line.endswith("x...")
    assert len(line) <= 80
    assert "dedupe keeps one row of each" in told


def test_a_rebuild_writes_only_if_asked(versions):
    run("dataset", "rebuild", "rand", *versions, "--at", "first")
    assert "rand" in (told := run("dataset", "list", *versions))
    assert "version   1           20 rows" in told
    run("dataset", "rebuild", "rand", *versions, "--at", "first", "--write")
    assert "version   2           30 rows" in run("dataset", "list", *versions)


def test_a_tag_moves_only_if_asked(versions):
    with pytest.raises(ValueError, match="first"):
        run("dataset", "tag", "rand", "first", *versions)
    assert "rand@first is version 1" in run("dataset", "tag", "rand", "first", *versions, "--move")


def test_diff_compares_with_the_latest_unless_told(versions):
    assert "10 removed" in run("dataset", "diff", "rand", "first", *versions)
    assert "0 rows added, 0 removed" in run("dataset", "diff", "rand", "first", 0, *versions)


def test_a_card_is_printed_or_written(versions, tmp_path):
    told = run("dataset", "card", "rand", *versions)
    run("dataset", "card", "rand", *versions, "--out", tmp_path)
    written = (tmp_path / "README.md").read_text("utf-8").splitlines()
    assert set(told.splitlines()) <= set(written)
    assert (tmp_path / "map.png").is_file()
