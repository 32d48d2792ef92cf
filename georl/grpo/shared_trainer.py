"""TRL's GRPO trainer with prompts shared inside a group, by `georl.grpo.sharing`."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor
from trl.trainer.grpo_trainer import GRPOTrainer

from geodata.printable import tell
from georl.grpo import micro_batches, sharing


class SharedPromptsTrainer(GRPOTrainer):
    """GRPOTrainer that prepares, prefills and scores a prompt once for its whole group.

    Five of its methods are replaced where a batch has what `georl.grpo.sharing` supports, else the
    stock ones run: tokenizing, sampling, cutting into micro-batches, the log-probabilities, and the
    loss, which only has to say which rows belong together, and to undo what idle rows dilute
    (`georl.grpo.groups`).
    """

    def share_prompts(self, wanted: bool) -> None:
        """Switch sharing on if wanted and possible; call it once, after ``__init__``."""
        self._group: Tensor | None = None
        self._unique: tuple[Tensor, Tensor, sharing.Images | None] | None = None
        self._share = wanted and self._told(self._hindrance())

    def _generate_and_score_completions(self, inputs: list[dict[str, Any]]) -> dict[str, Any]:
        self._group = None
        with _once_per_image(self.processing_class) if self._share else contextlib.nullcontext():
            batch: dict[str, Any] = super()._generate_and_score_completions(inputs)
        if self._group is not None:
            batch["group"] = self._group  # split and shuffled with the rows it describes
        return batch

    def _hindrance(self) -> str | None:
        """Return why prompts cannot be shared, None where they can.

        Our sampler walks the bare model, which sharded weights rule out; vLLM does not.
        """
        kind = str(self.accelerator.distributed_type).removeprefix("DistributedType.")
        if kind not in ("NO", "MULTI_CPU", "MULTI_GPU") and not self.use_vllm:
            return f"{kind} shards the weights, and then only vLLM can sample; set grpo.vllm"
        return sharing.unsupported(self._bare(self.model))

    def _told(self, hindrance: str | None) -> bool:
        """Say why prompts are not shared, if they are not."""
        if hindrance is not None and self.accelerator.is_main_process:
            tell(f"prompts are encoded once an answer, not once a group: {hindrance}")
        return hindrance is None

    def _prepare_inputs(self, generation_batch: Any) -> Any:
        """Cut a batch into micro-batches of whole groups, where prompts are shared."""
        args: Any = self.args
        with (
            micro_batches.together(args.steps_per_generation)
            if self._share
            else contextlib.nullcontext()
        ):
            return super()._prepare_inputs(generation_batch)

    def _bare(self, model: Any) -> Any:
        """Return the transformers model inside its wrappers; LoRA layers stay in it."""
        inner = self.accelerator.unwrap_model(model)
        return inner.get_base_model() if hasattr(inner, "get_base_model") else inner

    def _tokenize_prompts(self, prompts: list[Any]) -> tuple[Any, Any, Any]:
        if not self._share:
            return super()._tokenize_prompts(prompts)  # type: ignore[no-any-return]
        first, number = sharing.unique([_prompt_key(prompt) for prompt in prompts])
        ids, images, fields = super()._tokenize_prompts([prompts[row] for row in first])
        self._group = torch.tensor(number, device=self.accelerator.device)
        self._unique = self._padded(ids, fields)
        return [ids[k] for k in number], images and [images[k] for k in number], fields

    def _padded(self, ids: list[list[int]], fields: dict[str, Any]) -> Any:
        tensors = [torch.tensor(row) for row in ids]
        options: dict[str, Any] = {"batch_first": True, "padding_side": "left"}
        pad: Any = torch.nn.utils.rnn.pad_sequence
        prompt_ids = pad(tensors, padding_value=self._tokenizer.pad_token_id, **options)
        mask = pad([torch.ones_like(row) for row in tensors], **options)  # with zeros
        device = self.accelerator.device
        images = None
        if "pixel_values" in fields:
            grid = torch.as_tensor(fields["image_grid_thw"]).to(device)
            images = sharing.Images(torch.as_tensor(fields["pixel_values"]).to(device), grid)
        return prompt_ids.to(device), mask.to(device), images

    def _generate_single_turn(self, prompt_ids: Any, images: Any, fields: Any, *rest: Any) -> Any:
        stock: Any = super()._generate_single_turn
        if self.use_vllm:
            return stock(prompt_ids, images, fields, *rest)
        model = self._bare(self.model)
        with _without_dropout(model):
            if not self._share or self._unique is None or self._group is None:
                return stock(prompt_ids, images, fields, *rest)
            with self.accelerator.autocast():
                answers = sharing.sample(model, *self._unique, self._group, self.generation_config)
        return [_until_end(row, self.eos_token_ids) for row in answers.tolist()], None

    def _compute_loss(self, model: Any, inputs: dict[str, Any]) -> Tensor:
        self._group = inputs.get("group")
        stock: Any = super()._compute_loss
        loss: Tensor = stock(model, inputs)
        scale: Tensor | float = inputs.get("loss_scale", 1.0)
        return loss * scale

    def _get_per_token_logps_and_entropies(
        self,
        model: Any,
        input_ids: Tensor,
        attention_mask: Tensor,
        logits_to_keep: int,
        batch_size: int | None = None,
        compute_entropy: bool = False,
        **fields: Any,
    ) -> tuple[Tensor, Tensor | None, Tensor | None]:
        stock: Any = super()._get_per_token_logps_and_entropies
        images = _images_of(fields)
        if self._group is None or not self._share or images is False:
            return stock(  # type: ignore[no-any-return]
                model,
                input_ids,
                attention_mask,
                logits_to_keep,
                batch_size,
                compute_entropy,
                **fields,
            )
        chunk = batch_size or len(input_ids)
        parts = [
            self._shared_logps(
                model,
                input_ids[at : at + chunk],
                attention_mask[at : at + chunk],
                logits_to_keep,
                images.select(torch.arange(at, min(at + chunk, len(input_ids))))
                if images
                else None,
                self._group[at : at + chunk],
            )
            for at in range(0, len(input_ids), chunk)
        ]
        logps = torch.cat([part for part, _ in parts])
        entropies = [part for _, part in parts if part is not None]  # none of a reference model
        return logps, torch.cat(entropies) if compute_entropy else None, None

    def _shared_logps(
        self, model: Any, ids: Tensor, mask: Tensor, keep: int, images: Any, group: Tensor
    ) -> tuple[Tensor, Tensor | None]:
        """Return (B, C) log-probabilities and entropies from one row, or a few, a unique prompt."""
        bare, answers = self._bare(model), mask[:, -keep:]
        prompt, lengths = mask[:, :-keep].sum(1).max(), answers.sum(1)
        mean = float(lengths.float().mean())
        best = sharing.answers_a_row(bare.config.get_text_config(), int(prompt), mean)
        first, number = sharing.unique(sharing.rows_of(group.tolist(), best, lengths.tolist()))
        rows = torch.tensor(first)
        prompt_ids, prompt_mask = ids[rows, :-keep], mask[rows, :-keep]
        images = images and images.select(rows)
        packed = sharing.pack(
            prompt_ids,
            prompt_mask,
            sharing.prompt_positions(bare, prompt_ids, prompt_mask, images),
            ids[:, -keep:],
            answers,
            torch.tensor(number, device=ids.device),
            dtype=bare.dtype,
        )
        with self.accelerator.autocast():
            out = model(
                input_ids=packed.input_ids,
                attention_mask=packed.attention_mask,
                position_ids=packed.position_ids,
                shift_labels=packed.shift_labels,
                fused_lm_head=True,
                **(images.arguments() if images else {}),
            )
        padding = answers == 0
        logps = out.log_probs.view(-1)[packed.slots].masked_fill(padding, 0.0)
        if out.entropy is None:
            return logps, None
        return logps, out.entropy.view(-1)[packed.slots].masked_fill(padding, 0.0)


def _prompt_key(prompt: list[dict[str, Any]]) -> Any:
    """Name a chat by its text and the identity of its images, which a group shares."""
    parts = [
        (message["role"], part["type"], id(part["image"]) if "image" in part else part.get("text"))
        for message in prompt
        for part in message["content"]
    ]
    return tuple(parts)


def _until_end(tokens: list[int], ends: list[int]) -> list[int]:
    kept = next((n for n, token in enumerate(tokens, 1) if token in ends), len(tokens))
    return tokens[:kept]


def _images_of(fields: dict[str, Any]) -> Any:
    """Return the images, None without any, or False where rows have none or several."""
    counts = fields.get("num_images")
    if fields.get("pixel_values") is None or counts is None:
        return None
    if any(count != 1 for count in counts) or fields.get("image_grid_thw") is None:
        return False
    return sharing.Images(fields["pixel_values"], fields["image_grid_thw"])


@contextlib.contextmanager
def _without_dropout(model: torch.nn.Module) -> Iterator[None]:
    """Sample from the model that is meant; TRL samples in training mode, dropout included."""
    training = model.training
    model.eval()
    try:
        yield
    finally:
        model.train(training)


@contextlib.contextmanager
def _once_per_image(processor: Any) -> Iterator[None]:
    """Let the processor prepare each image object once while a batch is made."""
    stock = processor.image_processor
    processor.image_processor = _Memo(stock)
    try:
        yield
    finally:
        processor.image_processor = stock


class _Memo:
    """An image processor that prepares an image object once and repeats the result."""

    def __init__(self, inner: Any) -> None:
        self._inner, self._seen = inner, {}  # type: ignore[var-annotated]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    def __call__(self, images: Any, *rest: Any, **options: Any) -> Any:
        flat = [
            image for group in images for image in (group if isinstance(group, list) else [group])
        ]
        new = {id(image): image for image in flat if id(image) not in self._seen}
        if new:
            out = self._inner(list(new.values()), *rest, **options)
            grid = torch.as_tensor(out["image_grid_thw"])
            pixels = torch.split(torch.as_tensor(out["pixel_values"]), grid.prod(1).tolist())
            for key, image, values, size in zip(new, new.values(), pixels, grid, strict=True):
                self._seen[key] = (image, values, size)  # the image is held so its id stays its own
            self._make = type(out)
        found = [self._seen[id(image)] for image in flat]
        repeated = {
            "pixel_values": torch.cat([values for _, values, _ in found]),
            "image_grid_thw": torch.stack([size for _, _, size in found]),
        }
        return self._make(repeated)
