"""Files of settings: which is read, what is said of one that is none, and what is written again."""

import json

import pytest
import yaml

from georl import config
from georl.config import Config, ConfigError, check, load, load_reason, presets, tree, untrusted
from georl.config.adapters import stored_adapter, unpinned_base
from georl.config.reason import ReasonConfig, check_reason, recorded

BUNDLED = ("globe-7b-8xa100, globe-tiny-cpu, qwen2.5-vl-3b-1gpu-lora, qwen2.5-vl-3b-8xa100, "
           "qwen2.5-vl-7b-8xa100, reward-model-7b, reward-model-tiny-cpu, tiny-cpu")  # fmt: skip


def refused(call, *given, kind=ConfigError):
    with pytest.raises(kind) as error:
        call(*given)
    return str(error.value)


# ---- which file


@pytest.mark.parametrize(
    ("reads", "name", "said"),
    [
        (load, "tiny-gpu", f"{BUNDLED}; did you mean tiny-cpu?"),
        (load, "tiny-cpu.yml", f"{BUNDLED}; did you mean tiny-cpu.yaml?"),
        (load, "zzz", BUNDLED),
        (load, "two-servers", BUNDLED),
        (load_reason, "two-server", "two-servers; did you mean two-servers?"),
        (load_reason, "tiny-cpu", "two-servers"),
    ],
)
def test_a_file_that_is_not_there_is_told_with_those_that_are(reads, name, said):
    told = refused(reads, name)
    assert told == f"{name}: no such file, and no bundled configuration either: {said}"


def test_bundled_files_go_by_their_name_with_and_without_ending():
    names = BUNDLED.split(", ")
    assert [*tree.bundled()] == [*names, *(f"{name}.yaml" for name in names)]
    for name, path in tree.bundled().items():
        assert (path.is_file(), path.name) == (True, f"{name.removesuffix('.yaml')}.yaml")
    assert [*tree.bundled("reason")] == ["two-servers", "two-servers.yaml"]
    assert load("tiny-cpu.yaml") == load("tiny-cpu") != Config()
    assert load_reason("two-servers.yaml") == load_reason("two-servers") != ReasonConfig()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[1, 2]", "expected a mapping of keys, found list"),
        ("just text", "expected a mapping of keys, found str"),
        ("3", "expected a mapping of keys, found int"),
        ("seed: 1\na: [\n", "not valid YAML in line 3: expected the node content, but found "
         "'<stream end>'; correct the line"),
        ("seed: \x01", "not valid YAML: cannot be read; correct the line"),
        ("seed: 18446744073709551616", "a whole number of 65 bits; give one of 64"),
        ("seed: -18446744073709551616", "a whole number of 65 bits; give one of 64"),
        ("18446744073709551616: 1", "a whole number of 65 bits; give one of 64"),
        ("data: !!set {18446744073709551616}", "a whole number of 65 bits; give one of 64"),
        ("data: !!pairs [a: 18446744073709551616]", "a whole number of 65 bits; give one of 64"),
        ('output: "a\\0b"', r"text that no file can hold: 'a\x00b'; correct it"),
        ('"\\ud800": 1', r"text that no file can hold: '\ud800'; correct it"),
        ('output: "\\0' + "é" * 100 + '"', r"text that no file can hold: '\x00" + "\\xe9" * 79
         + "'; correct it"),
        ("data: &d\n  table: *d\n",
         "its aliases unfold into more than 100000 values; write them out"),
        ("[" * 100_000, "nested too deeply for a configuration"),
        (b"output: \xe9\n", "not UTF-8 at byte 8; save it as UTF-8"),
        (b"#" * ((1 << 20) + 1), "larger than 1 MiB, which no configuration is"),
    ],
)  # fmt: skip
def test_what_a_file_cannot_be_is_said_in_these_words(tmp_path, text, said):
    path = tmp_path / "run.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    assert refused(load, path) == f"{path}: {said}"


def test_how_to_lift_a_limit_is_not_told():
    told = refused(untrusted.parsed, "9" * 5000, "here", kind=ValueError)
    assert told.startswith("here: a value that YAML takes for a number or a date is none: Exceeds")
    assert told.endswith("5000 digits; quote it")
    told = refused(untrusted.parsed, "2001-99-99", "here", kind=ValueError)  # a newer one says more
    assert told.startswith(
        "here: a value that YAML takes for a number or a date is none: month must be in 1..12"
    )
    assert told.endswith("; quote it")


def test_an_override_is_named_as_it_was_given():
    assert refused(load, None, ["seed=[1"]) == (
        "override 'seed=[1': not valid YAML in line 1: expected ',' or ']', but got "
        "'<stream end>'; correct the line"
    )


def test_values_of_any_kind_are_shown_short():
    assert len(untrusted.shown(b"x" * 500)) == 200
    assert untrusted.shown(b"x" * 197) == repr(b"x" * 197)
    assert untrusted.shown({"a": 1}) == "{'a': 1}"


def test_an_empty_file_is_the_defaults(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_text("# nothing\n")
    assert load(path) == Config()
    path.write_text("3: 4\n")
    assert refused(load, path).startswith("unknown key '3'; ")
    path.write_text("train:\n  zz: 4\n")
    assert refused(load, path).startswith("unknown key 'train.zz'; did you mean train.")
    assert refused(tree.fill, Config, 3) == "the configuration is 3; expected a block of keys"


# ---- what is written again


def test_a_run_is_written_in_the_order_of_its_fields_and_in_its_own_letters():
    run = load(None, ["data.question=Où?", "train.report_to=[wandb]", "data.levels=[city]"])
    text = config.dump(run)
    assert "  question: Où?\n" in text
    found = yaml.safe_load(text)
    assert [*found] == ["task", "output", "seed", "model", "data", "train", "grpo", "rewards",
                        "groups", "curriculum", "predict"]  # fmt: skip
    assert [*found["rewards"]] == ["weights", "arguments", "preset"]
    assert (found["train"]["report_to"], found["data"]["levels"]) == (["wandb"], ["city"])
    assert config.plain({"a": {"b": (1, "x")}, "c": (2,), "d": 3}) == {
        "a": {"b": [1, "x"]}, "c": [2], "d": 3,
    }  # fmt: skip


def test_weights_of_a_preset_are_written_out_and_single_ones_changed(tmp_path):
    weights = ["rewards.weights.format=0.5", "rewards.weights.localizability=3"]
    run = load(None, ["rewards.preset=globe", *weights, "rewards.arguments={format: {a: 1}}"])
    assert run.rewards.weights == {
        "place_accuracy": 1.0, "localizability": 3.0, "visual_grounding": 1.0, "format": 0.5,
    }  # fmt: skip
    assert run.rewards.arguments == {"format": {"a": 1}}
    path = tmp_path / "run.yaml"
    path.write_text(config.dump(run))
    assert load(path) == run
    path.write_text("rewards:\n  preset: geo-r\n  weights:\n")
    assert load(path).rewards.weights == {"geo_r": 1.0}
    path.write_text("rewards:\n  preset:\n  weights: {format: 2}\n")
    assert load(path).rewards.weights == {"format": 2.0}
    assert refused(load, None, ["rewards=3"]) == "rewards is 3; expected a block of keys"
    presets.preset_weights("geo-r")["geo_r"] = 9.0
    assert presets.preset_weights("geo-r") == {"geo_r": 1.0}


@pytest.mark.parametrize("weights", ["[1]", "3", "geo_r", "true"])
def test_weights_that_are_none_are_refused_beside_a_preset_too(weights):
    told = refused(load, None, ["rewards.preset=geo-r", f"rewards.weights={weights}"])
    assert told.startswith("rewards.weights is ")
    assert told.endswith("expected dict[str, float]")


# ---- folders of LoRA weights


def adapter(folder, settings):
    folder.mkdir()
    text = settings if isinstance(settings, str) else json.dumps(settings)
    (folder / "adapter_config.json").write_text(text, encoding="utf-8")
    return folder


def test_a_folder_of_lora_weights_is_refused_in_these_words(tmp_path):
    path = adapter(tmp_path / "broken", '{"r": ')
    told = refused(stored_adapter, str(path))
    assert told == (
        f"{path / 'adapter_config.json'} is damaged (Expecting value: line 1 column 7 (char 6)); "
        "copy it again from where it was trained"
    )
    deep = adapter(tmp_path / "deep", "[" * 100_000)
    assert " is damaged (" in refused(stored_adapter, str(deep))
    for number, settings in enumerate(({"r": 4}, [1], {"base_model_name_or_path": ""}, "3")):
        path = adapter(tmp_path / f"unnamed-{number}", settings)
        assert refused(stored_adapter, str(path)) == (
            f"{path / 'adapter_config.json'} does not name the model that its weights belong to "
            "(base_model_name_or_path)"
        )


def test_what_lies_below_an_adapter_is_a_folder_or_pinned(tmp_path):
    whole = tmp_path / "whole"
    whole.mkdir()
    on_folder = adapter(tmp_path / "a", {"base_model_name_or_path": str(whole), "r": 4})
    assert stored_adapter(str(on_folder)) == {"base_model_name_or_path": str(whole), "r": 4}
    assert unpinned_base(str(on_folder)) is None
    assert stored_adapter(str(whole)) is unpinned_base(str(whole)) is None
    on_adapter = adapter(
        tmp_path / "b", {"base_model_name_or_path": str(on_folder), "revision": "f" * 40}
    )
    assert unpinned_base(str(on_adapter)) == (
        f"{on_adapter} holds LoRA weights on {str(on_folder)!r}, which holds LoRA weights itself; "
        f"merge the lower ones first: model.name={on_folder} model.lora_rank=0"
    )
    on_hub = adapter(tmp_path / "c", {"base_model_name_or_path": "Qwen/X"})
    told = (
        f"{on_hub} holds LoRA weights on 'Qwen/X', which is not a folder here, so it is a hub "
        'name, and adapter_config.json pins no commit; write "revision": "<40 hex digits>" beside '
        "its base_model_name_or_path"
    )
    assert unpinned_base(str(on_hub)) == told
    assert refused(check, load(None, [f"model.name={on_hub}"]), 1) == told
    asked = ["task=predict", f"model.name={on_hub}", "predict.url=http://h:1/v1"]
    check(load(None, asked), 1)  # nothing of it is loaded


# ---- reasoning sets

TWO = ["photos.table=t.csv", "models.a.url=http://a/v1", "models.a.model=a",
       "models.b.url=http://b/v1", "models.b.model=b"]  # fmt: skip
URL = "is no http or https URL, e.g. http://localhost:8000/v1"


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ("photos.table=", "photos.table is None (NoneType); expected str"),
        ("models.a.modle=m", "unknown key 'models.a.modle'; did you mean models.a.model?"),
        ("models.a.zzzz=m", "unknown key 'models.a.zzzz'; keys: url, model, key_variable, "
         "concurrency, requests_per_second, retries, timeout_s, localizability, max_tokens, "
         "temperature, seed, usd_per_million_in, usd_per_million_out, seconds_per_call"),
        ("models.a=3", "models.a is 3; expected a block of keys"),
        ("models.a.localizability=no", "models.a.localizability is False; expected one of answer, "
         "first_token"),
        ("photos.table=''", "photos.table is not set; name a table of a lake or a file of photos"),
        ("models.b.model=a", "two of models are the same model with the same options; their "
         "agreement says nothing"),
        ("models.b.url=null", f"models.b.url '' {URL}"),
        ("models.a.model=''", "models.a.model is not set; give the name that the server knows"),
        ("models.b.concurrency=0",
         "models.b.concurrency must be above 0, and retries not below 0"),
        ("models.a.key_variable=HOME", "models.a.key_variable is 'HOME', and only variables named "
         "..._API_KEY may be sent to a server; rename it, e.g. MY_API_KEY"),
        ("models.a.key_variable=NONE_SET_API_KEY", "models.a.key_variable is NONE_SET_API_KEY, "
         "which is not set in the environment; export NONE_SET_API_KEY=..., or set "
         "models.a.key_variable=null for a server without keys"),
        ("models.b.timeout_s=0", "models.b.timeout_s is 0.0; it must be above 0"),
        ("agree.url=http://x", "agree.model is not set; give the name that the server knows"),
        ("agree.url=''", f"agree.url '' {URL}\n"
         "agree.model is not set; give the name that the server knows"),
        ("verify.url=http://x", "verify.model is not set; give the name that the server knows"),
        ("agree.retries=-1 verify.concurrency=0", None),  # of no server
        ("verify.file=f verify.url=http://x verify.model=m", "verify.file and verify.url are both "
         "set; what is visible is said by one of them"),
        ("give_up=0", "photos.max_pixels and give_up must be above 0"),
        ("photos.max_pixels=0", "photos.max_pixels and give_up must be above 0"),
        *((f"{name}={value}", f"{name} is {value}; it lies in [0, 1]")
          for name in ("filter.min_localizability", "verify.min_share", "verify.min_score",
                       "agree.min_similarity") for value in (-0.01, 1.01)),
    ],
)  # fmt: skip
def test_a_reasoning_set_is_refused_in_these_words(monkeypatch, settings, said):
    monkeypatch.setenv("HOME", "/somewhere")
    monkeypatch.delenv("NONE_SET_API_KEY", raising=False)

    def read():
        check_reason(load_reason(None, [*TWO, *settings.split(" ")]))

    if said is None:
        read()
    else:
        with pytest.raises(ConfigError) as error:
            read()
        found = str(error.value)
        if settings == "models.a.key_variable=HOME":
            assert found.splitlines()[0] == said
        else:
            assert found == said


def test_problems_of_a_reasoning_set_are_told_at_once_and_in_order():
    given = ["give_up=0", "verify.min_share=2", "models.a.url=ftp://x", "models.a.retries=-1"]
    assert refused(check_reason, load_reason(None, given)).splitlines() == [
        "photos.table is not set; name a table of a lake or a file of photos",
        "models has 1 entries, and agreement needs two or more; add models.NAME.url and "
        "models.NAME.model",
        f"models.a.url 'ftp://x' {URL}",
        "models.a.model is not set; give the name that the server knows",
        "models.a.concurrency must be above 0, and retries not below 0",
        "photos.max_pixels and give_up must be above 0",
        "verify.min_share is 2.0; it lies in [0, 1]",
    ]
    told = refused(check_reason, ReasonConfig()).splitlines()
    assert told[1].startswith("models has 0 entries, ")


@pytest.mark.parametrize(
    ("given", "least"),
    [("agree.place_km=1", 0.2), ("agree.url=http://x", 0.7), ("agree.min_similarity=0", 0.0),
     ("agree.min_similarity=0.4 agree.url=http://x", 0.4)],
)  # fmt: skip
def test_the_similarity_asked_for(given, least):
    found = load_reason(None, given.split(" "))
    assert found.agree.least == least
    assert recorded(found)["agree"]["min_similarity"] == least


def test_what_decides_the_rows_of_a_set_is_recorded_and_nothing_else():
    way = {"url": "http://a/v1", "key_variable": "A_API_KEY", "concurrency": 3, "retries": 2,
           "requests_per_second": 7.0, "timeout_s": 9.0}  # fmt: skip
    price = {"usd_per_million_in": 1.5, "usd_per_million_out": 2.5, "seconds_per_call": 0.5}
    what = {"model": "m", "localizability": "first_token", "max_tokens": 77, "temperature": 0.25,
            "seed": 5}  # fmt: skip
    blocks = {
        "photos": {"image": "img", "id": "key", "split": "val", "limit": 6, "max_pixels": 4444},
        "filter": {"min_localizability": 0.125},
        "truth": {"near_km": 3.0, "need_city": False, "predictor_km": 8.0,
                  "predictor_confidence": 0.5},
        "agree": {"model": "e", "place_km": 4.0, "min_similarity": 0.375},
        "verify": {"model": "v", "min_score": 0.75, "min_share": 0.625},
    }  # fmt: skip
    given = {
        **blocks, "question": "Which?", "output": "o", "table": "lake/t", "give_up": 4,
        "models": {"a": way | price | what},
    }  # fmt: skip
    more = {"photos": {"table": "t.csv", "image_root": "r"}, "truth": {"predictor": "p.csv"},
            "agree": way, "verify": way | {"file": "f.csv"}}  # fmt: skip
    whole = given | {name: given[name] | block for name, block in more.items()}
    found = tree.fill(ReasonConfig, whole)
    assert recorded(found) == {**blocks, "question": "Which?", "models": {"a": what}}
    assert found.verify.file == "f.csv"
