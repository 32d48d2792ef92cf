from .run import compare as compare, evaluate as evaluate
from .scores import Comparison as Comparison, Evaluation as Evaluation, Options as Options
