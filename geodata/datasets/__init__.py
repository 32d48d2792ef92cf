"""Versioned datasets by recipe: label, sample, exclude, split; recorded, checked, replayed.

A build is one version of a table in a lake. Its commit keeps the recipe, all parameters, the
seed, and the version and content hash of every input, so that `rebuild` replays it and must
arrive at the same content hash, with any number of threads::

    from geodata import datasets
    datasets.build("labelled", "lake", source="photos")
    datasets.build("filter", "lake", "japan", source="labelled", where="country_code = 'JP'")
    datasets.build("rand", "lake", n=500_000, seed=7)
    datasets.build("hard", "lake", inputs={"rows": "labelled", "popular": "popular"})
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
