"""What a bar at a terminal is told: every verb that may take long says how far it is."""

import http.server
import threading

import pyarrow as pa
import pytest
import rich.progress
from typer.testing import CliRunner

from geodata import boundaries, files, tables
from geodata.cli import app
from geodata.cli.terminal import progress
from tests.boundaries.sets import cantons


@pytest.fixture
def told(monkeypatch):
    """The places that bars were moved to, in order, with their titles and units."""
    seen = []
    real = rich.progress.Progress.update

    def update(self, task, **changed):
        unit = self.columns[2].text_format.rpartition("} ")[2]
        seen.append((self.tasks[0].description, unit, changed["completed"], changed["total"]))
        return real(self, task, **changed)

    monkeypatch.setattr(rich.progress.Progress, "update", update)
    return seen


def test_a_bar_moves_as_it_is_told_and_its_title_is_no_markup(told):
    with progress("a\n[b]", "pictures") as step:
        step(3, None)
        step(4, 9)
    assert told == [("a\\n\\[b]", "pictures", 3, None), ("a\\n\\[b]", "pictures", 4, 9)]


def test_a_bar_leaves_a_terminal_as_it_was_and_says_nothing_elsewhere(monkeypatch, capsys):
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    with progress("reading") as step:
        step(3, 9)
    assert capsys.readouterr() == ("", "")
    monkeypatch.setenv("FORCE_COLOR", "1")
    with progress("reading") as step:
        step(3, 9)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert "3 rows" in shown.err
    last = shown.err.rpartition(" rows")[2]
    assert "\x1b[2K" in last  # the line is erased behind the last time that it was drawn


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GEODATA_HOME", str(tmp_path / "home"))
    rows = "".join(f"p{i},{i * 5},{i * 3}\n" for i in range(6))
    (tmp_path / "rows.csv").write_text(f"id,lat,lon\n{rows}")
    table = pa.table({"photo_id": ["a"], "image": ["a.jpg"], "lat": [1.0], "lon": [2.0],
                      "country": ["France"], "city": ["Paris"]})  # fmt: skip
    tables.write(tmp_path / "lake" / "labelled", table)
    cantons(tmp_path)
    return tmp_path


RECORDS = ("records sft --lake lake --from labelled -o {} --images reference --no-check "
           "--missing drop")  # fmt: skip
VERBS = [
    ("label rows.csv -o out.csv", "labelling rows.csv", "rows"),
    ("label rows.csv -o parts --shard 1/2", "labelling shard 1/2 of rows.csv", "rows"),
    ("evaluate rows.csv -t rows.csv --no-regions", "scoring rows.csv", "rows"),
    ("photos import rows.csv -o out.parquet", "importing rows.csv", "rows"),
    (RECORDS.format("out.parquet"), "writing out.parquet", "rows"),
    (RECORDS.format("parts --shard 1/1"), "writing parts", "rows"),
    ("photos hash labelled --lake lake --workers 1", "hashing the pictures of labelled",
     "pictures"),
    ("leakage --lake lake --train labelled --test labelled --workers 1",
     "hashing the pictures of labelled", "pictures"),
    ("boundaries build file --from cantons.gpkg -c country=CH -c admin1=NAME --out mine",
     "building mine", "steps"),
]  # fmt: skip


@pytest.mark.parametrize(("words", "title", "unit"), VERBS)
def test_a_verb_says_how_far_it_is(home, told, words, title, unit):
    done = CliRunner().invoke(app, words.split())
    assert done.exit_code == 0, (done.output, done.exception)
    assert {one[:2] for one in told} == {(title, unit)}
    places = [done for _, _, done, _ in told]
    assert places == sorted(places)
    assert places[-1] > 0


@pytest.fixture
def site(home):
    """What lies in the folder, at an address."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *words):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_fetch_says_how_far_it_is_and_replaces_a_set_on_request(home, site, told):
    made = boundaries.build("cantons.gpkg", "mine", columns={"country": "CH", "admin1": "NAME"},
                            kind="file", licence="CC0")  # fmt: skip
    size = boundaries.export("mine", "mine.zip").stat().st_size
    line = f"theirs,{site}/mine.zip,{files.sha256('mine.zip')},CC0"
    (home / "r.csv").write_text(f"name,url,sha256,licence\n{line}\n")
    words = ["boundaries", "fetch", "theirs", "--registry", "r.csv"]
    done = CliRunner().invoke(app, words)
    folder = made.folder.with_name("theirs")
    assert done.output == f"{folder}: fetched and verified, sha256 {made.sha256[:12]}\n"
    assert told[-1] == ("fetching theirs", "bytes", size, size)
    assert isinstance(CliRunner().invoke(app, words).exception, files.FileError)
    assert CliRunner().invoke(app, [*words, "--again"]).output == done.output


def test_a_query_says_how_far_it_is(told):
    sql = "SELECT sum(md5(i::VARCHAR)[1:2] = 'ab') AS n FROM range(6_000_000) t(i)"
    assert CliRunner().invoke(app, ["sql", sql]).exit_code == 0
    assert {one[:2] for one in told} == {("running", "%")}
    assert {total for *_, total in told} == {100}
    assert all(isinstance(done, int) for *_, done, _ in told)
