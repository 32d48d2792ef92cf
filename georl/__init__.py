"""Train vision-language models to say where a photo was taken: SFT and GRPO on geodata."""

from __future__ import annotations

from geodata import __version__

__all__ = ["__version__"]
