"""The whole paper in small, on this machine, in minutes: data, SFT, GRPO, predictions, scores.

A million-parameter model learns where on Earth a crop of Blue Marble lies, and the paper's
questions are asked again on the same held-out places.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
