"""GRPO with geographic rewards: TRL's trainer, and what geolocalization adds to it.

A photo and its prompt are encoded once for their group, groups that cannot teach are replaced,
and places that the model knows are sampled less. Each can be switched off; all off is TRL's own.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
