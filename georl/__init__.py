"""Train vision-language models to say where a photo was taken: SFT and GRPO on geodata."""

from __future__ import annotations

from pathlib import Path

from geodata import __version__
from geodata.ownership import refuse_strangers

refuse_strangers(Path(__file__).parent)

__all__ = ["__version__"]
