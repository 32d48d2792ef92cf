from .checks import check as check, missing_package as missing_package
from .run import (
    Config as Config,
    CurriculumConfig as CurriculumConfig,
    DataConfig as DataConfig,
    GroupConfig as GroupConfig,
    ModelConfig as ModelConfig,
    PredictConfig as PredictConfig,
    RewardConfig as RewardConfig,
    accumulation as accumulation,
    dump as dump,
    load as load,
    replace as replace,
)
from .tree import ConfigError as ConfigError, plain as plain
