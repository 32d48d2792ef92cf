"""Each rule of what fits together, from both sides of its bound (georl.config.checks)."""

import importlib.util
import sys

import pytest

from georl.config import (
    Config,
    ConfigError,
    accumulation,
    check,
    checks,
    is_first,
    load,
    replace,
    world_size,
)
from tests.georl.config.refusing import refusal

GRPO = "task=grpo"
VLLM = f"{GRPO} grpo.vllm=colocate train.batch=64 train.per_device=8"
LOOK = "train.eval_steps=5 data.eval_table=world"
ASK = "task=predict predict.url=http://h:1/v1"

CASES = [  # (settings, processes, what is said; None: nothing)
    # the launch
    ("train.processes=2 train.per_device=8", 2, None),
    ("train.processes=2 train.per_device=8", 1, "is 2 but the launcher started 1; start with"),
    ("train.processes=2 train.strategy=ddp per_device=8", 4, "torchrun --nproc_per_node 2"),
    ("train.processes=2 train.strategy=fsdp per_device=8", 4, "launch --num_processes 2"),
    ("train.processes=2 train.strategy=deepspeed per_device=8", 1, "launch --num_processes 2"),
    # the batch
    ("train.batch=32 train.per_device=32", 1, None),
    ("train.batch=32 train.per_device=32", 2, "is 32, not a multiple of train.per_device x proc"
     "esses = 64; use 64 or 128"),
    ("train.batch=100 train.per_device=32", 1, "use 96 or 128"),
    ("train.batch=0 train.per_device=32", 1, "train.batch is 0, not a multiple"),
    ("task=predict model.name=x model.revision=a train.batch=3", 1, None),
    # held-out photos
    (LOOK, 1, None),
    ("train.eval_steps=1 data.eval_table=world data.eval_rows=1", 1, None),
    ("train.eval_steps=5 data.split=a data.eval_split=b", 1, None),
    ("train.eval_steps=5 data.eval_table=t data.eval_split=b", 1, None),
    ("train.eval_steps=5 data.eval_split=b", 1, "data.eval_split without data.split"),
    ("data.eval_table=t data.eval_split=b train.best_metric=reward", 1,
     "data.eval_table and data.eval_split and train.best_metric without train.eval_steps"),
    *((f"{LOOK} train.best_metric={name}", 1, None) for name in checks.EVAL_SCORES),
    (f"{LOOK} train.best_metric=median", 1, "did you mean median_km? It is one of accuracy_1km, "
     "accuracy_25km, accuracy_200km, accuracy_750km, accuracy_2500km, median_km, reward, answered"),
    (f"{LOOK} train.strategy=fsdp", 1, None),
    # the hub
    *((f"train.push_to={name}", 1, None) for name in ("me/model", "a/b", "A-1/m_2.x")),
    *((f"train.push_to={name}", 1, "no name on the hub") for name in ("me", "a/b/c", "-a/b", "a/")),
    # groups
    (f"{GRPO} grpo.generations=2", 1, None),
    (f"{GRPO} grpo.generations=1", 1, "grpo.generations is 1; a group needs at least 2 answers"),
    (f"{GRPO} train.batch=60 per_device=60", 1, "grpo.generations = 8; use 56 or 64"),
    (f"{GRPO} train.batch=8 per_device=4", 2, None),
    *((f"{GRPO} train.batch=8 per_device=4 {more}=true", 2, "answers per process is 4, not a multi")
      for more in ("groups.drop_equal", "curriculum.enabled")),
    (f"{GRPO} groups.drop_equal=true groups.tries=2", 1, None),
    (f"{GRPO} groups.tries=1", 1, "groups.tries needs groups.drop_equal=true"),
    (f"{GRPO} grpo.loss=luspo grpo.ratio=sequence", 1, None),
    (f"{GRPO} grpo.loss=luspo", 1, "set grpo.ratio=sequence"),
    (f"{GRPO} grpo.loss=vespo", 1, None),
    (f"{GRPO} grpo.loss=vespo grpo.ratio=sequence", 1, "set grpo.ratio=token"),
    (f"{GRPO} grpo.ratio=sequence", 1, None),
    # checkpoints between sets of answers
    (f"{GRPO} grpo.iterations=4 save_steps=8", 1, None),
    (f"{GRPO} grpo.iterations=4 save_steps=1", 1, "so a resumed run would differ; use 4"),
    (f"{GRPO} grpo.iterations=4 save_steps=11", 1, "use 12"),
    ("save_steps=3 grpo.iterations=2", 1, None),
    # vLLM
    (VLLM, 1, None),
    (f"{VLLM} grpo.top_p=0.99", 1, "grpo.top_p is 0.99 with vLLM"),
    (f"{VLLM} grpo.loss=vespo", 1, None),
    (f"{VLLM} grpo.loss=vespo grpo.vllm_correction=sequence_mask", 1, "correction=token_trunc"),
    (f"{VLLM} grpo.vllm_correction=sequence_mask", 1, None),
    (f"{VLLM} grpo.vllm_correction_cap=0", 1, "vllm_correction_cap is 0.0; it must be above 0"),
    (f"{VLLM} grpo.vllm_correction_cap=0.1", 1, None),
    (f"{VLLM} grpo.vllm_memory=0.01", 1, None),
    (f"{VLLM} grpo.vllm_memory=0.99", 1, None),
    (f"{GRPO} grpo.vllm=server", 1, "grpo.vllm_url is not set"),
    (f"{GRPO} grpo.vllm=server grpo.vllm_url=http://h:1", 1, None),
    ("task=sft grpo.vllm=server grpo.top_p=0.5 grpo.loss=luspo grpo.generations=1", 1, None),
    # a server that is asked
    (ASK, 1, None),
    ("task=predict predict.url=https://h/v1", 1, None),
    ("task=predict predict.url=ftp://h/v1", 1, "is no http or https URL"),
    ("task=predict predict.url=http://", 1, "is no http or https URL"),
    ("task=predict predict.url=http://h:0/v1", 1, "is no http or https URL"),
    ("task=predict predict.url=http://h:99999/v1", 1, "is no http or https URL"),
    ("task=predict predict.url=http://me@h/v1", 1, "more than a host and a path"),
    *((f"task=predict predict.url=http://{who}@h/v1", 1, "more than a host and a path")
      for who in (":secret", "me:secret", "")),
    ("task=predict predict.url=http://h/v1?key=1", 1, "more than a host and a path"),
    ("task=predict predict.url=http://h/v1#a", 1, "more than a host and a path"),
    (f"{ASK} predict.key_variable=MY_2_API_KEY", 1, None),
    (f"{ASK} predict.key_variable=API_KEY", 1, None),
    (f"{ASK} predict.key_variable=HOME", 1, "only variables named ..._API_KEY may be sent"),
    (f"{ASK} predict.key_variable=my_API_KEY", 1, "only variables named"),
    (f"{ASK} predict.key_variable=''", 1, None),
    (f"{ASK} predict.timeout_s=0", 1, "predict.timeout_s is 0.0; it must be above 0"),
    (f"{ASK} predict.timeout_s=0.1", 1, None),
    ("task=predict", 1, "predict needs model.name"),
    # the commit of a model
    (f"{ASK} model.name=Qwen/X", 1, None),
    ("model.name=Qwen/X", 1, "model.revision is not set; pin the commit"),
    ("model.name=Qwen/X model.revision=abc", 1, None),
    # signs and shares
    *((f"{name}=0", 1, f"{name} is 0")
      for name in ("train.learning_rate", "train.logging_steps", "grpo.temperature",
                   "curriculum.radius_km", "predict.concurrency")),
    ("train.per_device=0", 1, "train.per_device is 0; it must be above 0"),
    ("task=sft grpo.iterations=0", 1, "grpo.iterations is 0; it must be above 0"),
    *((f"{name}=0", 1, f"{name} is 0; it must be above 0")
      for name in ("grpo.max_tokens", "curriculum.budget", "predict.batch", "predict.max_tokens")),
    *((f"{name}={value}", 1, said) for name in (
        "train.epochs", "train.save_steps", "train.warmup_steps", "train.max_grad_norm",
        "train.workers", "model.lora_rank", "data.decimals", "data.round_degrees", "grpo.beta",
        "grpo.epsilon", "groups.tries", "predict.retries", "predict.requests_per_second",
        "predict.temperature",
    ) for value, said in ((0, None), (-1, f"{name} is -1"))
      if (name, value) not in (("groups.tries", -1), ("train.epochs", 0))),
    (f"{GRPO} groups.drop_equal=true groups.tries=-1", 1, "tries is -1; it must be 0 or above"),
    (f"{GRPO} grpo.iterations=0 save_steps=3", 1, "grpo.iterations is 0; it must be above 0"),
    (f"{GRPO} grpo.iterations=2 save_steps=-3", 1, "train.save_steps is -3; it must be 0 or above"),
    (f"{GRPO} grpo.iterations=2", 1, None),
    ("train.learning_rate=.nan", 1, "train.learning_rate is nan; it must be above 0"),
    ("grpo.beta=.nan", 1, "grpo.beta is nan; it must be 0 or above"),
    (f"{GRPO} grpo.top_p=0", 1, "grpo.top_p is 0.0; it is a share above 0, at most 1"),
    (f"{GRPO} grpo.top_p=0.01", 1, None),
    (f"{VLLM} grpo.top_p=0", 1, "grpo.top_p is 0.0; it is a share above 0, at most 1"),
    (f"{GRPO} grpo.top_p=1.01", 1, "grpo.top_p is 1.01; it is a share above 0, at most 1"),
    ("curriculum.keep=0", 1, None),
    ("curriculum.keep=1", 1, None),
    ("curriculum.keep=-0.1", 1, "curriculum.keep is -0.1; it is a share in [0, 1]"),
    ("curriculum.keep=1.01", 1, "curriculum.keep is 1.01"),
    *((f"{name}={value}", 1, said) for name in ("model.lora_alpha", "data.rows")
      for value, said in ((1, None), (0, f"{name} is 0; it must be above 0"))),
    *((f"{name}={value}", 1, said)
      for name in ("seed", "train.weight_decay", "grpo.rollout_samples", "groups.epsilon",
                   "grpo.epsilon_high", "data.limit")
      for value, said in ((0, None), (-1, f"{name} is -1"))),
    ("data.limit=null grpo.epsilon_high=null model.lora_dropout=null", 1, None),
    *((f"{name}={value}", 1, None) for name in ("model.lora_dropout", "train.adam_beta2")
      for value in (0, 0.99)),
    *((f"{name}={value}", 1, f"{name} is {float(value)}; it is a share in [0, 1)")
      for name in ("model.lora_dropout", "train.adam_beta2") for value in (1, -0.1)),
    # pixels
    *((f"model.{name}={value}", 1, said) for name in ("min_pixels", "max_pixels")
      for value, said in ((1, None), (0, f"model.{name} is 0; it must be above 0"))),
    ("model.min_pixels=784 model.max_pixels=784", 1, None),
    ("model.min_pixels=785 model.max_pixels=784", 1, "model.min_pixels is 785 and model.max_pixels "
     "784; the first must not be the larger one"),
    # the tiny model, whose heads have four rotary parts
    *((f"model.hidden={width}", 1, None) for width in (16, 48, 112)),
    *((f"model.hidden={width}", 1, f"model.hidden is {width}; the tiny model's width is a multiple "
       "of 16") for width in (0, 8, 50, 56, -16)),
    ("model.hidden=50 model.name=x model.revision=a", 1, None),
    # levels
    ("data.levels=[]", 1, None),
    ("data.levels=[city,country]", 1, None),
    ("data.levels=[contry,city]", 1, "data.levels has 'contry'; did you mean country? It is of "
     "country, admin1, city"),
    ("data.levels=[admin2]", 1, "data.levels has 'admin2'; did you mean admin1?"),
    ("data.levels=[x]", 1, "data.levels has 'x'; it is of country, admin1, city"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "processes", "said"), CASES)
def test_a_rule_holds_on_one_side_of_its_bound_only(settings, processes, said):
    found = refusal(settings, processes)
    if said is None:
        assert found is None
    else:
        assert said in found
        assert len(found.splitlines()) == 1, "one mistake, one line"


def test_the_launcher_says_how_many_processes_there_are(monkeypatch):
    monkeypatch.delenv("WORLD_SIZE", raising=False)
    assert world_size() == 1
    monkeypatch.setenv("WORLD_SIZE", "4")
    assert world_size() == 4
    with pytest.raises(ConfigError, match="x processes = 256"):
        check(Config())


def test_the_first_process_is_the_one_of_rank_0_or_the_only_one(monkeypatch):
    monkeypatch.delenv("RANK", raising=False)
    assert is_first()
    for rank, first in (("0", True), ("1", False), ("10", False)):
        monkeypatch.setenv("RANK", rank)
        assert is_first() is first


@pytest.mark.parametrize(
    ("settings", "package"),
    [
        ("model.attention=flash_attention_2", "flash_attn"),
        ("model.attention=eager", None),
        ("task=grpo grpo.vllm=server", "vllm"),
        ("task=sft grpo.vllm=server", None),
        ("task=grpo grpo.vllm=off", None),
        ("train.report_to=[tensorboard]", "tensorboard"),
        ("train.report_to=[]", None),
    ],
)
def test_what_a_run_needs_of_packages(monkeypatch, tmp_path, settings, package):
    """Where nothing at all is installed."""
    run = load(None, settings.split(" "))
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    for name in ("flash_attn", "vllm", "tensorboard"):
        monkeypatch.setitem(sys.modules, name, None)
        monkeypatch.delitem(sys.modules, name)
    importlib.invalidate_caches()
    said = checks.missing_package(run)
    if package is None:
        assert said is None
    else:
        assert said.startswith(f"this run needs {package}, which is not installed; pip install")
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").touch()
        importlib.invalidate_caches()
        assert checks.missing_package(run) is None


def test_micro_batches_are_counted_and_never_none():
    run = load(None, ["train.batch=96", "train.per_device=8"])
    assert [accumulation(run, n) for n in (1, 2, 3, 12, 100)] == [12, 6, 4, 1, 1]


def test_a_setting_is_replaced_with_the_same_care():
    run = replace(Config(), train__report_to=["wandb"], grpo__vllm="off", seed=3)
    assert (run.train.report_to, run.grpo.vllm, run.seed) == (("wandb",), "off", 3)
    with pytest.raises(ConfigError, match=r"did you mean train\.batch"):
        replace(Config(), train__bach=3)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("train.batch.size=3", "train.batch is {'size': 3} (dict); expected int"),
        ("task=x task.y=2", "key 'task.y': 'task' is a value, not a block"),
        ("rewards.weights={geo_r: high}", "rewards.weights.geo_r is 'high' (str); expected float"),
        ("rewards.weights=[1]", "rewards.weights is [1] (list); expected dict"),
        ("data.levels=[[1]]", "data.levels is [1] (list); expected str"),
        ("data.question=true", "data.question is True (bool); expected str"),
        ("grpo.epsilon_high=x", "grpo.epsilon_high is 'x' (str); expected float"),
        ("learning_rate=true", "train.learning_rate is True (bool); expected float"),
        ("name=x y=2", "unknown key 'y'"),
        ("zzzzzzzz=2", "unknown key 'zzzzzzzz'; the keys are task, output, seed, model.name"),
        ("a.seed=2", "unknown key 'a'; did you mean task?"),
    ],
)  # fmt: skip
def test_values_of_the_wrong_kind_name_their_field(given, said):
    overrides = given.split(" ") if given[:4] in ("name", "task") else [given]
    with pytest.raises(ConfigError) as error:
        load(None, overrides)
    assert str(error.value).startswith(said)


def test_values_are_read_as_their_field_s_kind():
    run = load(
        None, ["data.levels=country", "data.question=7", "grpo.epsilon_high=1", "vllm_max_length="]
    )
    assert run.data.levels == ("country",)
    assert (run.data.question, run.grpo.epsilon_high) == ("7", 1.0)
    assert type(run.grpo.epsilon_high) is float
    assert run.grpo.vllm_max_length is None
