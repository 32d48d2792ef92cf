"""Objects as models write them: what they hold, and where."""

import re

import pytest
from hypothesis import given, strategies as st

from geodata.answers.texts import objects as reading
from geodata.answers.texts.objects import FENCE, MAX_DEPTH, find_objects


def plain(text, value):
    if value.kind == "object":
        return {key: plain(text, one) for key, one in value.fields}
    if value.kind == "array":
        return [plain(text, one) for _, one in value.fields]
    return (value.kind, text[value.start : value.end])


def objects(text):
    return [plain(text, one) for one in find_objects(text)]


def t(word):
    return ("text", word)


def b(word):
    return ("bare", word)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"a": 1}', [{"a": b("1")}]), ("{a: 1}", [{"a": b("1")}]),
        ("{'a' = 'x'}", [{"a": t("x")}]),
        ('{" a ": 1, "b\t": 2}', [{"a": b("1"), "b": b("2")}]),
        ('{"a": "x", "b": [1, "y", [2]], "c": {"d": null}}',
         [{"a": t("x"), "b": [b("1"), t("y"), [b("2")]], "c": {"d": b("null")}}]),
        ('{"a": 1 "b": 2}', [{"a": b("1"), "b": b("2")}]),
        ('{,"a": 1,, "b": 2,}', [{"a": b("1"), "b": b("2")}]),
        ('{"a": 1, // note\n "b": 2}', [{"a": b("1"), "b": b("2")}]),
        ('{"a": 1 # note\n, "b": 2}', [{"a": b("1 # note"), "b": b("2")}]),
        ('{# note\n"b": 2}', [{"b": b("2")}]),
        ('{"a": /* 5 */ 1, /* x', [{"a": b("1")}]),
        ('{"a": "say "hi" now", "b": 2}', [{"a": t('say "hi" now'), "b": b("2")}]),
        ('{"a": "cut', [{"a": t("cut")}]), ('{"a": 1', [{"a": b("1")}]),
        ('{"a": [1, 2', [{"a": [b("1"), b("2")]}]),
        ('{"a": "x"\n"b": 1}', [{"a": t("x"), "b": b("1")}]),
        ('{"a": "x" // n\n}', [{"a": t("x")}]),
        ("{}", []), ("{ }", []), ('{"a": {}}', []), ('{"a": []}', []), ("{prose}", []),
        ("{prose: }", [{"prose": b("")}]),
        ("{prose} {} {a: 1}", [{"a": b("1")}]),
        ("x {a: 1} y {b: 2} z", [{"a": b("1")}, {"b": b("2")}]),
        ("{{a: 1}}", [{"": {"a": b("1")}}]),
        ('{"a": 1} }', [{"a": b("1")}]), ('{"a": 1 then prose}', [{"a": b("1 then prose")}]),
        ('{"a": 1, then prose', [{"a": b("1")}]), ('{"a b-c": 1}', [{"a b-c": b("1")}]),
        (f'{{"a": 1 {FENCE} "b": 2}}', [{"a": b("1 ")}]),
        (f'{{"a": {FENCE} "b": 2}}', [{"a": b("")}]),
        (f'{{"a": "x {FENCE} {{"b": 2}}', [{"a": t(f'x {FENCE} {{"b": 2}}')}]),
        (f'{{"a": "x"\n{FENCE} "b": 2}}', [{"a": t("x")}]),
        (f'{{"a": [1, {FENCE} 2], "b": 3}}', [{"a": [b("1")]}]),
        ('{_a: 1, "b": 2, _c: _d}', [{"_a": b("1"), "b": b("2"), "_c": b("_d")}]),
        ('{"a": "", "b": 1}', [{"a": t(""), "b": b("1")}]),
        ('{"": 1}', []), ('{"' + "k" * 60 + '": 1}', [{"k" * 60: b("1")}]),
        ('{"' + "k" * 61 + '": 1}', []),
        ('{1a: 1}', []), ("{k" + "a" * 40 + ": 1}", [{"k" + "a" * 40: b("1")}]),
        ("{k" + "a" * 41 + ": 1}", []),
        ('{"a": \'x\', "b": "it\'s"}', [{"a": t("x"), "b": t("it's")}]),
        ('{a: http://x, b: 1}', [{"a": b("http:")}]),
        ('{"a": ", x", "b": 1}', [{"a": t(", x"), "b": b("1")}]),
        ('{"a": (1, 2)}', [{"a": b("(1")}]), ('{"a": 1]', [{"a": b("1")}]),
    ],
)  # fmt: skip
def test_objects_are_read_as_they_were_meant(text, found):
    assert objects(text) == found


def test_an_object_knows_where_it_ends():
    text = 'x {"a": [1, 2], "b": {"c": 3}} y {"d": "cut'
    first, second = find_objects(text)
    assert text[first.start : first.end] == '{"a": [1, 2], "b": {"c": 3}}'
    assert text[second.start :] == '{"d": "cut'
    assert second.end == len(text)
    (_, array), (_, inner) = first.fields
    assert text[array.start : array.end] == "[1, 2]"
    assert text[inner.start : inner.end] == '{"c": 3}'
    assert [one.kind for one in (first, array, inner, array.fields[0][1])] == [
        "object", "array", "object", "bare",
    ]  # fmt: skip


@pytest.mark.parametrize("more", [0, 1])
def test_objects_are_looked_into_to_a_depth(more):
    assert MAX_DEPTH == 24
    depth = 24 - 1 + more
    text = '{"a":' * depth + '{"b": 1' + "}" * (depth + 1)
    found = objects(text)
    assert bool(found) is (more == 0)


PIECES = [
    "{",
    "{ ,",
    "{" * (MAX_DEPTH - 1),
    "{\n" * MAX_DEPTH,
    "}",
    "a: 1",
    "[",
    '"b": "c",',
    "x",
    FENCE,
]


@given(st.lists(st.sampled_from([*PIECES, "// d\n"]), max_size=12))
def test_braces_passed_over_at_once_hide_nothing(parts):
    """What `_TOO_DEEP` skips, the slow way reads brace by brace and throws away."""
    text = "".join(parts)
    found = objects(text)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(reading, "_TOO_DEEP", re.compile(r"(?!)"))
        assert objects(text) == found


@pytest.mark.parametrize("brace", ["{", "{ ", "{,\n"])
def test_an_object_behind_braces_that_are_too_deep_is_found(brace):
    text = brace * (MAX_DEPTH + 1) + "so: {lat: 1.5, lon: 2}"
    assert objects(text) == [{"lat": b("1.5"), "lon": b("2")}]
    assert objects(brace + text) == [{"so": {"lat": b("1.5"), "lon": b("2")}}]
    assert objects(text[len(brace) :]) == []  # its own brace is the one too many
