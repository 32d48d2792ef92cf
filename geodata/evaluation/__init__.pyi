from .comparing import compare as compare
from .findings import (
    Finding as Finding,
    PredictionError as PredictionError,
    errors_first as errors_first,
    failing as failing,
)
from .run import evaluate as evaluate
from .scores import Comparison as Comparison, Evaluation as Evaluation, Options as Options
from .tabling import ModelTable as ModelTable, table as table
