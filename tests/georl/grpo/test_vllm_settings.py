"""What vLLM is started with, and what is refused before it is (georl.config, georl.grpo)."""

import sys

import pytest

from georl import plan
from georl.config import ConfigError, check, checks, load
from georl.data import prompts
from georl.grpo import first_batch

VLLM = ["task=grpo", "grpo.vllm=colocate", "train.batch=64", "train.per_device=8"]


def test_room_is_kept_for_the_largest_image_the_question_and_the_answer():
    run = load("qwen2.5-vl-7b-8xa100", ["task=grpo", "grpo.max_tokens=200"])
    assert plan.longest_row(run) == 401408 // 784 + 1024 + 200
    longer = load("qwen2.5-vl-7b-8xa100", ["task=grpo", f"data.question={'wo?' * 500}"])
    assert plan.longest_row(longer) == 512 + 1500 + 64 + 128
    globe = load("globe-7b-8xa100")
    assert plan.longest_row(globe) < 128_000 / 40
    assert plan.longest_row(load(None, ["grpo.vllm_max_length=4096"])) == 4096


@pytest.mark.parametrize("prompt", ["cor", "cot", "location"])
def test_our_own_questions_fit_in_the_room_for_text(prompt):
    run = load(None, [f"data.prompt={prompt}"])
    assert len(prompts.question(run.data).encode()) + 64 < plan.longest_row(run) - 4 - 256


@pytest.mark.parametrize(
    ("settings", "world", "said"),
    [
        (["grpo.vllm_tensor_parallel=2"], 4, None),
        (["grpo.vllm_tensor_parallel=4"], 2, "vllm_tensor_parallel is 4; it must divide the 2"),
        (["grpo.vllm_tensor_parallel=0"], 1, "vllm_tensor_parallel is 0"),
        (["grpo.vllm_tensor_parallel=4", "grpo.vllm=server", "grpo.vllm_url=http://h:1"], 2, None),
        (["grpo.vllm_max_length=256"], 1, "vllm_max_length is 256, and an answer alone may have"),
        (["grpo.vllm_max_length=257"], 1, None),
        (["grpo.vllm_memory=0"], 1, "vllm_memory is 0.0; it is a share"),
        (["grpo.vllm_memory=1.0"], 1, "vllm_memory is 1.0; it is a share"),
        (["grpo.vllm_memory=1.0", "grpo.vllm=off"], 1, None),
    ],
)
def test_settings_that_vllm_cannot_start_with_are_refused(settings, world, said):
    run = load(None, [*VLLM, *settings])
    if said is None:
        check(run, world)
        return
    with pytest.raises(ConfigError) as error:
        check(run, world)
    assert said in str(error.value)


def test_prompts_longer_than_the_room_are_refused_with_what_is_missing():
    first_batch.check_lengths([[1] * 10, [1] * 20], 20)
    first_batch.check_lengths([], 20)
    with pytest.raises(ConfigError, match=r"has 25 tokens and vLLM room for 20 .* by 5 or more"):
        first_batch.check_lengths([[1] * 10, [1] * 25], 20)


@pytest.mark.parametrize(
    ("version", "fits"),
    [("0.22.0", True), ("0.31.2", True), ("0.10.1", False), ("0.32.0", False), ("1.0", False)],
)
def test_another_version_of_vllm_is_refused_before_the_work_starts(
    tmp_path, monkeypatch, version, fits
):
    """Found as pip leaves it: a package, and a record with its version."""
    (tmp_path / "vllm").mkdir()
    (tmp_path / "vllm" / "__init__.py").touch()
    record = tmp_path / f"vllm-{version}.dist-info"
    record.mkdir()
    (record / "METADATA").write_text(f"Metadata-Version: 2.1\nName: vllm\nVersion: {version}\n")
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    problem = checks.missing_package(load(None, VLLM))
    if fits:
        assert problem is None
    else:
        assert problem.startswith(f"vllm {version} is installed, and TRL drives 0.22 up to below")
        assert "pip install 'vllm>=0.22,<0.32', or set grpo.vllm=off" in problem


def test_the_versions_are_those_of_the_extra(pytestconfig):
    low, high = (".".join(map(str, bound)) for bound in checks.VLLM)
    text = (pytestconfig.rootpath / "pyproject.toml").read_text()
    assert f'vllm = ["vllm>={low},<{high}"]' in text


def test_the_sampler_of_its_own_machine_is_started_with_the_same(tmp_path):
    more = ["task=grpo", "per_device=8", "train.batch=256", "grpo.vllm=server"]
    run = load("qwen2.5-vl-7b-8xa100", [*more, "grpo.vllm_tensor_parallel=4"])
    plan.write(run, "x.yaml", tmp_path)
    text = (tmp_path / "serve.sh").read_text()
    assert f"--max-model-len {plan.longest_row(run)} " in text
    assert "--tensor-parallel-size 4 " in text


def test_a_vllm_over_two_cards_needs_half_the_share_of_each():
    more = ["task=grpo", "per_device=8", "train.batch=256"]
    shape, small = plan.KNOWN["Qwen2.5-VL-7B"], plan.CARDS["a100-40"]
    with pytest.raises(ConfigError, match="weights with their workspace"):
        plan.check_fit(load("qwen2.5-vl-7b-8xa100", more), shape, small)
    spread = load("qwen2.5-vl-7b-8xa100", [*more, "grpo.vllm_tensor_parallel=2"])
    plan.check_fit(spread, shape, small)
