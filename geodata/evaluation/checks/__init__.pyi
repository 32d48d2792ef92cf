from .linting import (
    against_truth as against_truth,
    lint as lint,
    near_duplicates as near_duplicates,
    overlap as overlap,
)
from .own_words import against_text as against_text
