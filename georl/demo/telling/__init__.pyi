from .findings import (
    ChainErrors as ChainErrors,
    PoolScores as PoolScores,
    experiment_parts as experiment_parts,
    over_seeds as over_seeds,
)
from .page import html_page as html_page, markdown as markdown
from .report import (
    PREDICTIONS as PREDICTIONS,
    Score as Score,
    distances as distances,
    parts as parts,
    plot as plot,
    score as score,
    title as title,
)
