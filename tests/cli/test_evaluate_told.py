"""``evaluate``, ``compare``, ``lint``, ``table``: what reaches them, and how they end."""

import io
import json
import sys
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from geodata import evaluation, files
from geodata.cli import app, evaluate, options, tabling
from geodata.evaluation import Finding, report

TRUTH = "id,lat,lon,author\n" + "".join(f"p{i},{i * 5},{i * 3},w{i % 2}\n" for i in range(6))
PREDS = "id,lat,lon\n" + "".join(f"p{i},{i * 5 + i / 10},{i * 3}\n" for i in range(6))


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("truth.csv").write_text(TRUTH)
    Path("preds.csv").write_text(PREDS)
    Path("other.csv").write_text(PREDS.replace("p1,5.1", "p1,7.0"))
    return tmp_path


def invoked(words):
    return CliRunner().invoke(app, words.split())


def run(words, code=0):
    done = invoked(words)
    assert done.exit_code == code, (done.output, done.exception)
    return done


def found(severity, code="a"):
    return Finding(code, severity, "what it is", (), 1, "look")


@pytest.mark.parametrize(
    ("severities", "strict", "line"),
    [
        ([], True, None), (["warning"], False, None), (["note"], True, None),
        (["warning"], True, "geodata: warning: a: what it is"),
        (["error", "warning"], False, "geodata: error: a: what it is"),
        (["error", "warning", "error"], True, "geodata: error: a: what it is (and 2 more above)"),
        (["error", "error"], False, "geodata: error: a: what it is (and 1 more above)"),
    ],
)  # fmt: skip
def test_how_findings_end_a_run(capsys, severities, strict, line):
    findings = [found(one) for one in severities]
    if line is None:
        evaluate.finish(findings, strict)
    else:
        with pytest.raises(typer.Exit) as stop:
            evaluate.finish(findings, strict)
        assert stop.value.exit_code == 1
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "" if line is None else f"{line}\n")


def test_files_that_were_written_are_told(capsys):
    evaluate.report_written(Path("a"), None, Path("b"))
    told = capsys.readouterr()
    assert (told.out, told.err) == ("", "wrote a\nwrote b\n")


def test_a_folder_that_is_missing_is_told_first(tmp_path):
    evaluate.check_folders(None, tmp_path / "a.json", Path("a.json"))
    (tmp_path / "file").touch()  # which is no folder
    for name in ("no", "file"):
        with pytest.raises(FileNotFoundError, match=rf"no folder .*{name}; make it first"):
            evaluate.check_folders(tmp_path / "a.json", tmp_path / name / "b.json")


@pytest.mark.parametrize("verb", ["evaluate", "compare", "lint", "table"])
def test_every_verb_looks_at_its_folders_before_it_works(home, verb):
    more = "other.csv" if verb == "compare" else ""
    for flag in ("json", "report", "markdown", "figure"):
        if flag not in {"evaluate": "json report markdown", "compare": "json report",
                        "lint": "json", "table": "json report figure"}[verb].split():  # fmt: skip
            continue
        done = invoked(f"{verb} none.csv {more} -t truth.csv --{flag} no/x.{flag}")
        assert isinstance(done.exception, FileNotFoundError)


def test_a_report_adds_countries_and_the_page_only(home):
    run("evaluate preds.csv -t truth.csv --report a.html --json a.json --by author")
    groups = json.loads(Path("a.json").read_text())["by"]
    assert set(groups) == {"author", "country"}
    run("evaluate preds.csv -t truth.csv --report a.html --json b.json --no-regions")
    assert set(json.loads(Path("b.json").read_text())["by"]) == set()
    shown = run("evaluate preds.csv -t truth.csv --report a.html --by author --by author "
                "--markdown a.md").output  # fmt: skip
    assert shown.count("author") < shown.count("\n")
    assert "By country" not in shown
    result = evaluation.evaluate("preds.csv", "truth.csv", by=["author", "country"])
    report.write_markdown(result, "b.md", by=["author"])
    report.write_markdown(result, "c.md")
    assert Path("a.md").read_text() == Path("b.md").read_text() != Path("c.md").read_text()


@pytest.mark.parametrize("verb", ["evaluate preds.csv", "compare preds.csv other.csv",
                                  "table preds.csv other.csv"])  # fmt: skip
def test_seeds_and_clusters_that_are_none(home, verb):
    for flag, told in (("--seed=-1", "seed=-1 (--seed) must be a whole number from 0"),
                       ("--cluster=", "cluster='' (--cluster) names no column")):  # fmt: skip
        done = invoked(f"{verb} -t truth.csv {flag}")
        assert isinstance(done.exception, ValueError)
        assert str(done.exception).startswith(told)
    run(f"{verb} -t truth.csv --seed 0")


def test_joined_rows_are_compared_with_themselves(home):
    rows = [line.split(",") for line in PREDS.split()[1:]]
    joined = "id,lat,lon,pred_lat,pred_lon\n" + "".join(
        f"{i},{lat},{lon},{lat},{lon}\n" for i, lat, lon in rows
    )
    Path("joined.csv").write_text(joined)
    Path("train.csv").write_text("id,lat,lon\np1,5.1,3\n")
    done = run(
        "evaluate joined.csv --train train.csv --no-regions --json a.json --against joined.csv"
    )
    codes = {one["code"] for one in json.loads(Path("a.json").read_text())["findings"]}
    assert {"id_overlap", "coordinate_overlap"} <= codes
    assert "id_overlap" in done.output


def test_findings_come_warnings_first(home):
    Path("train.csv").write_text("id,lat,lon\np3,5.1,3\n")
    for name, lat in (("truth", 5), ("preds", 6)):
        rows = "".join(f"p{i},{lat},{3 + i % 2}\n" for i in range(60))
        Path(f"{name}.csv").write_text(f"id,lat,lon\n{rows}")
    run("evaluate preds.csv -t truth.csv --no-regions --train train.csv --json a.json")
    kinds = [one["severity"] for one in json.loads(Path("a.json").read_text())["findings"]]
    assert {"warning", "info"} <= set(kinds)
    assert kinds == sorted(kinds, key=["error", "warning", "info"].index)


def test_a_lint_says_what_it_read(home):
    run("lint preds.csv -t truth.csv --json a.json")
    made = json.loads(Path("a.json").read_text())["made_by"]["inputs"]
    assert made == {
        "predictions": {"name": "preds.csv", "sha256": files.sha256("preds.csv")},
        "truth": {"name": "truth.csv", "sha256": files.sha256("truth.csv")},
    }
    run("lint preds.csv --json a.json")
    assert set(json.loads(Path("a.json").read_text())["made_by"]["inputs"]) == {"predictions"}
    text = Path("a.json").read_text()
    assert text.endswith("}\n")
    assert text.startswith('{\n  "schema"')
    with pytest.raises(ValueError, match="--train is compared with the truth"):
        CliRunner().invoke(app, ["lint", "preds.csv", "--train", "x.csv"], catch_exceptions=False)


def test_a_lint_compares_ids_as_it_is_told(home):
    Path("zeros.csv").write_text(PREDS.replace("\np", "\n0"))
    Path("truth.csv").write_text(TRUTH.replace("\np", "\n"))
    run("lint zeros.csv -t truth.csv --match zeros")
    assert "no prediction" in run("lint zeros.csv -t truth.csv --match exact", code=1).output


RAY = {
    "--truth": "truth.csv", "--by": "author", "--cluster": "author", "--names": "",
    "--benchmark": "im2gps3k", "--rank": "x", "--confidence-column": "x", "--markdown": "m.md",
    "--report": "r.html", "--train": "truth.csv", "--against": "truth.csv", "--text": "x",
    "--distance-column": "x", "--distance-unit": "km",
}  # fmt: skip


@pytest.mark.parametrize("flag", RAY)
def test_what_a_cluster_does_not_do_is_refused_by_name(home, flag):
    done = invoked(f"evaluate preds.csv --engine ray {flag} {RAY[flag]}")
    assert isinstance(done.exception, ValueError)
    assert f"{flag} does not work with --engine ray" in str(done.exception)


@pytest.mark.parametrize(("tty", "width"), [(False, 80), (True, 133)])
def test_a_pipe_has_80_columns_and_a_terminal_its_own(monkeypatch, tty, width):
    class Screen(io.StringIO):
        def isatty(self):
            return tty

    monkeypatch.setenv("COLUMNS", "133")
    monkeypatch.setattr(sys, "stdout", Screen())
    assert evaluate.console().width == width
    evaluate.console().print("7 of 'a' [1]")
    assert "\x1b[1;36m" not in sys.stdout.getvalue()


def test_a_strict_evaluation_fails_for_a_warning(home):
    clean_and_zero()
    run("evaluate clean.csv -t truth.csv --no-regions --strict")
    words = "evaluate zero.csv -t truth.csv --no-regions"
    run(words)
    assert "null_island" in run(f"{words} --strict", code=1).stderr


def test_another_submission_is_looked_at_without_training_rows(home):
    rows = [f"p{i},{10 + i / 7:.4f},{20 + i / 7:.4f}\n" for i in range(40)]
    for name in ("truth", "preds", "again"):
        Path(f"{name}.csv").write_text("id,lat,lon\n" + "".join(rows))
    words = "evaluate preds.csv -t truth.csv --no-regions --json a.json"
    for more, is_there in (("", False), ("--against again.csv", True)):
        run(f"{words} {more}")
        codes = {one["code"] for one in json.loads(Path("a.json").read_text())["findings"]}
        assert ("near_duplicate" in codes) == is_there
        run(f"lint preds.csv --json b.json {more}")
        codes = {one["code"] for one in json.loads(Path("b.json").read_text())["findings"]}
        assert ("near_duplicate" in codes) == is_there


# what options become


def test_scoring_and_columns_become_keywords():
    chosen = options.Scoring("1, 2.5,", True, "wgs84", "author", 7).keywords()
    assert chosen == {
        "thresholds_km": (1.0, 2.5), "strict": True, "distance": "wgs84", "cluster": "author",
        "seed": 7,
    }  # fmt: skip
    names = ("id", "lat", "lon", "pred_id", "pred_lat", "pred_lon", "text", "distance_column",
             "distance_unit", "encoding")  # fmt: skip
    given = options.Columns(*names, "exact")
    assert given.keywords() == {**{name: name for name in names}, "match": "exact"}
    assert given.of_truth() == {n: n for n in ("id", "lat", "lon", "encoding")}
    assert given.of_predictions() == {
        "id": "pred_id", "lat": "pred_lat", "lon": "pred_lon", "text": "text",
        "encoding": "encoding", "distance_column": "distance_column",
        "distance_unit": "distance_unit",
    }  # fmt: skip
    for mode in ("auto", "exact", "trim", "stem", "flat", "number", "endings", "case", "zeros"):
        options.Columns(match=mode)


def test_choices_that_there_are_not():
    with pytest.raises(ValueError, match="--distance 'flat' is unknown; expected one of sphere, w"):
        options.Scoring(distance="flat")
    with pytest.raises(ValueError, match="--match 'fuzzy' is unknown; expected one of auto, exact"):
        options.Columns(match="fuzzy")
    with pytest.raises(ValueError, match="--thresholds '1,x' is not a list of numbers"):
        options.Scoring("1,x").keywords()


@pytest.mark.parametrize(
    ("engine", "address", "ray"), [(None, None, False), ("ray", None, True), ("ray", "auto", True)]
)
def test_a_cluster_is_asked_for_by_its_engine(engine, address, ray):
    assert options.Cluster(engine, address).is_ray() is ray
    with pytest.raises(ValueError, match="--address 'auto' is of a Ray cluster: give --engine ray"):
        options.is_ray(None, "auto")
    with pytest.raises(ValueError, match="--engine 'dask' is unknown; expected one of ray"):
        options.is_ray("dask", None)


def test_options_that_were_given():
    assert options.given(options.Labelling()) == {}
    assert options.given(options.Labelling(worldview="in", max_offset_km=0.0)) == {
        "worldview": "in", "max_offset_km": 0.0,
    }  # fmt: skip


# table


def test_one_form_of_a_table_at_a_time(home):
    for words in ("--latex --markdown", "--markdown --html", "--latex --html"):
        done = invoked(f"table preds.csv -t truth.csv {words}")
        assert "are three forms; give one of them" in str(done.exception)
    expected = evaluation.table({"preds": Path("preds.csv")}, Path("truth.csv"))
    for flag, text in (("latex", expected.to_latex()), ("markdown", expected.to_markdown()),
                       ("html", expected.to_html())):  # fmt: skip
        assert run(f"table preds.csv -t truth.csv --{flag}").stdout == text
    shown = run("table preds.csv -t truth.csv").stdout
    assert shown not in (expected.to_latex(), expected.to_markdown(), expected.to_html())


def test_a_table_is_written_where_it_is_asked(home):
    run("table preds.csv other.csv -t truth.csv --json a.json --figure a.svg --report a.html "
        "--missing exclude --thresholds 7,70 --seed 3")  # fmt: skip
    whole = evaluation.table(
        {"preds": Path("preds.csv"), "other": Path("other.csv")}, Path("truth.csv"),
        missing="exclude", thresholds_km=(7.0, 70.0), seed=3,
    )  # fmt: skip
    assert Path("a.html").read_text() == whole.to_html()
    assert json.loads(Path("a.json").read_text()) == json.loads(json.dumps(whole.as_dict()))
    assert "<svg" in Path("a.svg").read_text()
    run("compare preds.csv other.csv -t truth.csv --json b.json --report b.html --seed 3")
    both = evaluation.compare("preds.csv", "other.csv", "truth.csv", seed=3, regions=False)
    assert json.loads(Path("b.json").read_text()) == json.loads(json.dumps(both.as_dict()))


def test_files_of_a_table_are_told_apart():
    def names(*paths):
        return list(tabling.names_of([Path(p) for p in paths]))

    assert names("a.b.csv", "x/c.csv") == ["a", "c"]
    assert names("x/a.csv", "y/a.csv", "b.csv") == ["x/a", "y/a", "b"]
    assert names("m/x/a.csv", "n/x/a.csv") == ["x/a", "n/x/a.csv"]
    assert names(".csv") == [".csv"]
    with pytest.raises(ValueError, match=r"x/a\.csv is given twice"):
        names("x/a.csv", "x/a.csv", "x/a.csv")


def clean_and_zero():
    """Write answers without a warning, and the same with one at 0, 0."""
    clean = PREDS.replace("p0,0.0,0", "p0,0.2,0")
    Path("clean.csv").write_text(clean)
    Path("better.csv").write_text(clean.replace("p2,10.2", "p2,10.1"))
    Path("zero.csv").write_text(clean.replace("p1,5.1,3", "p1,0,0"))


def test_a_strict_table_fails_for_a_warning_of_any_file(home):
    clean_and_zero()
    run("table clean.csv better.csv -t truth.csv --strict")
    for pair in ("clean.csv zero.csv", "zero.csv clean.csv"):
        run(f"table {pair} -t truth.csv")
        assert "null_island" in run(f"table {pair} -t truth.csv --strict", code=1).stderr


def test_a_strict_comparison_fails_for_a_warning_of_either_file(home):
    clean_and_zero()
    run("compare clean.csv better.csv -t truth.csv --strict")
    for pair in ("clean.csv zero.csv", "zero.csv clean.csv"):
        run(f"compare {pair} -t truth.csv")
        assert "null_island" in run(f"compare {pair} -t truth.csv --strict", code=1).stderr
