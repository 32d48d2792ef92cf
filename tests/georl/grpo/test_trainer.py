"""What would go wrong without a word in GRPO: the reference, pictures, groups, sampling."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import torch
from PIL import Image
from trl.generation import vllm_generation

from georl import data, grpo, models, sft
from georl.config import ConfigError, check, load, replace
from georl.grpo import first_batch, trainer as module
from georl.grpo.shared_trainer import _until_end
from georl.run import JsonLines

from ..tiny_runs import SMALL, write_places

pytestmark = pytest.mark.filterwarnings("ignore::FutureWarning", "ignore::UserWarning")

SETTINGS = [*SMALL, "train.logging_steps=1", "grpo.max_tokens=24", "grpo.generations=4"]
SIZES = ["train.batch=8", "train.per_device=8", "train.max_steps=1"]


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    torch.set_num_threads(1)
    return write_places(tmp_path_factory.mktemp("world"))


def settings(places, output, *more):
    return load(None, [*SETTINGS, *SIZES, f"data.places={places}", f"output={output}", *more])


@pytest.fixture(scope="module")
def stages(places, tmp_path_factory):
    """The folders of a full model, and of LoRA weights trained on top of it."""
    folder = tmp_path_factory.mktemp("stages")
    steps = ["task=sft", "train.max_steps=15", "learning_rate=1e-2"]
    base = sft.train(settings(places, folder / "base", *steps))
    more = [f"model.name={base}", "model.lora_rank=8"]
    return base, sft.train(settings(places, folder / "lora", *steps, *more))


def grpo_run(places, output, model, *more):
    return settings(places, output, "task=grpo", f"model.name={model}", *more)


@pytest.mark.parametrize("rank", [0, 8], ids=["merged", "goes on"])
@pytest.mark.parametrize("share", ["true", "false"])
def test_the_penalty_starts_from_the_model_that_the_run_starts_from(
    places, stages, tmp_path, rank, share
):
    """TRL rebuilds the reference from the name in the configuration: the model before LoRA."""
    more = ["grpo.beta=0.5", f"model.lora_rank={rank}", f"grpo.share_prompts={share}"]
    grpo.train(grpo_run(places, tmp_path, stages[1], *more))
    row = JsonLines(tmp_path / "metrics.jsonl").read()[0]
    assert row["kl"] == pytest.approx(0.0, abs=1e-7)


def shorter(completions, **_):
    """A reward in which answers of any model differ."""
    return [-float(len(chat[0]["content"])) for chat in completions]


def test_the_reference_stays_while_the_policy_moves(places, stages, tmp_path):
    run = grpo_run(places, tmp_path, stages[1], "grpo.beta=0.5", "learning_rate=1e-2")
    trainer = grpo.build(run, reward_funcs=[shorter])
    before = {name: value.clone() for name, value in trainer.ref_model.named_parameters()}
    assert not any(value.requires_grad for value in trainer.ref_model.parameters())
    trainer.train()
    policy = dict(trainer.model.named_parameters())
    after = dict(trainer.ref_model.named_parameters())
    assert all(torch.equal(before[name], after[name]) for name in before)
    assert any(not torch.equal(policy[name], after[name]) for name in after)


@pytest.mark.parametrize(
    ("more", "expected"),
    [(["model.lora_rank=8"], 0.0), (["model.lora_rank=4", "model.lora_dropout=0.1"], 0.1)],
    ids=["stored with 0.05", "asked for"],
)
def test_updates_drop_nothing_out_that_sampling_keeps(places, stages, tmp_path, more, expected):
    base, lora = stages
    assert json.loads((lora / "adapter_config.json").read_text())["lora_dropout"] == 0.05
    model = lora if "model.lora_rank=8" in more else base
    trainer = grpo.build(grpo_run(places, tmp_path, model, *more))
    rates = {m.p for m in trainer.model.modules() if isinstance(m, torch.nn.Dropout)}
    assert rates <= {0.0, expected}
    assert expected in rates or not expected


@pytest.mark.parametrize("shared", ["true", "false"])
def test_answers_are_sampled_without_dropout_and_updates_made_with_it(
    places, stages, tmp_path, shared
):
    more = ["model.lora_rank=4", "model.lora_dropout=0.5", f"grpo.share_prompts={shared}"]
    trainer = grpo.build(grpo_run(places, tmp_path, stages[0], *more), reward_funcs=[shorter])
    modes = {True: set(), False: set()}  # whether layers drop out, by whether gradients are kept
    for layer in trainer.model.modules():
        if isinstance(layer, torch.nn.Dropout) and layer.p == 0.5:
            layer.register_forward_pre_hook(
                lambda one, _: modes[torch.is_grad_enabled()].add(one.training)
            )
    trainer.train()
    assert modes == {True: {True}, False: {False}}


def alike(completions, **_):
    return [1.0] * len(completions)


def test_evaluation_judges_every_row_and_teaches_nothing(places, stages, tmp_path):
    """Dropping, replacing and the curriculum are for training."""
    more = ["groups.drop_equal=true", "groups.tries=3", "curriculum.enabled=true"]
    trainer = grpo.build(grpo_run(places, tmp_path, stages[0], *more), reward_funcs=[alike])
    asked, written = [], []
    score, sample = trainer._score, trainer._generate_single_turn
    trainer._generate_single_turn = lambda *given: written.append(sample(*given)) or written[-1]
    trainer._score = lambda rows: asked.extend(row["id"] for row in rows) or score(rows)
    rows = trainer.train_dataset.select(range(2))
    found = trainer.evaluate(eval_dataset=rows)
    assert found["eval_reward"] == 1.0
    assert sorted(set(asked)) == sorted(rows["id"])
    assert len(trainer.curriculum.popular) == 0
    assert not trainer._metrics["train"]
    ids = [answer for turn in written for answer in turn[0]]
    assert trainer.generated_tokens == sum(map(len, ids)) > len(ids)


def test_an_answer_keeps_its_end_and_nothing_behind_it():
    """The end is a token that is learnt; an answer that was cut has none."""
    cases = [([5, 2, 0, 0], [5, 2]), ([2, 5], [2]), ([5, 6], [5, 6]), ([5, 3, 2], [5, 3])]
    for tokens, kept in cases:
        assert _until_end(tokens, [2, 3]) == kept


# --- what vLLM is given ---------------------------------------------------------------------


@pytest.fixture
def photo_run(stages, tmp_path):
    """Photos of several sizes, and a model whose own processor lets large ones through."""
    model = tmp_path / "model"
    model.mkdir()
    for path in stages[0].iterdir():
        if path.is_file():
            (model / path.name).write_bytes(path.read_bytes())
    for path in model.glob("*processor*.json"):
        text = path.read_text().replace('"longest_edge": 3136', '"longest_edge": 12845056')
        path.write_text(text)
    sizes = [(300, 200), (60, 57), (800, 90), (31, 400)]
    for i, size in enumerate(sizes):
        Image.effect_noise(size, 60).convert("RGB").save(tmp_path / f"{i}.png")
    rows = {"id": list("abcd"), "image": [f"{i}.png" for i in range(4)]}
    table = pa.table({**rows, "lat": [1.0] * 4, "lon": [2.0] * 4, "country": ["Here"] * 4})
    pq.write_table(table, tmp_path / "photos.parquet")
    given = [f"data.table={tmp_path / 'photos.parquet'}", f"data.image_root={tmp_path}"]
    return load(
        None,
        [
            *(s for s in SETTINGS if "places" not in s),
            *SIZES,
            *given,
            "task=grpo",
            f"model.name={model}",
            f"output={tmp_path / 'out'}",
            "model.max_pixels=12544",
        ],
    )


class Engine:
    """Keeps what it is asked in place of answering it."""

    def generate(self, prompts, sampling_params, use_tqdm):
        self.prompts, self.sampling = prompts, sampling_params
        raise StopIteration


def handed_over(trainer, monkeypatch):
    """Return the prompts and sampling parameters that TRL's own code would give to vLLM."""
    monkeypatch.setattr(vllm_generation, "SamplingParams", dict, raising=False)
    part = object.__new__(vllm_generation.VLLMGeneration)
    args, engine = trainer.args, Engine()
    part.__dict__ |= {
        "mode": "colocate",
        "llm": engine,
        "accelerator": trainer.accelerator,
        "model": trainer.model,
        "processing_class": trainer.processing_class,
        "enable_sleep_mode": False,
        "tensor_parallel_size": 1,
        "structured_outputs_regex": None,
        "logprobs": 0,
        "max_completion_length": args.max_completion_length,
        **{k: getattr(args, k) for k in ("temperature", "top_p", "top_k", "min_p")},
        "repetition_penalty": args.repetition_penalty,
        "generation_kwargs": args.generation_kwargs,
    }
    rows = trainer.train_dataset[:]
    prompts = [
        data.with_image(p, {"type": "image", "image": i})
        for p, i in zip(rows["prompt"], rows["image"], strict=True)
    ]
    ids, images, _ = trainer._tokenize_prompts(prompts)
    with pytest.raises(StopIteration):
        part.generate(ids, images, 1)
    return engine.prompts, engine.sampling


def test_vllm_sees_the_picture_that_the_processor_sees(photo_run, monkeypatch):
    """Its processor knows no `max_pixels`, so a larger photo would have more tokens there."""
    trainer = grpo.build(photo_run)
    prompts, _ = handed_over(trainer, monkeypatch)
    uncapped = models.load(replace(photo_run, model__max_pixels=None).model)[1]
    for prompt in prompts:
        picture = prompt["multi_modal_data"]["image"]
        there = uncapped.image_processor(images=[picture], return_tensors="pt")
        here = trainer.processing_class.image_processor(images=[picture], return_tensors="pt")
        assert torch.equal(there["pixel_values"], here["pixel_values"])
        count = int(there["image_grid_thw"].prod()) // 4
        assert prompt["prompt_token_ids"].count(uncapped.image_token_id) == count
        assert count <= 16


def test_special_tokens_cannot_be_sampled_by_vllm_either(photo_run, monkeypatch):
    run = replace(photo_run, grpo__vllm="colocate")
    given = module.arguments(run, models.load(run.model)[1])
    trainer = grpo.build(photo_run)
    processor = trainer.processing_class
    trainer.args.generation_kwargs = given.generation_kwargs
    _, sampling = handed_over(trainer, monkeypatch)
    assert set(sampling["logit_bias"]) == set(models.special_ids(processor))
    assert processor.tokenizer.eos_token_id not in sampling["logit_bias"]
    assert set(sampling["logit_bias"].values()) == {-100.0}


def test_pictures_of_another_size_than_vllm_would_see_end_the_run(photo_run):
    """A model of another family may cut pictures in other steps."""
    trainer = grpo.build(photo_run)
    image = Image.new("RGB", (300, 200))
    cut = trainer.processing_class.image_processor(images=[image], return_tensors="pt")
    pad = trainer.processing_class.image_token_id
    grid = cut["image_grid_thw"]
    assert int(grid.prod()) // 4 == 12
    good = [[1, *[pad] * 12, 99, 99]]
    first_batch.check_images(good, [[image]], grid, trainer.processing_class, None)
    with pytest.raises(ConfigError, match=r"11 image tokens .* 12 features"):
        first_batch.check_images([good[0][2:]], [[image]], grid, trainer.processing_class, None)
    uncapped = models.load(replace(photo_run, model__max_pixels=None).model)[1]
    with pytest.raises(ConfigError, match=r"vLLM .* 300x200 .*model\.max_pixels"):
        first_batch.check_images(good, [[image]], grid, trainer.processing_class, uncapped)


def test_every_run_looks_at_its_first_batch(photo_run, monkeypatch):
    asked = []
    stock = first_batch.check_images
    monkeypatch.setattr(
        first_batch, "check_images", lambda *given: (asked.append(given), stock(*given))
    )
    grpo.train(photo_run)
    assert len(asked) == 1


def test_prompts_that_vllm_lengthened_end_the_run():
    def generate(prompts, images, num_generations, profiler=None):
        return [[*prompts[0], 9], prompts[1]], "answers", None, None

    same = first_batch.compared(lambda prompts, images, n: (prompts, "answers", None, None))
    assert same([[1, 2]], None, 1)[1] == "answers"
    with pytest.raises(ConfigError, match="prompt 0 has 2 tokens here and 3 in vLLM"):
        first_batch.compared(generate)([[1, 2], [3]], None, 1)


def test_vllm_gets_what_the_trainer_gives_and_gives_it_back():
    given = {}

    def generate(prompts, images, num_generations, profiler=None):
        given.update(prompts=prompts, images=images, n=num_generations, profiler=profiler)
        return prompts, "answers", "logprobs", None

    checked = first_batch.compared(generate)
    assert checked([[1, 2], [3]], ["a", "b"], 4, profiler="p") == (
        [[1, 2], [3]], "answers", "logprobs", None,
    )  # fmt: skip
    assert given == {"prompts": [[1, 2], [3]], "images": ["a", "b"], "n": 4, "profiler": "p"}
    short = first_batch.compared(lambda prompts, *_: ([prompts[0], prompts[1][:-1]], None))
    with pytest.raises(ConfigError, match="prompt 1 has 3 tokens here and 2 in vLLM"):
        short([[1], [3, 4, 5]], None, 1)


def test_sampling_that_biases_the_ratio_is_refused(tmp_path):
    base = ["task=grpo", "grpo.vllm=colocate"]
    with pytest.raises(ConfigError, match=r"grpo\.top_p is 0\.9 .*set grpo\.top_p=1"):
        check(load(None, [*base, "grpo.top_p=0.9"]))
    check(load(None, base))
    check(load(None, ["task=grpo", "grpo.top_p=0.9"]))


def test_the_mismatch_of_vllm_is_corrected_and_can_be_switched_off(photo_run):
    processor = models.load(photo_run.model)[1]
    run = replace(photo_run, grpo__vllm="colocate")
    args = module.arguments(run, processor)
    assert args.vllm_importance_sampling_correction
    assert args.vllm_importance_sampling_mode == "token_truncate"
    assert args.vllm_importance_sampling_clip_max == 2.0
    other = replace(run, grpo__vllm_correction="sequence_mask", grpo__vllm_correction_cap=3.5)
    args = module.arguments(other, processor)
    assert args.vllm_importance_sampling_mode == "sequence_mask"
    assert args.vllm_importance_sampling_clip_max == 3.5
    off = module.arguments(replace(run, grpo__vllm_correction="off"), processor)
    assert not off.vllm_importance_sampling_correction


# --- which groups can teach -----------------------------------------------------------------


def dropped(places, stages, folder, monkeypatch, texts, *more):
    """Train a step on given answers and return whether each group counted as invalid."""
    run = grpo_run(places, folder, stages[0], "groups.drop_equal=true", *more)
    trainer = grpo.build(run)

    def say(ids, *_):
        return [trainer._tokenizer(texts[i % 4])["input_ids"] for i in range(len(ids))], None

    monkeypatch.setattr(trainer, "_generate_single_turn", say)
    trainer.train()
    rows = JsonLines(Path(folder) / "groups.jsonl").read()
    kept = [row["groups/kept"] for row in trainer.state.log_history if "groups/kept" in row]
    return {row["invalid"] for row in rows}, kept[0]


TOLERANT = ["1 N, 2 E", "50 N, 60 E", "9 N, 9 E", "nothing"]
LOC = [f"(1.0, 2.0) {{'LOC': [{i}.0, 2.0]}} (3.0, 4.0)" for i in range(4)]
WORDS = ["a", "bb", "ccc", "dddd"]
DISTANCE = ["rewards.weights={distance: 1.0}", "rewards.arguments={distance: {tolerant: true}}"]


@pytest.mark.parametrize(
    ("texts", "more", "invalid"),
    [
        (TOLERANT, DISTANCE, False),
        (TOLERANT, ["rewards.weights={geo_r: 0.0, tests.georl.own_rewards:length: 1.0}"], False),
        (TOLERANT, ["rewards.weights={geo_r: 1.0}"], True),
        (TOLERANT, ["rewards.weights={geo_r: 1.0, tests.georl.own_rewards:length: 0.0}"], True),
        (LOC, ["rewards.weights={geo_r_release: 1.0}"], False),
        (LOC, ["rewards.weights={geo_r: 1.0}"], True),
        (WORDS, ["rewards.weights={tests.georl.own_rewards:length: 1.0}"], False),
        (WORDS, ["rewards.weights={geo_r: 1.0}"], True),
    ],
)
def test_an_answer_is_valid_where_the_rewards_in_use_can_read_it(
    places, stages, tmp_path, monkeypatch, texts, more, invalid
):
    found, kept = dropped(places, stages, tmp_path, monkeypatch, texts, *more)
    assert found == {invalid}
    assert kept == (0.0 if invalid else 1.0)


def test_without_drop_invalid_groups_without_coordinates_teach(
    places, stages, tmp_path, monkeypatch
):
    """Answers without coordinates may still differ in another reward."""
    weights = "rewards.weights={geo_r: 1.0, tests.georl.own_rewards:length_geo: 1.0}"
    for name, kept in (("true", 0.0), ("false", 1.0)):
        more = [weights, f"groups.drop_invalid={name}"]
        folder = tmp_path / name
        assert dropped(places, stages, folder, monkeypatch, WORDS, *more) == ({True}, kept)


# --- rewards of one's own -------------------------------------------------------------------

OWN = "tests.georl.own_rewards"


def test_own_and_async_rewards_train_and_are_logged_by_name(places, stages, tmp_path):
    weights = f"rewards.weights={{geo_r: 1.0, '{OWN}:slow': 0.5, '{OWN}:rarely': 2.0, chain: 0.0}}"
    grpo.train(grpo_run(places, tmp_path, stages[0], weights))
    row = JsonLines(tmp_path / "metrics.jsonl").read()[0]
    assert row[f"rewards/{OWN}:slow/mean"] == 0.25
    assert row[f"rewards/{OWN}:rarely/mean"] == 1.0  # of the answers that it rewards
    # one of eight answers is rewarded; its group's three others stand at the group's mean
    expected = row["rewards/geo_r/mean"] + 0.5 * 0.25 + 2.0 * 4 / 8
    assert row["reward"] == pytest.approx(expected, abs=1e-6)
    assert 0 <= row["chain/consistent"] <= row["chain/present"] == row["rewards/chain/mean"]
    rollouts = pq.read_table(tmp_path / "rollouts.parquet")
    assert rollouts[f"reward_{OWN}:slow"].to_pylist() == [0.25] * 8


def test_rewards_given_to_build_are_those_of_the_run(places, stages, tmp_path):
    def mine(completions, **columns):
        assert len(columns["lat"]) == len(completions) == 8
        return [float(i) for i in range(len(completions))]

    trainer = grpo.build(grpo_run(places, tmp_path, stages[0]), reward_funcs=[mine, "format"])
    trainer.train()
    assert trainer.reward_func_names == ["mine", "format"]
    assert trainer.state.log_history[0]["rewards/mine/mean"] == 3.5
    assert trainer.settings.rewards.weights == {"mine": 1.0, "format": 1.0}


@pytest.mark.parametrize("name", ["breaks", "short", "words", "nothing"])
def test_a_reward_that_fails_ends_the_run_at_its_first_batch(places, stages, tmp_path, name):
    run = grpo_run(places, tmp_path, stages[0], f"rewards.weights={{'{OWN}:{name}': 1.0}}")
    with pytest.raises(ValueError, match=f"reward '{OWN}:{name}'"):
        grpo.train(run)


def test_answers_that_no_reward_judges_teach_nothing(places, stages, tmp_path):
    run = grpo_run(places, tmp_path, stages[0], f"rewards.weights={{'{OWN}:never': 1.0}}")
    trainer = grpo.build(run)
    before = {name: value.clone() for name, value in trainer.model.named_parameters()}
    trainer.train()
    assert trainer.state.log_history[0]["grad_norm"] == 0.0
    assert all(torch.equal(before[n], v) for n, v in trainer.model.named_parameters())


@pytest.mark.parametrize("loss", ["cispo", "sapo", "luspo", "vespo", "grpo"])
def test_the_other_losses_train(places, stages, tmp_path, loss):
    ratio = "sequence" if loss in ("luspo", "grpo") else "token"
    more = [f"grpo.loss={loss}", f"grpo.ratio={ratio}", "grpo.epsilon_high=5.0"]
    weights = f"rewards.weights={{'{OWN}:length': 1.0}}"
    grpo.train(grpo_run(places, tmp_path, stages[0], weights, *more, "groups.drop_equal=true"))
    row = JsonLines(tmp_path / "metrics.jsonl").read()[0]
    assert row["grad_norm"] > 1e-4


def test_the_curriculum_is_told_of_groups_and_asked_for_rows(places, stages, tmp_path):
    """Every place saturates at once, so from the second step on rows are swapped."""
    more = ["curriculum.enabled=true", "curriculum.saturated=0.0", "curriculum.keep=0.0"]
    steps = ["train.max_steps=3", "curriculum.radius_km=2000"]
    grpo.train(grpo_run(places, tmp_path, stages[0], *more, *steps))
    rows = JsonLines(tmp_path / "metrics.jsonl").read()
    assert rows[0]["curriculum/regions"] >= 1
    assert max(row.get("curriculum/swapped", 0.0) for row in rows[1:]) > 0


def test_pictures_of_several_prompts_are_counted_each_by_itself(photo_run):
    processor = grpo.build(photo_run).processing_class
    pad, image = processor.image_token_id, Image.new("RGB", (300, 200))
    grid = torch.tensor([[1, 4, 6], [1, 2, 2], [1, 6, 8]])  # 6, 1 and 12 tokens
    prompts = [[1, *[pad] * 6], [1, 2], [*[pad] * 13, 2]]
    shown = [[image], None, [image, image]]
    first_batch.check_images(prompts, shown, grid, processor, None)
    with pytest.raises(ConfigError, match=r"prompt 2 has 12 image tokens and its picture 13 feat"):
        first_batch.check_images([*prompts[:2], prompts[2][1:]], shown, grid, processor, None)
    with pytest.raises(ConfigError, match=r"prompt 1 has 1 image tokens and its picture 0 feat"):
        first_batch.check_images([prompts[0], [pad], prompts[2]], shown, grid, processor, None)


def test_with_vllm_the_first_batch_is_held_against_its_room_and_its_pictures(photo_run):
    """What would be asked of an engine on a GPU, asked of what stands in for one."""
    import dataclasses
    from types import SimpleNamespace

    trainer = grpo.build(photo_run)
    room = 1024 + 12544 // 784  # of the question and of the largest picture
    pad, image = trainer.processing_class.image_token_id, Image.new("RGB", (300, 200))
    answered = []

    def generate(prompts, images, num_generations, profiler=None):
        answered.append(prompts)
        return [prompts[0][:-1]], None, None, None

    trainer.use_vllm, trainer.vllm_generation = True, SimpleNamespace(generate=generate)
    trainer._compare([[1] * room], None, {})
    with pytest.raises(ConfigError, match="prompt 0 has 3 tokens here and 2 in vLLM"):
        trainer.vllm_generation.generate([[1, 2, 3]], None, 1)
    with pytest.raises(
        ConfigError, match=f"a prompt has {room + 1} tokens and vLLM room for {room}"
    ):
        trainer._compare([[1] * (room + 1)], None, {})
    grid = trainer.processing_class.image_processor(images=[image])["image_grid_thw"]
    assert int(torch.as_tensor(grid).prod()) // 4 == 12
    with pytest.raises(ConfigError, match="vLLM would see 77 image tokens in a picture of 300x200"):
        trainer._compare([[1, *[pad] * 12]], [[image]], {"image_grid_thw": grid})
    small = image.resize((112, 84))  # as a picture is that was cut where it was read
    trainer._compare([[1, *[pad] * 12]], [[small]], {"image_grid_thw": [[1, 6, 8]]})
    same = dataclasses.replace(photo_run.model, max_pixels=None)
    trainer.settings = dataclasses.replace(photo_run, model=same)
    trainer.use_vllm = False
    trainer._compare([[1, *[pad] * 12]], [[image]], {"image_grid_thw": grid})


def test_an_evaluation_is_logged_as_one(places, stages, tmp_path):
    trainer = grpo.build(grpo_run(places, tmp_path, stages[0]), reward_funcs=[alike])
    found = trainer.evaluate(eval_dataset=trainer.train_dataset.select(range(2)))
    assert {"eval_chain/present", "eval_chain/consistent", "eval_within_750km"} <= found.keys()
    assert not (tmp_path / "groups.jsonl").exists()
