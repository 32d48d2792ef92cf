"""What verify says of a set, problem by problem."""

import hashlib
import json
import shutil

import pytest

from geodata import boundaries, files
from geodata.boundaries.verifying import is_set, sealed
from geodata.files import FileError
from tests.boundaries.sets import cantons

RECORD = "PROVENANCE.json"
FILES = ("countries.parquet", "index.geoindex", "units.parquet")


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("set")
    columns = {"country": "CH", "admin1": "NAME"}
    return boundaries.build(cantons(folder), folder / "set", columns=columns).folder


@pytest.fixture
def copy(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "copy")


def record_of(folder):
    return json.loads((folder / RECORD).read_text(encoding="utf-8"))


def test_a_whole_set_has_no_problem(copy):
    assert boundaries.verify_set(copy) == boundaries.verify_set(str(copy)) == []


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_gone_or_changed_is_named(copy, name):
    data = (copy / name).read_bytes()
    (copy / name).write_bytes(data + b"x")
    assert boundaries.verify_set(copy) == [f"{name} does not match its SHA-256"]
    (copy / name).unlink()
    assert boundaries.verify_set(copy) == [f"{name} is missing"]
    (copy / name).mkdir()
    assert boundaries.verify_set(copy) == [f"{name} is missing"]


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_the_record_does_not_name_is_a_stranger(copy, name):
    record = record_of(copy)
    del record["outputs"][name]
    (copy / RECORD).write_text(sealed(record), encoding="utf-8")
    assert boundaries.verify_set(copy) == [
        f"{name} is not named in it",
        f"{name} is no file of the set",
    ]


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("{", "JSONDecodeError"),
        ("{}", "KeyError"),
        ('{"outputs": 3}', "AttributeError"),
        ('{"outputs": {"a": 3}}', "TypeError"),
        ("[]", "AttributeError"),
        ('"text"', "AttributeError"),
        pytest.param("[" * 100_000, "RecursionError", id="too deep"),
    ],
)
def test_a_damaged_record_is_told_by_its_error(copy, text, error):
    (copy / RECORD).write_text(text)
    assert boundaries.verify_set(copy) == [f"{RECORD} is damaged: {error}"]
    (copy / RECORD).unlink()
    assert boundaries.verify_set(copy) == [f"{RECORD} is missing"]


def test_a_record_is_its_own_text_and_seal(copy):
    record = record_of(copy)
    (copy / RECORD).write_text(json.dumps(record), encoding="utf-8")  # the same, written otherwise
    assert boundaries.verify_set(copy) == [f"{RECORD} does not match its seal"]
    (copy / RECORD).write_text(sealed(record), encoding="utf-8")
    assert boundaries.verify_set(copy) == []
    (copy / RECORD).write_text(sealed(record | {"url": "é"}), encoding="utf-8")
    assert boundaries.verify_set(copy) == []
    assert "é" in (copy / RECORD).read_text(encoding="utf-8")
    assert sealed(record) == sealed(record | {"seal": "another"})
    plain = '{\n  "a": "é",\n  "b": [\n    1\n  ]\n}\n'
    seal = hashlib.sha256(plain.encode()).hexdigest()
    text = plain.removesuffix("\n}\n") + f',\n  "seal": "{seal}"\n}}\n'
    assert sealed({"a": "é", "b": [1]}) == text


@pytest.mark.parametrize(
    ("name", "expected"),
    [(RECORD, True), ("index.geoindex", True), ("countries.parquet", True), ("x.parquet", False)],
)
def test_what_looks_like_a_set(tmp_path, name, expected):
    (tmp_path / name).write_text("")
    assert is_set(tmp_path) is expected


@pytest.mark.parametrize("missing", [["countries.parquet"], ["units.parquet", "index.geoindex"]])
def test_a_set_without_a_file_cannot_be_opened(copy, missing):
    for name in missing:
        (copy / name).unlink()
    with pytest.raises(FileError) as caught:
        boundaries.load(copy)
    told = f"not a boundary set, {', '.join(missing)} missing; make one with"
    assert str(caught.value).startswith(f"{copy}: {told} 'geodata boundaries build'")


def test_no_set_at_all(tmp_path):
    with pytest.raises(FileError) as caught:
        boundaries.verify_set(tmp_path)
    told = "not a boundary set; make one with 'geodata boundaries build'"
    assert str(caught.value) == f"{tmp_path}: {told}"


def test_a_level_that_a_set_lacks(whole):
    chosen = boundaries.load(whole)
    with pytest.raises(FileError) as caught:
        chosen.table("locality")
    assert str(caught.value) == "set: has no level 'locality'; there are country, admin1"
    assert chosen.levels == ("country", "admin1")
    for narrow in (chosen.table("country"), chosen.table("admin1"), chosen.units):
        assert {"geometry", "bbox"}.isdisjoint(narrow.column_names)  # they are wide
    assert chosen.table("admin1", ["name", "geometry"]).column_names == ["name", "geometry"]
    assert chosen.sha256 == files.load_arrays(whole / "index.geoindex").meta["sha256"]
