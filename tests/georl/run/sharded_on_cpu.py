"""Train runs with FSDP2 on CPUs, which accelerate does not offer, through its own code.

    torchrun --nproc_per_node 2 sharded_on_cpu.py RUN.yaml

A run with ``train.strategy: ddp`` is trained with whole weights, to compare with.

Accelerate shards where processes have GPUs and quietly does not on CPUs, though PyTorch's
``fully_shard`` runs on gloo. Here its processes are told to be of the kind that shards; all else,
the wrapping, the gathering for a checkpoint and loading one, is what a cluster runs.
"""

import os
import sys

import torch
from accelerate.state import PartialState
from accelerate.utils import DistributedType

from geodata.ending import leave
from georl import data, grpo, held_out, models, run, sft
from georl.config import check, load


def main():
    config = load(sys.argv[1])
    SHARD = {
        "ACCELERATE_USE_FSDP": "true",
        "FSDP_VERSION": "2",
        "FSDP_AUTO_WRAP_POLICY": "TRANSFORMER_BASED_WRAP",
        "FSDP_STATE_DICT_TYPE": "FULL_STATE_DICT",
        "FSDP_RESHARD_AFTER_FORWARD": "true",
        "FSDP_CPU_RAM_EFFICIENT_LOADING": "true",
    }
    os.environ |= {"ACCELERATE_USE_CPU": "true"} | (
        SHARD if config.train.strategy == "fsdp" else {}
    )

    stock = PartialState.__init__

    def told(self, *given, **options):
        """Join as on CPUs, then be of the kind that shards."""
        stock(self, *given, **options)
        if self._shared_state.get("distributed_type") == DistributedType.MULTI_CPU:
            self._shared_state["distributed_type"] = DistributedType.MULTI_GPU

    if config.train.strategy == "fsdp":
        PartialState.__init__ = told

    load_model = models.load

    def told_when(*given, **options):
        """Load, and say whether the processes have found each other by then."""
        print(f"loading, joined: {torch.distributed.is_initialized()}")
        return load_model(*given, **options)

    models.load = told_when

    check(config)
    if config.task == "grpo":
        trainer = grpo.build(config)
    else:
        given = data.trainer_inputs(config, completions=True)
        trainer = sft.GeoSFTTrainer(args=sft.arguments(config), **given)
    held_out.attach(trainer, config)
    run.fit(trainer, config)
    kinds = {type(value).__name__ for value in trainer.model.parameters()}
    print(f"a process held {sorted(kinds)}")


if __name__ == "__main__":
    main()
    run.part_processes()
    leave(0)
