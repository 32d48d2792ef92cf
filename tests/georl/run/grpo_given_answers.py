"""Train GRPO on given answers, whatever the number of processes.

    python grpo_given_answers.py RUN.yaml...
    torchrun --nproc_per_node 2 grpo_given_answers.py RUN.yaml...

Sampling draws from a generator of each process, so runs on one and on two processes see other
answers. Here the answer to a photo is decided by its id and its place in the group, and all
else is the real trainer: then both must compute the same rewards, losses and weights.
"""

import sys

import numpy as np

from geodata.ending import leave
from georl import data, grpo, run
from georl.config import load
from georl.data import prompts


class GivenAnswers(grpo.GeoGRPOTrainer):
    """The trainer, with answers looked up in place of sampled ones."""

    def _score(self, inputs):
        self._rows = inputs
        return super()._score(inputs)

    def _generate_single_turn(self, prompt_ids, images, fields, *rest):
        first = self.accelerator.process_index * len(self._rows)
        texts = [
            answer(row, (first + i) % self.num_generations, self.settings)
            for i, row in enumerate(self._rows)
        ]
        tokens = [self._tokenizer(text)["input_ids"] for text in texts]
        return [[*row[:23], self._tokenizer.eos_token_id] for row in tokens], None


def answer(row, place, settings):
    """Return an answer some way off the truth; every third photo has one answer only."""
    photo = int(row["id"])
    rng = np.random.default_rng([photo, 0 if photo % 3 == 0 else place])
    if rng.random() < 0.2:
        return "Northland"
    off_lat, off_lon = rng.normal(0, 12, 2)
    lat, lon = np.clip([row["lat"] + off_lat, row["lon"] + off_lon], -89, 89)
    return prompts.answer({**row, "lat": lat, "lon": lon}, settings.data)


def train(config):
    """Do as `georl.grpo.train` does, with the other trainer."""
    config = data.checked(config)
    trainer = grpo.build(config, GivenAnswers)
    run.fit(trainer, config)
    return trainer


if __name__ == "__main__":
    for path in sys.argv[1:]:
        done = train(load(path))
        regions = sorted(zip(*done.curriculum.popular.to_table().to_pydict().values(), strict=True))
        print(f"a process took {done.state.global_step} steps and knows {len(regions)} regions")
    run.part_processes()
    leave(0)
