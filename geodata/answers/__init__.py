"""The answer contract: write a Chain-of-Region answer, read it strictly, read anything else.

`render` writes the answer that a model is taught. `parse_strict` is Geo-R Eq. 6, the reading
that earns a reward. `parse_tolerant` is for evaluation: it reads what models really write.
Both readings are total (any value in, a typed `Answer` out, never an exception), take linear
time, and look at no more than `MAX_CHARS` characters.
"""

from __future__ import annotations

from geodata.answers.contract import BODY_CHARS, MAX_CHARS, STATUSES, Answer
from geodata.answers.strict import parse_strict, render, strict_pair
from geodata.answers.tolerant import parse_tolerant

__all__ = [
    "BODY_CHARS",
    "MAX_CHARS",
    "STATUSES",
    "Answer",
    "parse_strict",
    "parse_tolerant",
    "render",
    "strict_pair",
]
