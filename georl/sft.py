r"""Supervised fine-tuning on Chain-of-Region answers.

The model sees a photo and the prompt and is taught the answer's tokens, country first and the
coordinates last (Geo-R, section 3). The loss is the cross entropy of the answer
alone. Launch lines::

    one CPU        georl sft configs/tiny-cpu.yaml
    one GPU        georl sft configs/qwen2.5-vl-3b-1gpu-lora.yaml
    eight A100s    accelerate launch --config_file configs/accelerate/fsdp2.yaml -m georl.cli \
                     sft configs/qwen2.5-vl-7b-8xa100.yaml

What differs from TRL's SFTTrainer: the loss is the mean over the answers' tokens of a whole batch,
however it is cut over micro-batches and processes. Around it, images are opened when a batch
needs them, checkpoints are sealed with hashes and resumed bit for bit (stock Trainer resumes
Qwen2.5-VL from its starting weights with only a warning), and the metrics are always written to a
file.
"""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import torch
from datasets import IterableDataset
from transformers import TrainerCallback
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from georl import data, held_out, run
from georl.config import Config
from georl.run import ExactResume, step_of


def train(config: Config) -> Path:
    """Run SFT and return the folder of the final model.

    Parameters
    ----------
    config
        A run with ``task: sft``.

    Raises
    ------
    ConfigError, DataError
        Before the model is loaded, for everything that can be told by then.

    Examples
    --------
    >>> from georl.config import load
    >>> train(load("tiny-cpu", ["output=runs/sft"]))  # doctest: +SKIP
    PosixPath('runs/sft/final')
    """
    config = data.checked(config)
    given = data.trainer_inputs(config, completions=True)
    trainer = GeoSFTTrainer(args=arguments(config), **given)
    held_out.attach(trainer, config)
    return run.fit(trainer, config)


class GeoSFTTrainer(ExactResume, SFTTrainer):
    """TRL's trainer, with a resume that loads the weights, and a loss that is a mean over tokens.

    transformers says of Qwen2.5-VL that it takes no count of a whole batch's tokens, and Trainer
    then averages the means of micro-batches and processes, so that a token among long answers
    weighs less. TRL takes the loss itself here and needs the count only.
    """

    loader: data.Loader | None = None
    """Of a run that streams its photos."""

    def __init__(self, *, train_dataset: Any, **options: Any) -> None:
        stream = train_dataset if isinstance(train_dataset, data.Stream) else None
        rows = train_dataset if stream is None else IterableDataset.from_generator(stream.__iter__)
        super().__init__(train_dataset=rows, **options)
        self.model_accepts_loss_kwargs = True
        if stream is not None:
            self.loader = data.Loader(
                stream, self._train_batch_size, self.data_collator,
                workers=self.args.dataloader_num_workers, rank=self.args.process_index,
                processes=self.args.world_size, output=Path(str(self.args.output_dir)),
                step=lambda: self.state.global_step + 1,
                pin=self.args.dataloader_pin_memory and torch.cuda.is_available(),
            )  # fmt: skip
            self.add_callback(_SavePlaces(self.loader))
            self._before, self._since = 0, time.perf_counter()

    def get_train_dataloader(self) -> Any:
        """Return the batches of this process."""
        return super().get_train_dataloader() if self.loader is None else self.loader

    def go_on_from(self, start: Path) -> None:
        """Go on from a checkpoint, a stream behind the rows that it has seen."""
        super().go_on_from(start)
        if self.loader is not None:
            self.loader.restore(start, step_of(start))
            self._before = self.loader.standing.images

    def log(self, logs: dict[str, float], *given: Any) -> None:
        """Log, of a stream also its images: how many, how many a second, how many are ready."""
        if self.loader is not None:
            logs = logs | self._images(self.loader)
        super().log(logs, *given)

    def _images(self, loader: data.Loader) -> dict[str, float]:
        """Return the images of all processes since the last row of the log."""
        now, standing = time.perf_counter(), loader.standing
        counts = standing.images - self._before, standing.images, standing.bad
        own = [*map(float, counts), loader.per_second() or 0.0]
        if self.accelerator.num_processes > 1:  # alone it may be a Mac's GPU, without float64
            whole = torch.tensor(own, dtype=torch.float64, device=self.args.device)
            own = self.accelerator.reduce(whole).tolist()
        new, images, bad, ready = own
        spent, self._before, self._since = now - self._since, standing.images, now
        told = {"images": images, "bad_images": bad}
        if not new:  # the closing row
            return told
        rates = {"images_per_second": new / spent, "images_ready_per_second": ready}
        return told | {name: round(rate, 2) for name, rate in rates.items()}


class _SavePlaces(TrainerCallback):
    """Write where each process of a stream stands, before the checkpoint is sealed."""

    def __init__(self, loader: data.Loader) -> None:
        self._loader = loader

    def on_save(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        """Write it into the checkpoint's folder."""
        self._loader.save(Path(args.output_dir, f"checkpoint-{state.global_step}"))


def arguments(config: Config) -> SFTConfig:
    """Return TRL's arguments; images rule out packing and truncation.

    Examples
    --------
    >>> import tempfile
    >>> from georl.config import load
    >>> folder = tempfile.TemporaryDirectory()
    >>> found = arguments(load(None, ["train.batch=32", "per_device=8", f"output={folder.name}"]))
    >>> found.gradient_accumulation_steps, found.packing
    (4, False)
    >>> folder.cleanup()
    """
    return SFTConfig(
        **run.common_arguments(config),
        max_length=None,
        packing=False,
        completion_only_loss=True,
        average_tokens_across_devices=True,
        dataset_kwargs={"skip_prepare_dataset": True},
        ignore_data_skip=config.data.stream,  # a stream goes on by itself, see `georl.data`
    )
