from .evaluating import BEST as BEST, attach as attach, scores as scores
from .generating import generate as generate
