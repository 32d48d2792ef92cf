"""The one root of all errors that this software raises on purpose.

``except geodata.GeodataError`` catches every one of them, of ``geodata`` and of ``georl``. Each
keeps its built-in kind as well, nearly always ValueError: a caller who caught that still does.
"""

from __future__ import annotations


class GeodataError(Exception):
    """Something cannot be done as asked: the message says the thing, its value and the remedy."""

    exit_status = 2
    """What a command ends with: 1 for what was read and is wrong, 2 for what cannot be used."""
