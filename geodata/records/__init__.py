"""Rows become training records: question, image and answer, as TRL and LLaVA-style code read them.

`sft` gives chats with answers, `grpo` prompts with the truth beside them, `write` either of them
as Parquet, JSON lines or WebDataset shards, shuffled with a seed. A row without coordinates or
image makes no record: it is refused, or dropped where that was asked for.
"""

import lazy_loader as lazy

__getattr__, __dir__, __all__ = lazy.attach_stub(__name__, __file__)
