"""The model of a run and its processor, ready to train or to answer.

A name is ``tiny`` (a random Qwen2.5-VL that needs no download), a folder, a folder of LoRA
weights or a pinned model of the hub; whatever it is, what is saved loads again the same way.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
