"""What a stranger's text may do to a terminal or to a page of Markdown: nothing."""

import unicodedata

import pytest
from hypothesis import given, strategies as st
from markdown_it import MarkdownIt

from geodata.printable import markdown, one_line, printable

TEXT = st.text(st.characters(max_codepoint=0x10FFFF, exclude_categories=["Cs"]), max_size=40)
ORDERS = st.sampled_from(["\x1b[2J", "\x1b]0;x\x07", "\x9b31m", "\r", "\x08", "\u202e", "\x00"])
MARKS = st.sampled_from(
    ["# ", "](javascript:x)", "[a](b)", "|", "\\|", "<script>", "---", "`", "!["]
)


def mixed(parts):
    return st.lists(TEXT | parts, max_size=5).map("".join)


@given(mixed(ORDERS))
def test_no_character_is_an_order(text):
    shown = printable(text)
    for c in shown:
        is_order = unicodedata.category(c) == "Cc" or unicodedata.bidirectional(c) in {
            "LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI",
        }  # fmt: skip
        assert c in "\n\t" or not is_order, repr(c)
    assert "\n" not in one_line(text)
    assert printable(shown) == shown


@given(TEXT.filter(str.isprintable))
def test_ordinary_text_stays(text):
    assert printable(text) == text


@given(mixed(MARKS))
def test_markdown_shows_a_cell_as_one_cell(text):
    table = f"| name | n |\n|---|---|\n| {markdown(text)} | 7 |\n"
    tokens = MarkdownIt("commonmark").enable("table").parse(table)
    kinds = [token.type for token in tokens]
    assert kinds.count("td_open") == 2
    assert not {"heading_open", "html_block", "hr", "fence"} & set(kinds)
    cell = next(t for i, t in enumerate(tokens) if kinds[i - 1] == "td_open")
    inner = {child.type for child in cell.children}
    assert inner <= {"text", "text_special", "entity"}, inner


@pytest.mark.parametrize("value", [None, 7, 1.5, b"x"])
def test_any_value_is_shown(value):
    assert printable(value) == str(value)
