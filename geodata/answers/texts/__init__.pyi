from .blocks import (
    answer_span as answer_span,
    fenced_spans as fenced_spans,
    final_turn as final_turn,
    normalise as normalise,
    tail as tail,
    without_thinking as without_thinking,
)
from .names import read_names as read_names
from .objects import FENCE as FENCE, Value as Value, find_objects as find_objects
