"""Where a relative reference to a picture starts: the folder that its table lies in.

A lake is a folder of tables, and what its rows call ``../holiday/1.jpg`` is found from it,
whatever the working directory of the reader is, and after both were moved together. Tables that
name pictures from the working directory are read all the same, where nothing is there.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc

from geodata.images.column import archive_of, is_member

Place = tuple[str, str]
"""What references into a folder or archive begin with as it was named, and as a table calls it."""


def called(paths: Iterable[Path], home: Path | None) -> tuple[Place, ...]:
    """Return how references into relative places begin, and how in a table in a folder.

    Parameters
    ----------
    paths
        Folders and archives of pictures. Absolute ones stay as they are.
    home
        The folder that the table lies in; None where it is not on this machine: places are
        absolute then.

    Examples
    --------
    >>> called([Path("holiday"), Path("/mnt/photos")], Path.cwd() / "lake")
    (('holiday/', '../holiday/'),)
    """
    found = []
    for path in paths:
        if path.is_absolute():
            continue
        there = os.path.abspath(path)  # noqa: PTH100, links stay: they may be moved along
        if home is not None:
            there = os.path.relpath(there, os.path.realpath(home))
        mark = "#" if path.is_file() else "/"
        begins = "" if path == Path() else f"{path}{mark}"
        found.append((begins, "" if there == "." else f"{Path(there).as_posix()}{mark}"))
    return tuple(sorted(found, key=lambda place: -len(place[0])))


def renamed(references: pa.Array, places: Sequence[Place]) -> pa.Array:
    """Return references as a table calls them.

    Parameters
    ----------
    references
        Text, shape (n,); NULL stays.
    places
        As `called` gives them.

    Examples
    --------
    >>> renamed(pa.array(["holiday/1.jpg", "/else/2.jpg"]), [("holiday/", "../holiday/")])
    <pyarrow.lib.StringArray object at ...>
    [
      "../holiday/1.jpg",
      "/else/2.jpg"
    ]
    """
    out, left = references, pc.invert(pc.starts_with(references, "/"))
    for begins, told in places:
        hit = pc.and_(left, pc.starts_with(references, begins))
        rest = pc.utf8_slice_codeunits(references, len(begins))
        out = pc.if_else(hit, pc.binary_join_element_wise(told, rest, ""), out)
        left = pc.and_(left, pc.invert(hit))
    return out


def started(
    references: Sequence[str | None], home: str | os.PathLike[str] | None
) -> list[str | None]:
    """Return references with those that are relative and found from a folder made absolute.

    Parameters
    ----------
    references
        Paths, ``archive.tar#member`` and URLs, shape (n,); None stays.
    home
        The folder that the table lies in; None changes nothing.

    Examples
    --------
    >>> import tempfile
    >>> folder = tempfile.TemporaryDirectory()
    >>> Path(folder.name, "a.jpg").touch()
    >>> found = started(["a.jpg", "b.jpg", "https://example.org/a.jpg", None], folder.name)
    >>> found[0] == os.path.realpath(folder.name) + "/a.jpg", found[1:]
    (True, ['b.jpg', 'https://example.org/a.jpg', None])
    >>> folder.cleanup()
    """
    if home is None:
        return list(references)
    base = os.path.realpath(home)
    archives: dict[str, bool] = {}
    return [
        path if reference and (path := _found(reference, base, archives)) else reference
        for reference in references
    ]


def started_table(
    table: pa.Table, home: str | os.PathLike[str] | None, column: str = "image"
) -> pa.Table:
    """Return rows with the references of one of their columns as `started` gives them.

    Parameters
    ----------
    column
        Of text; where it is not there, or holds anything else, the rows stay as they are.

    Examples
    --------
    >>> started_table(pa.table({"image": ["no/such.jpg"]}), "lake")["image"].to_pylist()
    ['no/such.jpg']
    """
    at = table.schema.get_field_index(column)
    if home is None or at < 0 or not _is_text(table.schema.field(at).type):
        return table
    made = started(pc.cast(table[column], pa.string()).to_pylist(), home)
    field = table.schema.field(at).with_type(pa.string())
    return table.set_column(at, field, pa.array(made, pa.string()))


def _is_text(kind: pa.DataType) -> bool:
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    texts = (pa.types.is_string, pa.types.is_large_string, pa.types.is_string_view)
    return any(is_one(kind) for is_one in texts)


def _found(reference: str, base: str, archives: dict[str, bool]) -> str | None:
    """Return an absolute path of what is there, None for anything else."""
    if "://" in reference or reference.startswith("/"):
        return None
    path = os.path.join(base, reference)  # noqa: PTH118, a million times, and '#...' is no path
    if os.path.isfile(path):  # noqa: PTH113
        return os.path.normpath(path)
    if not is_member(reference):
        return None
    for archive, member in archive_of(reference):
        if archive not in archives:
            archives[archive] = os.path.isfile(os.path.join(base, archive))  # noqa: PTH113, PTH118
        if archives[archive]:
            return f"{os.path.normpath(os.path.join(base, archive))}#{member}"  # noqa: PTH118
    return None
