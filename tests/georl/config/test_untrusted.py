"""Configurations of strangers: one error that names the file, whatever they unfold into."""

import os

import pytest

from georl.config import ConfigError, load, load_reason, untrusted
from georl.config.untrusted import MAX_BYTES, MAX_VALUES, parsed, shown


def aliases(levels):
    """Nine aliases of nine aliases ...: a page of text that is nine to so many."""
    rows = ["data:", " levels:", "  - &a0 [x,x,x,x,x,x,x,x,x]"]
    rows += [f"  - &a{i} [{','.join([f'*a{i - 1}'] * 9)}]" for i in range(1, levels)]
    return "\n".join(rows)


BOMBS = {
    "nested": ("[" * 100_000, "nested too deeply"),
    "nested blocks": ("data: " + "{a: " * 5000 + "}" * 5000, "nested too deeply"),
    "digits": ("seed: " + "9" * 5000, "5000 digits"),
    "many digits": ("seed: " + "9" * 4000, "13288 bits"),
    "hexadecimal": ("seed: 0x" + "f" * 5000, "20000 bits"),
    "sixtieths": ("seed: 1" + ":59" * 5000, "bits; give one of 64"),
    "date": ("output: 2001-99-99", "month must be"),
    "aliases": (aliases(9), f"more than {MAX_VALUES} values"),
    "of itself": ("data: &d\n  table: *d\n", f"more than {MAX_VALUES} values"),
    "surrogate": ('output: "\\ud800"', "no file can hold"),
    "zero byte": ('output: "a\\0b"', "no file can hold"),
    "program": ("output: !!python/object/apply:os.system ['true']", "not valid YAML"),
    "long": ("output: " + "x" * MAX_BYTES, "larger than 1 MiB"),
    "latin": (b"output: \xe9\n", "not UTF-8 at byte 8"),
}


@pytest.mark.parametrize("what", BOMBS)
@pytest.mark.parametrize("reads", [load, load_reason])
def test_a_bomb_is_one_error_that_names_the_file(what, reads, tmp_path):
    content, told = BOMBS[what]
    path = tmp_path / "run.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(ConfigError) as error:
        reads(path)
    assert told in str(error.value)
    assert str(path) in str(error.value)
    assert len(str(error.value)) < 600 + len(str(path))


@pytest.mark.parametrize("value", ["[", "a: b: c", "9" * 5000, "[" * 9000, '"\\ud800"'])
def test_an_override_is_held_to_the_same(value):
    with pytest.raises(ConfigError, match=r"override 'data\.where=") as error:
        load(None, [f"data.where={value}"])
    assert len(str(error.value)) < 600


def test_what_is_no_bomb_is_read():
    """Just inside: 64 bits, the largest file, many values, an alias that is used twice."""
    assert parsed(str(2**64 - 1), "here") == 2**64 - 1
    with pytest.raises(ValueError, match="65 bits"):
        parsed(str(2**64), "here")
    assert len(parsed("[" + "1," * (MAX_VALUES - 1) + "]", "here")) == MAX_VALUES - 1
    with pytest.raises(ValueError, match="values"):
        parsed("[" + "1," * MAX_VALUES + "]", "here")
    assert parsed("[&a [1, 2], *a]", "here") == [[1, 2], [1, 2]]


def test_a_value_more_than_so_many_is_refused(monkeypatch):
    """A list counts as a value too."""
    assert (MAX_BYTES, MAX_VALUES, untrusted.MAX_BITS) == (1_048_576, 100_000, 64)
    monkeypatch.setattr(untrusted, "MAX_VALUES", 5)
    assert parsed("[1, 2, 3, 4]", "here") == [1, 2, 3, 4]
    for more in ("[1, 2, 3, 4, 5]", "[[1, 2], [3]]", "{a: b, c: d, e: f}"):
        with pytest.raises(ValueError, match=r"^here: its aliases unfold into more than 5 values"):
            parsed(more, "here")


def test_the_largest_file_is_read_and_one_byte_more_is_not(tmp_path):
    path = tmp_path / "run.yaml"
    path.write_bytes(b"seed: 3\n#" + b"x" * (MAX_BYTES - 9))
    assert load(path).seed == 3
    path.write_bytes(b"seed: 3\n#" + b"x" * (MAX_BYTES - 8))
    with pytest.raises(ConfigError, match="larger"):
        load(path)


def test_what_a_value_is_called_in_an_error_is_short():
    with pytest.raises(ConfigError) as error:
        load(None, ["data.table=[" + "[x,x,x]," * 5000 + "]"])
    assert len(str(error.value)) < 500
    assert shown("off") == "'off'"
    assert shown("x" * 198) == repr("x" * 198)  # 200 signs with its quotes, and no more
    assert len(shown("x" * 199)) == len(shown("x" * 5000)) == 200


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_and_a_device_are_no_configuration(tmp_path):
    os.mkfifo(tmp_path / "pipe.yaml")
    (tmp_path / "zero.yaml").symlink_to("/dev/zero")
    for name in ("pipe.yaml", "zero.yaml"):
        with pytest.raises(ConfigError, match="no such file"):
            load(tmp_path / name)


@pytest.mark.parametrize(
    "text", ["[{n}, {{a: 1}}]", "[{n}, [1, 2]]", "[[1, 2], {n}]", "{{a: {n}, b: {{c: 1}}}}",
             "{{{n}: 1}}", "{{a: [1, {{b: {n}}}], c: {{}}}}"],
)  # fmt: skip
def test_a_number_too_long_is_found_wherever_it_stands(text):
    """Before and behind blocks and lists of their own, as a value and as a key."""
    with pytest.raises(ValueError, match="here: a whole number of 65 bits; give one of 64"):
        parsed(text.format(n=2**64), "here")
    assert str(2**64 - 1) in str(parsed(text.format(n=2**64 - 1), "here"))
