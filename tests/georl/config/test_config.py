"""One run is one configuration; what it alone can tell is refused early (georl.config)."""

import dataclasses
import re
from pathlib import Path

import pytest
import yaml

from georl import config, plan
from georl.config import Config, ConfigError, checks, load
from georl.config.reason import ReasonConfig

LORA_3B = [
    "model.name=Qwen/Qwen2.5-VL-3B-Instruct",
    "model.revision=66285546d2b821cf421d4f5eb2576359d3770cd3",
]


def test_defaults_survive_a_round_trip_through_yaml(tmp_path):
    path = tmp_path / "run.yaml"
    run = load(None, ["task=grpo", "rewards.weights={geo_r: 1.0, format: 0.2}"])
    path.write_text(config.dump(run), encoding="utf-8")
    assert load(path) == run


def leaves(settings, path=""):
    for one in dataclasses.fields(settings):
        value = getattr(settings, one.name)
        if dataclasses.is_dataclass(value):
            yield from leaves(value, f"{path}{one.name}.")
        else:
            yield path + one.name, list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize(("name", "kind"), [("run", Config), ("reason", ReasonConfig)])
def test_a_default_changes_here_too(name, kind):
    text = Path(__file__).with_name("defaults.yaml").read_text("utf-8")
    assert dict(leaves(kind())) == yaml.safe_load(text)[name]


def test_overrides_win_over_the_file_and_later_ones_over_earlier(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("train:\n  learning_rate: 1e-4\n  batch: 32\n")
    run = load(path, ["train.learning_rate=2e-5", "learning_rate=3e-5"])
    assert (run.train.learning_rate, run.train.batch) == (3e-5, 32)


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("train.learning_rte=1", "did you mean train.learning_rate"),
        ("modle.name=x", "did you mean model"),
        ("curriculm.enabled=true", "did you mean curriculum"),
        ("epsilon=1", "grpo.epsilon or groups.epsilon"),
        ("train.batch=many", "expected int"),
        ("train.batch=1.5", "expected int"),
        ("train.batch=true", "expected int"),
        ("model.freeze_vision=1", "expected bool"),
        ("grpo.loss=ppo", "expected one of grpo, bnpo"),
        ("data.levels=7", "data.levels is 7"),
        ("train=3", "expected a block of keys"),
        ("train.learning_rate", "not key=value"),
    ],
)
def test_bad_overrides_name_the_field_and_the_remedy(override, message):
    with pytest.raises(ConfigError, match=message):
        load(None, [override])


def test_yaml_reads_off_as_a_word_and_1e_minus_5_as_a_number(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("grpo:\n  vllm: off\ntrain:\n  learning_rate: 1e-5\n")
    assert load(path).grpo.vllm == "off"
    assert load(path).train.learning_rate == 1e-5


@pytest.mark.parametrize("text", ["[1, 2]", "a: [", "just text"])
def test_a_file_that_is_no_mapping_is_refused(tmp_path, text):
    path = tmp_path / "run.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=r"run\.yaml"):
        load(path)


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["train.batch=60"], "use 64 or 128"),
        (["task=grpo", "grpo.generations=7"], "use 63 or 70"),
        (["task=grpo", "grpo.iterations=2", "save_steps=3"], "use 4"),
        (["task=grpo", "grpo.vllm=server"], "vllm_url"),
        (["task=grpo", "groups.tries=2"], "groups.drop_equal=true"),
        (["train.processes=8", "train.batch=512"], "torchrun --nproc_per_node 8"),
        (["model.name=Qwen/Qwen2.5-VL-7B-Instruct"], "pin the commit"),
        (["train.learning_rate=0"], "must be above 0"),
        (["curriculum.keep=1.5"], "share in"),
        (["task=predict"], "predict.url"),
    ],
)
def test_runs_that_cannot_work_are_refused_before_anything_is_loaded(overrides, message):
    with pytest.raises(ConfigError, match=message):
        checks.check(load(None, overrides), processes=1)


def test_every_problem_is_reported_at_once():
    with pytest.raises(ConfigError) as error:
        checks.check(load(None, ["train.batch=60", "train.learning_rate=-1"]), processes=1)
    assert len(str(error.value).splitlines()) == 2


@pytest.mark.parametrize(
    ("processes", "per_device", "expected"), [(1, 64, 1), (8, 4, 2), (2, 8, 4)]
)
def test_the_global_batch_does_not_depend_on_the_machine(processes, per_device, expected):
    run = load(None, [f"train.per_device={per_device}"])
    checks.check(run, processes=processes)
    steps = config.accumulation(run, processes)
    assert steps == expected
    assert steps * per_device * processes == run.train.batch


def test_the_repository_s_configurations_resolve(pytestconfig):
    folder = pytestconfig.rootpath / "configs"
    paths = sorted(folder.glob("*.yaml"))
    assert len(paths) >= 4
    for path in paths:
        run = load(path)
        checks.check(run, processes=max(run.train.processes, 1))
        assert yaml.safe_load(config.dump(run))["task"] == run.task


def test_the_plan_shows_the_run_and_its_memory():
    run = load(None, [*LORA_3B, "dtype=bfloat16", "lora_rank=64", "max_pixels=400000"])
    text = plan.describe(run, plan.KNOWN["Qwen2.5-VL-3B"])
    assert "learning_rate: 1.0e-05" in text
    assert "weights, gradients, Adam" in text
    assert "total" in text


def test_memory_falls_with_sharding_and_with_lora():
    shape = plan.KNOWN["Qwen2.5-VL-7B"]
    base = ["dtype=bfloat16", "max_pixels=400000", "gradient_checkpointing=true", "per_device=1"]

    def total(*more: str) -> float:
        return sum(plan.memory(load(None, [*base, *more]), shape).values())

    full = total()
    assert total("strategy=fsdp", "processes=8") < full / 3
    assert total("lora_rank=64") < full / 3
    assert total("freeze_vision=true") < full


def test_the_plan_of_the_tiny_model_counts_its_parameters():
    shape = plan.model_shape(Config().model)
    assert 0.5e6 < shape.parameters < 1.5e6
    assert 0 < shape.vision_parameters < shape.parameters


@pytest.mark.parametrize(
    ("overrides", "message"),
    [
        (["train.report_to=[wandb]"], r"needs wandb.*pip install wandb, or take it out"),
        (["model.attention=flash_attention_2"], r"flash-attn, or set model\.attention=sdpa"),
        (
            ["task=grpo", "grpo.vllm=colocate"],
            r"pip install '\.\[vllm\]' in the clone, or set grpo\.vllm=off",
        ),
    ],
)
def test_a_package_that_is_not_there_is_named_with_its_remedy(overrides, message):
    run = load(None, overrides)
    checks.check(run, processes=1)  # planning on another machine needs none of them
    assert re.search(message, checks.missing_package(run))


def test_a_run_that_needs_no_more_packages_misses_none():
    assert checks.missing_package(load(None, ["task=sft", "grpo.vllm=colocate"])) is None


def test_a_bundled_configuration_is_found_by_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert load("tiny-cpu").model.name == "tiny"
    with pytest.raises(
        ConfigError, match="no bundled configuration either: globe-7b-8xa100, globe"
    ):
        load("tiny-gpu")
    (tmp_path / "tiny-cpu").write_text("task: grpo\n")  # a file of one's own comes first
    assert load("tiny-cpu").task == "grpo"


def test_the_help_names_every_bundled_configuration():
    from georl.cli import options
    from georl.config import tree

    names = [name for name in tree.bundled() if not name.endswith(".yaml")]
    said = options.ConfigFile.__metadata__[0].help
    assert len(names) >= 5
    assert all(name in said for name in names)
