"""Turn coordinates into supervision, build datasets from it, and score predictions honestly.

Each module is one verb family and is loaded when it is first used, so ``import geodata``
stays light::

    from geodata import cor
    cor.label(48.8584, 2.2945).text()
"""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from geodata.errors import GeodataError
from geodata.ownership import DISTRIBUTION, refuse_strangers

refuse_strangers(Path(__file__).parent)

__version__ = "0.1.0"

SOFTWARE = f"{DISTRIBUTION} {__version__}"
"""What a result says about the software that made it."""

_MODULES = (
    "answers",
    "boundaries",
    "cor",
    "datasets",
    "evaluation",
    "gazetteer",
    "photos",
    "places",
    "popular",
    "query",
    "records",
    "scale",
    "sphere",
    "tables",
)

__all__ = ["SOFTWARE", "GeodataError", "__version__", *_MODULES]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    msg = f"module 'geodata' has no attribute {name!r}; its modules are {', '.join(_MODULES)}"
    raise AttributeError(msg)


def __dir__() -> list[str]:
    return sorted(__all__)
