"""A loaded model that answers one chat at a time, and says how likely its words were."""

from __future__ import annotations

import threading
from typing import Any, NamedTuple

from georl import models
from georl.config import ModelConfig
from georl.serve.requests import Asked, RequestError


class Token(NamedTuple):
    """A token of an answer, its log-probability, and the likeliest ones in its place."""

    text: str
    logprob: float
    top: list[tuple[str, float]]


class Spoken(NamedTuple):
    """An answer."""

    text: str
    tokens: list[Token]
    asked: int
    answered: int
    finished: bool
    """Whether the model came to its end before ``max_tokens``."""


class Speaker:
    """A model on the GPU, or on the CPU where there is none."""

    def __init__(self, name: str, revision: str | None = None) -> None:
        import torch

        loaded, self._processor = models.load(ModelConfig(name=name, revision=revision))
        model: Any = loaded
        self._device = "cuda" if torch.cuda.is_available() else "cpu"
        self._model = model.to(self._device).eval()
        self._lock = threading.Lock()

    def answer(self, asked: Asked) -> Spoken:
        """Return the answer to a chat.

        Raises
        ------
        RequestError
            If the model cannot take the chat.
        """
        with self._lock:
            return self._answer(asked)

    def _answer(self, asked: Asked) -> Spoken:
        import torch

        processor: Any = self._processor
        inputs = self._inputs(asked.chat)
        size = inputs["input_ids"].shape[1]
        config = self._model.config
        room = getattr(config.get_text_config(), "max_position_embeddings", None)
        if room is not None and size + asked.max_tokens > room:
            msg = (
                f"the chat has {size} tokens and max_tokens is {asked.max_tokens}; together they "
                f"may be {room}"
            )
            raise RequestError(msg)
        sampling: dict[str, Any] = {"do_sample": False}
        if asked.temperature > 0:
            sampling = {"do_sample": True, "temperature": asked.temperature, "top_k": 0}
        with torch.no_grad(), torch.random.fork_rng():
            if asked.seed is not None:
                torch.manual_seed(asked.seed)
            out = self._model.generate(
                **inputs, max_new_tokens=asked.max_tokens,
                suppress_tokens=models.special_ids(processor), return_dict_in_generate=True,
                output_logits=asked.top is not None, **sampling,
            )  # fmt: skip
        new = out.sequences[0, size:].tolist()
        text = processor.tokenizer.decode(new, skip_special_tokens=True)
        tokens = self._tokens(new, out.logits, asked.top) if asked.top is not None else []
        ends = self._model.generation_config.eos_token_id
        ends = ends if isinstance(ends, list) else [ends]
        return Spoken(text, tokens, size, len(new), bool(new) and new[-1] in ends)

    def _inputs(self, chat: list[dict[str, Any]]) -> Any:
        """Return what the model reads of a chat."""
        processor: Any = self._processor
        try:
            return processor.apply_chat_template(
                [chat], add_generation_prompt=True, tokenize=True, return_dict=True,
                processor_kwargs={"return_tensors": "pt"},
            ).to(self._device)  # fmt: skip
        except (ValueError, TypeError) as error:  # an image's place in the text, half a character
            msg = f"the model's processor does not take the chat: {error}"
            raise RequestError(msg) from error

    def _tokens(self, new: list[int], logits: Any, top: int) -> list[Token]:
        """Return each token with its log-probability, of the model's own distribution."""
        decode = self._processor.tokenizer.decode
        found = []
        for token, row in zip(new, logits, strict=True):
            logprobs = row[0].float().log_softmax(-1)
            best = logprobs.topk(min(top, len(logprobs)))
            pairs = zip(best.indices.tolist(), best.values.tolist(), strict=True)
            likely = [(decode([index]), value) for index, value in pairs]
            found.append(Token(decode([token]), float(logprobs[token]), likely))
        return found
