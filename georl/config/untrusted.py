"""YAML that somebody else wrote: values of a configuration, bounded, or one error.

A configuration is a page of text. One that unfolds into more (aliases of aliases, nesting without
end, numbers of thousands of digits, gigabytes) is refused before anything is made of it.
"""

from __future__ import annotations

import reprlib
from pathlib import Path
from typing import Any

import yaml

MAX_BYTES = 1 << 20
MAX_VALUES = 100_000
MAX_BITS = 64

_SHORT = reprlib.Repr()
_SHORT.maxstring = _SHORT.maxother = 200


def read(path: Path) -> Any:
    """Return what a YAML file holds.

    Raises
    ------
    ValueError
        If it is larger than `MAX_BYTES`, no UTF-8, or cannot be `parsed`.
    """
    with path.open("rb") as file:
        content = file.read(MAX_BYTES + 1)
    if len(content) > MAX_BYTES:
        msg = f"{path}: larger than {MAX_BYTES >> 20} MiB, which no configuration is"
        raise ValueError(msg)
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as error:
        msg = f"{path}: not UTF-8 at byte {error.start}; save it as UTF-8"
        raise ValueError(msg) from error
    return parsed(text, str(path))


def parsed(text: str, where: str) -> Any:
    """Return the value of a YAML text.

    Raises
    ------
    ValueError
        If it is no YAML, nested without end, unfolds into more than `MAX_VALUES` values, or holds a
        whole number of more than `MAX_BITS` bits or text that no file can hold.

    Examples
    --------
    >>> parsed("[1e-5, off]", "here")
    ['1e-5', False]
    >>> parsed("[1", "here")
    Traceback (most recent call last):
        ...
    ValueError: here: not valid YAML in line 1: expected ',' or ']', but \
got '<stream end>'; correct the line
    """
    try:
        tree = yaml.safe_load(text)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        at = f" in line {mark.line + 1}" if mark else ""
        told = getattr(error, "problem", None) or "cannot be read"
        msg = f"{where}: not valid YAML{at}: {told}; correct the line"
        raise ValueError(msg) from error
    except RecursionError as error:
        msg = f"{where}: nested too deeply for a configuration"
        raise ValueError(msg) from error
    except ValueError as error:  # a date that is none, a number of thousands of digits
        told = str(error).partition(";")[0]  # behind it stands how to lift the limit of digits
        msg = f"{where}: a value that YAML takes for a number or a date is none: {told}; quote it"
        raise ValueError(msg) from error
    _refuse_bomb(tree, where)
    return tree


def _refuse_bomb(tree: Any, where: str) -> None:
    waiting, seen = [tree], 0
    while waiting:
        value = waiting.pop()
        seen += 1
        if seen > MAX_VALUES:
            msg = f"{where}: its aliases unfold into more than {MAX_VALUES} values; write them out"
            raise ValueError(msg)
        if isinstance(value, dict):
            waiting += [*value.keys(), *value.values()]
        elif isinstance(value, list | tuple | set):
            waiting += value
        elif isinstance(value, int) and value.bit_length() > MAX_BITS:
            msg = f"{where}: a whole number of {value.bit_length()} bits; give one of {MAX_BITS}"
            raise ValueError(msg)
        elif isinstance(value, str) and not _is_text(value):
            msg = f"{where}: text that no file can hold: {value[:80]!a}; correct it"
            raise ValueError(msg)


def _is_text(value: str) -> bool:
    try:
        return "\0" not in value and bool(value.encode("utf-8") or True)
    except UnicodeEncodeError:  # a lone surrogate
        return False


def shown(value: Any) -> str:
    """Return a value as an error shows it, of bounded length.

    Examples
    --------
    >>> shown("off"), len(shown(["x" * 1000] * 1000)) < 2000
    ("'off'", True)
    """
    return _SHORT.repr(value)
