"""Chat records for training: photos with labels -> what TRL and ``datasets`` read directly.

A record holds the image by path, URL or bytes, and messages with typed content
(``{"type": "image"}``, ``{"type": "text", "text": ...}``). `sft` adds the answer, Geo-R's Chain
of Region; `grpo` the truth columns that rewards read. Tables carry the feature types of Hugging
Face, so ``datasets.load_dataset("parquet", ...)`` opens the images itself. `write` puts records
into Parquet, LLaVA-style JSON lines or WebDataset shards; `read_llava` reads the records of the
released Geo-R code.
"""

from __future__ import annotations

from geodata.record_chats import TRUTH, Options, RecordError, batches, grpo, sft
from geodata.record_files import Written, write
from geodata.record_llava import read_llava

__all__ = [
    "TRUTH",
    "Options",
    "RecordError",
    "Written",
    "batches",
    "grpo",
    "read_llava",
    "sft",
    "write",
]
