from .demo import (
    HELD_OUT_SEED as HELD_OUT_SEED,
    LOCALIZED_KM as LOCALIZED_KM,
    MAIN as MAIN,
    QUESTIONS as QUESTIONS,
    QUICK as QUICK,
    SAMPLES as SAMPLES,
    Arm as Arm,
    Sizes as Sizes,
    arm_config as arm_config,
    run as run,
    scored as scored,
)
