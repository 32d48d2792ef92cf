"""R18: versions are pinned with their hashes, bundled files are known, nothing is unpickled."""

import ast
import json
import re
from itertools import pairwise

import pytest

from geodata import boundaries, files
from tests.test_house import FILES, ROOT, name_of, tree

PIN = re.compile(r"([A-Za-z0-9._-]+)==([0-9][A-Za-z0-9.!_-]*)")
HASH = re.compile(r" {4}--hash=sha256:[0-9a-f]{64}( \\)?")
APART = "torch"
"""Its builds differ by platform, and so do their hashes."""

KNOWN = {
    "geodata/maps/world.parquet": (
        "f91915b9ff8cc50d1c68db1d05a95768495891ddda4626cc698adb5ef596f589",
        "NOTICE",
    ),
    "georl/assets/bluemarble.jpg": (
        "bae2276be1f24a4bf20d6365a6b655ee723f95e3c9eb05c9138c9651b6353fba",
        "georl/assets/ORIGIN.md",
    ),
}
"""Bundled files that no provenance lists: SHA-256, and the file that says their licence."""

OURS = {
    "geodata/evaluation/scores/published.json",
    "geodata/boundaries/tables/country_aliases.csv",
}
"""Written by us, by hand."""


def lines(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    return [line for line in text.splitlines() if not line.startswith("#")]


def pins(found):
    return {re.sub(r"[-_.]+", "-", m[1]).lower(): m[2] for m in map(PIN.match, found) if m}


def test_every_package_is_pinned_to_one_version():
    found = lines("constraints.txt")
    assert all(PIN.fullmatch(line) for line in found)
    assert len(pins(found)) == len(found) > 100


def test_every_pin_has_its_hashes_torch_apart():
    found = lines("constraints.hashes.txt")
    wanted = pins(lines("constraints.txt"))
    del wanted[APART]
    assert pins(found) == wanted
    for line, after in pairwise([*found, ""]):
        assert HASH.fullmatch(line) or HASH.fullmatch(after), line
        assert HASH.fullmatch(line) or PIN.match(line), line


@pytest.mark.parametrize("name", ["constraints.txt", "constraints.hashes.txt"])
def test_no_place_to_download_from_is_written_down(name):
    text = (ROOT / name).read_text(encoding="utf-8")
    assert "://" not in text
    assert "index-url" not in text


def test_every_bundled_file_has_a_licence_and_a_sha256():
    folder = boundaries.BUNDLED
    record = json.loads((folder / "PROVENANCE.json").read_text(encoding="utf-8"))
    assert all(entry["licence"] and entry["sha256"] for entry in record["inputs"])
    told = {f"{folder.relative_to(ROOT)}/{name}" for name in record["outputs"]}
    told |= {f"geodata/boundaries/tables/{name}.csv" for name in record["tables"]}
    notices = (ROOT / "NOTICE").read_text(encoding="utf-8")
    for path, (digest, licence) in KNOWN.items():
        assert files.sha256(ROOT / path) == digest, path
        assert path.rpartition("/")[2] in (ROOT / licence).read_text(encoding="utf-8"), path
    there = {
        str(path.relative_to(ROOT))
        for top in ("geodata", "georl")
        for path in (ROOT / top).rglob("*")
        if path.is_file()
        and path.suffix not in {".py", ".pyi", ".pyc"}
        and path.stat().st_size > 20_000
    }
    unknown = there - told - KNOWN.keys() - OURS
    assert all(path.rpartition("/")[2] in notices for path in unknown), unknown


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_nothing_is_unpickled_and_no_code_of_a_model_is_run(path):
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = {alias.name for alias in node.names} | {getattr(node, "module", None)}
            assert not names & {"pickle", "cPickle", "dill", "joblib", "marshal", "shelve"}
        if isinstance(node, ast.keyword):
            said = isinstance(node.value, ast.Constant) and node.value.value is True
            assert not (said and node.arg in {"trust_remote_code", "allow_pickle"})
            assert node.arg != "weights_only" or said
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "torch.load":
            assert "weights_only" in {keyword.arg for keyword in node.keywords}
