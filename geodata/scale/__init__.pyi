from .agreeing import WorkerMismatchError as WorkerMismatchError
from .choices import Exclude as Exclude, Filter as Filter, Popular as Popular
from .makers import Label as Label, Records as Records
from .scoring import Score as Score, ScoreSums as ScoreSums
