"""What is asked, taught and told of rows, each at its bounds (georl.data)."""

import json
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from georl import data
from georl.config import ConfigError, DataConfig, load
from georl.data import DataError, chats, images, opening, prompts, rows, trainers

USER, ASSISTANT = {"role": "user"}, {"role": "assistant"}


def test_a_limit_reads_no_more_batches_than_it_needs():
    read = []

    def batches():
        for i in range(4):
            read.append(i)
            yield pa.table({"a": [10 * i, 10 * i + 1]})

    for limit, values, count in ((3, [0, 1, 10], 2), (2, [0, 1], 1), (None, None, 4), (0, [], 1),
                                 (99, None, 4)):  # fmt: skip
        read.clear()
        found = [v for t in rows.limited(batches(), limit) for v in t["a"].to_pylist()]
        assert found == ([0, 1, 10, 11, 20, 21, 30, 31] if values is None else values)
        assert len(read) == count


def test_five_rows_are_named_and_a_sixth_is_in_the_file(tmp_path, capsys):
    for count in (5, 6):
        run = load(None, [f"output={tmp_path / str(count)}", "data.skip_missing=true"])
        table = pa.table({"id": [f"r{i}" for i in range(8)]})
        bad = np.arange(8) < count
        kept = rows.usable(table, bad, [None] * 8, [None] * 8, run)
        told = capsys.readouterr().out
        assert kept["id"].to_pylist() == [f"r{i}" for i in range(count, 8)]
        assert f"going on without {count} of 8 photos:" in told
        assert f"{count} of 8 rows have no valid coordinates: row 0 (id 'r0'), row 1" in told
        assert ("row 4 (id 'r4'), ..." in told) == (count == 6)
        assert "row 5" not in told
        assert (tmp_path / str(count) / "unusable_photos.jsonl").exists() == (count == 6)
    listed = (tmp_path / "6" / "unusable_photos.jsonl").read_text().splitlines()
    assert json.loads(listed[5]) == {"id": "r5", "image": None, "problem": "no valid coordinates"}
    with pytest.raises(DataError, match=r"^1 of 8 rows have"):
        rows.usable(table, np.arange(8) < 1, [None] * 8, [None] * 8, load(None, []))


def test_a_prediction_keeps_a_row_whose_picture_does_not_open():
    table = pa.table({"id": ["a", "b"]})
    asked = load(None, ["task=predict"])
    found = rows.usable(table, np.zeros(2, bool), ["is empty", None], ["x", "y"], asked)
    assert found["id"].to_pylist() == ["a", "b"]
    with pytest.raises(DataError, match=r"1 of 2 images are missing \(x\)"):
        rows.usable(table, np.zeros(2, bool), ["missing", None], ["x", "y"], asked)
    assert rows.output_folder(load(None, ["task=predict", "predict.output=a/b.csv"])) == Path("a")
    assert rows.output_folder(load(None, ["output=c/d", "predict.output=a/b.csv"])) == Path("c/d")


# --- chats ----------------------------------------------------------------------------------


def test_a_picture_takes_its_place_or_the_first():
    picture = {"type": "image", "image": 7}
    parts = [{"type": "text", "text": "a"}, {"type": "image"}, {"type": "text", "text": "b"}]
    chat = [{"role": "system", "content": "s"}, {**USER, "content": parts}]
    found = chats.with_image(chat, picture)
    assert [part["type"] for part in found[1]["content"]] == ["text", "image", "text"]
    assert found[1]["content"][1] == picture
    assert found[0]["content"] == [{"type": "text", "text": "s"}]
    assert chats.text(found) == "s\na\nb"
    for role in ("tool", None):
        with pytest.raises(DataError, match="have a turn"):
            chats.question({"prompt": [{"role": role, "content": "x"}]}, "r")
    with pytest.raises(DataError, match="messages of row 'r' ask nothing: there is no user turn"):
        chats.question({"prompt": [{"role": "system", "content": "x"}]}, "r")
    two = [{**USER, "content": [{"type": "image"}, {"type": "image"}]}]
    with pytest.raises(DataError, match="show 2 images, where one is read"):
        chats.question({"prompt": two}, "r")
    for part in ({"type": "video"}, {"type": "text"}, {"type": "text", "text": 3}, "x"):
        with pytest.raises(DataError, match="have a part"):
            chats.question({"prompt": [{**USER, "content": [part]}]}, "r")


def test_the_last_turn_is_the_answer_if_the_assistant_says_it():
    said = [{**USER, "content": "1"}, {**ASSISTANT, "content": "2"}, {**USER, "content": "3"},
            {**ASSISTANT, "content": "4"}]  # fmt: skip
    assert chats.text(chats.question({"messages": said}, "r")) == "1\n2\n3"
    assert chats.text(chats.answer({"messages": said}, "r")) == "4"
    both = {"messages": said, "prompt": said[:1], "completion": said[1:2]}
    assert (chats.text(chats.question(both, "r")), chats.text(chats.answer(both, "r"))) == (
        "1",
        "2",
    )
    with pytest.raises(DataError, match="end without an assistant turn"):
        chats.answer({"messages": said[:3]}, "r")
    assert chats.text(chats.question({"messages": said[:3]}, "r")) == "1\n2\n3"


def test_a_configured_question_is_refused_unless_the_chats_ask_it():
    first = [{**USER, "content": prompts.question(DataConfig(prompt="location"))}]
    for given, fits in ((DataConfig(), True), (DataConfig(prompt="location"), True),
                        (DataConfig(prompt="cot"), False), (DataConfig(question="?"), False),
                        (DataConfig(question=f" {first[0]['content']}\n"), True)):  # fmt: skip
        if fits:
            chats.check_question(first, given, "t")
        else:
            with pytest.raises(DataError, match="would go unused; set data"):
                chats.check_question(first, given, "t")


# --- pictures -------------------------------------------------------------------------------


def test_names_of_columns_and_kinds():
    for kind, is_text in ((pa.string(), True), (pa.large_string(), True), (pa.null(), True),
                          (pa.binary(), False), (pa.int64(), False),
                          (pa.dictionary(pa.int32(), pa.string()), True),
                          (pa.dictionary(pa.int32(), pa.int64()), False)):  # fmt: skip
        assert images.is_text(kind) == is_text


def test_photos_from_the_web_are_taken_on_trust_but_never_sent(tmp_path):
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    (tmp_path / "in").mkdir()
    given = [
        "https://x/a.png",
        "http://x/a.png",
        "a.png",
        None,
        "no.png",
        "https.png",
        "http/a.png",
    ]
    found = images.problems(given, tmp_path)
    assert found == [None, None, None, *["missing"] * 4]
    sent = images.problems(["https://x/a.png", "../a.png", None], tmp_path / "in", inside=True)
    assert sent[0].startswith("is a URL; what is sent")
    assert sent[1] == "leads outside data.image_root"
    assert sent[2] == "missing"
    assert images.problems(["../a.png"], tmp_path / "in") == [None]
    assert images.problems(["../a.png"], tmp_path / "in", inside=True, home=tmp_path) == [None]


# --- what trainers are given ----------------------------------------------------------------


def test_texts_of_the_tokenizer_are_of_the_first_rows_and_of_the_tiny_model_only():
    run = load(None, ["data.rows=5", "data.question=Where?", "data.levels=[country]"])
    dataset = data.load(run, completions=True)
    said = opening.texts(dataset, run, limit=2)
    answers = {row["completion"][0]["content"] for row in dataset}
    assert len(answers & set(said)) == 2
    assert len(answers & set(opening.texts(dataset, run))) == len(answers)
    assert opening.texts(dataset, load(None, ["model.name=x"])) == []


@pytest.mark.parametrize(("completions", "dropout"), [(True, 0.05), (False, 0.0)])
def test_lora_drops_out_in_sft_only(tmp_path, completions, dropout):
    small = ["model.hidden=48", "model.layers=1", "model.vision_layers=1", "data.rows=4"]
    given = trainers.trainer_inputs(load(None, [*small, "lora_rank=2"]), completions=completions)
    assert given["peft_config"].lora_dropout == dropout
    assert ("completion" in given["train_dataset"][0]) == completions
    assert given.keys() == {"model", "train_dataset", "processing_class", "peft_config"}
    assert (
        trainers.trainer_inputs(load(None, small), completions=completions)["peft_config"] is None
    )


def test_the_seed_decides_the_random_weights():
    import torch

    small = ["model.hidden=48", "model.layers=1", "model.vision_layers=1", "data.places=null"]

    def weights(seed):
        run = load(None, [*small, "data.rows=4", f"seed={seed}"])
        return trainers.trainer_inputs(run, completions=True)["model"].lm_head.weight

    assert torch.equal(weights(1), weights(1))
    assert not torch.equal(weights(1), weights(2))


def test_a_run_that_is_not_checked_does_not_start(tmp_path):
    with pytest.raises(ConfigError, match="must be above 0"):
        trainers.checked(load(None, ["learning_rate=0", f"output={tmp_path}"]))
    with pytest.raises(ConfigError, match="launcher set up 'none'"):
        trainers.checked(load(None, ["strategy=ddp", f"output={tmp_path}"]))
    pq.write_table(pa.table({"a": [1]}), tmp_path / "t.parquet")
    with pytest.raises(DataError, match=r"data\.version is '3', but"):
        trainers.checked(load(None, [f"data.table={tmp_path / 't.parquet'}", "data.version=3"]))
