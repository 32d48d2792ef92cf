from .of_pairs import of_comparison as of_comparison
from .of_scores import (
    CATEGORY_HEADINGS as CATEGORY_HEADINGS,
    LEVEL_NAMES as LEVEL_NAMES,
    TOP_GROUPS as TOP_GROUPS,
    of_evaluation as of_evaluation,
    of_findings as of_findings,
)
from .of_tables import of_models as of_models, to_latex as to_latex
