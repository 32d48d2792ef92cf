"""GRPO for real with GLOBE's rewards: photos with entities, a judge on loopback that also fails."""

import math

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image

from georl import data, endpoints, grpo, rewards
from georl.config import load
from georl.run import JsonLines, fit

from .chat_server import ChatServer
from .tiny_runs import SMALL

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

PLACES = [("Portugal", "Lisbon", 38.7, -9.1), ("Kenya", "Nairobi", -1.3, 36.8)]


def write_photos(folder):
    rng = np.random.default_rng(0)
    rows = []
    for i in range(8):
        country, city, lat, lon = PLACES[i % 2]
        name = f"{i}.png"
        Image.fromarray(rng.integers(0, 255, (28, 28, 3), np.uint8)).save(folder / name)
        rows.append(
            {"id": str(i), "image": name, "lat": lat, "lon": lon, "country": country,
             "city": city, "entities": ["red tram", "steep street"]}
        )  # fmt: skip
    pq.write_table(pa.Table.from_pylist(rows), folder / "photos.parquet")
    return folder / "photos.parquet"


def test_the_rewards_of_globe_train(tmp_path, monkeypatch):
    torch.set_num_threads(1)
    monkeypatch.setattr(endpoints, "LONGEST_PAUSE_S", 0.01)
    with ChatServer(lambda asked: ("yes", {"yes": 0.6, "no": 0.2}), [500] * 3) as server:
        config = load(
            None,
            [
                *SMALL, "task=grpo", f"data.table={write_photos(tmp_path)}",
                f"data.image_root={tmp_path}", f"output={tmp_path / 'run'}",
                "train.batch=8", "train.per_device=8", "grpo.generations=4", "grpo.max_tokens=16",
                "train.max_steps=2", "train.logging_steps=1", "rewards.preset=globe-release",
                f"rewards.arguments.localizability.url={server.url}",
                "rewards.arguments.localizability.model=judge",
            ],
        )  # fmt: skip
        grpo.train(config)
    steps = [row for row in JsonLines(tmp_path / "run" / "metrics.jsonl").read() if "loss" in row]
    assert len(steps) == 2
    for name in ("place_accuracy", "localizability", "visual_grounding", "think_format"):
        means = [row[f"rewards/{name}/mean"] for row in steps]
        assert all(0.0 <= mean <= 1.0 for mean in means), (name, means)
    assert all(math.isfinite(row["loss"]) for row in steps)
    assert load(tmp_path / "run" / "config.yaml").rewards == config.rewards


class Keeping(grpo.GeoGRPOTrainer):
    """The trainer, which keeps what the rewards of each draw were."""

    kept: list[torch.Tensor]

    def _calculate_rewards(self, *given):
        found = super()._calculate_rewards(*given)
        self.kept = [*getattr(self, "kept", []), found]
        return found


def test_an_answer_without_a_verdict_stands_where_its_group_does(tmp_path, monkeypatch):
    torch.set_num_threads(1)

    def shaky(completions, **columns):
        assert columns["entities"][0] == ["red tram", "steep street"]
        assert columns["city"][0] in ("Lisbon", "Nairobi")
        return [None if i % 4 == 1 else float(i % 4) for i in range(len(completions))]

    monkeypatch.setattr(rewards, "shaky", shaky, raising=False)
    config = load(
        None,
        [
            *SMALL, "task=grpo", f"data.table={write_photos(tmp_path)}",
            f"data.image_root={tmp_path}", f"output={tmp_path / 'run'}",
            "train.batch=8", "train.per_device=8", "grpo.generations=4", "grpo.max_tokens=8",
            "train.max_steps=1", "train.logging_steps=1", "rewards.weights={shaky: 1, geo_r: 1}",
        ],
    )  # fmt: skip
    trainer = grpo.build(data.checked(config), kind=Keeping)
    fit(trainer, config)
    (found,) = trainer.kept
    assert found[:, 0].tolist() == pytest.approx([0, 5 / 3, 2, 3] * 2)
