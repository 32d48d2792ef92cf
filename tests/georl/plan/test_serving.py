"""How a sampler on a machine of its own is started (georl.plan.scripts)."""

import json
import re
import shlex

from georl import plan
from georl.config import load


def served(folder, *more):
    given = ["task=grpo", "max_pixels=401408", "grpo.vllm=server", "grpo.max_tokens=128"]
    plan.write(load(None, [*given, *more]), "x", folder)
    (line,) = re.findall(r"(?m)^exec (.*) \\$", (folder / "serve.sh").read_text())
    return shlex.split(line)


def test_the_sampler_starts_from_the_commit_that_the_run_is_pinned_to(tmp_path):
    start = ["trl", "vllm-serve", "--model"]
    room = ["--max-model-len", "1664"]
    pinned = served(tmp_path, "model.name=Qwen/X-7B", f"model.revision={'a' * 40}")
    assert pinned == [*start, "Qwen/X-7B", "--revision", "a" * 40, *room]
    mine = tmp_path / "my models" / "7B"
    assert served(tmp_path, f"model.name={mine}") == [*start, str(mine), *room]


def test_the_sampler_of_lora_weights_starts_from_their_model(tmp_path):
    """The run sends it what they add."""
    about = {"base_model_name_or_path": "Qwen/X-7B", "revision": "b" * 40, "r": 4}
    (tmp_path / "adapter_config.json").write_text(json.dumps(about))
    found = served(tmp_path, f"model.name={tmp_path}", f"model.revision={'a' * 40}")
    assert found[3:6] == ["Qwen/X-7B", "--revision", "b" * 40]
    about |= {"revision": "b; touch x"}  # a stranger's words start nothing
    (tmp_path / "adapter_config.json").write_text(json.dumps(about))
    assert served(tmp_path, f"model.name={tmp_path}")[5:7] == ["b; touch x", "--max-model-len"]
    about |= {"base_model_name_or_path": "/my/base", "revision": None}
    (tmp_path / "adapter_config.json").write_text(json.dumps(about))
    assert served(tmp_path, f"model.name={tmp_path}")[3:5] == ["/my/base", "--max-model-len"]
