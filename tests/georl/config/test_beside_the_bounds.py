"""What stands just beside a rule's bound, and files and versions that are found elsewhere."""

import importlib
import importlib.metadata
import json
import sys

import pytest

from georl.config import ConfigError, check, checks, load, load_reason, stored_adapter, tree
from georl.config.adapters import unpinned_base
from tests.georl.config.refusing import refusal

GRPO = "task=grpo"


def torn(size, group, fit):
    return (
        f"train.per_device is {size}, which tears groups of grpo.generations = {group} apart, and "
        f"prompts are shared inside a micro-batch; use {fit}, or set grpo.share_prompts=false"
    )


@pytest.mark.parametrize(
    ("settings", "processes", "said"),
    [
        (f"{GRPO} grpo.generations=2 train.batch=6 per_device=3", 1, torn(3, 2, "2 or 6")),
        (f"{GRPO} train.batch=64 per_device=1", 1, torn(1, 8, "8 or 16")),
        (f"{GRPO} train.batch=64 per_device=1 grpo.share_prompts=false", 1, None),
        (f"{GRPO} per_device=-3", 1, "train.per_device is -3; it must be above 0"),
        (f"{GRPO} grpo.vllm=server grpo.vllm_url=http://h:1 grpo.vllm_tensor_parallel=3 "
         "per_device=8", 4, None),  # its cards are not those of the run
        ("train.batch=0 train.per_device=1", 1, "train.batch is 0, not a multiple of "
         "train.per_device x processes = 1; use 1 or 2"),
        ("train.batch=5 train.per_device=1", 1, None),
        (f"{GRPO} grpo.vllm=colocate per_device=8 grpo.top_p=1.01", 1,
         "grpo.top_p is 1.01; it is a share above 0, at most 1"),
        (f"{GRPO} grpo.vllm=colocate per_device=8 grpo.vllm_correction_cap=0.5", 1, None),
        (f"{GRPO} grpo.iterations=1 save_steps=7", 1, None),
        (f"{GRPO} grpo.iterations=3 save_steps=3", 1, None),
        ("data.stream=true data.table=shards train.max_steps=1", 1, None),
        ("data.stream=true data.table=shards train.max_steps=0", 1,
         "data.stream without train.max_steps: a stream has no end, so epochs do not tell when to "
         "stop; set train.max_steps to rows x epochs / train.batch"),
        ("train.eval_steps=1 data.eval_table=world data.eval_rows=0", 1,
         "train.eval_steps is 1 and data.eval_rows 0; both must be above 0"),
        ("train.eval_steps=-1 data.eval_table=world", 1,
         "train.eval_steps is -1 and data.eval_rows 256; both must be above 0"),
    ],
)  # fmt: skip
def test_just_beside_a_bound(settings, processes, said):
    assert refusal(settings, processes) == said


@pytest.mark.parametrize("value", ["3", "[a]", "word", "null"])
def test_servers_that_are_no_block_are_refused(value):
    with pytest.raises(ConfigError, match=r"^models is .*; expected dict\[str"):
        load_reason(None, [f"models={value}"])


# ---- packages


@pytest.fixture
def there(tmp_path, monkeypatch):
    """A function that installs packages; nothing else is there."""
    monkeypatch.setattr(sys, "path", [str(tmp_path)])

    def installs(**versions):
        for name, version in versions.items():
            monkeypatch.delitem(sys.modules, name, raising=False)
            (tmp_path / name).mkdir()
            (tmp_path / name / "__init__.py").touch()
            if version is not None:
                about = tmp_path / f"{name}-{version}.dist-info"
                about.mkdir()
                (about / "METADATA").write_text(
                    f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
                )
        importlib.invalidate_caches()

    return installs


def other(version):
    return (
        f"vllm {version} is installed, and TRL drives 0.22 up to below 0.32; "
        "pip install 'vllm>=0.22,<0.32', or set grpo.vllm=off"
    )


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("0.22.0", True), ("0.22", True), ("0.22.1rc2", True), ("0.31.9", True), ("0.25.0", True),
        ("0.21.9", False), ("0.32.0", False), ("0.9.1", False), ("1.25.0", False),
        (None, True),  # a build of one's own
    ],
)  # fmt: skip
def test_vllm_is_one_that_trl_drives(there, version, fits):
    there(vllm=version)
    run = load(None, [GRPO, "grpo.vllm=colocate"])
    assert checks.missing_package(run) == (None if fits else other(version))
    assert checks.missing_package(load(None, [GRPO])) is None


def test_the_version_of_vllm_is_nobody_else_s(there):
    there(flash_attn="0.1.0", vllm="0.1.0", wandb="0.1.0")
    more = ["model.attention=flash_attention_2", "train.report_to=[wandb]"]
    assert checks.missing_package(load(None, [GRPO, *more])) is None
    assert checks.missing_package(load(None, [GRPO, *more, "grpo.vllm=server"])) == other("0.1.0")


def test_the_first_package_that_is_missing_is_told(there):
    there(trackio=None)
    more = ["train.report_to=[trackio,tensorboard,wandb]", "model.attention=flash_attention_2"]
    said = checks.missing_package(load(None, [GRPO, "grpo.vllm=server", *more]))
    assert said.startswith("this run needs tensorboard, ")
    there(tensorboard=None, wandb=None)
    said = checks.missing_package(load(None, [GRPO, "grpo.vllm=server", *more]))
    assert said.startswith("this run needs flash_attn, ")
    there(flash_attn=None)
    said = checks.missing_package(load(None, [GRPO, "grpo.vllm=server", *more]))
    assert said.startswith("this run needs vllm, ")


# ---- bundled files


def test_files_lie_inside_the_package_or_beside_it(tmp_path, monkeypatch):
    """In a wheel and in a checkout; of both, those of the package."""
    monkeypatch.setattr(tree, "__file__", str(tmp_path / "georl" / "config" / "tree.py"))
    assert tree.bundled() == {}
    for folder, name in (("configs", "beside"), ("georl/configs", "inside")):
        (tmp_path / folder / "reason").mkdir(parents=True)
        (tmp_path / folder / f"{name}.yaml").write_text("seed: 3\n")
        (tmp_path / folder / "reason" / f"r-{name}.yaml").touch()
        (tmp_path / folder / "notes.txt").touch()
        assert [*tree.bundled()] == [name, f"{name}.yaml"]
        assert [*tree.bundled("reason")] == [f"r-{name}", f"r-{name}.yaml"]
        assert load(name).seed == 3


def test_a_file_that_is_there_stands_before_a_bundled_one_of_its_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    bundled = load("tiny-cpu")
    (tmp_path / "tiny-cpu").write_text("seed: 77\n")
    assert load("tiny-cpu").seed == 77 != bundled.seed
    (tmp_path / "tiny-cpu.yaml").mkdir()
    assert load("tiny-cpu.yaml") == bundled


# ---- what is meant


def test_a_short_key_without_its_block_is_found_by_its_end(tmp_path):
    """Alike by less than 0.4: two letters of nine."""
    (tmp_path / "reason.yaml").write_text("id: photo\n")
    with pytest.raises(ConfigError) as error:
        load_reason(tmp_path / "reason.yaml")
    assert str(error.value) == "unknown key 'id'; did you mean photos.id?"


@pytest.mark.parametrize(
    ("override", "near"),
    [("beta2=1", "grpo.beta"), ("gpus=2", "groups"), ("train.optimizer=a", "train.workers")],
)
def test_a_key_that_is_only_somewhat_alike_is_suggested(override, near):
    """Of blocks alike by 0.6, of keys by 0.4."""
    with pytest.raises(ConfigError) as error:
        load(None, [override])
    key = override.partition("=")[0]
    assert str(error.value) == f"unknown key {key!r}; did you mean {near}?"


@pytest.mark.parametrize(
    ("key", "said"), [("name", "did you mean models.a.model?"), ("endpoint", "keys: url, model, ")]
)
def test_a_key_of_a_server_is_suggested_by_four_tenths(key, said):
    with pytest.raises(ConfigError) as error:
        load_reason(None, [f"models.a.{key}=x"])
    assert str(error.value).startswith(f"unknown key 'models.a.{key}'; {said}")


def test_a_tracker_is_suggested_by_half_its_letters():
    with pytest.raises(ConfigError) as error:
        check(load(None, ["train.report_to=[wb]", "train.per_device=64"]), 1)
    assert str(error.value) == (
        "train.report_to has 'wb'; did you mean wandb? There are trackio, tensorboard, wandb, or "
        "[] for none"
    )


@pytest.mark.parametrize("base", ["3", '["Qwen/X"]', '{"name": "Qwen/X"}', "true", '""', "null"])
def test_an_adapter_names_its_model_in_words(tmp_path, base):
    (tmp_path / "adapter_config.json").write_text(f'{{"base_model_name_or_path": {base}}}')
    for read in (stored_adapter, unpinned_base):
        with pytest.raises(ConfigError, match=r"does not name the model that its weights belong"):
            read(str(tmp_path))


def test_a_model_in_a_folder_needs_no_commit(tmp_path):
    assert refusal(f"model.name={tmp_path}", 1) is None
    assert refusal(f"model.name={tmp_path / 'x'}", 1).startswith(f"model '{tmp_path / 'x'}' is not")


def test_an_adapter_s_model_is_a_folder_or_has_its_commit_beside_it(tmp_path):
    def told(base, **more):
        settings = {"base_model_name_or_path": base, **more}
        (tmp_path / "adapter_config.json").write_text(json.dumps(settings))
        return unpinned_base(str(tmp_path))

    assert told("Qwen/X", revision="abc") is None
    assert told(str(tmp_path.parent)) is None
    for nothing in ({}, {"revision": None}, {"revision": ""}):
        assert told("Qwen/X", **nothing).startswith(
            f"{tmp_path} holds LoRA weights on 'Qwen/X', which is not a folder here"
        )
