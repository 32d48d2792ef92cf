"""Turn YAML and ``key=value`` into frozen dataclasses, strictly: no unknown key, no wrong type."""

from __future__ import annotations

import dataclasses
import difflib
import types
import typing
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, TypeVar

from geodata.errors import GeodataError
from georl.config import untrusted
from georl.config.untrusted import shown

Filled = TypeVar("Filled")


class ConfigError(GeodataError, ValueError):
    """A configuration that cannot be run: says the field, the value, the rule and the remedy."""


def read_yaml(path: Path, kind: str = "") -> dict[str, Any]:
    """Return the mapping in a YAML file, or in a bundled one of this name; {} if it is empty."""
    if not path.is_file() and path.name in bundled(kind):
        path = bundled(kind)[path.name]
    if not path.is_file():
        names = ", ".join(name for name in bundled(kind) if not name.endswith(".yaml"))
        near = difflib.get_close_matches(path.name, [*bundled(kind)], 1)
        said = f"; did you mean {near[0]}?" if near else ""
        msg = f"{path}: no such file, and no bundled configuration either: {names}{said}"
        raise ConfigError(msg)
    try:
        tree = untrusted.read(path)
    except ValueError as error:
        raise ConfigError(str(error)) from error
    if not isinstance(tree, dict | None):
        msg = f"{path}: expected a mapping of keys, found {type(tree).__name__}"
        raise ConfigError(msg)
    return tree or {}


def read_value(text: str, where: str) -> Any:
    """Return the value that a text is as YAML."""
    try:
        return untrusted.parsed(text, where)
    except ValueError as error:
        raise ConfigError(str(error)) from error


def bundled(kind: str = "") -> dict[str, Path]:
    """Return the configurations that come along, by their name with and without ending.

    They lie in the wheel inside the package, in a checkout beside it; those of reasoning sets
    (``kind`` "reason") in a folder of their own.

    Examples
    --------
    >>> bundled()["tiny-cpu"].name
    'tiny-cpu.yaml'
    """
    package = Path(__file__).parents[1]
    folder = package / "configs"
    if not folder.is_dir():
        folder = package.parent / "configs"
    files = sorted((folder / kind).glob("*.yaml"))
    return {file.stem: file for file in files} | {file.name: file for file in files}


def put(tree: dict[str, Any], key: str, value: Any) -> None:
    """Set a dotted key in a tree of blocks."""
    *blocks, leaf = key.split(".")
    for block in blocks:
        inner = tree.setdefault(block, {})
        if not isinstance(inner, dict):
            msg = f"key {key!r}: {block!r} is a value, not a block"
            raise ConfigError(msg)
        tree = inner
    tree[leaf] = value


def full_key(root: Any, key: str) -> str:
    """Complete a key without its block where the name is unique."""
    if key in _hints(root):
        return key
    matches = [k for k in _all_keys(root) if k.endswith(f".{key}")]
    if len(matches) > 1:
        msg = f"key {key!r} could be {' or '.join(matches)}; write one of them in full"
        raise ConfigError(msg)
    return matches[0] if matches else key


def _all_keys(root: Any) -> list[str]:
    keys: list[str] = []
    for name, hint in _hints(root).items():
        inner = _hints(hint) if dataclasses.is_dataclass(hint) else {}
        keys += [f"{name}.{leaf}" for leaf in inner] or [name]
    return keys


def _hints(cls: Any) -> dict[str, Any]:
    return typing.get_type_hints(cls)


def fill(root: type[Filled], tree: Any) -> Filled:
    """Return ``root`` filled from a tree of blocks and values, every one checked.

    Raises
    ------
    ConfigError
        For an unknown key, with the nearest valid one, or a value of the wrong type.
    """
    _refuse_unknown(root, root, tree, "")
    filled: Filled = _block(root, tree, "")
    return filled


def _refuse_unknown(root: Any, cls: Any, tree: Any, where: str) -> None:
    hints = _hints(cls)
    for key, value in tree.items() if isinstance(tree, Mapping) else ():
        path = f"{where}.{key}" if where else str(key)
        if key not in hints:
            raise ConfigError(_unknown(root, path))
        if dataclasses.is_dataclass(hints[key]):
            _refuse_unknown(root, hints[key], value, path)
        elif (inner := _block_of(hints[key])) is not None and isinstance(value, Mapping):
            for name, block in value.items():
                _refuse_unknown_in(inner, block, f"{path}.{name}")


def _block_of(hint: Any) -> Any:
    """Return the dataclass of a mapping of names to blocks, else None."""
    args = typing.get_args(hint)
    held = typing.get_origin(hint) is dict and dataclasses.is_dataclass(args[1])
    return args[1] if held else None


def _refuse_unknown_in(cls: Any, block: Any, where: str) -> None:
    for key in block if isinstance(block, Mapping) else ():
        if key not in _hints(cls):
            near = difflib.get_close_matches(str(key), [*_hints(cls)], 1, 0.4)
            hint = f"did you mean {where}.{near[0]}?" if near else f"keys: {', '.join(_hints(cls))}"
            msg = f"unknown key '{where}.{key}'; {hint}"
            raise ConfigError(msg)


def _block(cls: Any, tree: Any, where: str) -> Any:
    if not isinstance(tree, Mapping):
        msg = f"{where or 'the configuration'} is {shown(tree)}; expected a block of keys"
        raise ConfigError(msg)
    hints = _hints(cls)
    values = {k: _coerce(hints[k], v, f"{where}.{k}" if where else str(k)) for k, v in tree.items()}
    return cls(**values)


def _unknown(root: Any, key: str) -> str:
    blocks = [*_hints(root)]
    near = [] if "." in key else difflib.get_close_matches(key, blocks, 1, 0.6)
    known = _all_keys(root)
    near = near or difflib.get_close_matches(key, known, 1, 0.4)
    near = near or [k for k in known if k.endswith(f".{key}")]
    hint = f"did you mean {near[0]}?" if near else f"the keys are {', '.join(known)}"
    return f"unknown key {key!r}; {hint}"


def _coerce(hint: Any, value: Any, where: str) -> Any:
    """Return ``value`` as the field's type, or refuse it; YAML reads 1e-5 as text."""
    if dataclasses.is_dataclass(hint):
        return _block(hint, value, where)
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return None if value is None else _coerce(args[0], value, where)
    if origin is Literal:
        return _one_of(args, value, where)
    if origin is tuple:
        items = [value] if isinstance(value, str) else value
        if isinstance(items, list | tuple):
            return tuple(_coerce(args[0], item, where) for item in items)
    elif origin is dict:
        if isinstance(value, Mapping):
            return {str(k): _coerce(args[1], v, f"{where}.{k}") for k, v in value.items()}
    else:
        return _scalar(hint, value, where)
    raise ConfigError(_wrong(where, value, str(hint)))


def _one_of(options: tuple[Any, ...], value: Any, where: str) -> Any:
    # YAML 1.1 reads a bare `off` as False
    value = "off" if value is False and "off" in options else value
    if value in options:
        return value
    msg = f"{where} is {shown(value)}; expected one of {', '.join(map(str, options))}"
    raise ConfigError(msg)


def _scalar(kind: Any, value: Any, where: str) -> Any:
    if kind is Any:
        return value
    if kind is bool and isinstance(value, bool):
        return value
    if kind is str and isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value)
    if kind is int and isinstance(value, int) and not isinstance(value, bool):
        return value
    if kind is float and isinstance(value, int | float | str) and not isinstance(value, bool):
        try:
            return float(value)
        except ValueError:
            pass
    raise ConfigError(_wrong(where, value, getattr(kind, "__name__", str(kind))))


def _wrong(where: str, value: Any, expected: str) -> str:
    return f"{where} is {shown(value)} ({type(value).__name__}); expected {expected}"


def plain(value: Any) -> Any:
    """Return the value with lists for tuples, as YAML writes it."""
    if isinstance(value, dict):
        return {k: plain(v) for k, v in value.items()}
    return list(value) if isinstance(value, tuple) else value
