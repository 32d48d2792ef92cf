from .gathered import (
    Confidence as Confidence,
)
from .held_out import (
    BackOff as BackOff,
    back_off as back_off,
    halves as halves,
    radii as radii,
)
from .risk import (
    COVERAGES as COVERAGES,
    selective as selective,
)
