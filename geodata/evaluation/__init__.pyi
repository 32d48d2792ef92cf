from .comparing import compare as compare
from .run import evaluate as evaluate
from .scores import Comparison as Comparison, Evaluation as Evaluation, Options as Options
from .tabling import ModelTable as ModelTable, table as table
