"""At a terminal an error is red, a warning yellow, an answer plain; both go to standard error."""

import pyarrow as pa
import pytest
import typer
from typer.testing import CliRunner

from geodata import tables
from geodata.cli import app, evaluate, photos
from geodata.cli.terminal import say, say_text
from geodata.datasets import Audit
from geodata.evaluation import Finding
from geodata.photos import ImportReport

RED, YELLOW = "\x1b[31m", "\x1b[33m"


def coloured(program, *words):
    done = CliRunner().invoke(program, [str(word) for word in words], color=True)
    return tuple(text.replace("\x1b[0m", "") for text in (done.stdout, done.stderr))


def alone(call):
    program = typer.Typer()
    program.command()(lambda: call())
    return coloured(program)


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tables.write(tmp_path / "lake" / "photos", pa.table({"photo_id": ["a", "b"], "lat": [1.0, 2.0],
                                                         "lon": [1.0, 2.0]}))  # fmt: skip
    return tmp_path


def test_what_is_said_has_its_colour_and_its_place():
    out, err = alone(lambda: (say("a\nb"), say("c", fg="red"), say("d", err=True, fg="yellow"),
                              say_text("e\nf", err=True), say_text("g\nh", fg="red")))  # fmt: skip
    assert out == f"a\\nb\n{RED}c\n{RED}g\nh\n"
    assert err == f"{YELLOW}d\ne\nf\n"


@pytest.mark.parametrize(("severity", "colour"), [("error", RED), ("warning", YELLOW)])
def test_findings_that_end_a_run(severity, colour):
    found = Finding("a", severity, "what it is", (), 1, "look")
    out, err = alone(lambda: evaluate.finish([found], True))
    assert (out, err) == ("", f"{colour}geodata: {severity}: a: what it is\n")


def test_rows_that_an_audit_found():
    from geodata.cli.datasets import reports

    rows = pa.table({"photo_id": ["a"]})
    out, err = alone(lambda: reports.print_audits([Audit("dataset_duplicate_ids", 1, rows)]))
    assert out == "audit dataset_duplicate_ids: 1 rows\n"
    assert err.splitlines() == [
        f"{RED}  photo_id a", "  geodata dataset build dedupe keeps one row of each",
    ]  # fmt: skip


def test_hints_of_an_import():
    report = ImportReport("t", None, "csv", "d", {"lat": "y", "lon": "x"}, 1, {}, (), 1, {})
    out, err = alone(lambda: photos._print(report))
    assert "\x1b" not in out
    assert err.startswith(f"{YELLOW}warning: 1 of 1 values in 'y'")


def test_labels_that_replace_or_look_swapped(home):
    (home / "a.csv").write_text("id,lat,lon,country\na,48.85,2.29,x\n")
    out, err = coloured(app, "label", "a.csv", "-o", "b.csv")
    assert "\x1b" not in out
    assert err == f"{YELLOW}warning: labels replaced what the file had as country\n"
    (home / "a.csv").write_text("id,lat,lon\na,120,35\n")
    assert coloured(app, "label", "a.csv", "-o", "b.csv")[1].startswith(f"{RED}geodata: error: no")
    (home / "a.csv").write_text("id,lat,lon\na,120,35\nb,121,35\nc,5,6\n")
    assert coloured(app, "label", "a.csv", "-o", "b.csv")[1].startswith(f"{YELLOW}warning: 2 of 3")


def test_what_is_wrong_with_a_table(home):
    (home / "lake" / "photos" / "part-00000000-left.parquet").write_bytes(b"x")
    out, err = coloured(app, "dataset", "verify", "photos", "--lake", "lake")
    assert "\x1b" not in out + err
    assert err.startswith("no version uses part-00000000-left.parquet")
    tables.open(home / "lake" / "photos").files[0].unlink()
    out, err = coloured(app, "dataset", "verify", "photos", "--lake", "lake")
    assert out == ""
    assert err.startswith(f"{RED}error: ")


def test_ids_that_are_nowhere_or_still_there(home):
    (home / "lake" / "note.txt").write_text("of photo-4711")
    tables.append(home / "lake" / "photos", pa.table({"photo_id": ["photo-4711"]}))
    out, err = coloured(app, "tables", "forget", "--lake", "lake", "--id", "photo-4711", "--id",
                        "photo-none")  # fmt: skip
    assert "\x1b" not in out
    assert f"{YELLOW}no table has the id 'photo-none'" in err.splitlines()
    assert f"{RED}error: an id is still in note.txt" in err.splitlines()


def test_places_that_are_not_there():
    out, err = coloured(app, "geocode", "Nowherecity")
    assert (out, err[:11]) == ("", f"{RED}error:")


def test_pictures_that_are_not_there(home):
    rows = pa.table({"photo_id": ["a"], "image": ["a.jpg"], "lat": [1.0], "lon": [2.0],
                     "country": ["France"], "city": ["Paris"]})  # fmt: skip
    tables.write(home / "lake" / "labelled", rows)
    out, err = coloured(app, "records", "sft", "--lake", "lake", "--from", "labelled", "-o",
                        "a.parquet", "--images", "reference", "--no-check")  # fmt: skip
    assert out == "a.parquet: 1 records, 1 files\n"
    assert err == f"{YELLOW}warning: 1 pictures are not there\n"


def test_files_of_a_set_that_changed(home, monkeypatch):
    from geodata import boundaries
    from tests.boundaries.sets import cantons

    monkeypatch.setenv("GEODATA_HOME", str(home / "home"))
    columns = {"country": "CH", "admin1": "NAME"}
    made = boundaries.build(cantons(home), "mine", kind="file", columns=columns)
    (made.folder / "index.geoindex").write_bytes(b"x")
    out, err = coloured(app, "boundaries", "verify", "mine")
    assert (out, err[:11]) == ("", f"{RED}error:")
