"""Reading prediction files and joining them to the truth (R8: typed errors, no wrong score)."""

import json
import random
import re
import resource
import string
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings, strategies as st

from geodata.evaluation.findings import PredictionError
from geodata.evaluation.joining import join, read_predictions, read_truth
from geodata.evaluation.joining.matches import matching
from geodata.files import FileError
from geodata.files.columns import axis_of

ODDITIES = Path(__file__).parents[2] / "data" / "oddities"
EXPECTED = json.loads((ODDITIES / "expected.json").read_text(encoding="utf-8"))
PLACES = [(48.8584, 2.2945), (-33.8568, 151.2153), (40.6892, -74.0445), (-22.9519, -43.2105)]


def reading(joined):
    rows = joined.table(["pred_lat", "pred_lon", "status"]).to_pylist()
    return [
        "ok"
        if row["pred_lat"] is not None
        and (row["pred_lat"], row["pred_lon"]) == pytest.approx(place, abs=1e-9)
        else [row["pred_lat"], row["pred_lon"]]
        if row["pred_lat"] is not None
        else row["status"]
        for row, place in zip(rows, PLACES, strict=True)
    ]


def test_there_are_sixty_oddities():  # R8
    assert len(EXPECTED) >= 60
    assert {p.name for p in ODDITIES.iterdir()} == {*EXPECTED, "truth.csv", "expected.json"}


@pytest.mark.parametrize("name", EXPECTED)
def test_oddity_reads_as_expected(name):  # R8
    expected = EXPECTED[name]
    arguments = expected.get("args", {})
    if "error" in expected:
        with pytest.raises((FileError, PredictionError), match=re.escape(expected["error"])):
            join(ODDITIES / name, ODDITIES / "truth.csv", **arguments)
        return
    joined = join(ODDITIES / name, ODDITIES / "truth.csv", **arguments)
    assert reading(joined) == expected["rows"]
    assert sorted(found.code for found in joined.findings) == expected["codes"]
    assert all(found.remedy and found.count for found in joined.findings)
    assert joined.table(["id", "author"]).to_pylist() == [
        {"id": str(1000 + i), "author": f"p{i % 2}"} for i in range(4)
    ]


def test_every_kind_of_source_reads_alike(tmp_path):
    table = pa.table({"id": ["a", "b", "c"], "lat": [1.5, None, -3.25], "lon": [2.5, None, 190.0]})
    truth = pa.table({"id": ["c", "a", "b"], "lat": [0.0] * 3, "lon": [1.0] * 3, "n": [1, 2, 3]})
    table.to_pandas().to_csv(tmp_path / "p.csv", index=False)
    table.to_pandas().to_csv(tmp_path / "p.tsv", index=False, sep="\t")
    table.to_pandas().to_json(tmp_path / "p.jsonl", orient="records", lines=True)
    pq.write_table(table, tmp_path / "p.parquet")
    in_memory = [table, table.to_pandas(), pl.from_arrow(table), table.to_reader()]
    sources = [*sorted(tmp_path.iterdir()), *map(str, tmp_path.iterdir()), *in_memory]
    wanted = join(table, truth).table()
    assert wanted["pred_lon"].to_pylist() == [-170.0, 2.5, None]
    assert wanted["n"].to_pylist() == [1, 2, 3]
    for source in sources:
        assert join(source, truth).table().equals(wanted), source
    for other in (truth.to_pandas(), pl.from_arrow(truth), truth.to_reader()):
        assert join(table, other).table(list(wanted.column_names)).equals(wanted)


def test_truth_in_the_same_file():
    table = pa.table(
        {
            "id": ["a", "b"],
            "lat": [1.0, 2.0],
            "lon": [3.0, 4.0],
            "lat_pred": [5.0, None],
            "lon_pred": [6.0, None],
            "author": ["x", "y"],
        }
    )
    joined = join(table)
    assert joined.columns == ("id", "lat", "lon", "pred_lat", "pred_lon", "status", "author")
    assert joined.table(["lat", "pred_lat", "status"]).to_pylist() == [
        {"lat": 1.0, "pred_lat": 5.0, "status": "ok"},
        {"lat": 2.0, "pred_lat": None, "status": "missing"},
    ]
    without_id = join(table.drop(["id"]))
    assert without_id.table(["id"])["id"].to_pylist() == ["1", "2"]


def test_text_beside_truth_in_the_same_file():
    table = {"id": ["a"], "lat": [48.9], "lon": [2.3], "response": ["Paris (48.85, 2.35)"]}
    row = join(table).table().to_pylist()[0]
    assert (row["lat"], row["pred_lat"], row["status"]) == (48.9, 48.85, "ok")


def test_text_is_parsed_where_asked_and_names_go_along():
    table = {
        "id": ["a", "b"],
        "lat": [9.0, 9.0],
        "lon": [9.0, 9.0],
        "words": ["Country: Japan\nCity: Kyoto\nCoordinates: (35.0, 135.75)", "91 degrees"],
    }
    truth = {"id": ["a", "b"], "lat": [35.0, 0.0], "lon": [135.0, 0.0]}
    rows = join(read_predictions(table, text="words"), truth).table().to_pylist()
    assert rows[0]["pred_lat"] == 35.0
    assert rows[0]["pred_country"] == "Japan"
    assert rows[1]["pred_lat"] is None
    assert join(table, truth).table()["pred_lat"].to_pylist() == [9.0, 9.0]


def test_named_columns_win_and_unknown_ones_raise():
    table = {"key": ["a"], "who": ["b"], "north": [1.0], "east": [2.0], "lat": [5], "lon": [6]}
    truth = {"id": ["b"], "lat": [0.0], "lon": [0.0]}
    opened = read_predictions(table, id="who", lat="north", lon="east")
    assert join(opened, truth).table()["pred_lat"].to_pylist() == [1.0]
    with pytest.raises(FileError, match="no column 'nope' for id"):
        read_predictions(table, id="nope")
    with pytest.raises(FileError, match="name both lat= and lon="):
        read_predictions(table, lat="north")
    with pytest.raises(TypeError, match="got list"):
        read_predictions([1, 2])
    with pytest.raises(ValueError, match="choose auto, exact"):
        join(opened, truth, match="fuzzy")


@pytest.mark.parametrize(
    ("name", "role"),
    [
        ("lat_pred", "pred"),
        ("pred_lat", "pred"),
        ("predicted_latitude", "pred"),
        ("prediction.coordinates.lat", "pred"),
        ("gt_lat", "truth"),
        ("lat_true", "truth"),
        ("ground_truth.latitude", "truth"),
        ("LAT", "plain"),
        ("location.latitude", "plain"),
        ("flat", None),
        ("lat_bin", None),
        ("plate", None),
        ("latency", None),
    ],
)
def test_names_of_latitude_columns(name, role):
    found = axis_of(name)
    assert (found and found[:2]) == (role and ("lat", role))


def test_ids_stay_text():
    predictions = {"id": ["1e3", "1000", "01000"], "lat": [1.0, 2.0, 3.0], "lon": [0.0] * 3}
    truth = {"id": ["01000", "1000", "1e3"], "lat": [0.0] * 3, "lon": [0.0] * 3}
    assert join(predictions, truth).table()["pred_lat"].to_pylist() == [3.0, 2.0, 1.0]


def test_integer_ids_match_text_ids():
    truth = {"id": ["7", "-3", None], "lat": [0.0] * 3, "lon": [0.0] * 3}
    truth = pa.table(truth).slice(0, 2)
    assert join({"id": [-3, 7], "lat": [1, 2], "lon": [0, 0]}, truth).table()[
        "pred_lat"
    ].to_pylist() == [2.0, 1.0]
    big = pa.array([2**63 + 1, 2**63 + 3], pa.uint64())
    table = pa.table({"id": big, "lat": [1.0, 2.0], "lon": [0.0, 0.0]})
    assert join(table, table).table()["pred_lat"].to_pylist() == [1.0, 2.0]


def test_truth_that_cannot_score_raises():
    predictions = {"id": ["a", "b"], "lat": [1.0, 1.0], "lon": [1.0, 1.0]}
    truth = {"id": ["a", "b"], "lat": [1.0, 91.0], "lon": [1.0, 1.0]}
    with pytest.raises(PredictionError, match=r"row 2 has \(91.0, 1.0\)") as raised:
        join(predictions, truth)
    assert raised.value.finding.rows == (2,)
    with pytest.raises(PredictionError, match="truth rows without an id"):
        join(predictions, truth | {"id": [None, "b"], "lat": [1.0, 1.0]})
    with pytest.raises(PredictionError, match="repeat an id with other places"):
        join(predictions, truth | {"id": ["a", "a"], "lat": [1.0, 2.0]})
    twice = join(predictions, truth | {"id": ["a", "a"], "lat": [1.0, 1.0]})
    assert twice.rows == 2
    assert [f.code for f in twice.findings] == ["duplicate_ids", "extra_predictions"]


def test_summary_rows_of_the_truth_are_no_photos():
    truth = {"id": ["a", "max_planck.jpg", "Average"], "lat": [1.0, 2.0, 1.5], "lon": [0.0] * 3}
    joined = join({"id": ["a"], "lat": [1.0], "lon": [0.0]}, truth)
    assert joined.rows == 2
    assert joined.table().num_rows == 2
    assert "footer_rows" in [f.code for f in joined.findings]


def test_names_that_clash_are_renamed():
    truth = {"id": ["a"], "lat": [0.0], "lon": [0.0], "status": ["x"], "pred_lat": [7.0]}
    joined = join({"id": ["a"], "lat": [1.0], "lon": [1.0]}, truth)
    row = joined.table().to_pylist()[0]
    assert (row["status"], row["truth_status"]) == ("ok", "x")
    assert (row["pred_lat"], row["truth_pred_lat"]) == (1.0, 7.0)


def test_flickr_paths_match_with_underscores():
    truth = {"id": ["45/77/322.jpg", "7e/c3/816.jpg"], "lat": [0.0] * 2, "lon": [0.0] * 2}
    joined = join({"id": ["45_77_322", "7e_c3_816"], "lat": [1.0, 2.0], "lon": [0.0] * 2}, truth)
    assert joined.table()["pred_lat"].to_pylist() == [1.0, 2.0]
    assert [f.code for f in joined.findings] == ["ids_matched_by_flat"]


def test_stems_that_merge_ids_are_not_used():
    predictions = {"id": ["a/1.jpg", "b/1.jpg"], "lat": [1.0, 2.0], "lon": [0.0] * 2}
    joined = join(predictions, {"id": ["1"], "lat": [0.0], "lon": [0.0]})
    assert joined.table()["status"].to_pylist() == ["missing"]
    with pytest.raises(PredictionError, match="repeat an id"):
        join(predictions, {"id": ["1"], "lat": [0.0], "lon": [0.0]}, match="stem")


IDS = st.text(st.sampled_from("ab01./ _e-"), min_size=1, max_size=4).filter(str.strip)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.lists(IDS, max_size=30, unique=True),
    st.dictionaries(IDS, st.tuples(st.floats(-90, 90), st.floats(-180, 179.9)), max_size=30),
    st.randoms(use_true_random=False),
)
def test_exact_join_equals_pandas_merge(truth_ids, answers, shuffler):
    predicted = list(answers)
    shuffler.shuffle(predicted)
    truth = pd.DataFrame({"id": pd.array(truth_ids, "string"), "lat": 0.0, "lon": 0.0})
    table = pd.DataFrame(
        {
            "id": pd.array(predicted, "string"),
            "lat_pred": np.array([answers[i][0] for i in predicted], float),
            "lon_pred": np.array([answers[i][1] for i in predicted], float),
        }
    )
    oracle = truth.merge(table, on="id", how="left")
    joined = join(table, truth, match="exact")
    assert joined.rows == len(truth)
    ours = joined.table(["id", "pred_lat", "pred_lon"]).to_pylist()
    assert [row["id"] for row in ours] == truth_ids
    for row, lat, lon in zip(ours, oracle["lat_pred"], oracle["lon_pred"], strict=True):
        assert (row["pred_lat"], row["pred_lon"]) == ((None, None) if lat != lat else (lat, lon))


@pytest.mark.parametrize("spread", [1, 10**12])
def test_lookup_equals_a_dictionary(spread):
    rng = np.random.default_rng(5)
    for size in (0, 1, 2, 1000, 70_000):
        among = rng.permutation(size * 2)[:size].astype(np.uint64) * np.uint64(spread)
        wanted = rng.integers(0, size * 2 + 1, size).astype(np.uint64) * np.uint64(spread)
        rows = {int(key): i for i, key in reversed(list(enumerate(among)))}
        found = matching.find_rows(wanted, among, chunk=999)
        assert found.tolist() == [rows.get(int(key), -1) for key in wanted]
        twice = np.concatenate([among, among[: size // 3]])
        later, first = matching.repeated(twice, matching.row_bits(len(twice)))
        assert later.tolist() == list(range(size, size + size // 3))
        assert first.tolist() == list(range(size // 3))


def test_batches_are_the_whole_in_order(tmp_path):
    n = 300_000
    ids = np.random.default_rng(0).permutation(n)
    truth = pa.table({"id": np.arange(n), "lat": np.zeros(n), "lon": np.zeros(n)})
    table = pa.table({"id": ids, "lat": ids / n, "lon": np.zeros(n)})
    pq.write_table(truth, tmp_path / "t.parquet")
    pq.write_table(table, tmp_path / "p.parquet")
    joined = join(tmp_path / "p.parquet", tmp_path / "t.parquet")
    assert [b.num_rows for b in joined.batches(["pred_lat"])] == [131072, 131072, 37856]
    assert np.array_equal(joined.table()["pred_lat"].to_numpy(), np.arange(n) / n)
    assert joined.table()["id"].to_pylist() == [str(i) for i in range(n)]


ROWS = 40


def base_rows():
    rng = random.Random(7)
    return {
        f"{10**9 + 7919 * i}": (round(rng.uniform(-90, 90), 6), round(rng.uniform(-180, 179), 6))
        for i in range(ROWS)
    }


def mutate(lines, rng):
    """Return damaged lines, and which of the rows no damage touched."""
    lines, intact = list(lines), set(range(len(lines)))
    for _ in range(rng.randint(1, 3)):
        at = rng.randrange(len(lines))
        line = lines[at]
        intact.discard(at)
        where = rng.randrange(len(line) + 1)
        kind = rng.randrange(8)
        if kind == 0:
            lines[at] = line[:where] + rng.randbytes(rng.randint(1, 4)) + line[where:]
        elif kind == 1:
            lines[at] = line[:where] + line[where + rng.randint(1, 9) :]
        elif kind == 2:
            lines[at] = line[:where] + rng.choice([b'"', b",", b"\n", b"\0", b"-", b"{", b"\r"])
            lines[at] += line[where:]
        elif kind == 3 and where < len(line):
            flipped = line[where] ^ 1 << rng.randrange(8)
            lines[at] = line[:where] + bytes([flipped]) + line[where + 1 :]
        elif kind == 4:
            lines[at] = line + b"\n" + line
        elif kind == 5:
            lines[at] = rng.choice([b"", b"null", b"[]", b"NaN,NaN,NaN", b",,,", b"Average,1,2"])
        elif kind == 6:
            other = rng.randrange(len(lines))
            lines[at], lines[other] = lines[other], line
            intact.discard(other)
        else:
            word = rng.choice(string.ascii_letters + string.digits + ".").encode()
            lines[at] = line.replace(word, rng.choice([b"", b"9", b"e"]), 1)
    return lines, intact


def encode(rows, kind):
    if kind == "csv":
        return [f"{i},{lat!r},{lon!r}".encode() for i, (lat, lon) in rows.items()]
    return [json.dumps({"id": i, "lat": y, "lon": x}).encode() for i, (y, x) in rows.items()]


def check_mutants(folder, kind, seeds):
    rows = base_rows()
    ids = list(rows)
    truth = pa.table({"id": ids, "lat": [0.0] * ROWS, "lon": [0.0] * ROWS})
    path = folder / f"mutant.{kind}"
    raised = 0
    for seed in seeds:
        lines, intact = mutate(encode(rows, kind), random.Random(seed))
        head = [b"id,lat,lon"] if kind == "csv" else []
        path.write_bytes(b"\n".join([*head, *lines]) + b"\n")
        try:
            joined = join(path, truth)
        except (FileError, PredictionError):
            raised += 1
            continue
        got = joined.table(["id", "pred_lat", "pred_lon"]).to_pylist()
        assert [row["id"] for row in got] == ids, seed
        for i in intact:
            assert (got[i]["pred_lat"], got[i]["pred_lon"]) == rows[ids[i]], (seed, i)
    return raised


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_mutants_give_typed_errors_or_right_rows(kind, tmp_path, figure):  # R8
    n = figure(f"{kind} mutants", ci=700, full=7000)
    raised = check_mutants(tmp_path, kind, range(n))
    assert raised < n * 0.6


def check_parquet_mutants(folder, seeds):
    rows = base_rows()
    table = pa.table({"id": list(rows), "lat": [v[0] for v in rows.values()], "lon": [1.5] * ROWS})
    truth = pa.table({"id": list(rows), "lat": [0.0] * ROWS, "lon": [0.0] * ROWS})
    path = folder / "mutant.parquet"
    pq.write_table(table, path, compression="zstd")
    whole = path.read_bytes()
    for seed in seeds:
        rng = random.Random(seed)
        data = bytearray(whole)
        for _ in range(rng.randint(1, 4)):
            data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
        if rng.random() < 0.2:
            del data[rng.randrange(len(data)) :]
        path.write_bytes(data)
        try:
            joined = join(path, truth).table()
        except (FileError, PredictionError):
            continue
        assert joined.num_rows == ROWS
        values = joined["pred_lat"].drop_null().to_numpy()
        assert np.isfinite(values).all()


def test_parquet_mutants_give_typed_errors(tmp_path, figure):  # R8
    check_parquet_mutants(tmp_path, range(figure("Parquet mutants", ci=600, full=6000)))


def write_bomb(kind, folder):
    path = folder / f"bomb.{kind.partition('-')[0]}"
    if kind == "parquet-rows":
        chunk = pa.table({"id": pa.nulls(10**6, pa.string()), "lat": pa.nulls(10**6, pa.float64())})
        chunk = chunk.append_column("lon", chunk["lat"])
        with pq.ParquetWriter(path, chunk.schema, compression="zstd") as writer:
            for _ in range(50):
                writer.write_table(chunk)
    elif kind == "parquet-text":
        text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(200_000, np.int32)), ["x" * 10**7])
        table = pa.table({"id": text, "lat": np.zeros(200_000), "lon": np.zeros(200_000)})
        pq.write_table(table, path, compression="zstd")
    elif kind == "parquet-line":
        table = pa.table({"id": ["x" * 300_000_000], "lat": [1.0], "lon": [1.0]})
        pq.write_table(table, path, compression="zstd", use_dictionary=False)
    elif kind == "jsonl-keys":
        lines = [json.dumps({"id": str(i), f"k{i}": 1, "lat": 1, "lon": 1}) for i in range(50_000)]
        path.write_text("\n".join(lines))
    elif kind == "jsonl-line":
        path.write_bytes(b'{"id": "' + b"x" * 300_000_000)
    elif kind == "csv-columns":
        path.write_text("id,lat,lon," + ",".join(f"c{i}" for i in range(100_000)) + "\n1,2,3\n")
    else:
        path.write_bytes(b"id,lat,lon\n" + b"x" * 300_000_000)
    return path


@pytest.mark.parametrize(
    "kind",
    [
        *("parquet-rows", "parquet-text", "parquet-line", "jsonl-keys", "jsonl-line"),
        *("csv-columns", "csv-line"),
    ],
)
def test_bombs_end_soon_and_small(kind, tmp_path):  # R8
    path = write_bomb(kind, tmp_path)
    code = (
        "import re, sys\n"
        "from geodata.evaluation.joining import join\n"
        "try:\n"
        "    join(sys.argv[1], {'id': ['1'], 'lat': [0.0], 'lon': [0.0]})\n"
        "except ValueError as error:\n"
        "    print(type(error).__name__)\n"
        "print(re.search(r'VmHWM:\\s*(\\d+)', open('/proc/self/status').read())[1])\n"
    )
    limit = 10 + 30  # ten seconds on a quiet machine
    done = subprocess.run(
        [sys.executable, "-c", code, str(path)],
        capture_output=True,
        text=True,
        timeout=limit,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_CPU, (10, 10)),
    )
    path.unlink()
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[-1]) <= 1 << 20, kind  # KiB


def test_a_truth_of_extras_only_needs_its_own_columns():
    truth = read_truth({"photo_id": ["a"], "latitude": [1], "longitude": [2], "lat_bin": [3]})
    assert truth.extras == ("lat_bin",)


@pytest.mark.parametrize("side", ["truth", "predictions"])
@pytest.mark.parametrize(("odd", "read"), [(1, False), (999, False), (1000, True), (1001, True)])
def test_whether_numbers_are_padded_is_told_by_the_first_thousand(side, odd, read):
    """Of padded numbers zeros may go; in text an id of another length says that it is none."""
    padded = [f"{i:04d}" for i in range(1200)]
    plain = [str(i) for i in range(1200)]
    padded[odd] = plain[odd] = "10000"
    ids = (padded, plain) if side == "truth" else (plain, padded)
    truth, answers = ({"id": one, "lat": [1.0] * 1200, "lon": [2.0] * 1200} for one in ids)
    found = {one.code for one in join(answers, truth).findings}
    assert ("ids_matched_by_zeros" in found) == read
