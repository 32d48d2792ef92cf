"""One call on one GPU, under ten minutes: how fast SFT and GRPO are, and whether plan is right.

    python benchmarks/gpu.py                    Qwen2.5-VL-3B, random weights, LoRA, bf16
    python benchmarks/gpu.py lora_rank=0        every parameter: a card of 100 GB and more
    python benchmarks/gpu.py --tiny             a million parameters, on a CPU, in a minute

Nothing is downloaded: the model is built from its configuration, photos are crops of Blue Marble.
Every arm is a process of its own; one that fails says why, and the others go on. Printed for each:
seconds of a step, tokens a second, the share of a measured matrix product that the model's
operations reach (MFU), and the peak of allocated memory beside `georl.plan.memory`. Stock is the
same run with grpo.share_prompts=false, TRL's own update. Arms with vLLM run where it is installed.

Not yet run on a GPU.
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

# as a script, this folder comes first in the path, and its datasets.py hides the library
sys.path[:] = [p for p in sys.path if Path(p or ".").resolve() != Path(__file__).parent]
if __name__ == "__main__":  # not where a test imports it, and starts processes of its own
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")

import torch
from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration, TrainerCallback

from georl import data, grpo, models, plan, sft
from georl.config import Config, load

ARMS = {
    "sft": ["task=sft"],
    "grpo, shared prompts": ["task=grpo", "grpo.share_prompts=true"],
    "grpo, stock": ["task=grpo", "grpo.share_prompts=false"],
    "grpo, vLLM, shared prompts": ["task=grpo", "grpo.share_prompts=true", "grpo.vllm=colocate"],
    "grpo, vLLM, stock": ["task=grpo", "grpo.share_prompts=false", "grpo.vllm=colocate"],
}

COMMON = ["data.rows=512", "train.logging_steps=1", "train.schedule=constant"]

LARGE = [
    "model.dtype=bfloat16",
    "model.gradient_checkpointing=true",
    "model.lora_rank=64",
    "model.min_pixels=401408",
    "model.max_pixels=401408",
    "train.batch=32",
    "train.per_device=8",
    "grpo.max_tokens=128",
    "grpo.vllm_memory=0.35",
]
TINY = ["data.question=Where?", "train.batch=8", "train.per_device=8", "grpo.max_tokens=16"]

WARM, STEPS = 1, 4
"""Steps that are left out, and that are measured."""

GIB = float(1 << 30)


def build(folder: Path, tiny: bool) -> None:
    """Write a model with random weights and its processor."""
    run = load(None, ["data.rows=200", *([*TINY] if tiny else [])])
    rows = data.load(run, completions=True)
    tokenizer = models.build_tokenizer(data.texts(rows, run))
    if tiny:
        model: Any = models.build_model(tokenizer)
    else:
        device = "cuda" if torch.cuda.is_available() else "cpu"
        with torch.device(device):
            torch.set_default_dtype(torch.bfloat16)
            model = Qwen2_5_VLForConditionalGeneration(of_3b(tokenizer))
            torch.set_default_dtype(torch.float32)
    model.save_pretrained(folder)
    models.build_processor(tokenizer).save_pretrained(folder)


def of_3b(tokenizer: Any) -> Qwen2_5_VLConfig:
    """Return the configuration of Qwen2.5-VL-3B, with the special tokens of a small tokenizer."""
    token = tokenizer.convert_tokens_to_ids
    text = {
        "vocab_size": 151936,
        "hidden_size": 2048,
        "intermediate_size": 11008,
        "num_hidden_layers": 36,
        "num_attention_heads": 16,
        "num_key_value_heads": 2,
        "max_position_embeddings": 128000,
        "rope_parameters": {
            "rope_type": "default",
            "rope_theta": 1e6,
            "mrope_section": [16, 24, 24],
        },
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
        "tie_word_embeddings": True,
    }
    vision = {
        "depth": 32,
        "hidden_size": 1280,
        "intermediate_size": 3420,
        "num_heads": 16,
        "out_hidden_size": 2048,
        "patch_size": 14,
        "window_size": 112,
        "fullatt_block_indexes": [7, 15, 23, 31],
    }
    return Qwen2_5_VLConfig(
        text_config=text,
        vision_config=vision,
        image_token_id=token("<|image_pad|>"),
        video_token_id=token("<|video_pad|>"),
        vision_start_token_id=token("<|vision_start|>"),
        vision_end_token_id=token("<|vision_end|>"),
        tie_word_embeddings=True,
    )


def matmul_flops(tiny: bool) -> float:
    """Return the operations a second of a large matrix product on this device."""
    on_gpu = torch.cuda.is_available()
    n, dtype = (512, torch.float32) if tiny or not on_gpu else (8192, torch.bfloat16)
    a = torch.randn(n, n, device="cuda" if on_gpu else "cpu", dtype=dtype)
    rounds, best = 20, 0.0
    for _ in range(3):
        settle()
        start = time.perf_counter()
        for _ in range(rounds):
            a @ a
        settle()
        best = max(best, 2.0 * n**3 * rounds / (time.perf_counter() - start))
    return best


def settle() -> None:
    """Wait until the device has done what it was told."""
    if torch.cuda.is_available():
        torch.cuda.synchronize()


class Clock(TrainerCallback):
    """Seconds and tokens of each step."""

    def __init__(self) -> None:
        self.seconds: list[float] = []
        self.tokens: list[float] = []
        self._last = 0.0

    def on_step_begin(self, *_: Any, **__: Any) -> None:
        """Start at the first step; later ones start where the last ended."""
        if not self._last:
            settle()
            self._last = time.perf_counter()

    def on_step_end(self, *_: Any, **__: Any) -> None:
        """Note the time of the step."""
        settle()
        now = time.perf_counter()
        self.seconds.append(now - self._last)
        self._last = now

    def on_log(self, args: Any, state: Any, control: Any, logs: Any = None, **_: Any) -> None:
        """Note how many tokens were read and written so far."""
        if logs and "num_tokens" in logs:
            self.tokens.append(float(logs["num_tokens"]))


def arm(name: str, folder: str, overrides: Sequence[str], tiny: bool) -> dict[str, Any]:
    """Run the steps of an arm; return what was measured."""
    sizes = TINY if tiny else LARGE
    steps = [f"train.max_steps={WARM + STEPS}", f"output={folder}/{name.replace(' ', '-')}"]
    run = load(
        None, [*COMMON, *sizes, *ARMS[name], f"model.name={folder}/model", *steps, *overrides]
    )
    trainer, clock = trainer_of(run), Clock()
    trainer.add_callback(clock)
    if torch.cuda.is_available():
        torch.cuda.reset_peak_memory_stats()
    trainer.train()
    return measured(run, clock)


def trainer_of(run: Config) -> Any:
    """Return the trainer of a run, as `georl sft` and `georl grpo` build it."""
    run = data.checked(run)
    if run.task == "grpo":
        return grpo.build(run)
    given = data.trainer_inputs(run, completions=True)
    return sft.GeoSFTTrainer(args=sft.arguments(run), **given)


def measured(run: Config, clock: Clock) -> dict[str, Any]:
    """Return seconds, tokens, operations and memory of the measured steps."""
    shape = plan.model_shape(run.model)
    tokens = (clock.tokens[-1] - clock.tokens[WARM - 1]) / STEPS
    # 6 operations a trained parameter and token, 4 where it is frozen; sampling is 2 more
    each = (4.0 if run.model.lora_rank else 6.0) + (2.0 if run.task == "grpo" else 0.0)
    on_gpu = torch.cuda.is_available()
    card = torch.cuda.get_device_properties(0).total_memory if on_gpu else 80e9
    return {
        "seconds": statistics.median(clock.seconds[WARM:]),
        "tokens": tokens,
        "operations": each * shape.parameters * tokens,
        "peak": torch.cuda.max_memory_allocated() if on_gpu else None,
        "planned": sum(plan.memory(run, shape, card).values()),
    }


def line(name: str, found: dict[str, Any], flops: float) -> str:
    """Return a row of the table."""
    seconds = found["seconds"]
    mfu = found["operations"] / seconds / flops
    memory = f"{'':>8} {found['planned'] / GIB:8.2f}        not measured on a CPU"
    if found["peak"] is not None:
        off = found["planned"] / found["peak"] - 1.0
        memory = f"{found['peak'] / GIB:8.2f} {found['planned'] / GIB:8.2f} {off:+7.0%}"
        memory += "" if abs(off) <= 0.15 else "  off by more than 15%"
    rate = found["tokens"] / seconds
    return f"{name:<27} {seconds:8.3f} {rate:10,.0f} {mfu:6.1%} {memory}"


def wanted() -> list[str]:
    """Return the arms that can run here."""
    has_vllm = importlib.util.find_spec("vllm") is not None and torch.cuda.is_available()
    return [name for name in ARMS if has_vllm or "vLLM" not in name]


def start(name: str, options: argparse.Namespace, folder: str, left: float) -> dict[str, Any]:
    """Run an arm as a process; return what it measured, or why it did not."""
    command = [sys.executable, __file__, "--arm", name, "--folder", folder, *options.overrides]
    command += ["--tiny"] if options.tiny else []
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=left, check=False)
    except subprocess.TimeoutExpired:
        return {"failed": f"not done within the {left:.0f} s that were left"}
    lines = done.stdout.strip().splitlines()
    if done.returncode or not lines:
        said = done.stderr.strip().splitlines() or [f"status {done.returncode}"]
        return {"failed": said[-1][:200]}
    found: dict[str, Any] = json.loads(lines[-1])
    return found


def whole(options: argparse.Namespace) -> int:
    """Run every arm within the minutes, print the table; 1 if an arm failed."""
    began, failed = time.perf_counter(), 0
    device = torch.cuda.get_device_name(0) if torch.cuda.is_available() else "CPU"
    with tempfile.TemporaryDirectory() as folder:
        build(Path(folder) / "model", options.tiny)
        flops = matmul_flops(options.tiny)
        print(
            f"{device}, torch {torch.__version__}: a matrix product runs {flops / 1e12:.3f} TFLOPS"
        )
        print(
            f"{'':<27} {'s / step':>8} {'tokens / s':>10} {'MFU':>6} {'peak GiB':>8} {'planned':>8}"
        )
        seconds: dict[str, float] = {}
        for name in wanted():
            left = 60.0 * options.minutes - (time.perf_counter() - began)
            found = start(name, options, folder, max(left, 1.0))
            if "failed" in found:
                failed = 1
                print(f"{name:<27} {found['failed']}")
                continue
            seconds[name] = found["seconds"]
            print(line(name, found, flops), flush=True)
        for kind in ("grpo", "grpo, vLLM"):
            pair = [seconds.get(f"{kind}, {how}") for how in ("stock", "shared prompts")]
            if pair[0] and pair[1]:
                print(f"{kind}: stock / shared = {pair[0] / pair[1]:.2f} in a step's wall time")
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("overrides", nargs="*", metavar="KEY=VALUE", help="any field of a run")
    parser.add_argument("--tiny", action="store_true", help="a million parameters")
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--arm", choices=list(ARMS), help=argparse.SUPPRESS)
    parser.add_argument("--folder", help=argparse.SUPPRESS)
    options = parser.parse_intermixed_args()
    if options.arm:
        found = arm(options.arm, options.folder, options.overrides, options.tiny)
        print(json.dumps(found))
        return 0
    if not options.tiny and not torch.cuda.is_available():
        print("gpu.py: there is no GPU here; --tiny runs on a CPU", file=sys.stderr)
        return 2
    return whole(options)


if __name__ == "__main__":
    sys.exit(main())
