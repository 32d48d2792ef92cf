"""Teach a tiny model cities as text, then pictures that spell them, and ask it for others.

Two things are switched on and off: whether the text told of the cities that are asked for
(knowledge), and whether answers name the city before the coordinates (the chain). A model is
taught the text once and goes on from there with either form of answer, so the two differ in
nothing else: same start, same pictures, same order, same number of steps.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from geodata import answers, sphere
from georl import held_out, models
from georl.config import ModelConfig, PredictConfig
from georl.demo.cities import largest, picture

QUESTION = "Where?"

FORMS = ("chain", "coordinates")

Example = tuple[list[int], list[int]]
"""Tokens of the turn before, and of the answer that is taught."""


@dataclass(frozen=True)
class Lesson:
    """How much is taught."""

    cities: int = 400
    held_out: int = 100
    """Of them: never seen in a picture."""
    pictures: int = 6
    """Of each of the others."""
    text_steps: int = 1200
    picture_steps: int = 900
    """One in three of these is a text step, so that nothing is forgotten."""
    batch: int = 32
    learning_rate: float = 2e-3
    model: ModelConfig = field(default_factory=ModelConfig)


def found_km(lesson: Lesson, seed: int, knows: bool) -> dict[str, list[float | None]]:
    """Teach and ask, with the chain and without.

    Parameters
    ----------
    lesson
        How much is taught.
    seed
        Decides which cities are held out, the pictures, the weights and the order.
    knows
        Whether the text tells of every city; else only of those that pictures show, and the
        held-out ones are then asked of a model that never met their names: the control.

    Returns
    -------
    dict
        Form of `FORMS` -> error in km of each held-out city; None for an answer without
        coordinates.
    """
    school = _School(lesson, seed)
    told = np.arange(lesson.cities) if knows else school.shown
    model = models.build_model(school.tokenizer, lesson.model, seed)
    school.teach(model, told, None)
    return {form: school.ask(school.teach(copy.deepcopy(model), told, form)) for form in FORMS}


class _School:
    """The cities, pictures and tokens of a seed."""

    def __init__(self, lesson: Lesson, seed: int) -> None:
        self.lesson, self.seed = lesson, seed
        self.cities = largest(lesson.cities)
        order = np.random.default_rng(seed).permutation(lesson.cities)
        self.asked, self.shown = (
            np.sort(order[: lesson.held_out]),
            np.sort(order[lesson.held_out :]),
        )
        self.tokenizer = models.build_tokenizer(_forms())
        self.processor = models.build_processor(self.tokenizer)
        self._image_id = int(self.tokenizer.encode("<|image_pad|>")[0])
        draws = np.random.default_rng((seed, 1))
        self._owner = np.repeat(self.shown, lesson.pictures)
        drawn = [picture(self.cities.heads[i], draws) for i in self._owner]
        images: Any = self.processor.image_processor
        seen = images(drawn, return_tensors="pt")
        self._grid = torch.as_tensor(seen["image_grid_thw"])[:1]
        patches = int(self._grid.prod())
        self._pixels = torch.as_tensor(seen["pixel_values"]).view(len(drawn), patches, -1)
        image = "<|vision_start|>" + "<|image_pad|>" * (patches // 4) + "<|vision_end|>"
        self._before_picture = self._turn(image + QUESTION)

    def teach(self, model: Any, told: NDArray[np.int64], form: str | None) -> Any:
        """Train the model on text alone (``form`` None), or on pictures answered in a form."""
        lesson, rng = self.lesson, np.random.default_rng((self.seed, 2))
        steps = lesson.text_steps if form is None else lesson.picture_steps
        model.train()
        optimizer = torch.optim.AdamW(
            model.parameters(), lesson.learning_rate, betas=(0.9, 0.95), weight_decay=0.01
        )
        for step in range(steps):
            for group in optimizer.param_groups:
                group["lr"] = lesson.learning_rate * _pace(step, steps)
            if form is None or step % 3 == 0:
                loss = self._loss(model, self._texts(told, rng), None)
            else:
                rows = rng.integers(0, len(self._owner), lesson.batch)
                say = self.cities.chain if form == "chain" else self.cities.coordinates
                taught = [self._example(self._before_picture, say, self._owner[k]) for k in rows]
                loss = self._loss(model, taught, self._pixels[rows])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
        return model

    def ask(self, model: Any, which: NDArray[np.int64] | None = None) -> list[float | None]:
        """Return the error of the answer to a new picture of each city, greedy, km."""
        asked = self.asked if which is None else which
        draws = np.random.default_rng((self.seed, 3))
        shown = [picture(self.cities.heads[i], draws) for i in asked]
        options = PredictConfig(max_tokens=32)
        said = held_out.generate(model.eval(), self.processor, shown, QUESTION, options)
        return [self._error(text, index) for text, index in zip(said, asked, strict=True)]

    def _error(self, text: str, index: int) -> float | None:
        pair = answers.strict_pair(text)
        if pair is None:
            return None
        lat, lon = self.cities.lat[index], self.cities.lon[index]
        return float(sphere.haversine_km(pair[0], pair[1], lat, lon))

    def _texts(self, told: NDArray[np.int64], rng: np.random.Generator) -> list[Example]:
        """Return a batch of text: a city asked for by name, or named in the answer."""
        rows = rng.choice(told, self.lesson.batch)
        half = len(rows) // 2
        by_name = [
            self._example(self._turn(self.cities.heads[i]), self.cities.coordinates, i)
            for i in rows[:half]
        ]
        before = self._turn(QUESTION)
        return by_name + [self._example(before, self.cities.chain, i) for i in rows[half:]]

    def _turn(self, asked: str) -> list[int]:
        return self._ids(f"<|im_start|>user\n{asked}<|im_end|>\n<|im_start|>assistant\n")

    def _example(self, before: list[int], say: Callable[[int], str], index: int) -> Example:
        return before, self._ids(say(index) + "<|im_end|>")

    def _ids(self, text: str) -> list[int]:
        ids: list[int] = self.tokenizer(text, add_special_tokens=False)["input_ids"]
        return ids

    def _loss(self, model: Any, taught: Sequence[Example], pixels: torch.Tensor | None) -> Any:
        """Return the mean cross-entropy of the answers' tokens."""
        length = max(len(before) + len(answer) for before, answer in taught)
        ids = torch.full((len(taught), length), int(self.tokenizer.pad_token_id or 0))
        labels, mask = torch.full_like(ids, -100), torch.zeros_like(ids)
        for row, (before, answer) in enumerate(taught):
            end = len(before) + len(answer)
            ids[row, :end] = torch.tensor(before + answer)
            labels[row, len(before) : end] = torch.tensor(answer)
            mask[row, :end] = 1
        seen = {}
        if pixels is not None:
            seen = {
                "pixel_values": pixels.flatten(0, 1),
                "image_grid_thw": self._grid.repeat(len(taught), 1),
                "mm_token_type_ids": torch.eq(ids, self._image_id).int(),
            }
        logits = model(input_ids=ids, attention_mask=mask, **seen).logits[:, :-1]
        return torch.nn.functional.cross_entropy(logits.flatten(0, 1), labels[:, 1:].flatten())


def _forms() -> list[str]:
    """Return text for the tokenizer: the fixed words, no city, so that letters stay apart."""
    pairs = [(lat, lon) for lat in range(-36, 72, 7) for lon in range(-20, 52, 7)]
    lines = [f"Coordinates: ({lat}.0, {lon}.0)" for lat, lon in pairs]
    return ["user\nassistant\n", "City: ", QUESTION, *lines * 3]


def _pace(step: int, steps: int, warm: int = 60) -> float:
    """Return the share of the learning rate: a warm-up, then a cosine down to a hundredth."""
    return min(1.0, (step + 1) / warm) * max(0.01, 0.5 * (1 + math.cos(math.pi * step / steps)))
