"""The recipes: how rows are chosen, labelled, divided and left out, each in one file.

A recipe gets opened inputs, a seed and its own parameters, and returns rows still to be written
with a count of what it left out and why (`Made`). It writes nothing; `geodata.datasets` does.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
