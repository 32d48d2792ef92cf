from .launch import (
    bind_rewards as bind_rewards,
    check_start as check_start,
    common_arguments as common_arguments,
    run as run,
)
from .metrics import (
    METRICS as METRICS,
    JsonLines as JsonLines,
    RolloutLog as RolloutLog,
    save_figure as save_figure,
)
from .resume import ExactResume as ExactResume
