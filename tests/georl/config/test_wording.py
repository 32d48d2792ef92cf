"""The whole text of each refusal of a configuration, and what stands beside its bound."""

import importlib
import sys

import pytest

from georl.config import Config, ConfigError, check, checks, load
from tests.georl.config.refusing import refusal

GRPO = "task=grpo"
VLLM = f"{GRPO} grpo.vllm=colocate train.batch=64 train.per_device=8"
LOOK = "train.eval_steps=5 data.eval_table=world"
ASK = "task=predict predict.url=http://h:1/v1"
STREAM = "data.stream=true data.table=shards train.max_steps=9"
SCORES = ("accuracy_1km, accuracy_25km, accuracy_200km, accuracy_750km, accuracy_2500km, "
          "median_km, reward, answered")  # fmt: skip

WHOLE = [  # (settings, processes, the whole text; None: nothing is said)
    # the launch and the batch
    ("train.processes=2 train.per_device=8", 1,
     "train.processes is 2 but the launcher started 1; start with torchrun --nproc_per_node 2"),
    ("train.processes=4 train.strategy=fsdp train.per_device=8", 2, "train.processes is 4 but the "
     "launcher started 2; start with accelerate launch --num_processes 4"),
    (f"{ASK} train.processes=3", 1,
     "train.processes is 3 but the launcher started 1; start with torchrun --nproc_per_node 3"),
    ("train.batch=100 train.per_device=8", 3, "train.batch is 100, not a multiple of "
     "train.per_device x processes = 24; use 96 or 120"),
    ("train.batch=7 train.per_device=8", 1, "train.batch is 7, not a multiple of "
     "train.per_device x processes = 8; use 8 or 16"),
    ("train.batch=-8 train.per_device=8", 1, "train.batch is -8, not a multiple of "
     "train.per_device x processes = 8; use 8 or 16"),
    # held-out photos
    ("data.eval_split=val", 1,
     "data.eval_split without train.eval_steps; set it, e.g. train.eval_steps=200"),
    ("data.eval_table=world", 1,
     "data.eval_table without train.eval_steps; set it, e.g. train.eval_steps=200"),
    ("train.best_metric=reward", 1,
     "train.best_metric without train.eval_steps; set it, e.g. train.eval_steps=200"),
    ("data.eval_table=t data.eval_split=b train.best_metric=reward", 1,
     "data.eval_table and data.eval_split and train.best_metric without train.eval_steps; set it, "
     "e.g. train.eval_steps=200"),
    (f"{LOOK} train.best_metric=rewards", 1,
     f"train.best_metric is 'rewards'; did you mean reward? It is one of {SCORES}"),
    (f"{LOOK} train.best_metric=accuracy_2000km", 1,
     f"train.best_metric is 'accuracy_2000km'; did you mean accuracy_200km? It is one of {SCORES}"),
    (f"{LOOK} train.best_metric=zzz", 1,  # near none; the last by its letters
     f"train.best_metric is 'zzz'; did you mean reward? It is one of {SCORES}"),
    ("train.eval_steps=7", 1, "train.eval_steps is 7 and no photos are held out; set "
     "data.eval_table, or data.split and data.eval_split"),
    ("train.eval_steps=7 data.split=a", 1, "train.eval_steps is 7 and no photos are held out; set "
     "data.eval_table, or data.split and data.eval_split"),
    ("train.eval_steps=5 data.eval_split=b", 1,
     "data.eval_split without data.split, so its rows would be trained on; set both"),
    ("train.eval_steps=-1 data.eval_table=world data.eval_rows=3", 1,
     "train.eval_steps is -1 and data.eval_rows 3; both must be above 0"),
    (f"{LOOK} data.eval_rows=0", 1,
     "train.eval_steps is 5 and data.eval_rows 0; both must be above 0"),
    ("data.eval_rows=0", 1, None),
    ("train.strategy=deepspeed", 1, None),
    (f"{LOOK} train.strategy=deepspeed", 1, "train.eval_steps is 5 with train.strategy=deepspeed, "
     "under which answering while training was never tried; use train.strategy=fsdp, or set "
     "train.eval_steps=0 and answer with the checkpoints: georl predict"),
    (f"{ASK} train.best_metric=reward", 1, None),
    # streams
    (STREAM, 1, None),
    (f"{STREAM} train.max_steps=1", 1, None),
    (f"{STREAM} train.max_steps=0", 1, "data.stream without train.max_steps: a stream has no end, "
     "so epochs do not tell when to stop; set train.max_steps to rows x epochs / train.batch"),
    (f"{STREAM} data.table=world", 1,
     "data.stream with data.table=world, which has no shards; leave it out"),
    (f"{STREAM} {GRPO}", 1, "data.stream with task=grpo, which asks for photos by their number: "
     "groups, curriculum and answers that go on; leave it out, WebDataset shards and Parquet are "
     "then read in place, or laid out once"),
    # an end
    ("data.table=world train.max_steps=0", 1,
     "train.max_steps is 0; it must be above 0, or -1: train.epochs decides then"),
    ("train.max_steps=-2", 1,
     "train.max_steps is -2; it must be above 0, or -1: train.epochs decides then"),
    ("train.epochs=0", 1, "train.epochs is 0 and train.max_steps -1: nothing would be trained; set "
     "one of them"),
    ("train.epochs=0 train.max_steps=1", 1, None),
    ("train.epochs=0.001", 1, None),
    (f"{ASK} train.max_steps=0 train.epochs=0", 1, None),
    (f"{GRPO} train.max_steps=0", 1,
     "train.max_steps is 0; it must be above 0, or -1: train.epochs decides then"),
    (f"{GRPO} train.epochs=0", 1, "train.epochs is 0 and train.max_steps -1: nothing would be "
     "trained; set one of them"),
    # the hub and the trackers
    ("train.push_to=me", 1, "train.push_to is 'me', no name on the hub; write owner/name"),
    ("data.dataset=a/b/c", 1, "data.dataset is 'a/b/c', no name on the hub; write owner/name"),
    ("data.dataset=a/é", 1, "data.dataset is 'a/é', no name on the hub; write owner/name"),
    ("data.dataset=a/.b", 1, "data.dataset is 'a/.b', no name on the hub; write owner/name"),
    ("data.dataset=a./9-_.b train.push_to=0-a/Z", 1, None),
    (f"{ASK} train.push_to=me train.report_to=[x]", 1, None),
    ("train.report_to=[trackio,tensorboard,wandb]", 1, None),
    ("train.report_to=[wandb,tensorbord]", 1, "train.report_to has 'tensorbord'; did you mean "
     "tensorboard? There are trackio, tensorboard, wandb, or [] for none"),
    ("train.report_to=mlflow", 1, "train.report_to has 'mlflow'; there are trackio, tensorboard, "
     "wandb, or [] for none"),
    ("train.report_to=all", 1, "train.report_to has 'all'; there are trackio, tensorboard, wandb, "
     "or [] for none"),
    # groups
    (f"{GRPO} train.batch=60 per_device=60 grpo.share_prompts=false", 1,
     "train.batch is 60, not a multiple of grpo.generations = 8; use 56 or 64"),
    (f"{GRPO} train.batch=8 per_device=4 groups.drop_equal=true", 2,
     "answers per process is 4, not a multiple of grpo.generations = 8; use 8 or 16"),
    (f"{GRPO} grpo.generations=1", 1, "grpo.generations is 1; a group needs at least 2 answers"),
    (f"{GRPO} grpo.generations=0", 1, "grpo.generations is 0; a group needs at least 2 answers"),
    (f"{GRPO} groups.tries=1", 1,
     "groups.tries needs groups.drop_equal=true, which says what is replaced"),
    (f"{GRPO} grpo.loss=luspo", 1,
     "grpo.loss 'luspo' is a mean over answers; set grpo.ratio=sequence"),
    (f"{GRPO} grpo.loss=vespo grpo.ratio=sequence", 1,
     "grpo.loss 'vespo' weighs answers itself; set grpo.ratio=token"),
    # micro-batches: sizes are multiples of the group that divide what a process answers
    *((f"{GRPO} train.batch={batch} per_device={size}", world, f"train.per_device is {size}, which "
       "tears groups of grpo.generations = 8 apart, and prompts are shared inside a micro-batch; "
       f"use {fit}, or set grpo.share_prompts=false")
      for batch, size, world, fit in (
          (64, 4, 1, "8 or 16"),  # 8, 16, 32, 64
          (8, 4, 1, "8"),
          (240, 20, 1, "16 or 24"),  # 8, 16, 24, 40, ...
          (168, 28, 1, "8 or 24"),  # 8, 24, 56, 168: the nearest first is 24
          (336, 28, 2, "8 or 24"),  # 168 on each process
          (192, 12, 2, "8 or 16"),  # 96 on each process
          (176, 44, 1, "8 or 16"),  # 8, 16, 88, 176: away by 36, 28, 44, 132
      )),
    (f"{GRPO} train.batch=64 per_device=4 grpo.share_prompts=false", 1, None),
    (f"{GRPO} train.batch=64 per_device=8", 1, None),
    (f"{GRPO} train.batch=96 per_device=24", 1, None),
    (f"{GRPO} train.batch=24 per_device=4", 2, None),  # a group lies over both processes
    # checkpoints between sets of answers
    *((f"{GRPO} grpo.iterations=4 save_steps={steps}", 1, f"train.save_steps is {steps}, inside a "
       f"generation buffer that serves 4 steps, so a resumed run would differ; use {near}")
      for steps, near in ((1, 4), (5, 4), (7, 8), (9, 8), (11, 12))),
    # vLLM
    (f"{VLLM} grpo.vllm=server", 1,
     "grpo.vllm is 'server' but grpo.vllm_url is not set; give http://HOST:PORT"),
    (f"{VLLM} grpo.top_p=0.9", 1, "grpo.top_p is 0.9 with vLLM, whose probabilities are then those "
     "of a cut distribution and bias the ratio; set grpo.top_p=1 or grpo.vllm=off"),
    (f"{GRPO} grpo.top_p=0.9", 1, None),
    *((f"{VLLM} grpo.loss=vespo grpo.vllm_correction={name}", 1, f"grpo.vllm_correction is "
       f"{name!r}, and grpo.loss 'vespo' needs it by token; set "
       "grpo.vllm_correction=token_truncate") for name in ("sequence_truncate", "sequence_mask")),
    (f"{VLLM} grpo.loss=vespo grpo.vllm_correction=token_mask", 1, None),
    (f"{VLLM} grpo.vllm_tensor_parallel=3", 4, "grpo.vllm_tensor_parallel is 3; it must divide the "
     "4 processes, on whose GPUs a colocated vLLM lies"),
    (f"{VLLM} grpo.vllm=server grpo.vllm_url=http://h:1 grpo.vllm_tensor_parallel=-1", 4,
     "grpo.vllm_tensor_parallel is -1; it must divide the 4 processes, on whose GPUs a colocated "
     "vLLM lies"),
    (f"{VLLM} grpo.vllm_max_length=90 grpo.max_tokens=90", 1, "grpo.vllm_max_length is 90, and an "
     "answer alone may have grpo.max_tokens = 90; leave it out to have it derived"),
    (f"{VLLM} grpo.vllm_max_length=91 grpo.max_tokens=90", 1, None),
    *((f"{VLLM} grpo.vllm_memory={share}", 1, f"grpo.vllm_memory is {said}; it is a share of a "
       "GPU, above 0, below 1") for share, said in (("0", "0.0"), ("1", "1.0"), (".nan", "nan"))),
    *((f"{VLLM} grpo.vllm_correction_cap={cap}", 1,
       f"grpo.vllm_correction_cap is {said}; it must be above 0")
      for cap, said in (("0", "0.0"), (".nan", "nan"))),
    # a server that is asked
    ("task=predict", 1, "predict needs model.name (a folder or a hub name) or predict.url"),
    ("task=predict predict.url=''", 1,
     "predict.url '' is no http or https URL, e.g. http://localhost:8000/v1"),
    ("task=predict predict.url=ftp://h/v1", 1,
     "predict.url 'ftp://h/v1' is no http or https URL, e.g. http://localhost:8000/v1"),
    ("task=predict predict.url=http://[h/v1", 1,
     "predict.url 'http://[h/v1' is no http or https URL, e.g. http://localhost:8000/v1"),
    ("task=predict predict.url=http://:80/v1", 1,
     "predict.url 'http://:80/v1' is no http or https URL, e.g. http://localhost:8000/v1"),
    *((f"task=predict predict.url={url}", 1, "predict.url holds more than a host and a path; give "
       "the key by predict.key_variable")
      for url in ("http://me@h/v1", "http://@h/v1", "http://h/v1?key=1", "http://h/v1#a")),
    (f"{ASK} predict.key_variable=MY_TOKEN", 1, "predict.key_variable is 'MY_TOKEN', and only "
     "variables named ..._API_KEY may be sent to a server; rename it, e.g. MY_API_KEY"),
    *((f"{ASK} predict.key_variable={name}", 1, f"predict.key_variable is {name!r}, and only "
       "variables named ..._API_KEY may be sent to a server; rename it, e.g. MY_API_KEY")
      for name in ("_API_KEY", "2_API_KEY", "MYAPI_KEY", "API_KEY_2", "M\u0660_API_KEY")),
    (f"{ASK} predict.key_variable=A_API_KEY", 1, None),
    *((f"{ASK} predict.timeout_s={given}", 1, f"predict.timeout_s is {said}; it must be above 0")
      for given, said in (("-1", "-1.0"), (".nan", "nan"))),
    ("predict.url=ftp://h predict.key_variable=HOME predict.timeout_s=0", 1, None),  # for sft
    # the commit of a model
    ("model.name=Qwen/X", 1, "model 'Qwen/X' is not a folder here, so it is a hub name, and "
     "model.revision is not set; pin the commit you want, e.g. model.revision=<40 hex digits>"),
    ("task=predict model.name=Qwen/X", 1, "model 'Qwen/X' is not a folder here, so it is a hub "
     "name, and model.revision is not set; pin the commit you want, e.g. "
     "model.revision=<40 hex digits>"),
    # signs and shares
    *((f"{ASK} {name}={value}", 1, f"{name} is {said}; it must be above 0")
      for name in ("train.learning_rate", "grpo.temperature", "curriculum.radius_km")
      for value, said in (("0", "0.0"), ("-2", "-2.0"), (".nan", "nan"))),
    *((f"{ASK} {name}=0", 1, f"{name} is 0; it must be above 0")
      for name in ("train.per_device", "train.logging_steps", "grpo.iterations",
                   "predict.concurrency")),
    *((f"{ASK} {name}=1", 1, None)
      for name in ("train.per_device", "train.logging_steps", "grpo.iterations",
                   "predict.concurrency")),
    *((f"{ASK} {name}=1e-9", 1, None)
      for name in ("train.learning_rate", "grpo.temperature", "curriculum.radius_km")),
    *((f"curriculum.keep={value}", 1, f"curriculum.keep is {said}; it is a share in [0, 1]")
      for value, said in (("-0.001", "-0.001"), ("1.001", "1.001"), (".nan", "nan"))),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "processes", "said"), WHOLE)
def test_a_refusal_is_said_in_these_words(settings, processes, said):
    assert refusal(settings, processes) == said


def test_problems_are_told_in_the_order_of_the_run():
    given = ["task=grpo", "train.processes=2", "train.batch=100", "train.per_device=8",
             "train.eval_steps=3", "train.push_to=me", "train.report_to=[x]", "data.stream=true",
             "data.table=t", "train.max_steps=1", "grpo.vllm=server", "model.name=Q/X",
             "train.logging_steps=0", "curriculum.keep=3"]  # fmt: skip
    with pytest.raises(ConfigError) as error:
        check(load(None, given), 1)
    heads = [line.partition(" ")[0] for line in str(error.value).splitlines()]
    assert heads == [
        "train.processes", "train.batch", "train.eval_steps", "train.push_to", "train.report_to",
        "data.stream", "train.batch", "grpo.vllm", "model", "train.logging_steps",
        "curriculum.keep",
    ]  # fmt: skip


def test_the_launcher_is_asked_where_no_number_is_given(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    check(load(None, ["train.processes=2", "train.per_device=8"]))
    check(load(None, ["train.processes=1", "train.per_device=8"]), 1)


PACKAGES = [
    ("train.report_to=[trackio]", "trackio", "pip install trackio, or take it out of "
     "train.report_to"),
    ("train.report_to=[nothing,wandb] model.attention=flash_attention_2", "wandb",
     "pip install wandb, or take it out of train.report_to"),
    ("model.attention=flash_attention_2", "flash_attn",
     "pip install flash-attn, or set model.attention=sdpa"),
    ("task=grpo grpo.vllm=server", "vllm",
     "pip install '.[vllm]' in the clone, or set grpo.vllm=off"),
]  # fmt: skip


@pytest.mark.parametrize(("settings", "package", "remedy"), PACKAGES)
def test_what_is_missing_is_said_in_these_words(tmp_path, monkeypatch, settings, package, remedy):
    """Where nothing is installed but an empty folder of that name, as a run of wandb leaves it."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])
    monkeypatch.delitem(sys.modules, package, raising=False)
    (tmp_path / package).mkdir()
    importlib.invalidate_caches()
    said = checks.missing_package(load(None, settings.split(" ")))
    assert said == f"this run needs {package}, which is not installed; {remedy}"


def test_a_name_that_no_tracker_has_is_no_package_to_install():
    assert checks.missing_package(load(None, ["train.report_to=[nothing]"])) is None


@pytest.mark.parametrize(
    ("override", "said"),
    [
        ("train.learning_rate",
         "override 'train.learning_rate' is not key=value, e.g. train.learning_rate=1e-5"),
        ("epsilon=1", "key 'epsilon' could be grpo.epsilon or groups.epsilon; write one of them in "
         "full"),
        ("max_tokens=1", "key 'max_tokens' could be grpo.max_tokens or predict.max_tokens; write "
         "one of them in full"),
        ("train.bach=1", "unknown key 'train.bach'; did you mean train.batch?"),
        ("train.warmup=1", "unknown key 'train.warmup'; did you mean train.warmup_steps?"),
        ("modle.name=x", "unknown key 'modle'; did you mean model?"),
        ("learning_rte=1", "unknown key 'learning_rte'; did you mean train.learning_rate?"),
        ("train=3", "train is 3; expected a block of keys"),
        ("train.batch=many", "train.batch is 'many' (str); expected int"),
        ("train.batch=1.5", "train.batch is 1.5 (float); expected int"),
        ("train.batch=true", "train.batch is True (bool); expected int"),
        ("train.batch=", "train.batch is None (NoneType); expected int"),
        ("output=", "output is None (NoneType); expected str"),
        ("output=2001-02-03", "output is datetime.date(2001, 2, 3) (date); expected str"),
        ("output=[a]", "output is ['a'] (list); expected str"),
        ("train.epochs=[1]", "train.epochs is [1] (list); expected float"),
        ("train.epochs=few", "train.epochs is 'few' (str); expected float"),
        ("train.resume=1", "train.resume is 1 (int); expected bool"),
        ("train.resume='yes'", "train.resume is 'yes' (str); expected bool"),
        ("data.levels=7", "data.levels is 7 (int); expected tuple[str, ...]"),
        ("data.levels={a: b}", "data.levels is {'a': 'b'} (dict); expected tuple[str, ...]"),
        ("data.levels=[a, true]", "data.levels is True (bool); expected str"),
        ("rewards.weights=[1]", "rewards.weights is [1] (list); expected dict[str, float]"),
        ("rewards.weights={a: b}", "rewards.weights.a is 'b' (str); expected float"),
        ("rewards.arguments={a: 1}", "rewards.arguments.a is 1 (int); expected "
         "dict[str, typing.Any]"),
        ("data.prompt=off", "data.prompt is False; expected one of cor, cot, location"),
        ("grpo.vllm=0", "grpo.vllm is 0; expected one of off, colocate, server"),
        ("grpo.vllm=true", "grpo.vllm is True; expected one of off, colocate, server"),
        ("rewards.preset=glob", "rewards.preset is 'glob'; expected one of geo-r, globe, "
         "globe-release, globe-readme, globe-two"),
        ("rewards.preset=7", "rewards.preset is '7'; expected one of geo-r, globe, globe-release, "
         "globe-readme, globe-two"),
    ],
)  # fmt: skip
def test_a_wrong_setting_is_said_in_these_words(override, said):
    with pytest.raises(ConfigError) as error:
        load(None, [override])
    assert str(error.value) == said


def test_values_become_their_field_s_kind():
    found = load(None, [" seed = 3 ", "data.version=4", "train.epochs=2", "grpo.vllm=false",
                        "train.learning_rate='1e-3'", "data.where=a = 'b=c'", "output=1.5",
                        "rewards.arguments={geo_r: {knots_km: [1, 2]}}",
                        "rewards.weights={1: 2}", "limit=9"])  # fmt: skip
    assert (found.seed, found.data.version, found.output) == (3, "4", "1.5")
    assert (type(found.train.epochs), found.train.epochs) == (float, 2.0)
    assert (found.grpo.vllm, found.train.learning_rate) == ("off", 1e-3)
    assert (found.data.where, found.data.limit) == ("a = 'b=c'", 9)
    assert found.rewards.arguments == {"geo_r": {"knots_km": [1, 2]}}
    assert found.rewards.weights == {"1": 2.0}
    assert load(None, ["data.levels=[a, 2]"]).data.levels == ("a", "2")
    assert load(None, ["data.levels=[]"]).data.levels == ()
    assert load(None, []) == Config()
