"""What a stranger's text may do to a terminal or to a page of Markdown: nothing."""

import io
import json
import sys
import unicodedata

import pytest
from hypothesis import example, given, strategies as st
from markdown_it import MarkdownIt

from geodata.printable import code, html, json_text, markdown, one_line, printable, tell

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


@example("__0__")
@example("a__b _c_ __d")
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


ORDERED = [
    "\x00", "\x08", "\x0b", "\r", "\x1f", "\x7f", "\x80", "\x9f", "\u200e", "\u200f", "\u202a",
    "\u202e", "\u2066", "\u2069", "\ufeff", "\ufff9", "\ufffb", "\U000e0001", "\U000e007f",
]  # fmt: skip
PLAIN = ["\t", "\n", " ", "~", "\xa0", "\u200d", "\u2029", "\u2065", "\u206a", "\ufff8", "\ufffc",
         "\U000e0000", "\U000e0080", "ä", "日"]  # fmt: skip


@pytest.mark.parametrize("character", ORDERED)
def test_an_order_is_shown_as_its_escape(character):
    assert printable(f"a{character}b") == f"a{ascii(character)[1:-1]}b"
    assert json.loads(json_text(json.dumps(character, ensure_ascii=False))) == character
    assert character not in json_text(f'"{character}"')


@pytest.mark.parametrize("character", PLAIN)
def test_what_is_no_order_stays(character):
    assert printable(f"a{character}b") == f"a{character}b"
    assert json_text(character) == character


def test_json_escapes_beyond_the_plane_are_pairs():
    assert json_text('"\U000e0001"') == '"\\udb40\\udc01"'
    assert json_text('"\x9b"') == '"\\u009b"'


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("# a", "\\# a"), ("a # b", "a # b"), ("= a", "\\= a"), ("--- a", "\\--- a"), ("-a", "-a"),
        ("- a", "\\- a"), ("+ a", "\\+ a"), ("+a", "+a"), ("-", "\\-"), ("1. a", "1\\. a"),
        ("12) a", "12\\) a"), ("1.5", "1.5"), ("1.", "1\\."), ("a 1. b", "a 1. b"),
        ("snake_case", "snake_case"), ("_a_", "\\_a\\_"), ("![x", "!\\[x"), ("a!", "a!"),
        (" a ", "a"), ("a\nb\tc", "a\\\\nb\\\\tc"), ("\\*`<>|~[]", "\\\\\\*\\`\\<\\>\\|\\~\\[\\]"),
    ],
)  # fmt: skip
def test_markdown_escapes_what_would_begin_something(text, shown):
    assert markdown(text).replace("\\!", "!") == shown


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a", "`a`"), ("a`b", "`` a`b ``"), ("a``b`c", "``` a``b`c ```"), ("a|b\n", "`a\\|b\\n`"),
        ("", "``"),
    ],
)  # fmt: skip
def test_code_has_a_fence_longer_than_what_is_in_it(text, shown):
    assert code(text) == shown


def test_html_shows_a_value_as_it_is():
    assert html('<a b="c">&\'\n\x1b') == "&lt;a b=&quot;c&quot;&gt;&amp;&#x27;\\n\\x1b"
    assert one_line("a\tb\nc\r") == "a\\tb\\nc\\r"


def test_what_is_told_is_there_at_once(monkeypatch):
    class Stream(io.StringIO):
        flushed = 0

        def flush(self):
            self.flushed += 1

    out, err = Stream(), Stream()
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setattr(sys, "stderr", err)
    tell("a\x1b\nb")
    assert (out.getvalue(), out.flushed, err.getvalue()) == ("a\\x1b\nb\n", 1, "")
    tell(7, err=True, end="")
    assert (err.getvalue(), err.flushed) == ("7", 1)
