"""What the words of a licence say about copies for others."""

from __future__ import annotations

import re

_FORBIDS = re.compile(
    r"\b(?:no|not|non|without)[ -]?(?:be |for )?(?:re)?"
    r"(?:distribut|shar|publi|cop(?:y|ies)|deriv|release)|all rights reserved"
    r"|(?<!non[ -])\bproprietary|\bconfidential|\brestricted|\binternal\b|\bprivate\b"
    r"|unpublished|\bnd\b|\bgadm\b",
    re.I,
)


def forbids_copies(licence: str) -> bool:
    """Return whether a licence, by its words, keeps others from having what was made of the data.

    Examples
    --------
    >>> forbids_copies("All rights reserved"), forbids_copies("CC BY-ND 4.0")
    (True, True)
    >>> forbids_copies("CC BY-NC 4.0"), forbids_copies("ODbL 1.0")
    (False, False)
    """
    return _FORBIDS.search(licence) is not None
