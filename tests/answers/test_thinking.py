"""What is left of a text without its thinking, and when there is nothing else."""

import pytest

from geodata.answers.texts.blocks import without_thinking


@pytest.mark.parametrize(
    ("text", "left", "only"),
    [
        ("plain", "plain", False),
        ("<think>a</think>b", "b", False),
        ("<think>a</think><think>b</think> c", " c", False),
        ("<think>a</think> \n", " a  \n", True),
        ("<think>a</think>", " a ", True),
        ("a</think>", "a ", True),
        ("a</think>b", "b", False),
        ("before <think>a", "before ", False),
        (" <think>a", "a", True),
        ("<think>a <answer>b</answer>", "a <answer>b</answer>", False),
        ("<think>a</think> b <think>c", " b ", False),
        ("<think>a</think> <think>c", "c", True),
        ("", "", False),
    ],
)
def test_thinking_goes_unless_it_is_all(text, left, only):
    assert without_thinking(text) == (left, only)
