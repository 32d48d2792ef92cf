from .cards import (
    CARDS as CARDS,
    Card as Card,
    card_of as card_of,
    check_fit as check_fit,
    needed as needed,
)
from .duration import Work as Work, work as work
from .estimate import check_memory as check_memory, describe as describe
from .parts import (
    checkpoint_bytes as checkpoint_bytes,
    host_memory as host_memory,
    longest_row as longest_row,
    memory as memory,
    tokens_of as tokens_of,
)
from .scripts import accelerate as accelerate, write as write
from .shapes import KNOWN as KNOWN, Shape as Shape, model_shape as model_shape
from .sharing import (
    Positions as Positions,
    answers_a_row as answers_a_row,
    deal as deal,
    mean_for_bar as mean_for_bar,
    positions as positions,
    rows as rows,
)
