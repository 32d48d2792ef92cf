"""Which batches share their prompts, and what stock TRL gets otherwise (georl.grpo)."""

import contextlib
from itertools import chain
from types import SimpleNamespace

import pytest
import torch
from transformers import GenerationConfig
from trl.trainer import grpo_trainer
from trl.trainer.grpo_trainer import GRPOTrainer

from georl.grpo import reference, sharing
from georl.grpo.shared_trainer import SharedPromptsTrainer

QWEN = SimpleNamespace(config=SimpleNamespace(model_type="qwen2_5_vl", _attn_implementation="sdpa"))


def made(**more):
    """A trainer without its training: only what a method is asked here."""
    trainer = object.__new__(SharedPromptsTrainer)
    accelerator = SimpleNamespace(
        device="cpu", distributed_type="DistributedType.NO", is_main_process=True,
        unwrap_model=lambda model: model,
    )  # fmt: skip
    base = {"accelerator": accelerator, "use_vllm": False, "model": QWEN, "_share": True}
    trainer.__dict__ |= base | {"_group": None, "_unique": None} | more
    return trainer


@pytest.mark.parametrize(
    ("kind", "vllm", "said"),
    [
        ("NO", False, None),
        ("MULTI_CPU", False, None),
        ("MULTI_GPU", False, None),
        ("FSDP", False, "FSDP shards the weights, and then only vLLM can sample; set grpo.vllm"),
        ("DEEPSPEED", False, "DEEPSPEED shards the weights, and then only vLLM can sample; set "
                             "grpo.vllm"),
        ("FSDP", True, None),
    ],
)  # fmt: skip
def test_sharded_weights_are_sampled_by_vllm_alone(kind, vllm, said):
    trainer = made(use_vllm=vllm)
    trainer.accelerator.distributed_type = f"DistributedType.{kind}"
    assert trainer._hindrance() == said
    trainer.share_prompts(True)
    assert trainer._share == (said is None)
    trainer.share_prompts(False)
    assert not trainer._share
    assert (trainer._group, trainer._unique) == (None, None)


def test_why_prompts_are_not_shared_is_told_once_by_the_first_process(capsys):
    trainer = made()
    assert trainer._told(None)
    assert capsys.readouterr().out == ""
    assert not trainer._told("it is late")
    told = capsys.readouterr().out
    assert told == "prompts are encoded once an answer, not once a group: it is late\n"
    trainer.accelerator.is_main_process = False
    assert not trainer._told("it is late")
    assert capsys.readouterr().out == ""


def test_the_model_inside_lora_is_the_one_that_is_walked():
    class Lora:
        def get_base_model(self):
            return QWEN

    trainer = made()
    assert trainer._bare(Lora()) is QWEN
    assert trainer._bare(QWEN) is QWEN


@pytest.mark.parametrize("scale", [None, 3.0, torch.tensor(0.5)])
def test_a_loss_is_scaled_where_idle_rows_dilute_it(monkeypatch, scale):
    monkeypatch.setattr(GRPOTrainer, "_compute_loss", lambda self, model, rows: torch.tensor(2.0))
    trainer = made(_group="of the batch before")
    rows = {"group": "of this one"} if scale is None else {"loss_scale": scale}
    assert float(trainer._compute_loss(QWEN, rows)) == 2.0 * float(1.0 if scale is None else scale)
    assert trainer._group == rows.get("group")


def joined(parts):
    return list(chain.from_iterable(parts))


GRID = torch.tensor([[1, 1, 2]] * 6)
PIXELS = {
    "pixel_values": torch.arange(12.0)[:, None],
    "image_grid_thw": torch.tensor([[1, 1, 2]] * 6),
}


@pytest.mark.parametrize(
    ("more", "fields"),
    [
        ({"_group": None}, {}),
        ({"_share": False}, {}),
        ({}, {**PIXELS, "num_images": [1, 1, 1, 1, 1, 2]}),
    ],
    ids=["no groups", "not shared", "several pictures in a row"],
)
def test_log_probabilities_are_those_of_stock_trl_where_nothing_is_shared(
    monkeypatch, more, fields
):
    asked = []
    monkeypatch.setattr(
        GRPOTrainer,
        "_get_per_token_logps_and_entropies",
        lambda self, *given, **options: asked.append((given, options)) or "stock",
    )
    trainer = made(**{"_group": torch.arange(6)} | more)
    ids, mask = torch.zeros(6, 5), torch.ones(6, 5)
    found = trainer._get_per_token_logps_and_entropies(QWEN, ids, mask, 2, 3, True, **fields)
    assert found == "stock"
    assert asked == [((QWEN, ids, mask, 2, 3, True), fields)]


@pytest.mark.parametrize(
    ("size", "parts"), [(None, [6]), (6, [6]), (4, [4, 2]), (2, [2, 2, 2]), (9, [6])]
)
@pytest.mark.parametrize("entropy", [True, False])
@pytest.mark.parametrize("pictures", [True, False])
def test_rows_go_through_the_model_in_parts_with_their_own_pictures(size, parts, entropy, pictures):
    asked = []

    def logps(model, ids, mask, keep, images, group):
        asked.append((ids[:, 0].tolist(), mask[:, 0].tolist(), keep, images, group.tolist()))
        return ids[:, -keep:].float(), (10.0 + ids[:, -keep:]) if entropy else None

    trainer = made(_group=torch.arange(6) // 2, _shared_logps=logps)
    ids = torch.arange(6)[:, None].expand(6, 5)
    fields = {**PIXELS, "num_images": [1] * 6} if pictures else {}
    found, entropies, aux = trainer._get_per_token_logps_and_entropies(
        QWEN, ids, ids + 20, 2, size, entropy, **fields
    )
    assert [len(one[0]) for one in asked] == parts
    assert joined(one[0] for one in asked) == list(range(6))
    assert joined(one[1] for one in asked) == list(range(20, 26))
    assert {one[2] for one in asked} == {2}
    assert joined(one[4] for one in asked) == [0, 0, 1, 1, 2, 2]
    seen = [one[3].pixel_values[:, 0].tolist() for one in asked if one[3] is not None]
    assert joined(seen) == (list(range(12)) if pictures else [])
    assert found.tolist() == [[row, row] for row in range(6)]
    assert aux is None
    assert (entropies is not None) == entropy
    assert entropies is None or entropies[:, 0].tolist() == [10.0 + row for row in range(6)]


def test_an_entropy_that_was_computed_and_not_asked_for_is_not_given():
    trainer = made(
        _group=torch.zeros(2, dtype=torch.long),
        _shared_logps=lambda *given: (torch.ones(2, 1), torch.ones(2, 1)),
    )
    ids = torch.zeros(2, 3)
    assert trainer._get_per_token_logps_and_entropies(QWEN, ids, ids, 1)[1] is None


def test_rows_are_cut_for_the_longest_prompt_and_the_mean_answer(monkeypatch):
    """Padding is neither: prompts of 3 and 5 tokens, answers of 1, 2 and 4 in six places."""
    asked = []

    def stop(*given):
        asked.append(given)
        raise StopIteration

    monkeypatch.setattr(sharing, "answers_a_row", stop)
    sizes = SimpleNamespace(hidden_size=8)
    model = SimpleNamespace(config=SimpleNamespace(get_text_config=lambda: sizes))
    mask = torch.tensor(
        [
            [0, 0, 1, 1, 1, 1, 0, 0, 0, 0, 0],
            [1, 1, 1, 1, 1, 1, 1, 0, 0, 0, 0],
            [1, 1, 1, 1, 1, 1, 1, 1, 1, 0, 0],
        ]
    )
    with pytest.raises(StopIteration):
        made()._shared_logps(model, mask, mask, 6, None, torch.tensor([0, 1, 1]))
    ((found, prompt, mean),) = asked
    assert found is sizes
    assert (prompt, mean) == (5, pytest.approx(7 / 3))


class Reads:
    """A model whose log-probability of a place is the place's number, and its entropy 1000 more."""

    dtype = torch.bfloat16
    config = SimpleNamespace(get_text_config=lambda: None)

    def __init__(self, entropy):
        self.asked, self._entropy = [], entropy

    def __call__(self, **given):
        self.asked.append(given)
        places = torch.arange(given["input_ids"].numel()).view_as(given["input_ids"]).double()
        return SimpleNamespace(log_probs=places, entropy=places + 1000 if self._entropy else None)


@pytest.mark.parametrize("pictures", [True, False])
@pytest.mark.parametrize("entropy", [True, False])
@pytest.mark.parametrize(("best", "rows"), [(9.0, [0, 2]), (0.5, [0, 1, 2])])
def test_each_token_has_the_number_of_its_own_place(monkeypatch, pictures, entropy, best, rows):
    """Two answers to one prompt and one to another, in rows of two or each in its own."""
    ids = torch.tensor([[0, 3, 4, 11, 12, 13], [0, 3, 4, 21, 0, 0], [5, 6, 7, 31, 32, 0]])
    mask = (ids != 0).long()
    asked = []

    def positions(model, prompt_ids, prompt_mask, images):
        asked.append((model, prompt_ids.tolist(), prompt_mask.tolist(), images))
        return torch.zeros(3, *prompt_ids.shape, dtype=torch.long)

    monkeypatch.setattr(sharing, "prompt_positions", positions)
    monkeypatch.setattr(sharing, "answers_a_row", lambda *_: best)
    grid = torch.tensor([[1, 1, 1]] * 3)
    images = sharing.Images(torch.tensor([[0.0], [1.0], [2.0]]), grid) if pictures else None
    trainer, model = made(), Reads(entropy)
    trainer.accelerator.autocast = contextlib.nullcontext
    found, entropies = trainer._shared_logps(model, ids, mask, 3, images, torch.tensor([4, 4, 9]))
    (given,) = model.asked
    assert given["fused_lm_head"] is True
    assert given["attention_mask"].dtype == torch.bfloat16
    told = given["input_ids"], given["shift_labels"].view(-1)
    assert len(told[0]) == len(rows)
    for b in range(3):
        for j in range(3):
            place = int(found[b, j])
            if mask[b, 3 + j]:
                assert told[1][place] == ids[b, 3 + j]
                assert told[0].view(-1)[place] == ids[b, 2 + j]
                assert given["position_ids"].view(3, -1)[:, place].tolist() == [j] * 3
            else:
                assert found[b, j] == 0.0
            if entropy:
                assert entropies[b, j] == (place + 1000 if mask[b, 3 + j] else 0.0)
    assert entropy or entropies is None
    ((bare, prompts, real, shown),) = asked
    assert bare is model
    assert prompts == ids[rows, :3].tolist()
    assert real == mask[rows, :3].tolist()
    if pictures:
        assert shown.pixel_values[:, 0].tolist() == rows
        assert given["pixel_values"][:, 0].tolist() == rows
        assert given["image_grid_thw"].tolist() == [[1, 1, 1]] * len(rows)
    else:
        assert shown is None
        assert "pixel_values" not in given


def test_each_prompt_is_tokenized_once_and_its_tokens_handed_to_all_its_answers(monkeypatch):
    asked = []

    def stock(self, prompts):
        asked.append(prompts)
        return [[7, len(asked)], [8, 9, 9]][: len(prompts)], ["a", "b"][: len(prompts)], {}

    monkeypatch.setattr(GRPOTrainer, "_tokenize_prompts", stock)
    one, two = ([{"role": "user", "content": [{"type": "text", "text": t}]}] for t in "ab")
    trainer = made(_tokenizer=SimpleNamespace(pad_token_id=0))
    ids, images, fields = trainer._tokenize_prompts([one, one, two, one])
    assert asked == [[one, two]]
    assert ids == [[7, 1], [7, 1], [8, 9, 9], [7, 1]]
    assert images == ["a", "a", "b", "a"]
    assert fields == {}
    assert trainer._group.tolist() == [0, 0, 1, 0]
    assert trainer._unique[0].tolist() == [[0, 7, 1], [8, 9, 9]]
    monkeypatch.setattr(GRPOTrainer, "_tokenize_prompts", lambda *_: ([[7]], None, {}))
    assert trainer._tokenize_prompts([one, one])[1] is None  # a run without photos
    monkeypatch.setattr(GRPOTrainer, "_tokenize_prompts", stock)
    trainer._share, trainer._group = False, None
    trainer._tokenize_prompts([one, one])
    assert asked[1] == [one, one]
    assert trainer._group is None


@pytest.mark.parametrize("why", ["vllm", "not shared", "no groups", "no prompts"])
def test_answers_are_sampled_as_trl_does_where_nothing_is_shared(monkeypatch, why):
    asked = []

    def stock(self, *given):
        asked.append((given, layer.training))
        return "stock"

    monkeypatch.setattr(GRPOTrainer, "_generate_single_turn", stock)
    layer = torch.nn.Dropout()
    trainer = made(model=layer, _group=torch.zeros(1), _unique=(1, 2, None))
    trainer.use_vllm = why == "vllm"
    trainer._share = why != "not shared"
    if why == "no groups":
        trainer._group = None
    if why == "no prompts":
        trainer._unique = None
    assert trainer._generate_single_turn("ids", "images", {}, 4, False) == "stock"
    given, dropped = asked[0]
    assert given == ("ids", "images", {}, 4, False)
    assert dropped == (why == "vllm")  # vLLM has weights of its own
    assert layer.training


# --- what the KL term looks back at ---------------------------------------------------------


def test_trl_takes_a_frozen_copy_while_it_is_made_and_reads_models_itself_afterwards():
    stock = grpo_trainer.create_model_from_path
    model = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.Dropout())
    with reference.copied_from(model):
        copy = grpo_trainer.create_model_from_path("some/name", revision="x")
    assert grpo_trainer.create_model_from_path is stock
    assert not any(value.requires_grad for value in copy.parameters())
    assert not any(part.training for part in copy.modules())
    assert all(value.requires_grad for value in model.parameters())
    assert model.training
    with torch.no_grad():
        model[0].weight.add_(1.0)
    assert not torch.equal(copy[0].weight, model[0].weight)
    with pytest.raises(KeyError), reference.copied_from(model):
        raise KeyError
    assert grpo_trainer.create_model_from_path is stock


def test_ends_of_answers_are_a_number_or_several_or_none():
    assert [sharing._listed(ids) for ids in (5, [5, 6], None)] == [[5], [5, 6], []]


# --- a batch --------------------------------------------------------------------------------


@pytest.mark.parametrize("share", [True, False])
@pytest.mark.parametrize("grouped", [True, False])
def test_pictures_are_prepared_once_and_rows_are_numbered_where_prompts_are_shared(
    monkeypatch, share, grouped
):
    seen = []

    def stock(self, inputs):
        seen.append((inputs, self._group, self.processing_class.image_processor))
        if grouped:
            self._group = "numbers"
        return {"rows": 1}

    monkeypatch.setattr(GRPOTrainer, "_generate_and_score_completions", stock)
    pictures = object()
    trainer = made(_share=share, _group="of before")
    trainer.processing_class = SimpleNamespace(image_processor=pictures)
    batch = trainer._generate_and_score_completions(["row"])
    assert batch == {"rows": 1} | ({"group": "numbers"} if grouped else {})
    ((given, before, inside),) = seen
    assert (given, before) == (["row"], None)
    assert (inside is not pictures) == share
    assert trainer.processing_class.image_processor is pictures


@pytest.mark.parametrize("share", [True, False])
def test_groups_are_shuffled_in_one_piece_where_prompts_are_shared(monkeypatch, share):
    mixed, stock = [], grpo_trainer.shuffle_sequence_dict

    def prepare(self, batch):
        assert (grpo_trainer.shuffle_sequence_dict is not stock) == share
        mixed.append(grpo_trainer.shuffle_sequence_dict(batch))
        return "prepared"

    monkeypatch.setattr(GRPOTrainer, "_prepare_inputs", prepare)
    trainer = made(_share=share, args=SimpleNamespace(steps_per_generation=4))
    batch = {"group": torch.arange(8) // 2, "completion_mask": torch.ones(8, 3)}
    torch.manual_seed(0)
    assert trainer._prepare_inputs(batch) == "prepared"
    pairs = mixed[0]["group"].view(4, 2)
    assert bool((pairs[:, 0] == pairs[:, 1]).all()) == share
    assert grpo_trainer.shuffle_sequence_dict is stock


def test_idle_rows_are_dealt_over_as_many_micro_batches_as_there_are(monkeypatch):
    mixed = []
    monkeypatch.setattr(
        GRPOTrainer,
        "_prepare_inputs",
        lambda self, batch: mixed.append(grpo_trainer.shuffle_sequence_dict(batch)),
    )
    trainer = made(args=SimpleNamespace(steps_per_generation=4))
    mask = torch.ones(8, 3)
    mask[4:] = 0  # idle
    trainer._prepare_inputs({"group": torch.arange(8) // 2, "completion_mask": mask})
    assert mixed[0]["completion_mask"].any(1).view(4, 2).sum(1).tolist() == [1, 1, 1, 1]


# --- sampling, step by step -----------------------------------------------------------------

END, PAD = 1, 0


class Scripted:
    """A model that writes what it is told: row b of the answers, whichever batch they stand in."""

    def __init__(self, answers, group):
        self.answers, self.group, self.asked = torch.tensor(answers), torch.tensor(group), []
        self.held = None

    def batch_select_indices(self, rows):
        """The cache of keys and values is the model itself."""
        self.held = torch.arange(len(self.group)) if self.held is None else self.held[rows]

    def __call__(self, *, input_ids, attention_mask, position_ids, use_cache, **more):
        self.asked.append((input_ids, attention_mask, position_ids, more))
        assert use_cache
        at = len(self.asked) - 1
        logits = torch.full((len(input_ids), 1, 9), -1e9)
        if at == 0:  # of unique prompts: all answers to one begin alike
            first = {int(g): int(self.answers[b, 0]) for b, g in enumerate(self.group)}
            logits[range(len(input_ids)), 0, [first[u] for u in range(len(input_ids))]] = 0.0
        else:
            logits[range(len(input_ids)), 0, self.answers[self.held, at].tolist()] = 0.0
        return SimpleNamespace(logits=logits, past_key_values=self)


ANSWERS = [[5, END, 8, 8], [5, 6, END, 8], [5, 6, 7, 7], [4, 3, 3, 3]]
WRITTEN = [[5, END, PAD, PAD], [5, 6, END, PAD], [5, 6, 7, 7], [4, 3, 3, 3]]


@pytest.mark.parametrize(("compact", "sizes"), [(True, [2, 4, 4, 2]), (False, [2, 4, 4, 4])])
@pytest.mark.parametrize("padded", [True, False])
def test_finished_answers_leave_once_they_are_half_of_the_batch(compact, sizes, padded):
    """One of four has ended after two tokens, two of four after three."""
    prompts = torch.tensor([[0, 7, 8], [6, 7, 8]] if padded else [[5, 7, 8], [6, 7, 8]])
    mask = (prompts != 0).long()
    group = [0, 0, 0, 1]
    model = Scripted(ANSWERS, group)
    generation = GenerationConfig(
        max_new_tokens=4, eos_token_id=[END], pad_token_id=PAD, temperature=1.0, top_k=0, top_p=1.0
    )
    given = (model, prompts, mask, None, torch.tensor(group), generation)
    assert sharing.sample(*given, compact=compact).tolist() == WRITTEN
    assert [len(ids) for ids, *_ in model.asked] == sizes
    first, *later = model.asked
    assert first[0] is prompts
    assert first[1] is mask
    assert first[3] == {"logits_to_keep": 1}
    rows = torch.arange(4)
    for at, (ids, seen, places, more) in enumerate(later, 1):
        if compact and at == 3:
            rows = torch.tensor([2, 3])
        assert ids[:, 0].tolist() == [WRITTEN[b][at - 1] for b in rows]
        lengths = mask.sum(1)[torch.tensor(group)[rows]]
        assert places.tolist() == [[[int(n) - 1 + at] for n in lengths]] * 3
        assert more == {"past_key_values": model}
        if not padded:
            assert seen is None
        else:
            own = mask[torch.tensor(group)[rows]]
            assert seen.tolist() == [[*row, *[1] * at] for row in own.tolist()]


def test_by_itself_a_batch_lets_finished_answers_leave():
    model = Scripted(ANSWERS, [0, 0, 0, 1])
    generation = GenerationConfig(max_new_tokens=4, eos_token_id=END, pad_token_id=PAD, top_k=0)
    prompts = torch.tensor([[5, 7, 8], [6, 7, 8]])
    given = (model, prompts, torch.ones_like(prompts), None, model.group, generation)
    assert sharing.sample(*given).tolist() == WRITTEN
    assert [len(ids) for ids, *_ in model.asked] == [2, 4, 4, 2]


def test_answers_are_sampled_and_scored_in_the_type_that_the_run_computes_in(monkeypatch):
    """Full fine-tuning holds float32 weights: without autocast both would be computed in them."""
    lower = []

    def noted(answer):
        lower.append(torch.is_autocast_enabled("cpu"))
        return answer

    trainer = made(_group=torch.tensor([0]), _unique=(1, 2, None), eos_token_ids=[9])
    trainer.generation_config = GenerationConfig()
    trainer.model = torch.nn.Dropout()
    trainer.accelerator.autocast = lambda: torch.autocast("cpu", dtype=torch.bfloat16)
    monkeypatch.setattr(sharing, "sample", lambda *_: noted(torch.tensor([[5, 9]])))
    assert trainer._generate_single_turn(None, None, {}) == ([[5, 9]], None)
    monkeypatch.setattr(sharing, "answers_a_row", lambda *_: 1.0)
    ids, model = torch.tensor([[3, 4, 11, 12]]), Reads(False)
    scored = Reads.__call__
    monkeypatch.setattr(Reads, "__call__", lambda *this, **given: noted(scored(*this, **given)))
    trainer._shared_logps(model, ids, torch.ones_like(ids), 2, None, torch.tensor([0]))
    assert lower == [True, True]
    assert not torch.is_autocast_enabled("cpu")
