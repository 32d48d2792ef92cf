"""Rows through pipes: what standard input is taken for, and what goes to standard output."""

import io
import sys
from pathlib import Path

import pytest

from geodata.cli.terminal.streams import _ending, _told_by, files_of
from geodata.files import FileError


def through(monkeypatch, data, source="-", target="-", made=b"", raised=None):
    """Return (name read, what it held, printed bytes), with what was written in between."""
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
    monkeypatch.setattr(sys, "stdout", out)
    with files_of(source, target) as (read, written):
        held = Path(read).read_bytes() if source == "-" else None
        if raised:
            raise FileError(raised.format(read=read, written=written))
        if target == "-":
            Path(written).write_bytes(made)
    out.flush()
    return Path(read), held, Path(written), out.buffer.getvalue()


def test_plain_names_are_given_as_they_are(monkeypatch):
    read, _, written, printed = through(monkeypatch, b"", "a.csv", "b.csv")
    assert (str(read), str(written), printed) == ("a.csv", "b.csv", b"")


@pytest.mark.parametrize(
    ("data", "ending"),
    [
        (b"id,lat\n1,2\n", ".csv"), (b'{"id": 1}\n', ".jsonl"), (b'[{"id": 1}]', ".json"),
        (b'\xef\xbb\xbf {"type": "FeatureCollection", "features": []}', ".geojson"),
        (b'{"features" : [], "type": "x"}', ".geojson"), (b'{"a": {"features": []}}', ".jsonl"),
        (b'\n\t[1]', ".json"),
    ],
)  # fmt: skip
def test_what_comes_in_is_told_by_its_beginning(monkeypatch, data, ending):
    read, held, written, printed = through(monkeypatch, data, made=b"made\xff")
    assert (read.name, held, printed) == (f"stdin{ending}", data, b"made\xff")
    assert written.name == f"out{ending}"
    assert read.parent == written.parent
    assert read.parent.name.startswith("geodata-")
    assert not read.parent.exists()
    assert _told_by(data.lstrip(b"\xef\xbb\xbf \t\r\n")) == ending


def test_what_was_told_before_comes_before(monkeypatch):
    out = io.TextIOWrapper(io.BytesIO())
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"id\n1\n")))
    monkeypatch.setattr(sys, "stdout", out)
    with files_of("-", "-") as (_, written):
        out.write("first\n")
        Path(written).write_bytes(b"then\n")
    assert out.buffer.getvalue() == b"first\nthen\n"


def test_long_input_is_whole(monkeypatch):
    data = b"id,lat\n" + b"1,2\n" * 5000
    assert through(monkeypatch, data, target="b.csv")[1] == data


@pytest.mark.parametrize("data", [b"", b" \n\t "])
def test_nothing_is_refused(monkeypatch, data):
    with pytest.raises(FileError) as told:
        through(monkeypatch, data)
    assert str(told.value) == (
        "standard input is empty; expected CSV with a header, JSON lines or GeoJSON"
    )


def test_a_file_is_read_and_printed_in_its_own_format(monkeypatch):
    read, _, written, printed = through(monkeypatch, b"", source="rows.TSV.gz", made=b"x\ty")
    assert (str(read), written.name, printed) == ("rows.TSV.gz", "out.tsv", b"x\ty")


@pytest.mark.parametrize(
    ("source", "ending"),
    [
        ("a.csv", ".csv"), ("a.parquet", ".csv"), ("A.JSONL", ".jsonl"), ("a.ndjson.gz", ".ndjson"),
        ("a.json", ".json"), ("a.geojson", ".geojson"), ("a", ".csv"), ("a.tsv", ".tsv"),
        ("a.jsonl.zst", ".jsonl"), ("A.TSV.BZ2", ".tsv"), ("a.csv.gz", ".csv"), ("a.gz", ".csv"),
    ],
)  # fmt: skip
def test_the_format_of_what_is_printed(source, ending):
    assert _ending(source) == ending


def test_mistakes_name_the_streams_and_print_nothing(monkeypatch):
    with pytest.raises(FileError) as told:
        through(monkeypatch, b"id\n1\n", raised="{read} and {written} do not fit")
    assert str(told.value) == "standard input and standard output do not fit"
    assert sys.stdout.buffer.getvalue() == b""
    with pytest.raises(FileError) as told:
        through(monkeypatch, b"", source="rows.csv", raised="{read} and {written} do not fit")
    assert str(told.value) == "rows.csv and standard output do not fit"
