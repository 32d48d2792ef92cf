from .checkpoints import delete as delete, step_of as step_of
from .curves import save_figure as save_figure
from .launch import (
    check_start as check_start,
    common_arguments as common_arguments,
    fit as fit,
    join_processes as join_processes,
    part_processes as part_processes,
    seal_model as seal_model,
)
from .record import METRICS as METRICS, JsonLines as JsonLines
from .resume import ExactResume as ExactResume
from .rollouts import THRESHOLDS_KM as THRESHOLDS_KM, RolloutLog as RolloutLog
from .stopping import STOPPED as STOPPED
