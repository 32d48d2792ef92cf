"""``geodata boundaries``: each line that is told of a set, at values of its own."""

import datetime

import numpy as np
import pytest
from typer.testing import CliRunner

from geodata import boundaries, files
from geodata.cli import app, boundary_sets
from tests.boundaries.sets import cantons, square, whosonfirst


def invoked(*words):
    return CliRunner().invoke(app, ["boundaries", *map(str, words)])


def told(*words, code=0):
    done = invoked(*words)
    assert done.exit_code == code, (done.output, done.exception)
    return done.output


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GEODATA_HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def record(**changed):
    usual = {
        "rows": 7, "licence": "ODbL", "repairs": {"invalid": 0, "snapped": 0}, "left_out": {"a": 0},
        "joined": 0, "coverage": {"admin1": {"overlapping": 0, "with_gaps": 0}},
    }  # fmt: skip
    return boundary_sets._made(usual | changed)


def test_what_was_done_to_a_set():
    assert record() == ["7 rows read", "repairs: none"]
    assert record(shareable=True) == ["7 rows read", "repairs: none"]
    assert record(shareable=False)[1] == "not for others, export is refused; licence: ODbL"
    repairs = {"invalid": 1, "empty": 2, "wrapped": 0, "snapped": 4}
    assert record(repairs=repairs)[1] == (
        "repairs: 1 made valid, 2 dropped, without any area, 4 snapped to 1e-7 degrees"
    )
    left = record(left_out={"no_name": 2, "other": 0, "of_sea": 1})
    assert left[2:] == ["left out: 2 no name, 1 of sea"]
    assert record(joined=3)[2:] == ["3 rows joined to the region that they are a part of"]
    coverage = {
        "country": {"overlapping": 2, "overlap_km2": 1234.56, "with_gaps": 0},
        "admin1": {"overlapping": 0, "with_gaps": 5, "gap_km2": 2345.67},
    }
    assert record(coverage=coverage)[2:] == [
        "country: 2 overlap others, 1,234.6 km2", "admin1: gaps in 5 countries, 2,345.7 km2",
    ]  # fmt: skip


def test_columns_are_meanings_and_names():
    assert boundary_sets._mapping(["country=ISO", "name:fr=A=B"]) == {
        "country": "ISO", "name:fr": "A=B",
    }  # fmt: skip
    for wrong in ("country", "country=", "=ISO"):
        with pytest.raises(ValueError, match=f"--column '{wrong}' is not MEANING=COLUMN"):
            boundary_sets._mapping(["a=b", wrong])


@pytest.mark.parametrize(
    ("count", "line"),
    [
        (0, ""), (1, "  gone: n0\n"),
        (10, f"  gone: {'; '.join(f'n{i}' for i in range(10))}\n"),
        (12, f"  gone: {'; '.join(f'n{i}' for i in range(10))}, and 2 more\n"),
    ],
)  # fmt: skip
def test_some_regions_are_named(capsys, count, line):
    boundary_sets._echo_some("gone", [f"n{i}" for i in range(count)])
    assert capsys.readouterr().out == line


def test_points_of_a_file_are_those_that_are_valid(tmp_path):
    (tmp_path / "a.csv").write_text("id,y,x\na,1.5,2.5\nb,,3\nc,91,3\nd,-4,190\n")
    points = boundary_sets._points(tmp_path / "a.csv", "y", "x")
    assert points.lat.tolist() == [1.5, -4.0]
    assert points.lon.tolist() == [2.5, -170.0]
    assert points.valid.tolist() == [True, True]
    assert isinstance(points.lat, np.ndarray)


def made(name, *words, **asked):
    path = cantons(asked.pop("folder"), f"{name}.gpkg", **asked)
    return told("build", "file", "--from", path, "-c", "country=CH", "-c", "admin1=NAME",
                "--out", name, *words).splitlines()  # fmt: skip


def test_a_set_is_told_when_it_is_built_and_described(home):
    lines = made("mine", "--release", "r 1", "--licence", "CC0", folder=home)
    folder = home / "home" / "boundaries" / "mine"
    assert lines[0] == f"{folder}: built"
    assert lines[1:3] == ["  2 rows read", "  repairs: none"]
    files_ = [line for line in lines if line.endswith(" MB")]
    assert [line.split()[0] for line in files_] == sorted(f.name for f in folder.iterdir())
    for line in files_:
        size = (folder / line.split()[0]).stat().st_size
        assert line.split()[1] == f"{size / 1e6:.2f}"
    described = told("describe", "mine").splitlines()
    assert described[0] == f"mine  {folder}"
    assert "  regions    country 1, admin1 2" in described
    assert "  releases   r 1" in described
    assert "  licences   CC0" in described
    assert "  disputed   0 regions" in described
    assert "  2 rows read" in described
    size = boundaries.describe("mine").size
    assert f"  size       {size / 1e6:,.1f} MB" in described
    assert f"  sha256     {boundaries.describe('mine').sha256}" in described
    assert max(map(len, described[1:])) <= 80


def test_a_map_of_a_set_is_drawn(home):
    made("mine", folder=home)
    assert ": drawn" not in told("describe", "mine")
    assert told("describe", "mine", "--map", home / "m.svg").endswith(f"{home / 'm.svg'}: drawn\n")
    assert (home / "m.svg").is_file()


def test_sets_are_listed_with_what_they_hold(home):
    made("mine", folder=home)
    lines = told("list").splitlines()
    found = boundaries.load("mine")
    assert f"{'mine':20} countries 1, units 2, sha256 {found.sha256[:12]}" in lines
    bundled = next(line for line in lines if line.startswith("bundled "))
    whole = boundaries.load()
    assert f"countries {len(whole.countries)}, units {len(whole.units)}" in bundled
    assert whole.sha256[:12] in bundled


def test_a_set_is_exported_with_its_hash(home):
    made("mine", "--licence", "CC0", folder=home)
    out = home / "mine.zip"
    told_ = told("export", "mine", out)
    assert told_ == (f"{out}: {out.stat().st_size / 1e6:.2f} MB, sha256 {files.sha256(out)}\n")


def test_columns_of_places_are_named(home):
    made("one", folder=home)
    (home / "p.csv").write_text("id,north,east\na,46.1,170\n")
    told_ = told("diff", "one", "one", "--table", home / "p.csv", "--lat", "north", "--lon", "east")
    assert "0 of 1 rows would change" in told_


def test_regions_that_moved_are_told_with_their_share(home):
    made("old", folder=home)
    made("new", folder=home, shapes=[square(0, 0, 2), square(2, 0, 1)])
    lines = told("diff", "old", "new").splitlines()
    admin1 = next(line for line in lines if line.startswith("admin1: "))
    assert admin1.endswith("0 added, 0 gone, 0 renamed, 1 moved")
    moved = next(line for line in lines if line.startswith("  moved: Bern"))
    assert moved.endswith("% of its area")


def test_what_came_and_what_went_are_told_apart(home):
    made("old", folder=home)
    made("new", folder=home, names=["Uri", "Bern", "Zug"],
         shapes=[square(0, 0, 2), square(2, 0, 2), square(4, 0, 2)])  # fmt: skip
    lines = told("diff", "old", "new").splitlines()
    at = next(i for i, line in enumerate(lines) if line.startswith("admin1: "))
    assert lines[at] == "admin1: 1 the same, 2 added, 1 gone, 0 renamed, 0 moved"
    assert lines[at + 1 : at + 3] == ["  added: Uri (CH); Zug (CH)", "  gone: Zürich (CH)"]
    back = told("diff", "new", "old").splitlines()
    assert "admin1: 1 the same, 1 added, 2 gone, 0 renamed, 0 moved" in back


def test_a_set_is_verified_file_by_file(home):
    made("mine", folder=home)
    assert told("verify") == "bundled: every file matches its SHA-256\n"
    (home / "home" / "boundaries" / "mine" / "index.geoindex").write_bytes(b"x")
    done = invoked("verify", "mine")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("error: ")


def test_deeper_levels_are_counted_too(home):
    boundaries.build(whosonfirst(home), "swiss", kind="whosonfirst")
    line = next(line for line in told("list").splitlines() if line.startswith("swiss "))
    assert line.startswith(f"{'swiss':20} countries 1, units 2, admin2 1, ")


def test_a_set_that_can_be_fetched_is_listed_until_it_is_here(home):
    own = home / "home" / "boundaries"
    lines = [f"{name},https://a.example/{name}.zip,{'0' * 64},CC-{name}" for name in "ab"]
    own.mkdir(parents=True)
    (own / "registry.csv").write_text("\n".join(["name,url,sha256,licence", *lines]))
    away = [f"{name:20} not here; geodata boundaries fetch {name} (CC-{name})" for name in "ab"]
    assert [line for line in told("list").splitlines() if "not here" in line] == away
    made("b", folder=home)
    listed = told("list").splitlines()
    assert [line for line in listed if "not here" in line] == away[:1]
    assert sum(line.startswith("b ") for line in listed) == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("id,lat\na,1\n", "has the columns name, url, sha256 and licence; 'name' is not among id,"),
        ("", "'name' is not among none"), ("name,url\na,b\n", "'sha256' is not among name, url"),
        ("name,url,sha256\n,x,y\n", "'' is no name of a set"),
    ],
)  # fmt: skip
def test_a_registry_that_is_none_is_told(home, text, told):
    (home / "r.csv").write_text(text)
    done = invoked("fetch", "a", "--registry", home / "r.csv")
    assert isinstance(done.exception, files.FileError)
    assert told in str(done.exception)


def test_a_registry_names_sets_by_their_names(home):
    line = f" mine ,https://a.example/b.zip,{'0' * 64}, CC0 \n"
    (home / "r.csv").write_text(f"name,url,sha256,licence\n{line}")
    found = boundaries.known_sets(home / "r.csv")["mine"]
    assert (found.name, found.licence) == ("mine", "CC0")


def test_a_set_is_called_by_its_kind_and_day_unless_it_is_named(home):
    path = cantons(home)
    day = datetime.datetime.now(datetime.UTC).date().isoformat()
    lines = told("build", "file", "--from", path, "-c", "country=CH", "-c", "admin1=NAME")
    assert f"file-{day}: built" in lines.splitlines()[0]
