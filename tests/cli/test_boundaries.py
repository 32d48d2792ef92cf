"""The ``geodata boundaries`` commands: what they print, and their exit codes."""

import shutil

import pytest
from typer.testing import CliRunner

from geodata.cli.application import app
from tests.boundaries.sets import cantons, frame, square

run = CliRunner().invoke


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GEODATA_HOME", str(tmp_path / "home"))
    return tmp_path


def told(*arguments, code=0):
    done = run(app, ["boundaries", *map(str, arguments)])
    assert done.exit_code == code, done.output
    return done.output


def test_build_list_describe_verify_export(home):
    path = cantons(home, shapes=[square(0, 0, 2), square(1, 0, 2)])
    built = told(
        "build", "file", "--from", path, "-c", "country=CH", "-c", "admin1=NAME", "--out", "mine"
    )
    assert "mine: built" in built
    assert "2 rows read" in built
    assert "admin1: 1 overlap others, " in built
    assert "mine                 countries 1, units 2" in told("list")
    described = told("describe", "mine")
    assert "country 1, admin1 2" in described
    assert "not stated" in described
    assert told("verify", "mine") == "mine: every file matches its SHA-256\n"
    done = run(app, ["boundaries", "export", "mine", str(home / "mine.zip")])
    assert "not stated" in str(done.exception)


def test_verify_works_on_a_set_that_cannot_be_opened(home):
    path = cantons(home)
    told("build", "file", "--from", path, "-c", "country=CH", "-c", "admin1=NAME", "--out", "mine")
    (home / "home" / "boundaries" / "mine" / "index.geoindex").write_bytes(b"x")
    assert "index.geoindex does not match" in told("verify", "mine", code=1)
    assert "mine                 cannot be opened" in told("list")


def test_diff_counts_the_rows_that_change(home):
    for name, names in (("old", ("Zürich", "Bern")), ("new", ("Zürich", "Thun"))):
        path = cantons(home, f"{name}.gpkg", names=names)
        told(
            "build", "file", "--from", path, "-c", "country=CH", "-c", "admin1=NAME", "--out", name
        )
    rows = home / "rows.csv"
    rows.write_text("id,lat,lon\n1,46.1,7.1\n2,46.1,7.3\n3,,\n4,46.1,7.35\n")
    shown = told("diff", "old", "new", "--table", rows)
    assert "admin1: 1 the same, 1 added, 1 gone, 0 renamed, 0 moved" in shown
    assert "added: Thun (CH)" in shown
    assert "2 of 3 rows would change: 0 country, 2 admin1, 0 admin2" in shown


def test_columns_and_sets_are_told_in_one_line(home):
    path = cantons(home)
    for arguments, words in (
        (["build", "file", "--from", path, "-c", "country"], "is not MEANING=COLUMN"),
        (["build", "gadmm", "--from", path], "no boundary provider 'gadmm'"),
        (["fetch", "moon"], "no known boundary set 'moon'"),
        (["describe", "moon"], "no boundary set 'moon'; there are bundled"),
    ):
        done = run(app, ["boundaries", *map(str, arguments)])
        assert words in str(done.exception)
        assert "\n" not in str(done.exception)
    assert not list((home / "home").rglob("*.part"))


def test_a_shapefile_in_a_zip(home):
    folder = home / "shape"
    folder.mkdir()
    frame([square(0, 0, 2)], NAME=["Zürich"]).to_file(folder / "cantons.shp")
    archive = shutil.make_archive(str(home / "cantons"), "zip", folder)
    told("build", "file", "--from", archive, "-c", "country=CH", "-c", "admin1=NAME", "--out", "z")
    assert "country 1, admin1 1" in told("describe", "z")
