from .arms import MAIN as MAIN, QUESTIONS as QUESTIONS, Arm as Arm, Sizes as Sizes
from .demo import run as run, scored as scored
from .globe import run_globe as run_globe
from .globe_arms import GlobeSizes as GlobeSizes
from .science import run_science as run_science
from .teaching import Lesson as Lesson
from .telling import Score as Score
