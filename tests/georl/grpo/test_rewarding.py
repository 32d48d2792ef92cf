"""What the trainer makes of the rewards of a batch, in training and where it is evaluated."""

from collections import defaultdict
from types import SimpleNamespace

import pytest
import torch
from trl.trainer.grpo_trainer import GRPOTrainer

from georl import grpo
from georl.config import load

NAN = float("nan")
GIVEN = torch.tensor([[1.0], [NAN], [0.5], [NAN], [NAN], [0.25]])
FILLED = torch.tensor([[1.0], [0.75], [0.5], [0.25], [0.25], [0.25]])
AT_PARIS = "Country: France\nCoordinates: (48.8584, 2.2945)"
ANSWERS = [AT_PARIS, AT_PARIS.replace("France", "Japan"), "?", "?", "?", "?"]


@pytest.mark.parametrize("training", [True, False])
def test_a_missing_reward_is_filled_where_answers_teach_and_left_where_they_judge(
    monkeypatch, training
):
    """Groups of three; of an evaluation, whose groups may be of another size, nothing is made."""
    kept = []
    trainer = object.__new__(grpo.GeoGRPOTrainer)
    trainer.__dict__ |= {
        "model": torch.nn.Linear(1, 1).train(training),
        "settings": load(None, ["task=grpo", "grpo.generations=3"]),
        "reward_funcs": [lambda completions: None],
        "rollouts": SimpleNamespace(keep=lambda *given: kept.append(given)),
        "_metrics": {"train": defaultdict(list), "eval": defaultdict(list)},
        "generated_tokens": 5,
    }
    asked = []
    monkeypatch.setattr(
        GRPOTrainer, "_calculate_rewards", lambda *given: asked.append(given) or GIVEN
    )
    ids = [[1, 2], [3], [4], [], [5], [6, 7]]
    found = trainer._calculate_rewards(["row"] * 6, ["prompt"] * 6, ANSWERS, ids)
    assert asked == [(trainer, ["row"] * 6, ["prompt"] * 6, ANSWERS, ids)]
    torch.testing.assert_close(found, FILLED if training else GIVEN, equal_nan=True)
    assert trainer.generated_tokens == 5 + 7
    ((told, rows, said, rewards, valid),) = kept
    assert (told, rows, said, valid) == (trainer, ["row"] * 6, ANSWERS, [True] * 6)
    assert rewards is found
    shares = {"chain/present": [2 / 6], "chain/consistent": [1 / 6]}
    assert trainer._metrics == {"train": shares if training else {}} | {
        "eval": {} if training else shares
    }
