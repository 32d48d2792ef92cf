"""Each command and card with the values of an attacker: no control byte, no live markup."""

import ast
import csv
import re
import unicodedata
from html.parser import HTMLParser
from pathlib import Path

import pyarrow as pa
import pytest
from markdown_it import MarkdownIt
from typer.testing import CliRunner

from geodata import evaluation, tables
from geodata.cli import app
from geodata.evaluation import report as reports
from geodata.tables.data_files.schemas import kept_schema

ROOT = Path(__file__).parents[2]
ORDERS = "\x1b]0;owned\x07\x9b2J\u202e\x00\x08\r"
MARKUP = (
    "<script>alert(1)</script>", "](javascript:alert(1))", "[a](javascript:alert(1))",
    "![a](https://x.example/p.png)", "\\|||", "<img src=x onerror=alert(1)>", "`` ` `` <b>",
    "a\n# heading", "a\n\n---\n\n## heading", "a\n===", "- item", "1. item", "> quote", "```\nx",
    "# heading", "---", "[bold red]rich[/]", "<!-- x", "&lt;script&gt;", "a\n<script>x</script>",
)  # fmt: skip
HOSTILE = [f"{ORDERS}{text}" for text in MARKUP] + list(MARKUP)
TURNS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
RUN = CliRunner()


def orders(text):
    """Return the characters that a terminal or a line of text obeys."""
    return {
        c for c in text
        if (unicodedata.category(c) == "Cc" and c not in "\n\t")
        or unicodedata.bidirectional(c) in TURNS
    }  # fmt: skip


class Tags(HTMLParser):
    """The elements of a page, and the addresses that they name."""

    def __init__(self, text):
        super().__init__()
        self.tags, self.names, self.links = set(), set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        self.tags.add(tag)
        self.names |= {name for name, _ in attributes}
        self.links += [value for name, value in attributes if name in ("href", "src")]


def live(text):
    """Return what Markdown makes of a text beyond what our reports make themselves."""
    tokens = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"]).parse(text)
    every = [t for token in tokens for t in [token, *(token.children or [])]]
    kinds = {token.type for token in every}
    return kinds & {"html_block", "html_inline", "link_open", "hr", "blockquote_open",
                    "ordered_list_open", "s_open"}, every  # fmt: skip


def headings(tokens):
    return [tokens[i + 1].content for i, t in enumerate(tokens) if t.type == "heading_open"]


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A table whose values, column names and note an attacker chose."""
    lake = tmp_path_factory.mktemp("lake")
    n = len(HOSTILE)
    rows = {
        "photo_id": HOSTILE, "lat": [48.0] * n, "lon": [2.0] * n, "country": HOSTILE,
        "source": HOSTILE, "licence": HOSTILE, "status": HOSTILE, "continent": HOSTILE,
        "<script>x</script>|](javascript:a)": [1] * n, "author": HOSTILE,
        "nested": pa.array([{"<b>`|`": "x"}] * n),
    }  # fmt: skip
    table = pa.table(rows)
    kept_schema(table.schema)
    note = {
        "recipe": HOSTILE[0], "seed": HOSTILE[1], "parameters": {h: h for h in HOSTILE},
        "inputs": {HOSTILE[3]: {"table": HOSTILE[4], "version": 0}}, "step": HOSTILE[5],
        "source": {"name": HOSTILE[0], "sha256": HOSTILE[2]}, **{h: h for h in HOSTILE},
    }  # fmt: skip
    tables.append(lake / "photos", table, note)
    tables.append(lake / "photos", table.slice(3))
    tables.append(lake / "photos", table.slice(5), note)
    return lake


COMMANDS = [
    ["dataset", "list"], ["dataset", "history", "photos"], ["dataset", "verify", "photos"],
    ["dataset", "diff", "photos", "0", "1"], ["dataset", "card", "photos"],
    ["sql", "SELECT * EXCLUDE (nested) FROM photos"],
    ["dataset", "rebuild", "photos"], ["dataset", "audit", "photos"],
    ["dataset", "build", "filter", "--from", "photos", "--name", "x", "--where", HOSTILE[0]],
    ["dataset", "build", "dedupe", "--from", "photos", "--name", "y", "--by", "country"],
    ["tables", "forget", "photos", "--id", "none" + ORDERS],
    *(["dataset", verb, f"none{ORDERS}<b>"] for verb in ("history", "card", "verify")),
]  # fmt: skip


def told(arguments):
    """Return all that a command prints, its error included, as the program tells it."""
    done = RUN.invoke(app, arguments)
    text = done.output
    if isinstance(done.exception, ValueError | TypeError | OSError):
        from geodata.printable import printable

        text += printable(done.exception)
    else:
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return text


@pytest.mark.parametrize("arguments", COMMANDS, ids=lambda a: " ".join(a[:2]))
def test_commands_of_a_lake(lake, arguments):
    text = told([*arguments, "--lake", str(lake)])
    assert text
    assert orders(text) == set()


def scored(folder):
    """Write predictions and truth of hostile groups and names."""
    truth, preds = folder / "truth.csv", folder / "preds.csv"
    names = [f"{i}" for i in range(len(HOSTILE))]
    with truth.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "lat", "lon", "country", "<b>|](javascript:a)"])
        out.writerows([n, 48.0, 2.0, h.replace("\x00", ""), h.replace("\x00", "")]
                      for n, h in zip(names, HOSTILE, strict=True))  # fmt: skip
    with preds.open("w", newline="") as file:
        out = csv.writer(file)
        out.writerow(["id", "pred_lat", "pred_lon", "answer"])
        out.writerows([n, 48.0 + i, 2.0, HOSTILE[i].replace("\x00", "")]
                      for i, n in enumerate(names))  # fmt: skip
    return preds, truth


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    return scored(tmp_path_factory.mktemp("scored"))


def test_commands_that_score(files, tmp_path):
    preds, truth = map(str, files)
    by = ["--by", "country", "--by", "<b>|](javascript:a)"]
    for arguments in (
        ["evaluate", preds, "--truth", truth, *by, "--no-regions"],
        ["compare", preds, preds, "--truth", truth],
        ["lint", preds, "--truth", truth],
        ["table", preds, preds.replace("preds", "truth"), "--truth", truth],
        ["photos", "import", truth, "-o", str(tmp_path / "p.parquet"), "--image", "country"],
        ["label", truth, "-o", str(tmp_path / "l.csv")],
        ["geocode", ORDERS + "<b>"],
    ):
        text = told(arguments)
        assert text
        assert orders(text) == set(), arguments


def test_names_of_files(tmp_path):
    name = "a" + ORDERS.replace("\x00", "") + "<script>.csv"
    path = tmp_path / name
    path.write_text("id,lat,lon\n1,48,2\n")
    for arguments in (
        ["evaluate", str(path), "--truth", str(path), "--no-regions"],
        ["photos", "import", str(path), "-o", str(tmp_path / "p.parquet")],
        ["label", str(path), "-o", str(tmp_path / ("b" + name))],
        ["sql", "SELECT * FROM none", str(path)],
    ):
        text = told(arguments)
        assert text
        assert orders(text) == set(), arguments


def test_the_card_of_a_dataset(lake, tmp_path):
    text = tables.card(lake / "photos", title="<script>x</script>\n# y")
    assert orders(text) == set()
    head, _, body = text.removeprefix("---\n").partition("\n---\n")
    assert "script" not in head.partition("license_name")[0].replace("pretty_name", "", 1) or all(
        line.startswith(("pretty_name: ", "license_name: ")) for line in head.split("\n")
        if "script" in line
    )  # fmt: skip
    found, tokens = live(body)
    assert found == set()
    own = {"Columns", "Continents", "Countries", "Sources", "Licences", "Status", "Recipe"}
    assert own <= set(headings(tokens))
    assert "heading" not in headings(tokens)
    rows = [t.content for t in tokens if t.type == "inline"]
    assert any("javascript" in row for row in rows), "shown, not dropped"
    tables.export(lake / "photos", tmp_path / "out")
    assert orders((tmp_path / "out" / "README.md").read_text("utf-8")) == set()
    exported = (tmp_path / "out" / "croissant.json").read_text("utf-8")
    assert orders(exported) == set()


def every_report(files):
    preds, truth = files
    by = ("country", "<b>|](javascript:a)")
    result = evaluation.evaluate(preds, truth, by=by, regions=False)
    many = evaluation.table(
        {h.replace("\x00", ""): preds for h in MARKUP[:4]}, truth, regions=False
    )
    yield reports.to_markdown(result), reports.to_html(result)
    yield many.to_markdown(), many.to_html()


def test_reports(files):
    for markdown, page in every_report(files):
        assert orders(markdown) == set()
        found, tokens = live(markdown)
        assert found == set()
        assert "heading" not in headings(tokens)
        assert orders(page) == set()
        tags = Tags(page)
        assert not {"script", "img", "iframe", "b onerror"} & tags.tags - {"img"}
        assert not any(name.startswith("on") for name in tags.names)
        shown = ("#", "data:", "https://www.openstreetmap.org/?mlat=")
    assert all(link.startswith(shown) for link in tags.links), tags.links


def test_every_word_to_a_terminal_goes_through_one_function():
    """No other call prints, so that a new one cannot forget to make its text printable."""
    allowed = {"geodata/printable.py", "geodata/cli/terminal/telling.py"}
    found = []
    for path in [*(ROOT / "geodata" / "cli").glob("*.py"), *(ROOT / "georl").rglob("*.py")]:
        name = path.relative_to(ROOT).as_posix()
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call) or name in allowed:
                continue
            called = ast.unparse(node.func)
            if called in {"print", "typer.echo", "typer.secho", "click.echo"}:
                found.append(f"{name}:{node.lineno}")
    assert found == []


def test_html_is_escaped_by_one_function():
    texts = {p: p.read_text(encoding="utf-8") for p in (ROOT / "geodata").rglob("*.py")}
    uses = {p.name for p, text in texts.items() if re.search(r"\bhtml\.escape\(", text)}
    assert uses <= {"printable.py"}
