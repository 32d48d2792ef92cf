"""SFT, GRPO and predictions for real, from records and from a version of a table."""

import io
import json

import numpy as np
import pyarrow as pa
import pytest
import torch
from PIL import Image

from geodata import evaluation, records, tables
from georl import data, grpo, predict, sft
from georl.config import ConfigError, load
from georl.run import JsonLines

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

SMALL = ["model.hidden=48", "model.layers=2", "model.vision_layers=1", "train.logging_steps=1"]
SMALL += ["train.batch=8", "train.per_device=8", "train.learning_rate=1e-2"]
N = 24


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    """A lake whose table has 24 JPEG photos, green in the north and red in the south."""
    torch.set_num_threads(1)
    root = tmp_path_factory.mktemp("lake")
    rng = np.random.default_rng(0)
    lat, lon = rng.uniform(-40, 60, N).round(4), rng.uniform(0, 40, N).round(4)
    for i, north in enumerate(lat > 0):
        noise = rng.integers(0, 60, (56, 56, 3), dtype=np.uint8)
        noise[..., 1 if north else 0] += 150
        Image.fromarray(noise).save(root / f"{i}.jpg", "JPEG")
    table = pa.table(
        {
            "photo_id": [f"p{i}" for i in range(N)],
            "lat": lat,
            "lon": lon,
            "image": [f"{i}.jpg" for i in range(N)],
            "country": np.where(lat > 0, "Northland", "Southland"),
            "country_code": np.where(lat > 0, "NO", "SO"),
        }
    )
    tables.append(root / "rand", table)
    tables.tag(root / "rand", "v1")
    return root


def run_on(lake, table, output, *more):
    given = [f"data.table={table}", f"data.image_root={lake}", f"output={output}"]
    return load(None, [*SMALL, *given, *more])


def losses(output):
    return [row["loss"] for row in JsonLines(output / "metrics.jsonl").read() if "loss" in row]


@pytest.mark.parametrize("form", ["completion", "messages"])
def test_records_train_as_they_are_and_predict_asks_what_they_ask(lake, tmp_path, form):
    """Images of one shard as bytes; the whole way SFT, GRPO, predictions, evaluation."""
    made = {kind: tmp_path / kind for kind in ("sft", "grpo")}
    for kind, target in made.items():
        options = records.Options(
            kind=kind, form=form, images="bytes", image_root=str(lake), variant="location"
        )
        records.write("rand", target, lake=lake, shard_rows=10, options=options)
    taught = sft.train(run_on(lake, made["sft"], tmp_path / "a", "task=sft", "train.max_steps=25"))
    seen = losses(tmp_path / "a")
    assert seen[-1] < 0.7 * seen[0]
    more = ["task=grpo", f"model.name={taught}", "train.max_steps=1", "grpo.generations=4"]
    more += [
        "grpo.max_tokens=40",
        "train.learning_rate=1e-4",
        "rewards.weights={geo_r: 1, region: 1}",
    ]
    grpo.train(run_on(lake, made["grpo"], tmp_path / "b", *more))
    row = JsonLines(tmp_path / "b" / "metrics.jsonl").read()[0]
    assert 0 <= row["rewards/geo_r/mean"] <= 1
    groups = JsonLines(tmp_path / "b" / "groups.jsonl").read()
    assert {row["country"] for row in groups} <= {"Northland", "Southland"}
    output = tmp_path / "predictions.parquet"
    asked = ["task=predict", f"model.name={taught}", f"predict.output={output}"]
    run = run_on(lake, made["grpo"], tmp_path, *asked, "predict.max_tokens=40", "data.limit=6")
    predict.predict(run)
    order = data.photos(run, "predict").table["id"].to_pylist()
    truth = tables.open(lake / "rand").arrow()
    scored = evaluation.evaluate(output, truth.filter(pa.array(np.isin(truth["photo_id"], order))))
    assert (scored.rows, len(order)) == (6, 6)


def test_a_table_version_trains_and_its_number_is_kept(lake, tmp_path):
    more = ["data.version=v1", "data.levels=[country]", "data.decimals=1", "train.save_steps=1"]
    taught = sft.train(run_on(lake, lake / "rand", tmp_path, *more, "train.max_steps=2"))
    assert load(tmp_path / "config.yaml").data.version == "0"
    manifest = json.loads((taught / "manifest.json").read_text())
    assert manifest["run"]["data.version"] == "0"
    tables.append(lake / "rand", tables.open(lake / "rand", "v1").arrow().slice(0, 0))
    with pytest.raises(ConfigError, match=r"data\.version: '0' there, '1' now"):
        sft.train(run_on(lake, lake / "rand", tmp_path, *more[1:], "train.max_steps=2"))
    sft.train(run_on(lake, lake / "rand", tmp_path, *more, "train.max_steps=2"))
    output = tmp_path / "out.csv"
    asked = ["task=predict", f"model.name={taught}", f"predict.output={output}", "data.limit=3"]
    predict.predict(
        run_on(lake, lake / "rand", tmp_path, *more[:2], *asked, "predict.max_tokens=8")
    )
    assert [line.split(",")[0] for line in output.read_text().splitlines()[1:]] == [
        '"p0"', '"p1"', '"p2"',
    ]  # fmt: skip


def test_a_corrupt_image_stops_training_and_names_its_row(lake, tmp_path):
    buffer = io.BytesIO()
    Image.effect_noise((64, 64), 90).save(buffer, "JPEG")
    for i in range(8):
        (tmp_path / f"{i}.jpg").write_bytes(buffer.getvalue()[: 900 if i == 5 else None])
    lines = ["IMG_ID,image,lat,lon", *(f"x{i},{i}.jpg,{i},0" for i in range(8))]
    (tmp_path / "photos.csv").write_text("\n".join(lines) + "\n")
    run = run_on(tmp_path, tmp_path / "photos.csv", tmp_path / "run", "train.max_steps=1")
    with pytest.raises(data.DataError, match=r"image of row 'x5' \(5\.jpg\) cannot be read"):
        sft.train(run)
