"""Whose the package folder is: a stranger's distribution may bear the same name.

The package index has other distributions called ``geodata`` and ``georl``. Installed beside this
one they share its folder and replace files in it; the mixture would fail somewhere else, later.
"""

from __future__ import annotations

from pathlib import Path

DISTRIBUTION = "geodata-georl"


def refuse_strangers(package: Path) -> None:
    """Raise where another distribution was installed into the folder of a package of ours.

    Parameters
    ----------
    package
        The folder of ``geodata`` or ``georl``.

    Raises
    ------
    ImportError
        Naming the other distribution and how to get rid of it.
    """
    other = next(package.parent.glob(f"{package.name}-[0-9]*.dist-info"), None)
    if other is not None:
        name, _, version = other.name.removesuffix(".dist-info").partition("-")
        msg = (
            f"the distribution {name} {version} is installed into the same folder as "
            f"{DISTRIBUTION} ({package}) and may have replaced parts of it; run 'pip uninstall "
            f"{name}', then install {DISTRIBUTION} again"
        )
        raise ImportError(msg)
