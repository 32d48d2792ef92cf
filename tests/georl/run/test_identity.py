"""Every setting by itself: may a run go on with another value of it? (georl.run.checkpoints)"""

import dataclasses

import pytest

from georl.config import Config, load
from georl.run import checkpoints

FREE = [
    "output",
    "model.attention",
    "model.gradient_checkpointing",
    "data.image_root",
    "data.cache",
    "train.per_device",
    "train.logging_steps",
    "train.save_steps",
    "train.keep_checkpoints",
    "train.push_to",
    "data.dataset",
    "train.eval_steps",
    "train.best_metric",
    "data.eval_table",
    "data.eval_split",
    "data.eval_rows",
    "train.resume",
    "train.report_to",
    "train.workers",
    "train.strategy",
    "train.processes",
    "grpo.vllm",
    "grpo.vllm_memory",
    "grpo.vllm_max_length",
    "grpo.vllm_tensor_parallel",
    "grpo.vllm_url",
    "grpo.share_prompts",
    "grpo.rollout_samples",
]
"""Where a run writes, how it logs and is judged, how it is laid out."""

OF_GRPO = ("grpo.", "groups.", "curriculum.", "rewards.")


def leaves(part, path=""):
    for one in dataclasses.fields(part):
        value = getattr(part, one.name)
        if dataclasses.is_dataclass(value):
            yield from leaves(value, f"{path}{one.name}.")
        else:
            yield path + one.name


def changed(config, path):
    """Return the run with another value of one setting, whatever its kind."""
    block, _, name = path.rpartition(".")
    part = getattr(config, block) if block else config
    value = getattr(part, name)
    other = not value if isinstance(value, bool) else f"{value} and more"
    part = dataclasses.replace(part, **{name: other})
    return dataclasses.replace(config, **{block: part}) if block else part


@pytest.mark.parametrize("task", ["sft", "grpo"])
def test_each_setting_that_the_weights_depend_on_is_kept_and_no_other(task):
    run = load(None, [f"task={task}"])
    own = checkpoints.identity(run)
    for path in leaves(Config()):
        if path == "task":
            continue
        unused = path.startswith("predict.") or (task == "sft" and path.startswith(OF_GRPO))
        same = checkpoints.identity(changed(run, path)) == own
        assert same == (path in FREE or unused), path


def test_a_model_that_was_trained_anew_is_another(tmp_path):
    run = load(None, [f"model.name={tmp_path}"])
    assert checkpoints.identity(run)["model.seal"] is None
    checkpoints.seal(tmp_path, {})
    first = checkpoints.identity(run)
    (tmp_path / "weights").write_bytes(b"1")
    checkpoints.seal(tmp_path, {})
    assert first["model.seal"] != checkpoints.identity(run)["model.seal"]
