"""Sets between people: verify finds every change; describe, diff, export; fetch over HTTP."""

import csv
import http.server
import json
import shutil
import threading
import time
import zipfile

import geopandas
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from geodata import boundaries, files, maps
from geodata.boundaries.exchange import drawing, exporting
from geodata.files import FileError
from tests.boundaries.sets import cantons, square, whosonfirst

# an answer that requests refuses leaves its socket to the garbage collector
pytestmark = pytest.mark.filterwarnings(
    "ignore:unclosed:ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"
)

CANTONS = {"country": "CH", "admin1": "NAME"}


@pytest.fixture(scope="module")
def swiss(tmp_path_factory):
    folder = tmp_path_factory.mktemp("swiss")
    return boundaries.build(whosonfirst(folder), folder / "set", kind="whosonfirst")


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GEODATA_HOME", str(tmp_path / "home"))
    (tmp_path / "home" / "boundaries").mkdir(parents=True)
    return tmp_path / "home" / "boundaries"


# Verify


def damaged(folder, rng):
    """Change one file of a set in one of six ways; return what was done."""
    path = sorted(folder.iterdir())[rng.integers(len(list(folder.iterdir())))]
    data = bytearray(path.read_bytes())
    how = ["flip", "cut", "swap", "grow", "remove", "exchange"][rng.integers(6)]
    at = int(rng.integers(len(data)))
    if how == "flip":
        data[at] ^= 1 << int(rng.integers(8))
    elif how == "cut":
        del data[at:]
    elif how == "swap":
        differs = np.flatnonzero(np.frombuffer(data, np.uint8) != data[at])
        other = int(rng.choice(differs))
        data[at], data[other] = data[other], data[at]
    elif how == "grow":
        data += bytes(rng.integers(256, size=3, dtype=np.uint8))
    elif how == "remove":
        path.unlink()
        return f"{how} {path.name}"
    else:
        other = next(p for p in sorted(folder.iterdir()) if p != path)
        first, second = path.read_bytes(), other.read_bytes()
        path.write_bytes(second)
        other.write_bytes(first)
        return f"{how} {path.name} {other.name}"
    path.write_bytes(data)
    return f"{how} {path.name} at {at}"


def test_verify_finds_two_hundred_corruptions(swiss, tmp_path):
    rng = np.random.default_rng(11)
    assert boundaries.verify_set(swiss.folder) == []
    missed = []
    for number in range(200):
        copy = tmp_path / str(number)
        shutil.copytree(swiss.folder, copy)
        done = damaged(copy, rng)
        if not boundaries.verify_set(copy):
            missed.append(done)
        shutil.rmtree(copy)
    assert missed == []


def test_verify_names_the_file(swiss, tmp_path):
    copy = tmp_path / "copy"
    shutil.copytree(swiss.folder, copy)
    (copy / "notes.txt").write_text("mine")
    assert boundaries.verify_set(copy) == ["notes.txt is no file of the set"]
    more = ("a.txt", "z", "notes.md", "b", "k.csv", "0")
    for name in more:
        (copy / name).write_text("mine")
    expected = [f"{name} is no file of the set" for name in sorted([*more, "notes.txt"])]
    assert boundaries.verify_set(copy) == expected
    for name in (*more, "notes.txt"):
        (copy / name).unlink()
    record = json.loads((copy / "PROVENANCE.json").read_text())
    record["licence"] = "CC0"
    text = json.dumps(record, indent=2, ensure_ascii=False) + "\n"
    (copy / "PROVENANCE.json").write_text(text, encoding="utf-8")
    assert boundaries.verify_set(copy) == ["PROVENANCE.json does not match its seal"]
    (copy / "PROVENANCE.json").write_text("[" * 100_000)
    assert len(boundaries.verify_set(copy)) == 1
    with pytest.raises(FileError, match="not a boundary set"):
        boundaries.verify_set(tmp_path)


@pytest.mark.parametrize("name", ["countries.parquet", "units.parquet", "index.geoindex"])
def test_a_cut_file_is_told_when_the_set_is_opened(swiss, tmp_path, name):
    copy = tmp_path / "copy"
    shutil.copytree(swiss.folder, copy)
    (copy / name).write_bytes((copy / name).read_bytes()[:100])
    with pytest.raises(FileError, match=rf"{name}: (cannot be read .*build|not an array file)"):
        boundaries.load(copy)


# Describe and diff


def test_describe_counts_the_levels(swiss):
    found = boundaries.describe(swiss.folder)
    assert found.regions == {
        "country": 1, "admin1": 2, "admin2": 1, "locality": 3, "neighbourhood": 1,
    }  # fmt: skip
    assert found.sources == ("whosonfirst",)
    assert found.worldviews == ("un",)
    assert found.size == sum(path.stat().st_size for path in swiss.folder.iterdir())
    bundled = boundaries.describe()
    assert len(bundled.worldviews) > 10
    chosen = boundaries.load()
    for name in ("approximate", "disputed"):
        marks = [
            m for level in chosen.levels for m in chosen.table(level, [name])[name].to_pylist()
        ]
        assert getattr(bundled, name) == sum(map(bool, marks)) > 20
    assert bundled.worldviews == ("un", *sorted(set(bundled.worldviews) - {"un"}))
    assert {"in", "ru", "ma"} <= set(bundled.worldviews)
    assert bundled.licences == ("ISC", "public domain", "public domain and CC BY 4.0")


def test_diff_tells_what_moved_and_what_was_renamed(tmp_path):
    made = {}
    for name, shapes, names, codes in (
        ("old", [square(0, 0), square(1, 0), square(3, 0), square(5, 0)],
         ["Same", "Wider", "Old name", "Gone"], ["CH-AG", "CH-AI", "CH-AR", None]),
        ("new", [square(0, 0), square(1, 0, 1.5), square(3, 0), square(7, 0)],
         ["Same", "Wider", "New name", "Fresh"], ["CH-AG", "CH-AI", "CH-AR", None]),
    ):  # fmt: skip
        path = tmp_path / f"{name}.parquet"
        geopandas.GeoDataFrame(
            {"NAME": names, "CODE": codes}, geometry=shapes, crs="EPSG:4326"
        ).to_parquet(path)
        made[name] = boundaries.build(path, tmp_path / name, columns={**CANTONS, "code": "CODE"})
    found = boundaries.diff(made["old"], made["new"])["admin1"]
    assert (found.same, found.added, found.removed) == (1, ["Fresh (CH)"], ["Gone (CH)"])
    assert found.renamed == [("Old name (CH)", "New name")]
    assert [name for name, _ in found.moved] == ["Wider (CH)"]
    assert found.moved[0][1] == pytest.approx(1 - 1 / 2.25)
    lat = np.full(3, 46.05)
    changed = boundaries.rows_changed(made["old"], made["new"], lat, np.array([7.05, 7.75, 7.35]))
    # the third point's region has another name, but the same code
    assert changed == {"country": 1, "admin1": 1, "admin2": 0, "any": 1}
    assert boundaries.rows_changed(made["old"], made["new"], lat[:1], np.array([7.35])) == {
        "country": 0, "admin1": 0, "admin2": 0, "any": 0,
    }  # fmt: skip


def test_a_set_does_not_differ_from_itself(swiss):
    for found in boundaries.diff(swiss.folder, swiss.folder).values():
        assert not found.added + found.removed + found.renamed + found.moved
        assert found.same


# Export


def test_export_gives_the_regions_to_others(swiss, tmp_path):
    read = geopandas.read_file(boundaries.export(swiss.folder, tmp_path / "ch.geojson"))
    packed = geopandas.read_parquet(boundaries.export(swiss.folder, tmp_path / "ch.parquet"))
    assert len(read) == len(packed) == 8
    assert list(read["id"]) == list(packed["id"])
    assert read.union_all().equals(packed.union_all())
    first = boundaries.export(swiss.folder, tmp_path / "a.zip").read_bytes()
    assert boundaries.export(swiss.folder, tmp_path / "b.zip").read_bytes() == first
    with pytest.raises(FileError, match=r"ends in \.zip, \.parquet, \.geojson"):
        boundaries.export(swiss.folder, tmp_path / "ch.shp")


@pytest.mark.parametrize("ending", exporting.FORMATS)
def test_export_is_refused_where_the_licence_forbids(tmp_path, ending):
    path = tmp_path / "gadm41_CHE.parquet"
    geopandas.GeoDataFrame(
        {"GID_0": ["CHE"], "GID_1": ["CHE.1_1"], "NAME_1": ["Aargau"]},
        geometry=[square(0, 0)], crs="EPSG:4326",
    ).to_parquet(path)  # fmt: skip
    made = boundaries.build(path, tmp_path / "gadm", kind="gadm")
    assert made.provenance["release"] == "41"
    with pytest.raises(FileError, match=r"GADM licence.*does not let others"):
        boundaries.export(made.folder, tmp_path / f"gadm{ending}")
    unsaid = boundaries.build(cantons(tmp_path), tmp_path / "unsaid", columns=CANTONS)
    with pytest.raises(FileError, match="not stated"):
        boundaries.export(unsaid.folder, tmp_path / f"unsaid{ending}")
    assert not list(tmp_path.glob(f"*{ending}.*")) + list(tmp_path.glob(f"unsaid{ending}"))


@pytest.mark.parametrize(
    ("licence", "shared"),
    [
        ("CC0-1.0", True),
        ("CC BY-NC 4.0", True),
        ("Open Government Licence v3.0", True),
        ("Licence Ouverte / Etalab 2.0", True),
        ("public domain", True),
        ("GeoNutzV", True),
        ("Unrestricted use, non-proprietary", True),
        ("restricted", False),
        ("Proprietary, confidential", False),
        ("All rights reserved", False),
        ("proprietary", False),
        ("not for redistribution", False),
        ("no redistribution", False),
        ("Non-distributable", False),
        ("may not be shared", False),
        ("internal use only", False),
        ("CC BY-ND 4.0", False),
        ("GADM", False),
    ],
)
def test_export_follows_the_words_of_a_licence(tmp_path, licence, shared):
    made = boundaries.build(cantons(tmp_path), tmp_path / "set", columns=CANTONS, licence=licence)
    assert made.provenance["shareable"] is shared
    target = tmp_path / "set.zip"
    if shared:
        assert boundaries.export(made.folder, target).is_file()
    else:
        with pytest.raises(FileError, match="does not let others"):
            boundaries.export(made.folder, target)
    own = boundaries.build(
        cantons(tmp_path), tmp_path / "own", columns=CANTONS, licence=licence, shareable=not shared
    )
    assert own.provenance["shareable"] is not shared


# Fetch, from a server that fails in every way


class Server(http.server.ThreadingHTTPServer):
    """Serves one archive: /whole, /truncated, /flipped, /slow, /stalled, /redirect, /500 ..."""

    daemon_threads = True


class Handler(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_GET(self):
        data, way = self.server.data, self.path.strip("/")
        if way in ("redirect", "away"):
            self.send_response(302)
            self.send_header("Location", "/whole" if way == "redirect" else "/other")
            self.end_headers()
            return
        if way in ("500", "404"):
            self.send_error(int(way))
            return
        self.server.asked.append((way, self.headers.get("Range")))
        if way.startswith("cut"):
            self.cut(data, way)
            return
        if way == "anew" and self.headers.get("Range"):
            self.send_response(206)
            self.send_header("Content-Range", f"bytes 0-{len(data) - 1}/{len(data)}")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            return
        body = {
            "flipped": data[:500] + bytes([data[500 % len(data)] ^ 1]) + data[501:],
            "short": data[: len(data) // 2],
            "other": b"<html>Sign in to continue</html>",
            "empty": b"",
        }.get(way, data)
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if way == "stalled":
            self.wfile.write(body[:1000])
            time.sleep(3)
        elif way == "slow":
            for at in range(0, len(body), 5000):
                self.wfile.write(body[at : at + 5000])
                time.sleep(0.01)
        elif way == "truncated":
            self.wfile.write(body[: len(body) // 2])
        else:
            self.wfile.write(body)

    def cut(self, data, way):
        """Send a third at most, from where it is asked to; cut-flip changes what it sends last."""
        begin, given = 0, self.headers.get("Range")
        if given and way != "cut-deaf":
            begin = int(given.removeprefix("bytes=").rstrip("-"))
            if begin >= len(data):
                self.send_error(416)
                return
            self.send_response(206)
            self.send_header("Content-Range", f"bytes {begin}-{len(data) - 1}/{len(data)}")
        else:
            self.send_response(200)
        self.send_header("Content-Length", str(len(data) - begin))
        self.end_headers()
        body = bytearray(data[begin : begin + len(data) // 3 + 1])
        if way == "cut-flip" and begin + len(body) == len(data):
            body[-1] ^= 1
        self.wfile.write(body)


@pytest.fixture(scope="module")
def server(swiss, tmp_path_factory):
    path = boundaries.export(swiss.folder, tmp_path_factory.mktemp("archive") / "set.zip")
    with Server(("127.0.0.1", 0), Handler) as running:
        running.data = path.read_bytes()
        running.digest = files.sha256(path)
        running.asked = []
        threading.Thread(target=running.serve_forever, daemon=True).start()
        yield running
        running.shutdown()


def registry(folder, server, *ways, digest=None):
    path = folder / "sets.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["name", "url", "sha256", "licence"])
        for way in ways:
            address = f"http://127.0.0.1:{server.server_port}/{way}"
            rows.writerow([f"set-{way}", address, digest or server.digest, "CC0"])
    return path


@pytest.mark.parametrize("way", ["whole", "slow", "redirect"])
def test_fetch_brings_the_set_that_was_exported(swiss, server, home, tmp_path, way):
    steps = []
    known = registry(tmp_path, server, way)
    made = boundaries.fetch(f"set-{way}", registry=known, progress=lambda *step: steps.append(step))
    assert made.folder == home / f"set-{way}"
    assert made.sha256 == swiss.sha256
    assert steps[-1] == (len(server.data), len(server.data))
    assert [path.name for path in home.iterdir()] == [f"set-{way}"]
    with pytest.raises(FileError, match="is there already; say again=True"):
        boundaries.fetch(f"set-{way}", registry=known)
    assert boundaries.fetch(f"set-{way}", registry=known, again=True).sha256 == swiss.sha256


FAULTS = ["truncated", "flipped", "short", "stalled", "500", "404", "other", "empty", "away"]


@pytest.mark.parametrize("way", FAULTS)
def test_nothing_unverified_is_ever_used(server, home, tmp_path, way):
    known = registry(tmp_path, server, way)
    with pytest.raises(FileError, match=rf"/{way}: cannot be fetched") as error:
        boundaries.fetch(f"set-{way}", registry=known, timeout_s=0.5)
    assert "\n" not in str(error.value)
    assert way != "stalled" or "timed out" in str(error.value)
    assert list(home.iterdir()) == []


def test_a_download_that_is_cut_off_goes_on_where_it_ended(swiss, server, home, tmp_path):
    server.asked.clear()
    steps = []
    known = registry(tmp_path, server, "cut")
    made = boundaries.fetch("set-cut", registry=known, progress=lambda *step: steps.append(step))
    assert made.sha256 == swiss.sha256
    asked = [begin for _, begin in server.asked]
    begins = [int(begin.removeprefix("bytes=").rstrip("-")) for begin in asked[1:]]
    assert asked[0] is None
    assert begins == sorted(set(begins))
    third = len(server.data) // 3 + 1
    assert third - 4096 <= begins[0] <= third
    assert 3 <= len(asked) <= 6
    assert steps[-1] == (len(server.data), len(server.data))
    assert max(done for done, _ in steps) == len(server.data)
    assert list((home.parent / "downloads").iterdir()) == []


def test_the_next_fetch_goes_on_too(swiss, server, home, tmp_path):
    part = home.parent / "downloads" / f"{server.digest}.part"
    with pytest.raises(FileError, match="cannot be fetched"):
        boundaries.fetch("set-truncated", registry=registry(tmp_path, server, "truncated"))
    kept = part.read_bytes()
    assert len(server.data) // 2 - 4096 <= len(kept) <= len(server.data) // 2
    assert server.data.startswith(kept)
    server.asked.clear()
    made = boundaries.fetch("set-cut", registry=registry(tmp_path, server, "cut"))
    assert made.sha256 == swiss.sha256
    assert server.asked[0] == ("cut", f"bytes={len(kept)}-")


@pytest.mark.parametrize("left", [b"of another file", b"x", b"x" * 10_000_000])
@pytest.mark.parametrize("way", ["cut", "whole"])
def test_a_part_of_another_file_does_not_get_into_a_set(swiss, server, home, tmp_path, way, left):
    part = home.parent / "downloads" / f"{server.digest}.part"
    part.parent.mkdir()
    part.write_bytes(left)
    made = boundaries.fetch(f"set-{way}", registry=registry(tmp_path, server, way))
    assert made.sha256 == swiss.sha256
    assert boundaries.verify_set(made.folder) == []


def test_a_server_that_begins_anew_is_taken_at_its_word(swiss, server, home, tmp_path):
    """It was asked for the rest and says that it sends all: that is not put behind the rest."""
    part = home.parent / "downloads" / f"{server.digest}.part"
    part.parent.mkdir()
    part.write_bytes(server.data[:1000])
    server.asked.clear()
    made = boundaries.fetch("set-anew", registry=registry(tmp_path, server, "anew"))
    assert made.sha256 == swiss.sha256
    assert server.asked == [("anew", "bytes=1000-")]


@pytest.mark.parametrize("way", ["cut-flip", "cut-deaf"])
def test_a_resumed_download_is_believed_no_more_than_another(server, home, tmp_path, way):
    with pytest.raises(FileError, match="cannot be fetched"):
        boundaries.fetch(f"set-{way}", registry=registry(tmp_path, server, way))
    assert list(home.iterdir()) == []


@pytest.mark.parametrize(
    ("way", "left", "times"),
    [
        ("flipped", b"", 1),  # what came whole and is wrong will be so the next time
        ("flipped", b"of another file", 2),  # it may be the part that was wrong
        ("truncated", b"", 2),  # it got further once, and not the second time
    ],
)
def test_a_server_is_asked_again_only_where_that_may_help(server, home, tmp_path, way, left, times):
    if left:
        (home.parent / "downloads").mkdir()
        (home.parent / "downloads" / f"{server.digest}.part").write_bytes(left)
    server.asked.clear()
    with pytest.raises(FileError, match="cannot be fetched"):
        boundaries.fetch(f"set-{way}", registry=registry(tmp_path, server, way))
    assert [asked for asked, _ in server.asked] == [way] * times


def test_a_failed_fetch_leaves_the_set_that_was_there(swiss, server, home, tmp_path):
    boundaries.fetch("set-whole", registry=registry(tmp_path, server, "whole"))
    broken = registry(tmp_path, server, "whole", digest="0" * 64)
    with pytest.raises(FileError, match="not what the registry says"):
        boundaries.fetch("set-whole", registry=broken, again=True)
    assert boundaries.verify_set(home / "set-whole") == []


def archive(folder, entries):
    path = folder / "odd.zip"
    with zipfile.ZipFile(path, "w") as packed:
        for name, data in entries.items():
            packed.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("entries", "told"),
    [
        ({"../evil.parquet": b"x"}, "no file of a boundary set"),
        ({"/etc/evil": b"x"}, "no file of a boundary set"),
        ({"PROVENANCE.json": b"{}"}, "holds no whole boundary set"),
        ({}, "holds no whole boundary set|not a boundary set"),
    ],
)
def test_a_pinned_archive_that_is_no_set_is_refused(server, home, tmp_path, entries, told):
    path = archive(tmp_path, entries)
    whole, server.data = server.data, path.read_bytes()
    try:
        known = registry(tmp_path, server, "whole", digest=files.sha256(path))
        with pytest.raises(FileError, match=told):
            boundaries.fetch("set-whole", registry=known)
    finally:
        server.data = whole
    assert list(home.iterdir()) == []
    assert not (tmp_path / "evil.parquet").exists()


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("../up,http://x/a,{0}", "is no name of a set"),
        ("a,ftp://x/a,{0}", "http"),
        ("a,http://x/a,abc", "64 hex digits"),
    ],
)
def test_a_registry_with_a_bad_line_is_refused(home, line, told):
    (home / "registry.csv").write_text("name,url,sha256\n" + line.format("a" * 64) + "\n")
    with pytest.raises(FileError, match=told):
        boundaries.known_sets()


def test_a_registry_is_read_with_every_field_and_the_last_wins(home, tmp_path):
    old, new, more = "a" * 64, "b" * 64, tmp_path / "more.csv"
    head = "name,url,sha256,licence\n"
    (home / "registry.csv").write_text(head + f"x,http://x/old,{old},CC0\ny, http://y ,{old},\n")
    more.write_text(f"name,url,sha256\nz,https://z,{new}\n", encoding="utf-8-sig")
    known = boundaries.known_sets(more)
    found = [tuple(vars(known[name]).values()) for name in "xyz"]
    assert found == [
        ("x", "http://x/old", old, "CC0"), ("y", "http://y", old, ""), ("z", "https://z", new, ""),
    ]  # fmt: skip
    more.write_text(head + f"x,http://x/new,{new}, ODbL-1.0 \n")
    assert tuple(vars(boundaries.known_sets(more)["x"]).values())[1:] == (
        "http://x/new", new, "ODbL-1.0",
    )  # fmt: skip


def test_unknown_sets_are_told(home):
    with pytest.raises(FileError, match="no known boundary set 'moon' to fetch"):
        boundaries.fetch("moon")


def test_an_archive_holds_its_files_by_name_and_without_times(swiss, tmp_path):
    path = boundaries.export(swiss.folder, tmp_path / "set.zip")
    with zipfile.ZipFile(path) as packed:
        names = [entry.filename for entry in packed.infolist()]
        assert names == sorted(entry.name for entry in swiss.folder.iterdir())
        assert {entry.date_time[0] for entry in packed.infolist()} == {1980}
        for name in names:
            assert packed.read(name) == (swiss.folder / name).read_bytes()


def test_a_set_of_before_a_column_has_nothing_marked():
    table = pa.table({"disputed": [True, None, False]})
    assert drawing._flag(table, "disputed").tolist() == [True, False, False]
    assert drawing._flag(table, "approximate").tolist() == [False] * 3


def test_the_map_shows_what_is_drawn_approximate_and_disputed(tmp_path):
    path = boundaries.draw_map("bundled", tmp_path / "map.png")
    image = np.asarray(Image.open(path).convert("RGB")).astype(int)
    sea = np.abs(image - [0xF3, 0xF6, 0xF8]).sum(axis=2) < 6
    west, east = np.nonzero(sea.any(axis=0))[0][[0, -1]]
    north = np.nonzero(sea.sum(axis=1) > 100)[0][0]  # below the title
    scale = (east - west) / float(np.subtract(*maps.project(0.0, [180.0, -180.0])[0]))
    top = float(maps.project(84.5, 0.0)[1])
    for lat, lon, colour in (
        (38.5, -98.3, (0xE2, 0xE3, 0xDE)),  # Kansas, by a source
        (0.5, 25.0, (0xE0, 0x8A, 0x2E)),  # Tshopo, approximate
        (24.0, -14.0, (0xA8, 0x87, 0xB3)),  # Western Sahara, disputed: half of it over the land
        (-10.0, -25.0, (0xF3, 0xF6, 0xF8)),  # the sea
    ):
        x, y = maps.project(lat, lon)
        column, row = (
            round((west + east) / 2 + float(x) * scale),
            round(north + (top - float(y)) * scale),
        )
        around = image[row - 2 : row + 3, column - 2 : column + 3].reshape(-1, 3)
        assert np.abs(np.median(around, axis=0) - colour).max() <= 3
    said = boundaries.draw_map("bundled", tmp_path / "map.svg").read_text()
    words = (
        "bundled: where borders are approximate",
        "drawn by a source",
        "approximate",
        "disputed",
    )
    assert all(f">{text}<" in said or f"<!-- {text} -->" in said for text in words)
