"""A record in each trainer's shape, and LLaVA's lines read back: by hand, one row at a time."""

import json

import pyarrow as pa
import pytest

from geodata import records
from geodata.files import FileError
from geodata.records import RecordError, chats, llava, trainers
from geodata.records.chats import Options


def turn(role, *parts):
    named = [
        {"type": "image", "text": None} if p is None else {"type": "text", "text": p} for p in parts
    ]
    return {"role": role, "content": named}


PICTURE = {"bytes": b"x", "path": None}
TRUTH = {"lat": 1.0, "lon": 2.0, "country": "France", "city": None}
ASKED = {"photo_id": "a", "images": [PICTURE], "prompt": [turn("user", None, "Where?")], **TRUTH}
TAUGHT = ASKED | {"completion": [turn("assistant", "Here.")]}
PLAIN = {"role": "user", "content": "<image>\nWhere?"}
GIVEN = {"role": "assistant", "content": "Here."}
CHAIN = "Country: France\nCoordinates: (1.000000, 2.000000)"
SFT, GRPO = Options(), Options(kind="grpo")


def test_turns_are_role_and_text():
    assert trainers.turns_of(ASKED) == [PLAIN]
    assert trainers.turns_of(TAUGHT) == [PLAIN, GIVEN]
    assert trainers.turns_of(ASKED | {"completion": None}) == [PLAIN]
    messages = [turn("system", "Be brief."), turn("user", None, None, "Which?")]
    assert trainers.turns_of(TAUGHT | {"messages": messages}) == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "<image>\n<image>\nWhich?"},
    ]


def test_the_answer_that_is_hoped_for():
    assert trainers.answer_of(TAUGHT, SFT) == "Here."
    assert trainers.answer_of(ASKED, GRPO) == CHAIN
    assert trainers.answer_of(ASKED, Options(kind="grpo", variant="cot")) == CHAIN.splitlines()[1]
    two = TAUGHT | {"completion": [turn("assistant", "No."), turn("assistant", "Yes.")]}
    assert trainers.answer_of(two, SFT) == "Yes."
    assert trainers.truth_of(TAUGHT) == TRUTH
    assert trainers.truth_of({"lat": 1.0, "admin1": "x", "other": 1}) == {"lat": 1.0, "admin1": "x"}


def test_rows_of_verl_and_easyr1():
    assert trainers.verl(TAUGHT, SFT, "test", 7) == {
        "data_source": "geodata-georl", "prompt": [PLAIN], "images": [PICTURE],
        "ability": "geolocation", "reward_model": {"style": "rule", "ground_truth": "Here."},
        "extra_info": {"split": "test", "index": 7, "photo_id": "a", **TRUTH},
    }  # fmt: skip
    assert trainers.verl(ASKED, GRPO, "train", 0)["reward_model"]["ground_truth"] == CHAIN
    assert trainers.easyr1(ASKED, GRPO, "train", 0) == {
        "problem": "<image>\nWhere?", "answer": CHAIN, "images": [PICTURE], "photo_id": "a", **TRUTH
    }  # fmt: skip


def test_lines_of_swift_llama_factory_and_llava():
    whole = {"messages": [PLAIN, GIVEN], "images": ["a.jpg"], "photo_id": "a", **TRUTH}
    assert trainers.swift(TAUGHT, ["a.jpg"], SFT) == whole
    asked = {"messages": [PLAIN], "images": ["a.jpg"], "photo_id": "a", **TRUTH}
    assert trainers.swift(ASKED, ["a.jpg"], GRPO) == asked | {"solution": CHAIN}
    assert trainers.llama_factory(TAUGHT, ["a.jpg"], SFT) == whole
    assert trainers.llama_factory(ASKED, ["a.jpg"], GRPO) == asked
    assert trainers.llava(TAUGHT, ["a.jpg", "b.jpg"], SFT) == {
        "id": "a", "image": "a.jpg", **TRUTH,
        "conversations": [{"from": "human", "value": PLAIN["content"]},
                          {"from": "gpt", "value": "Here."}],
    }  # fmt: skip


# LLaVA


def entry(value="<image>\nWhere?", image="a.jpg", **more):
    said = [{"from": "human", "value": value}, {"from": "gpt", "value": "Here."}]
    return {"id": 7, "image": image, "conversations": said} | more


def read(tmp_path, *entries, name="a.jsonl", **options):
    lines = [one if isinstance(one, str) else json.dumps(one) for one in entries]
    whole = f"[{','.join(lines)}]" if name.endswith("json") else "\n".join(lines)
    (tmp_path / name).write_text(whole, encoding="utf-8")
    return records.read_llava(tmp_path / name, **options)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("<image>\nWhere?", [None, "Where?"]), ("Where?\n<image>", ["Where?", None]),
        ("<image>", [None]), ("<image><image>a", [None, None, "a"]), ("\nplain\n", ["\nplain\n"]),
        ("a\n<image>\n\nb", ["a", None, "b"]), ("", []),
    ],
)  # fmt: skip
def test_a_text_is_split_at_its_pictures(text, parts):
    found = list(llava._parts(text))
    assert found == turn("user", *parts)["content"]


@pytest.mark.parametrize("name", ["a.jsonl", "a.json", "A.JSON"])
def test_lines_and_arrays_say_the_same(tmp_path, name):
    (tmp_path / "x.json").write_text("\ufeff[" + json.dumps(entry()) + "]", encoding="utf-8")
    one = records.read_llava(tmp_path / "x.json")
    kind = name.replace("JSON", "json") if name == "a.jsonl" else name.lower()
    found = read(tmp_path, entry(), name=kind)
    assert found.equals(one)
    assert found.column_names == ["photo_id", "images", "messages"]
    assert found["photo_id"].to_pylist() == ["7"]
    assert found["images"].to_pylist() == [[{"bytes": None, "path": "a.jpg"}]]
    assert found["messages"].to_pylist() == [
        [turn("user", None, "Where?"), turn("assistant", "Here.")]
    ]
    assert b"huggingface" in found.schema.metadata


@pytest.mark.parametrize("name", ["a.jsonl", "a.json"])
def test_a_byte_order_mark_is_no_part_of_the_first_record(tmp_path, name):
    """Some editors begin a file with one."""
    line = json.dumps(entry())
    text = f"[{line}]" if name == "a.json" else f"{line}\n{line}\n"
    (tmp_path / name).write_text(text, encoding="utf-8-sig")
    found = records.read_llava(tmp_path / name)
    assert found["photo_id"].to_pylist() == (["7"] if name == "a.json" else ["7", "7"])


def test_empty_lines_ids_and_roots(tmp_path):
    found = read(tmp_path, "", entry(id=None), "  ", entry(id="x"), entry(), image_root="pics")
    assert found["photo_id"].to_pylist() == [None, "x", "7"]
    assert {one[0]["path"] for one in found["images"].to_pylist()} == {"pics/a.jpg"}
    none = read(tmp_path, "")
    assert (len(none), none.schema) == (0, found.schema)
    several = read(tmp_path, entry("<image><image>", ["a.jpg", "b.jpg"]), entry("x", []))
    assert [len(one) for one in several["images"].to_pylist()] == [2, 0]
    said = entry()
    del said["image"]
    said["conversations"] = [{"from": "system", "value": "s"}]
    assert read(tmp_path, said)["messages"].to_pylist() == [[turn("system", "s")]]
    said["conversations"][0]["value"] = ""
    assert read(tmp_path, said)["messages"].to_pylist() == [[turn("system")]]


def test_batches_hold_so_many_with_the_truth_beside(tmp_path):
    truths = [{"lat": 1, "lon": 2.5, "country": "France", "city": 5}, {"lat": "1", "lon": True}, {}]
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(entry(**one)) for one in truths))
    made = list(records.read_llava_batches(tmp_path / "a.jsonl", batch_rows=2))
    assert [len(part) for part in made] == [2, 1]
    whole = pa.concat_tables(made)
    assert whole["lat"].to_pylist() == [1.0, None, None]
    assert whole["lon"].to_pylist() == [2.5, None, None]
    assert whole["country"].to_pylist() == ["France", None, None]
    assert whole["city"].to_pylist() == [None] * 3
    assert whole.column_names[5:] == list(chats.TRUTH)


@pytest.mark.parametrize("size", [1, 2, 3, 4096])
def test_records_and_lines_are_numbered_through_all_batches(tmp_path, size):
    """Lines as an editor counts them; records without the empty lines, which hold none."""
    for last, told in ((json.dumps(entry("no mark")), "record 3: 0 times"), ("{", "line 4 is not")):
        lines = [json.dumps(entry()), "", json.dumps(entry()), last]
        (tmp_path / "a.jsonl").write_text("\n".join(lines))
        with pytest.raises((RecordError, FileError)) as error:
            list(records.read_llava_batches(tmp_path / "a.jsonl", batch_rows=size))
        assert str(error.value).startswith(f"{tmp_path / 'a.jsonl'}: {told}")


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (1, 1.0), (2.5, 2.5), (True, None), ("1", None), (None, None), (2**63 - 1, float(2**63)),
        (2**63, None), (-(2**63), None), (1 - 2**63, float(-(2**63))),
    ],
)  # fmt: skip
def test_a_number_that_fits(value, number):
    assert llava._number(value) == number


@pytest.mark.parametrize(
    ("line", "kind", "told"),
    [
        ("{", FileError, "line 2 is not JSON: "),
        ("[1]", FileError, "line 2 is list, expected an object"),
        (entry(image=5), RecordError, "record 2: 'image' is 5; expected a path or a list of paths"),
        (entry(image=["a", ""]), RecordError, "record 2: 'image' is ['a', '']; expected"),
        (entry(image=""), RecordError, "record 2: 'image' is ''; expected"),
        (entry("no mark"), RecordError, "record 2: 0 times <image> in the text, 1 images"),
        (entry("<image><image>"), RecordError, "record 2: 2 times <image> in the text, 1 images"),
        ({"id": 1}, RecordError, "record 2: has no 'conversations'; it has id"),
        ({}, RecordError, "record 2: has no 'conversations'; it has nothing"),
        (entry(conversations=[]), RecordError, "has no 'conversations'; it has id, image, conv"),
        (entry(conversations=[5]), RecordError, "is 5; expected 'from' (human, gpt, system)"),
        (entry(conversations=[{"from": "x", "value": "a"}]), RecordError, "is {'from': 'x'"),
        (entry(conversations=[{"from": "gpt"}]), RecordError, "and 'value', a text"),
        (entry(conversations=[{"from": "gpt", "value": 5}]), RecordError, "a turn is {'from': 'g"),
        (entry(conversations=[{"from": "gpt", "value": ["a"]}]), RecordError, "'value', a text"),
    ],
)  # fmt: skip
def test_a_record_of_another_form_is_told_with_its_number(tmp_path, line, kind, told):
    with pytest.raises(kind) as error:
        read(tmp_path, entry(), line)
    assert str(error.value).startswith(str(tmp_path / "a.jsonl"))
    assert told in str(error.value)


def test_files_that_cannot_be_read(tmp_path):
    for name in ("none.json", "none.jsonl"):
        with pytest.raises(FileError, match="cannot be read"):
            records.read_llava(tmp_path / name)
    (tmp_path / "a.jsonl").write_bytes(b"\xff\xfe")
    with pytest.raises(FileError, match=r"a\.jsonl: cannot be read: "):
        records.read_llava(tmp_path / "a.jsonl")
    for text in ("{", "{}", "[5]", "[" * 100_000):
        (tmp_path / "a.json").write_text(text)
        with pytest.raises(FileError, match=r"cannot be read as JSON|expected an array of objects"):
            records.read_llava(tmp_path / "a.json")


def test_feature_types_of_hugging_face():
    schema = pa.schema([
        ("photo_id", pa.string()), ("images", pa.list_(pa.string())), ("lat", pa.float64()),
        ("n", pa.int32()), ("turns", chats.TURNS),
    ])  # fmt: skip
    told = json.loads(chats.features(schema)["huggingface"])["info"]["features"]
    part = {
        "type": {"dtype": "string", "_type": "Value"},
        "text": {"dtype": "string", "_type": "Value"},
    }
    assert told == {
        "photo_id": {"dtype": "string", "_type": "Value"},
        "images": {"feature": {"_type": "Image"}, "_type": "List"},
        "lat": {"dtype": "float64", "_type": "Value"}, "n": {"dtype": "int32", "_type": "Value"},
        "turns": {"_type": "List", "feature": {
            "role": {"dtype": "string", "_type": "Value"},
            "content": {"_type": "List", "feature": part},
        }},
    }  # fmt: skip
