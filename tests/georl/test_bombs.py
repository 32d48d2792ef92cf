"""The bombs of tests/test_bombs.py, and photos that unfold, given to every verb of georl.

Each verb runs in a process of its own, which loads torch where training does.
"""

import sys
import zlib
from itertools import cycle, islice
from struct import pack

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests import test_bombs as bombs
from tests.georl.tiny_runs import SMALL

TINY = " ".join(["tiny-cpu", "output=out", "train.max_steps=1", *SMALL[:4]])
ASKED = (
    "model.name=any predict.url=http://127.0.0.1:9/v1 predict.retries=0 predict.output=out.jsonl"
)
VERBS = (
    f"predict tiny-cpu {ASKED} data.table={{bomb}}",
    "reason build two-servers photos.table={bomb} table=lake/t output=out",
    "judge-records {bomb} -o out.parquet",
    "plan tiny-cpu data.table={bomb}",
    f"sft {TINY} data.table={{bomb}}",
    "calibrate {bomb} --model none",
    f"grpo {TINY} data.table={{bomb}}",
    "serve {bomb}",
)
CONFIGURED = (
    "sft {bomb}", "grpo {bomb}", "predict {bomb}", "plan {bomb}", "reason ask {bomb}",
)  # fmt: skip


def pixels(folder, size):
    """Photos of 88 million pixels in a few hundred kB, one of 169 and one of four thousand."""
    for i in range(6):
        side = {4: 64_000, 5: 13_000}.get(i, 9_400)
        rows = zlib.compressobj(9)
        packed = b"".join(rows.compress(bytes(3 * side + 1)) for _ in range(min(side, 13_000)))
        parts = (
            (b"IHDR", pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)),
            (b"IDAT", packed + rows.flush()),
        )
        body = b"".join(
            pack(">I", len(data)) + kind + data + pack(">I", zlib.crc32(kind + data))
            for kind, data in (*parts, (b"IEND", b""))
        )
        (folder / f"{i}.png").write_bytes(b"\x89PNG\r\n\x1a\n" + body)
    return [f"{i}.png" for i in range(6)]


def zeros(folder, size):
    """A file that begins as a photo and goes on for gigabytes, without a byte on disk."""
    with (folder / "0.jpg").open("wb") as out:
        out.write(b"\xff\xd8\xff\xe0")
        out.truncate(size << 25)
    return ["0.jpg"]


def endless(folder, size):
    bombs.fifo(folder, size)
    (folder / "0.jpg").symlink_to("/dev/zero")
    return ["bomb.csv", "0.jpg", "/dev/zero"]


def members(folder, size):
    bombs.ratio(folder, size)
    return ["bomb.zip#a.jpg"]


@pytest.fixture
def place(tmp_path):
    (tmp_path / "lake").mkdir()
    return tmp_path


linux = pytest.mark.skipif(sys.platform != "linux", reason="peak memory is that of Linux's wait4")


@linux
@pytest.mark.parametrize("make", bombs.FILES, ids=lambda make: make.__name__)
def test_no_verb_is_filled_or_held_up_by_a_table(make, place, figure, record_property):
    bomb = make(place, figure("size", ci=5, full=100))
    verbs = figure("verbs", ci=1, full=len(VERBS))
    first = bombs.FILES.index(make)  # every verb meets some bomb in CI
    lines = [verb.format(bomb=bomb.name) for verb in islice(cycle(VERBS), first, first + verbs)]
    bombs.tried(place, lines, record_property, "georl")


@linux
@pytest.mark.parametrize(
    "make", [bombs.fifo, bombs.device, bombs.no_newline], ids=["fifo", "device", "no_newline"]
)
def test_no_verb_is_filled_or_held_up_by_a_configuration(make, place, figure, record_property):
    bomb = make(place, figure("size", ci=5, full=100)).rename(place / "bomb.yaml")
    verbs = figure("verbs", ci=1, full=len(CONFIGURED))
    lines = [verb.format(bomb=bomb.name) for verb in CONFIGURED[:verbs]]
    bombs.tried(place, lines, record_property, "georl")


@linux
@pytest.mark.parametrize("make", [pixels, zeros, endless, members], ids=lambda make: make.__name__)
def test_no_verb_is_filled_or_held_up_by_a_photo(make, place, figure, record_property):
    names = make(place, figure("size", ci=5, full=100))
    table = pa.table(
        {"id": names, "image": names, "lat": [1.0] * len(names), "lon": [2.0] * len(names)}
    )
    pq.write_table(table, place / "photos.parquet")
    lines = [f"predict tiny-cpu {ASKED} data.table=photos.parquet data.skip_missing=true"]
    if figure("verbs", ci=1, full=2) == 2:
        lines.append(f"sft {TINY} data.table=photos.parquet data.skip_missing=true")
    bombs.tried(place, lines, record_property, "georl")
