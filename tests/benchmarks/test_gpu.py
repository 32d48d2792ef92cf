"""The GPU benchmark in its tiny mode, on a CPU (benchmarks/gpu.py)."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import Qwen2_5_VLForConditionalGeneration

from georl import models, plan

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "gpu.py"


@pytest.fixture(scope="module")
def gpu():
    path = list(sys.path)
    spec = importlib.util.spec_from_file_location("gpu_benchmark", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    sys.path[:] = path
    return module


@pytest.fixture(scope="module")
def folder(gpu, tmp_path_factory):
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("gpu")
    gpu.build(folder / "model", tiny=True)
    return folder


@pytest.mark.parametrize("name", ["sft", "grpo, shared prompts", "grpo, stock"])
def test_an_arm_measures_time_tokens_and_the_plan(gpu, folder, monkeypatch, name):
    monkeypatch.setattr(gpu, "STEPS", 2)
    found = gpu.arm(name, str(folder), [], tiny=True)
    assert found["seconds"] > 0
    assert 8 * 15 < found["tokens"] < 8 * 90  # eight rows of question, picture and answer
    each = 8.0 if name.startswith("grpo") else 6.0
    shape = plan.model_shape(models_of(folder))
    assert found["operations"] == pytest.approx(each * shape.parameters * found["tokens"])
    assert found["planned"] > 16.0 * shape.parameters * 0.75
    assert found["peak"] is None or torch.cuda.is_available()


def models_of(folder):
    from georl.config import ModelConfig

    return ModelConfig(name=str(folder / "model"))


def test_the_large_model_is_qwen_of_3b(gpu):
    tokenizer = models.build_tokenizer(["Where?"])
    with torch.device("meta"):
        model = Qwen2_5_VLForConditionalGeneration(gpu.of_3b(tokenizer))
    known = plan.KNOWN["Qwen2.5-VL-3B"]
    assert sum(p.numel() for p in model.parameters()) == known.parameters


def test_a_plan_that_is_off_by_more_than_15_percent_is_marked(gpu):
    found = {"seconds": 2.0, "tokens": 1000.0, "operations": 1e12, "peak": 10 * 2**30}
    row = gpu.line("sft", {**found, "planned": 11 * 2**30}, 1e12)
    assert row.split()[1:] == ["2.000", "500", "50.0%", "10.00", "11.00", "+10%"]
    assert "off by more than 15%" in gpu.line("sft", {**found, "planned": 12 * 2**30}, 1e12)
    assert "off by more than 15%" in gpu.line("sft", {**found, "planned": 8 * 2**30}, 1e12)


def test_arms_with_vllm_need_its_wheel_and_a_gpu(gpu):
    if importlib.util.find_spec("vllm") is None or not torch.cuda.is_available():
        assert gpu.wanted() == ["sft", "grpo, shared prompts", "grpo, stock"]


def test_a_product_of_matrices_is_timed(gpu):
    assert 1e8 < gpu.matmul_flops(tiny=True) < 1e14


def test_without_a_gpu_it_says_how_to_run():
    if torch.cuda.is_available():
        pytest.skip("there is a GPU")
    done = subprocess.run([sys.executable, SCRIPT], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "--tiny runs on a CPU" in done.stderr


@pytest.mark.slow
def test_the_whole_runs_in_its_tiny_mode():
    command = [sys.executable, SCRIPT, "--tiny"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "grpo: stock / shared = " in done.stdout
