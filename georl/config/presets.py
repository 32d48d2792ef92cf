"""Weights of rewards by the name of the work that they come from."""

from __future__ import annotations

from georl.config.tree import ConfigError

REWARD_PRESETS: dict[str, dict[str, float]] = {
    "geo-r": {"geo_r": 1.0},
    # Three rewards; the paper prints no weights, so they are equal here.
    "globe": {"place_accuracy": 1.0, "localizability": 1.0, "visual_grounding": 1.0},
    # The scripts of the release.
    "globe-release": {
        "place_accuracy": 1.0, "localizability": 0.5, "visual_grounding": 0.2, "think_format": 1.0,
    },
    # Its README has the two middle weights the other way round.
    "globe-readme": {
        "place_accuracy": 1.0, "localizability": 0.2, "visual_grounding": 0.5, "think_format": 1.0,
    },
    # The run that the release recommends where there is no reward model.
    "globe-two": {"place_accuracy": 1.0, "visual_grounding": 0.5, "think_format": 1.0},
}  # fmt: skip
"""Name -> weight by reward."""


def preset_weights(name: str) -> dict[str, float]:
    """Return the weights of a preset.

    Raises
    ------
    ConfigError
        For an unknown name.

    Examples
    --------
    >>> preset_weights("globe-two")["visual_grounding"]
    0.5
    """
    if name not in REWARD_PRESETS:
        msg = f"rewards.preset is {name!r}; expected one of {', '.join(REWARD_PRESETS)}"
        raise ConfigError(msg)
    return dict(REWARD_PRESETS[name])
