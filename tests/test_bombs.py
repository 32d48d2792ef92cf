"""Small or endless files that would fill memory or never end, given to every verb that reads.

Each verb runs in a process of its own. Whatever it makes of the file, it ends within a minute and
1.5 GiB, with an exit status of ours and without a traceback.
"""

import json
import os
import signal
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from itertools import cycle, islice

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from geodata import tables

MOST_BYTES, MOST_S = 3 << 29, 60
GRACE = 4
"""A machine shared with others is this much slower by the clock; processor time counts."""

VERBS = (
    "label {bomb} -o out.csv",
    "evaluate {bomb} --truth truth.csv --no-regions",
    "evaluate preds.csv --truth {bomb} --no-regions",
    "sql 'SELECT * FROM bomb ORDER BY 1' {bomb}",
    "photos import {bomb} -o out.parquet",
    "records sft --from {bomb} -o out.jsonl",
    "boundaries build file --from {bomb} -c country=CH -c admin1=NAME --out ./out",
    "lint {bomb} --truth truth.csv",
    "compare {bomb} preds.csv --truth truth.csv",
    "table {bomb} preds.csv --truth truth.csv",
    "label {bomb} -o out.parquet",
    "map {bomb} -o out.svg",
    "dataset build join --lake lake --from few --other {bomb} --on id",
    "dataset build annotate --lake lake --from few --annotations {bomb} --on id",
    "dataset build popular --lake lake --from few --predictions {bomb}",
)
OF_A_LAKE = (
    "dataset build filter --lake lake --from bombs --where 'lat >= 0'",
    "dataset build labelled --lake lake --from bombs",
    "label lake/bombs -o out.csv",
    "records sft --lake lake --from bombs -o out.jsonl",
    "dataset export bombs --lake lake -o out",
    "dataset verify bombs --lake lake",
    "dataset compact bombs --lake lake",
    "sql 'SELECT * FROM bombs ORDER BY 1' --lake lake",
)
PICTURES = "photos import photos.csv -o out.parquet --images {bomb}"


def fifo(folder, size):
    os.mkfifo(folder / "bomb.csv")
    return folder / "bomb.csv"


def device(folder, size):
    (folder / "bomb.csv").symlink_to("/dev/zero")
    return folder / "bomb.csv"


def parquet(folder, size):
    """One long text, a thousand times: the file is a dictionary of one entry and its codes."""
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(46 * size, np.int32)), ["x" * 10**6])
    zeros = np.zeros(46 * size)
    table = pa.table({"id": text, "lat": zeros, "lon": zeros})
    pq.write_table(table, folder / "bomb.parquet", compression="zstd")
    return folder / "bomb.parquet"


def plain_parquet(folder, size):
    """The same, declared as text, in row groups behind one that is harmless."""
    schema = pa.schema([("id", pa.string()), ("lat", pa.float64()), ("lon", pa.float64())])
    few = pa.table({"id": ["a"], "lat": [1.0], "lon": [2.0]}, schema=schema)
    with pq.ParquetWriter(folder / "bomb.parquet", schema, compression="zstd") as out:
        out.write_table(few)
        many = pa.table(
            {"id": ["x" * 10**6] * 46, "lat": np.zeros(46), "lon": np.zeros(46)}, schema
        )
        for _ in range(size):
            out.write_table(many)
    return folder / "bomb.parquet"


def lists(folder, size):
    """A hundred thousand zeros in each of some rows, which as a run cost nothing."""
    zeros = pa.ListArray.from_arrays(
        pa.array(np.arange(0, 10**5 * (8 * size + 1), 10**5, np.int32)),
        pa.array(np.zeros(8 * 10**5 * size)),
    )
    rows = np.zeros(8 * size)
    table = pa.table({"id": rows.astype(str), "lat": rows, "lon": rows, "zeros": zeros})
    pq.write_table(table, folder / "bomb.parquet", compression="zstd")
    return folder / "bomb.parquet"


def feather(folder, size):
    """Batches whose packed texts are a thousand times larger than they are."""
    text = pa.array(["x" * 10**6] * 50)
    part = pa.record_batch({"id": text, "lat": np.zeros(50), "lon": np.zeros(50)})
    options = pa.ipc.IpcWriteOptions(compression="zstd")
    path = str(folder / "bomb.feather")
    with pa.OSFile(path, "wb") as sink, pa.ipc.new_file(sink, part.schema, options=options) as out:
        for _ in range(size):
            out.write_batch(part)
    return folder / "bomb.feather"


def arrays(folder, size):
    zeros = np.zeros(10**6 * size)
    np.savez_compressed(folder / "bomb.npz", id=zeros.astype(np.int64), lat=zeros, lon=zeros)
    return folder / "bomb.npz"


def no_newline(folder, size):
    with (folder / "bomb.csv").open("wb") as out:
        out.write(b"id,lat,lon\n")
        for _ in range(10 * size):
            out.write(b"x" * 10**6)
    return folder / "bomb.csv"


def no_newline_in_the_head(folder, size):
    with (folder / "bomb.csv").open("wb") as out:
        for _ in range(10 * size):
            out.write(b"lat,lon," * 125_000)
    return folder / "bomb.csv"


def long_integers_csv(folder, size):
    row = f"{'9' * 5000},{'8' * 5000},{'7' * 5000}\n"
    (folder / "bomb.csv").write_text("id,lat,lon\n" + row * (20 * size))
    return folder / "bomb.csv"


def long_integers_json(folder, size):
    row = f'{{"id": {"9" * 5000}, "lat": {"8" * 5000}, "lon": 1}}\n'
    (folder / "bomb.jsonl").write_text(row * (20 * size))
    return folder / "bomb.jsonl"


def deep_json(folder, size):
    (folder / "bomb.jsonl").write_text('{"a":' * (10_000 * size) + "\n")
    return folder / "bomb.jsonl"


def packed(folder, size):
    """A gzip file of one value, a thousand times smaller than what is in it."""
    import gzip

    with gzip.open(folder / "bomb.csv.gz", "wb") as out:
        out.write(b"id,lat,lon\n")
        for _ in range(10 * size):
            out.write(b"0" * 10**6)
    return folder / "bomb.csv.gz"


def overlapping(folder, size):
    """Members of a zip that are all the same bytes: the directory names one of them again."""
    path = folder / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("a.jpg", b"\xff\xd8" + bytes(10**6))
        first = made.infolist()[0]
        for i in range(2000 * size):
            again = zipfile.ZipInfo(f"{i}.jpg")
            again.compress_type, again.CRC = first.compress_type, first.CRC
            again.compress_size, again.file_size = first.compress_size, first.file_size
            again.header_offset = first.header_offset
            made.filelist.append(again)
            made.NameToInfo[again.filename] = again
    return path


def ratio(folder, size):
    path = folder / "bomb.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as made, made.open("a.jpg", "w") as out:
        for _ in range(10 * size):
            out.write(bytes(10**6))
    return path


def large_photo(folder, size):
    path = folder / "bomb.tar"
    with tarfile.open(path, "w") as made:
        member = tarfile.TarInfo("a.jpg")
        member.size = 10**7 * size
        with (folder / "zeros").open("wb") as zeros:
            zeros.truncate(member.size)
        with (folder / "zeros").open("rb") as zeros:
            made.addfile(member, zeros)
    return path


def long_names(folder, size):
    path = folder / "bomb.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT) as made:
        for i in range(10 * size):
            made.addfile(tarfile.TarInfo(f"{i}/" + "x" * 60_000 + ".jpg"))
    return path


FILES = (
    fifo, device, parquet, no_newline, no_newline_in_the_head, long_integers_csv,
    long_integers_json, deep_json, packed, plain_parquet, lists, feather, arrays,
)  # fmt: skip
ARCHIVES = (overlapping, ratio, large_photo, long_names)


@pytest.fixture
def place(tmp_path):
    rows = "id,lat,lon\na,1,2\nb,3,4\n"
    for name in ("truth.csv", "preds.csv"):
        (tmp_path / name).write_text(rows)
    (tmp_path / "photos.csv").write_text("id,lat,lon\na.jpg,1,2\n0.jpg,3,4\n")
    few = {"photo_id": ["a"], "id": ["a"], "lat": [1.0], "lon": [2.0]}
    tables.write(tmp_path / "lake" / "few", pa.table(few))
    return tmp_path


# A child's peak begins at what its parent held when it was made: a small process makes the verb's.
METER = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[2:], stdin=subprocess.DEVNULL).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
with open(sys.argv[1], "w") as file:
    json.dump([code, used.ru_maxrss << 10, used.ru_utime + used.ru_stime], file)
"""


def spent(folder, line, program="geodata"):
    """Run a verb; return its exit status, peak bytes, processor seconds and what it said."""
    command = [sys.executable, "-c", f"import shlex, sys; from {program}.cli import main; "
               f"sys.argv = ['{program}', *shlex.split(sys.argv[1])]; main()", line]  # fmt: skip
    with (folder / "said.txt").open("w+") as said:
        meter = [sys.executable, "-S", "-c", METER, "used.json", *command]
        process = subprocess.Popen(
            meter, cwd=folder, stdout=said, stderr=said, start_new_session=True
        )
        late = threading.Timer(MOST_S * GRACE, os.killpg, [process.pid, signal.SIGKILL])
        late.start()
        process.wait()
        late.cancel()
        said.seek(0)
        text = said.read(100_000)
    assert process.returncode == 0, f"{line}: stopped after {MOST_S * GRACE} s: {text[-600:]}"
    return *json.loads((folder / "used.json").read_text()), text


def tried(folder, lines, record_property, program="geodata"):
    for line in lines:
        begun = time.monotonic()
        status, peak, seconds, text = spent(folder, line, program)
        told = json.dumps([line, status, peak >> 20, round(seconds, 1), text[-600:]], indent=1)
        assert status in (0, 1, 2), told
        assert "Traceback" not in text, told
        assert peak <= MOST_BYTES, told
        assert seconds <= MOST_S, told
        assert time.monotonic() - begun <= MOST_S * GRACE, told
        record_property("peak MiB", peak >> 20)
        record_property("processor seconds", round(seconds, 1))


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is that of Linux's wait4")
@pytest.mark.parametrize("make", FILES, ids=lambda make: make.__name__)
def test_no_verb_is_filled_or_held_up_by_a_file(make, place, figure, record_property):
    bomb = make(place, figure("size", ci=5, full=100))
    verbs = figure("verbs", ci=2, full=len(VERBS))
    first = FILES.index(make) * 2  # every verb meets some bomb in CI
    lines = [verb.format(bomb=bomb.name) for verb in islice(cycle(VERBS), first, first + verbs)]
    tried(place, lines, record_property)


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is that of Linux's wait4")
@pytest.mark.parametrize("make", [parquet, plain_parquet], ids=lambda make: make.__name__)
def test_no_verb_is_filled_or_held_up_by_a_table_of_a_lake(make, place, figure, record_property):
    import deltalake

    table = place / "lake" / "bombs"
    table.mkdir()
    make(table, figure("size", ci=5, full=100))
    deltalake.convert_to_deltalake(str(table))
    tried(place, OF_A_LAKE[: figure("verbs", ci=3, full=len(OF_A_LAKE))], record_property)


@pytest.mark.skipif(sys.platform != "linux", reason="peak memory is that of Linux's wait4")
@pytest.mark.parametrize("make", ARCHIVES, ids=lambda make: make.__name__)
def test_no_archive_fills_or_holds_up_an_import(make, place, figure, record_property):
    bomb = make(place, figure("size", ci=5, full=100))
    tried(place, [PICTURES.format(bomb=bomb.name)], record_property)
