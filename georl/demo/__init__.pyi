from .arms import MAIN as MAIN, QUESTIONS as QUESTIONS, Arm as Arm, Sizes as Sizes
from .demo import run as run, scored as scored
from .report import Score as Score
from .science import run_science as run_science
from .teaching import Lesson as Lesson
