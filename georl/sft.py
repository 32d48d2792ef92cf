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

from pathlib import Path
from typing import Any

from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from georl import data, held_out, run
from georl.config import Config
from georl.run import ExactResume


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

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self.model_accepts_loss_kwargs = True


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
    )
