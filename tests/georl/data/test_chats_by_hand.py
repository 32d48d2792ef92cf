"""Chats that a table brings along, turn by turn and word by word (georl.data.chats)."""

import pyarrow as pa
import pytest

from georl.config import DataConfig
from georl.data import DataError, chats, prompts

IMAGE = {"type": "image"}


def said(text):
    return {"type": "text", "text": text}


def turn(role, content):
    return {"role": role, "content": content}


def refused(call, *given):
    with pytest.raises(DataError) as caught:
        call(*given)
    return str(caught.value)


def test_chats_are_lists_of_turns_with_a_question_among_them():
    of = pa.struct([("role", pa.string()), ("content", pa.string())])
    kinds = {"turns": pa.list_(of), "large": pa.large_list(of), "text": pa.string(), "turn": of,
             "texts": pa.list_(pa.string())}  # fmt: skip

    def found(**columns):
        return chats.columns(pa.schema([(name, kinds[kind]) for name, kind in columns.items()]))

    assert found(completion="turns", prompt="large") == ["prompt", "completion"]
    assert found(messages="turns", prompt="text", id="turns") == ["messages"]
    assert found(messages="large", completion="texts") == ["messages"]
    assert found(messages="turns", completion="turns", prompt="turns") == [
        "prompt", "completion", "messages"
    ]  # fmt: skip
    assert found(completion="turns") == found(completion="turns", prompt="text") == []
    for kind in ("text", "turn", "texts"):
        assert found(messages=kind) == []


def test_the_image_is_where_the_chat_shows_it_else_first_in_the_first_question():
    asked = [turn("system", "s"), turn("user", "a"), turn("assistant", "b"), turn("user", "c")]
    assert chats.question({"prompt": asked}, "r") == [
        turn("system", [said("s")]),
        turn("user", [IMAGE, said("a")]),
        turn("assistant", [said("b")]),
        turn("user", [said("c")]),
    ]
    asked[3] = turn("user", [said("c"), {**IMAGE, "image": 3}])
    assert chats.question({"prompt": asked}, "r") == [
        turn("system", [said("s")]),
        turn("user", [said("a")]),
        turn("assistant", [said("b")]),
        turn("user", [said("c"), IMAGE]),
    ]
    assert chats.question({"prompt": [], "messages": [turn("user", "x")]}, "r") == [
        turn("user", [IMAGE, said("x")])
    ]


def test_the_answer_is_the_completion_else_the_last_turn():
    asked, told = turn("user", "a"), turn("assistant", "b")
    two = [turn("assistant", "x"), turn("assistant", "y")]
    assert chats.answer({"completion": two, "messages": [asked, told]}, "r") == [
        turn("assistant", [said("x")]), turn("assistant", [said("y")])
    ]  # fmt: skip
    for empty in ({}, {"completion": None}, {"completion": []}):
        found = chats.answer({**empty, "messages": [asked, told]}, "r")
        assert found == [turn("assistant", [said("b")])]
    for rest in ([], None, [asked], [told, None], [told, {}], [told, asked]):
        assert refused(chats.answer, {"messages": rest}, "r7") == (
            "the messages of row 'r7' end without an assistant turn, so there is no answer to "
            "teach; repair or drop the row"
        )


def test_what_is_no_chat_is_refused_in_these_words():
    def told(*turns):
        return refused(chats.question, {"prompt": [*turns]}, "r7")

    begins, ends = "the messages of row 'r7' ", "; repair or drop the row"
    alone = "ask nothing: there is no user turn before the answer"
    assert told(turn("system", "s")) == begins + alone + ends
    assert refused(chats.question, {}, "r7") == begins + alone + ends
    twice = [turn("system", [IMAGE]), turn("user", [IMAGE, said("a"), IMAGE])]
    assert told(*twice) == f"{begins}show 3 images, where one is read{ends}"
    for bad in (None, turn("tool", "x"), {"content": "x"}, turn("user", None), turn("user", 7)):
        expected = f"{begins}have a turn {bad!r}; expected role and content{ends}"
        assert told(bad) == expected
    long = turn("tool", "x" * 200)
    assert told(long) == f"{begins}have a turn {repr(long)[:80]}; expected role and content{ends}"
    for bad in (None, "x", {"type": "video"}, {"text": "x"}, {"type": "text", "text": None}):
        expected = f"{begins}have a part {bad!r}; expected an image or a text{ends}"
        assert told(turn("user", [bad])) == expected
    long = {"type": "video", "url": "x" * 200}
    assert told(turn("user", [long])) == (
        f"{begins}have a part {repr(long)[:80]}; expected an image or a text{ends}"
    )


def test_the_text_of_turns_is_a_line_a_part():
    turns = [turn("user", "a"), turn("user", [said("b"), IMAGE, said("c\nd")]), turn("user", [])]
    assert chats.text(turns) == "a\nb\nc\nd"
    assert chats.text([]) == ""


def test_a_picture_is_put_in_the_place_of_the_image():
    picture = {"type": "image_url", "image_url": {"url": "x"}}
    assert chats.with_image([turn("user", [said("a"), IMAGE])], picture) == [
        turn("user", [said("a"), picture])
    ]
    assert chats.with_image("a", picture) == [turn("user", [picture, said("a")])]
    assert refused(chats.with_image, [], picture).startswith("the messages of row 'of this run' ")


def test_records_without_answers_are_refused_in_these_words():
    for columns in (["completion"], ["messages"], ["prompt", "completion"]):
        chats.check_answers(columns, "t")
    for columns in ([], ["prompt"]):
        assert refused(chats.check_answers, columns, "t@3") == (
            "t@3 holds prompts without answers, as GRPO reads them; for SFT write records with "
            "geodata records sft"
        )


def test_a_question_that_goes_unused_is_refused_in_these_words():
    first = [turn("user", [IMAGE, said("x" * 70)])]
    begins = f"t holds chats, which ask {'x' * 60!r}, so data."
    ends = " to ask what the chats ask, or give data.table the photos instead of their records"
    assert refused(chats.check_question, first, DataConfig(question="?"), "t") == (
        f"{begins}question='?' would go unused; set data.question=null{ends}"
    )
    assert refused(chats.check_question, first, DataConfig(prompt="cot"), "t") == (
        f"{begins}prompt='cot' would go unused; set data.prompt=cor{ends}"
    )
    both = DataConfig(prompt="cot", question="?")  # the question is what is asked
    assert "so data.question='?' would" in refused(chats.check_question, first, both, "t")
    asked = [turn("user", f" {prompts.question(DataConfig(prompt='cot'))}\n")]
    chats.check_question(asked, DataConfig(prompt="cot"), "t")
    chats.check_question(first, DataConfig(question=f"\n{'x' * 70}"), "t")
    chats.check_question(first, DataConfig(), "t")
