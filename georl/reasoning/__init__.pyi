from .building import Built as Built, build as build
from .estimating import plan as plan
from .rows import STEPS as STEPS
from .stepping import run as run, status as status
