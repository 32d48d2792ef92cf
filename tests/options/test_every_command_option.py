"""Every option of every command is given by some test, together with its command."""

import ast
import re
import shlex
import shutil
from functools import cache

import geopandas
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import shapely
import typer
from PIL import Image
from typer.testing import CliRunner

from geodata import GeodataError, cor
from geodata.cli import app as geodata_app
from georl.cli import app as georl_app
from tests.boundaries.sets import cantons, square
from tests.options.finding import ROOT


def commands(app):
    """Yield (words, command) for every command below an application."""
    waiting = [((), typer.main.get_command(app))]
    while waiting:
        path, group = waiting.pop()
        for name, command in group.commands.items():
            if hasattr(command, "commands"):
                waiting.append(((*path, name), command))
            else:
                yield (*path, name), command


COMMANDS = {
    " ".join((program, *words)): command
    for program, app in (("geodata", geodata_app), ("georl", georl_app))
    for words, command in commands(app)
}


@cache
def spoken():
    """Return the words of the texts of each test, with those of the helpers of its file."""
    tests = []
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if path.parent.name == "options":
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        common = {word for node in tree.body if not is_test(node) for word in words(node)}
        tests += [words(node) | common for node in tree.body if is_test(node)]
    return tests


def is_test(node):
    return isinstance(node, ast.FunctionDef) and node.name.startswith("test_")


def words(node):
    return {
        word
        for part in ast.walk(node)
        if isinstance(part, ast.Constant) and isinstance(part.value, str)
        for word in re.split(r"[\s=\"']+", part.value)
    }


def options(command):
    return [o for o in command.params if o.param_type_name == "option" and not o.hidden]


ELSEWHERE = {
    ("geodata boundaries fetch", "--again"): "the function's `again` has a case",
    ("geodata dataset audit", "--inputs"): "the function's `look_in` has a case",
    ("georl demo", "--output"): "a demo takes ten minutes; examples/demo.sh runs it",
    ("georl demo", "--workers"): "as above",
    ("georl demo", "--no-quick"): "as above",
    ("georl predict", "--dry-run"): "the run that it announces has tests",
}
"""Options that no test gives to their command, each with its reason; none may be added lightly."""


def test_the_reasons_are_of_options_that_are_there():
    for called, flag in ELSEWHERE:
        known = {f for o in options(COMMANDS[called]) for f in (*o.opts, *o.secondary_opts)}
        assert flag in known
    assert len(ELSEWHERE) <= 6


@pytest.mark.parametrize("called", sorted(COMMANDS))
def test_every_option_is_given_by_a_test(called):
    missing = []
    here = [{called.split()[-1], *shlex.split(" ".join(GIVEN[line]))} for line in GIVEN
            if line.startswith(f"{called} ")]  # fmt: skip
    for option in options(COMMANDS[called]):
        flags = {*option.opts, *option.secondary_opts} - {"--help"}
        # of a pair such as --lint/--no-lint, the one that is not the default
        flags = set(option.secondary_opts) or flags if option.default is True else flags
        if any((called, flag) in ELSEWHERE for flag in flags):
            continue
        if flags and not any(
            called.split()[-1] in said and flags & said for said in [*spoken(), *here]
        ):
            missing.append(" ".join(sorted(flags)))
    assert missing == [], f"no test calls {called} with {missing}"


# The options that no other test gives: their effect, told from what is printed or written.

TRUTH = """id,lat,lon,who,id2,lat2,lon2
a,0,0,x,b,0.5,0
b,10,0,x,a,10,0.5
c,20,0,y,c,20,0
d,30,0,y,d,30,0
"""
PREDS = """id,lat,lon,key,north,east,words,place,sure_of_it,lat_1,lon_1
a,0.1,0,a,0,9,"(1.0, 2.0)",2,0.9,0.1,0
b,13,0,c,10,9,"(1.0, 2.0)",1,0.1,13,0
c,20,0,b,20,9,"(1.0, 2.0)",1,0.3,20,0
"""
TWICE = "id,lat,lon,place,sure_of_it\na,50,0,2,.1\na,0,0,1,.9\nb,10,0,2,.3\nb,50,0,1,.4\n"
POINTS = "lat,lon,y,x\n25.04,121.56,35,135.77\n-20.88,55.45,48.8,2.3\n"
PHOTOS = """photo,y,x,when,rights,extra,AUTHOR
a.jpg,48.8,2.3,2020-01-01,CC0,hello,7@N00
b.jpg,35,135.77,2021-01-01,CC0,world,8@N00
"""


def sets_and_records(folder):
    """Boundaries in files, whole, turned and without a system; two sets; rows for records."""
    cantons(folder)
    shapes = [square(0, 0, 2), square(2, 0, 2)]
    over = [shapely.transform(shape, lambda xy: xy[:, ::-1]) for shape in shapes]
    cantons(folder, "turned.gpkg", shapes=over)
    bare = geopandas.GeoDataFrame({"NAME": ["A", "B"]}, geometry=shapes, crs=None)
    bare.to_parquet(folder / "bare.parquet")
    places = pa.table(
        {
            "photo_id": ["p0", "p1", "p2"],
            "lat": [48.8, 35.0, 48.8],
            "lon": [2.3, 135.77, 2.3],
            "image": ["a.jpg", "b.jpg", "a.jpg"],
            "status": ["ok"] * 3,
            "split": ["train", "test", "train"],
        }
    )
    rows = cor.label_table(places)
    pq.write_table(rows, folder / "chats.parquet")
    some = pa.array(["a.jpg", None, "a.jpg"])
    pq.write_table(rows.set_column(3, "image", some), folder / "some.parquet")
    address = pa.array(["https://example.org/a.jpg"] * 3)
    pq.write_table(rows.set_column(3, "image", address), folder / "addressed.parquet")


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Files to give to commands, in a folder that is the current one."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEODATA_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("COLUMNS", "200")
    for name, text in (
        ("truth.csv", TRUTH), ("preds.csv", PREDS), ("twice.csv", TWICE),
        ("points.csv", POINTS), ("photos.csv", PHOTOS), ("other.csv", PREDS),
    ):  # fmt: skip
        (tmp_path / name).write_text(text, encoding="utf-8")
    (tmp_path / "better.csv").write_text(PREDS.replace("b,13,0", "b,10,0"), encoding="utf-8")
    jpg = PREDS.replace("\na,", "\na.jpg,").replace("\nb,", "\nb.jpg,").replace("\nc,", "\nc.jpg,")
    (tmp_path / "jpg.csv").write_text(jpg, encoding="utf-8")
    rows = [(i, 30 + i / 3, -50 + i) for i in range(40)]
    lines = [f"{i}.jpg,{y},{x},{-y},{-x},95" for i, y, x in rows]
    head = "id,lat,lon,lat2,lon2,far"
    (tmp_path / "forty.csv").write_text("\n".join([head, *lines]), encoding="utf-8")
    (tmp_path / "known.csv").write_text("name,url\nyours,x\n", encoding="utf-8")
    lines = [f"{i}.jpg,{y + 0.01},{-x},{-y},{-x},95" for i, y, x in rows]
    for name in ("flipped.csv", "again.csv"):
        (tmp_path / name).write_text("\n".join([head, *lines]), encoding="utf-8")
    sets_and_records(tmp_path)
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for name in ("a.jpg", "b.jpg"):
        Image.new("RGB", (8, 6), "red").save(pictures / name, comment=b"taken in Kyoto")
    return tmp_path


def outcome(folder, line):
    """Run a command; return its exit code, what it printed, and what it wrote as out*."""
    done = CliRunner().invoke(geodata_app, shlex.split(line)[1:])
    written = [
        path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).parts[0].startswith("out")
    ]
    for path in folder.glob("out*"):
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    error = done.exception
    assert error is None or isinstance(error, SystemExit | GeodataError), repr(error)
    return done.exit_code, done.output + str(error), written


SCORED = (
    "--strict", "--thresholds 7", "--less-than", "--distance wgs84", "--cluster who",
    "--seed 5 --cluster who", "--id id2", "--lat lat2 --lon lon", "--lat lat --lon lon2",
    "--pred-id key", "--pred-lat north --pred-lon lon", "--pred-lat lat --pred-lon east",
    "--text words", "--distance-column place", "--distance-unit m --distance-column place",
)  # fmt: skip
RECORDS = "geodata records sft --from chats.parquet --split all -o out"
BUILD = "geodata boundaries build file -c country=CH -c admin1=NAME --out ./out"
GIVEN = {
    f"{BUILD} --from cantons.gpkg": ("--release 2026", "--licence CC-X"),
    f"{BUILD} --from turned.gpkg": ("--swap-axes",),
    f"{BUILD} --from bare.parquet": ("--crs EPSG:4326",),
    RECORDS: ("--image-root pictures",),
    f"{RECORDS} --image-root pictures": (
        "--split test", "--where 'lat > 40'", "--variant location", "--form messages",
        "--format llava", "--images bytes", "--shard-rows 1",
    ),
    RECORDS.replace("chats", "some") + " --image-root pictures": ("--missing drop",),
    f"{RECORDS} --images bytes --image-root pictures": ("--keep-metadata",),
    RECORDS.replace("chats", "addressed") : ("--urls",),
    "geodata compare preds.csv better.csv --truth truth.csv": SCORED,
    "geodata table preds.csv better.csv --truth truth.csv": (
        *SCORED, "--missing exclude", "--benchmark im2gps3k",
    ),
    "geodata compare jpg.csv better.csv --truth truth.csv": ("--match exact",),
    "geodata table jpg.csv better.csv --truth truth.csv": ("--match exact",),
    "geodata lint flipped.csv --truth forty.csv": (
        "--id lat2", "--lat lat2 --lon lon", "--lat lat --lon lon2", "--pred-id lat",
        "--pred-lat far --pred-lon lon", "--pred-lat lat --pred-lon far", "--text id",
        "--against again.csv", "--distance-column far", "--distance-column id --distance-unit m",
    ),
    "geodata label points.csv -o out.csv": (
        "--lat y --lon lon", "--lat lat --lon x", "--worldview cn", "--dependencies sovereign",
        "--boundaries nowhere",
    ),
    "geodata boundaries diff bundled bundled --table points.csv": (
        "--lat nope --lon lon", "--lat lat --lon nope",
    ),
    "geodata boundaries fetch mine": ("--registry known.csv",),
    "geodata evaluate twice.csv --truth truth.csv --no-regions --candidates rows": (
        "--rank place", "--confidence-column sure_of_it",
    ),
    "geodata evaluate preds.csv --truth truth.csv --no-regions": (
        "--text words", "--distance-column place",
    ),
    "geodata evaluate preds.csv --truth truth.csv --no-regions --distance-column place": (
        "--distance-unit m",
    ),
    "geodata evaluate preds.csv --truth truth.csv --no-regions --cluster who": ("--seed 5",),
    "geodata evaluate twice.csv --truth truth.csv --no-regions": ("--candidates none",),
    "geodata map points.csv": ("-o out.svg", "--out out.svg"),
    "geodata map points.csv -o out.svg": (
        "--lat y --lon x", "--title elsewhere", "--dark", "--around preds.csv",
    ),
    "geodata map points.csv -o out.svg --around preds.csv": ("--radius-km 3000",),
    "geodata photos import photos.csv --lake out --table t --lat y --lon x --id photo": (
        "--no-salt",
    ),
    "geodata geocode --city Paris": ("--admin1 Texas",),
    "geodata photos import photos.csv -o out.parquet --lat y --lon x --id photo": (
        "--image photo", "--taken-at when", "--licence-column rights", "--keep extra",
        "--images pictures", "--licence CC-X", "--salt pepper", "--format mp16",
        "--images pictures --min-image-bytes 100000",
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    ("line", "more"), [(line, more) for line, options in GIVEN.items() for more in options]
)
def test_an_option_changes_what_a_command_does(line, more, place):
    plain, changed = outcome(place, line), outcome(place, f"{line} {more}")
    assert changed != plain, changed[1]
