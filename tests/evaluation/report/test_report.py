"""Reports: the page is looked at by a browser, and says what the result says."""

import functools
import html
import json
import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given, strategies as st
from PIL import Image

from geodata import evaluation, sphere
from geodata.evaluation import report
from geodata.evaluation.findings import errors_first
from geodata.evaluation.report.formats import terminal
from geodata.evaluation.report.pictures import figures, plots
from geodata.evaluation.report.words import phrases
from geodata.maps import outlines, projection

from .cases import ROWS, printed as _printed, tables as _tables

QUIET = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--virtual-time-budget=3000", "--enable-logging=stderr",
]  # fmt: skip
PROBE = """<script>
const box = e => { const r = e.getBoundingClientRect(); return [r.x, r.y, r.width, r.height]; };
const all = s => [...document.querySelectorAll(s)];
document.title = JSON.stringify({
  height: document.documentElement.scrollHeight, wide: document.documentElement.scrollWidth,
  sections: all("header, section").map(e => [e.id || "head", ...box(e)]),
  pictures: all("svg, img").map(e => [e.getAttribute("aria-label"), ...box(e)]),
});
</script>"""


@functools.cache
def result() -> evaluation.Evaluation:
    truth, preds = _tables(np.random.default_rng(7))
    return evaluation.evaluate(
        preds, truth, by=("country", "author"), cluster="author", benchmark="im2gps3k",
        regions=False,
    )  # fmt: skip


@pytest.fixture(scope="session")
def chromium() -> str:
    """Find a browser, or install Debian's where that is possible."""
    found = shutil.which("chromium")
    if found is None:
        reason = _install()
        found = shutil.which("chromium")
        if found is None:
            pytest.skip(f"no chromium to render the report: {reason}")
    return found


def _install() -> str:
    if os.environ.get("GEODATA_NO_INSTALL"):
        return "GEODATA_NO_INSTALL forbids to install it"
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        return "installing it needs root and apt-get"
    command = ["apt-get", "install", "-y", "--no-install-recommends", "chromium"]
    environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for step in (["apt-get", "update"], command):
        try:
            done = subprocess.run(step, capture_output=True, timeout=600, env=environment)
        except subprocess.TimeoutExpired:
            return f"{' '.join(step)} took more than 600 seconds"
        if done.returncode:
            return f"{' '.join(step)} ended with {done.returncode}"
    return "apt-get installed no chromium"


def _browse(chromium: str, page: Path, *flags: str) -> subprocess.CompletedProcess:
    profile = f"--user-data-dir={page.parent / 'profile'}"
    command = [chromium, *QUIET, profile, *flags, page.as_uri()]
    return subprocess.run(command, capture_output=True, text=True, timeout=120)


def _layout(chromium: str, page: Path, width: int) -> dict:
    """Ask a copy of the page, with a script added, where everything is."""
    text = re.sub(r"<meta http-equiv=[^>]*>", "", page.read_text("utf-8"))
    probe = page.with_name("probe.html")
    probe.write_text(text.replace("</body>", f"{PROBE}</body>"), "utf-8")
    done = _browse(chromium, probe, "--dump-dom", f"--window-size={width},1000")
    title = re.search(r"<title>(.*?)</title>", done.stdout, re.DOTALL)
    assert title, done.stderr
    return json.loads(html.unescape(title[1]))


def _framed(page: Path, width: int) -> Path:
    """Put a page into a frame of a phone's width: a window has 500 pixels at least."""
    text = re.sub(r"<meta http-equiv=[^>]*>", "", page.read_text("utf-8"))
    inner = page.with_name("inner.html")
    script = PROBE.replace("document.title", "parent.document.title")
    inner.write_text(text.replace("</body>", f"{script}</body>"), "utf-8")
    frame = page.with_name("frame.html")
    frame.write_text(
        f"<title></title><iframe src='inner.html' style='width:{width}px;height:9000px;border:0'>"
    )
    return frame


def test_a_phone_needs_no_scrolling_sideways(chromium, tmp_path):
    page = tmp_path / "report.html"
    report.write_html(result(), page)
    frame = _framed(page, 390)
    done = _browse(chromium, frame, "--dump-dom", "--allow-file-access-from-files")
    layout = json.loads(html.unescape(re.search(r"<title>(.*?)</title>", done.stdout, re.S)[1]))
    assert layout["wide"] <= 390


def test_a_dark_screen_gets_a_dark_page(chromium, tmp_path):
    page, light, dark = (tmp_path / name for name in ("report.html", "light.png", "dark.png"))
    report.write_html(result(), page)
    for shot, scheme in ((light, 1), (dark, 0)):
        flag = f"--blink-settings=preferredColorScheme={scheme}"
        _browse(chromium, page, f"--screenshot={shot}", "--window-size=800,900", flag)
    means = [np.asarray(Image.open(shot).convert("L")).mean() for shot in (light, dark)]
    assert means[0] > 200
    assert means[1] < 60


def test_a_verdict_is_the_first_sentence_and_the_worst_rows_have_names_and_words():
    rows = {"id": ["a", "b"], "lat": [35.0, 48.86], "lon": [135.77, 2.35]}
    said = ["I say (48.86, 2.35).\n\nParis.", "(48.86, 2.35)" + "!" * 300]
    found = evaluation.evaluate({"id": ["a", "b"], "text": said}, rows)
    text = report.to_html(found)
    first = text[text.index("</h1>") :][:220]
    assert '<p class="verdict"><strong>50.0% of 2 truth rows are within 200 km' in first
    assert "Kyoto, Japan" in text
    assert "Paris, France" in text
    assert "I say (48.86, 2.35). Paris." in text
    assert found.worst[0].words == "I say (48.86, 2.35). Paris."
    assert len(found.worst[1].words) == 200
    assert found.worst[1].words.endswith("…")


def test_notebooks_show_results_as_tables():
    truth = {"id": list("abcd"), "lat": [1.0, 2, 3, 4], "lon": [1.0, 2, 3, 4]}
    near, far = truth | {"lat": [1.1, 2, 3, 4]}, truth | {"lat": [51.0, 52, 53, 4]}
    shown = [
        evaluation.evaluate(near, truth, regions=False),
        evaluation.compare(near, far, truth, regions=False),
        evaluation.table({"near": near, "far": far}, truth),
    ]
    for one in shown:
        fragment = one._repr_html_()
        assert "<table" in fragment
        assert "<html" not in fragment
        assert "<style" not in fragment
        parser = _Balance()
        parser.feed(fragment)
        assert parser.open == []
        assert one.to_html().startswith("<!doctype html>")
    assert "No difference is shown within 200 km" in shown[1]._repr_html_()
    assert "near is best within 200 km" in shown[2]._repr_html_()


@pytest.mark.parametrize("width", [1200, 500])
def test_a_browser_shows_every_section(chromium, tmp_path, width):
    page, shot = tmp_path / "report.html", tmp_path / "shot.png"
    report.write_html(result(), page)
    layout = _layout(chromium, page, width)
    assert layout["wide"] <= width, "the page scrolls sideways"
    size = f"--window-size={width},{layout['height']}"
    done = _browse(chromium, page, f"--screenshot={shot}", size)
    assert "CONSOLE" not in done.stderr, done.stderr
    pixels = np.asarray(Image.open(shot).convert("L"), np.float64)
    names = [name for name, *_ in layout["sections"]]
    assert names == ["head", "accuracy", "errors", "map", "countries", "by", "worst", "findings",
                     "made"]  # fmt: skip
    for name, *box in [*layout["sections"], *layout["pictures"]]:
        left, top, wide, high = (int(v) for v in box)
        assert min(wide, high) > 50, f"{name} has no size"
        assert pixels[top : top + high, left : left + wide].std() > 5, f"{name} is blank"
    assert len(layout["pictures"]) == 3


class _Balance(HTMLParser):
    VOID = frozenset({"meta", "link", "br", "path", "rect"})

    def __init__(self):
        super().__init__()
        self.open, self.attributes = [], []

    def handle_starttag(self, tag, attrs):
        self.attributes += attrs
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_well_formed_and_needs_no_network():
    text = report.to_html(result())
    parser = _Balance()
    parser.feed(text)
    assert parser.open == []
    links = [value for name, value in parser.attributes if name in ("src", "href")]
    maps = [link for link in links if link.startswith("https://www.openstreetmap.org/?mlat=")]
    assert len(maps) == 2 * len(result().worst)  # followed on a click, never loaded
    rest = [link for link in links if link not in maps and not link.startswith("data:")]
    assert {link[0] for link in rest} == {"#"}
    assert text.count("http") == len(maps) + text.count("http-equiv")
    assert "<script" not in text
    assert "nan" not in re.findall(r"[a-z]+", re.sub(r"<style>.*?</style>", "", text, flags=re.S))
    assert len(text.encode()) < 3e6


def test_ids_of_a_file_cannot_become_markup():
    text = report.to_html(result())
    assert "<b>" not in text
    assert "&lt;b&gt;" in text


def test_the_page_says_the_numbers():
    text, scores = report.to_html(result()), result().scores
    for t, share in scores.accuracy.items():
        assert f'<td class="n">{100 * share:.2f}<small>' in text
        assert f"{scores.correct[t]:,}</td>" in text
    assert f"{scores.answered} of {ROWS} rows answered" in text
    for name in ("Closed world", "Assisted by a language model", "With live web search"):
        assert name in text
    assert "GLOBE-7B (NeurIPS 2025) *" in text
    assert "not checked" in text


def test_same_result_same_bytes():
    truth, preds = _tables(np.random.default_rng(3))
    pages = {
        report.to_html(evaluation.evaluate(preds, truth, by=("country",), regions=False))
        for _ in range(2)
    }
    assert len(pages) == 1


@pytest.mark.parametrize(
    "preds",
    [
        {"id": ["x"], "lat": [1.0], "lon": [1.0]},
        {"id": ["a", "b"], "lat": [None, None], "lon": [None, None]},
        {"id": ["a", "b"], "lat": [-48.86, -35.68], "lon": [-177.65, -40.23]},
        {"id": ["a", "b"], "lat": [48.86, 35.68], "lon": [2.35, 139.77]},
    ],
)
@pytest.mark.parametrize("thresholds", [(25.0,), (0.0, 1e-3, 30_000.0), tuple(range(1, 40))])
def test_odd_results_still_make_every_report(preds, thresholds):
    """No answer at all, antipodes, a perfect score; one threshold, zero, or many."""
    truth = {"id": ["a", "b"], "lat": [48.86, 35.68], "lon": [2.35, 139.77]}
    preds = {name: pa.array(v, pa.string() if name == "id" else pa.float64())
             for name, v in preds.items()}  # fmt: skip
    found = evaluation.evaluate(
        pa.table(preds), truth, thresholds, by=("country",), regions=False, benchmark="yfcc4k"
    )
    parser = _Balance()
    parser.feed(report.to_html(found))
    assert parser.open == []
    assert report.to_markdown(found).startswith("# ")
    assert "scored against" in _printed(terminal.print_evaluation, found)


def test_the_terminal_says_the_numbers_in_80_columns():
    text = _printed(terminal.print_evaluation, result())
    assert max(map(len, text.splitlines())) <= 80
    assert f"{ROWS} truth rows" in text
    for share in result().accuracy.values():
        assert f"{100 * share:.2f}" in text
    assert "(the 10 largest of 30)" in text


def test_a_pair_is_compared_in_80_columns():
    truth, a = _tables(np.random.default_rng(1))
    _, b = _tables(np.random.default_rng(2))
    found = evaluation.compare(a, b, truth, cluster="author", regions=False)
    text = _printed(terminal.print_comparison, found)
    assert max(map(len, text.splitlines())) <= 80
    assert "swapped in whole 'author'" in " ".join(text.split())
    for pair in found.paired:
        assert f"{100 * pair.difference.value:+.2f}" in text


def test_markdown_tables_have_even_rows():
    text = report.to_markdown(result())
    cells = None
    for line in text.splitlines():
        if not line.startswith("|"):
            cells = None
            continue
        count = len(re.findall(r"(?<!\\)\|", line))
        assert cells in (None, count), line
        cells = count
    assert re.search(r"\| user \d+\\\|\\\* \|", text)


def test_findings_come_with_errors_first():
    from geodata.evaluation.findings import finding

    found = [finding(s, s, "m", "r", rows=[0]) for s in ("info", "warning", "error", "info")]
    assert [one.severity for one in errors_first(found)] == ["error", "warning", "info"]
    assert phrases.tally(found) == "1 error, 1 warning, 2 notes"


def test_the_curve_ends_at_the_coverage():
    svg = plots.error_curve(result())
    y = float(re.search(r'class="curve" d="[^"]*L1000 ([0-9.]+)"', svg)[1])
    assert y == pytest.approx(400 * (1 - result().coverage), abs=0.1)


def test_the_curve_names_this_file_and_the_kinds_that_were_published():
    names = re.findall(r"<li><i [^>]*></i>([^<]*)</li>", figures.error_curve(result()))
    kinds = {row.category for row in result().published}
    assert kinds
    assert names[0] == "this file, with interval"
    assert sorted(names[1:]) == sorted(f"published, {kind}" for kind in kinds)


def test_every_country_has_an_outline():
    from geodata import boundaries

    assert set(boundaries.load().countries["code"].to_pylist()) == set(outlines())


def test_outlines_lie_in_their_country():
    """Most of each simplified outline is inside the bundled polygons of its country."""
    import shapely

    from geodata import boundaries

    index = boundaries.load()
    codes = index.countries["code"].to_pylist()
    wrong = []
    for code, rings in outlines().items():
        if np.ptp(rings[0][:, 0]) > 30_000 or len(rings[0]) < 12:
            continue  # around the pole, or a few rocks
        point = shapely.Polygon(rings[0] / 100.0).representative_point()
        owner = index.locate(np.array([point.y]), np.array([point.x]), max_offset_km=0.0)
        if owner.country[0] < 0 or codes[int(owner.country[0])] != code:
            wrong.append(code)
    assert wrong == []


lat = st.floats(-90, 90)
lon = st.floats(-180, 179.999)


@given(lat, lon, lat, lon)
@example(-90.0, 0.0, 90.0, 0.0)
@example(90.0, 10.0, -90.0, 40.0)
@example(89.5, 10.0, -89.5, -170.0)
@example(10.0, 20.0, -10.0, -160.0)
def test_great_circles_keep_their_length_and_ends(lat1, lon1, lat2, lon2):
    pieces = projection.great_circle(lat1, lon1, lat2, lon2)
    length = sum(
        float(np.sum(sphere.haversine_km(p[:-1, 0], p[:-1, 1], p[1:, 0], p[1:, 1]))) for p in pieces
    )
    distance = float(sphere.haversine_km(lat1, lon1, lat2, lon2))
    # The cut at the antimeridian is straight in degrees, over one step of 250 km.
    assert distance - 0.01 <= length <= distance * 1.02 + 60
    assert float(sphere.haversine_km(lat1, lon1, *pieces[0][0])) < 0.01
    assert float(sphere.haversine_km(lat2, lon2, *pieces[-1][-1])) < 0.01
    for piece in pieces:
        assert np.abs(np.diff(piece[:, 1])).max(initial=0) <= 180


@given(lat, lon)
def test_the_projection_is_proj_s(lat, lon):
    from pyproj import Proj

    x, y = projection.project(lat, lon)
    expected = Proj("+proj=eqearth +R=1")(lon, lat)
    assert (float(x), float(y)) == pytest.approx(expected, abs=1e-6)


def test_region_accuracy_is_in_every_report():
    from dataclasses import replace

    from geodata.evaluation.scores.regions.accuracy import RegionAccuracy

    counts = {"country": RegionAccuracy("country", ROWS, 390, 380, 200)}
    found = replace(result(), regions=counts, named_regions=counts)
    for text in (
        report.to_html(found),
        report.to_markdown(found),
        _printed(terminal.print_evaluation, found),
    ):
        assert text.count("51.28") >= 2
        assert "names that were answered" in text
