"""How good the model is by now: it answers held-out photos while it trains, and is scored.

The scores are those of `geodata.evaluation`, and the best model by one of them is kept.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
