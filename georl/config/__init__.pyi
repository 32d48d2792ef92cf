from .adapters import (
    base_name as base_name,
    base_revision as base_revision,
    stored_adapter as stored_adapter,
    unpinned_base as unpinned_base,
)
from .checks import (
    EVAL_KM as EVAL_KM,
    EVAL_SCORES as EVAL_SCORES,
    check as check,
    missing_package as missing_package,
    server_problems as server_problems,
)
from .launched import is_first as is_first, world_size as world_size
from .presets import REWARD_PRESETS as REWARD_PRESETS
from .reason import (
    AgreeConfig as AgreeConfig,
    AskedConfig as AskedConfig,
    ReasonConfig as ReasonConfig,
    ReasonPhotos as ReasonPhotos,
    ServerConfig as ServerConfig,
    VerifyConfig as VerifyConfig,
    check_reason as check_reason,
    load_reason as load_reason,
    recorded as recorded,
)
from .resolving import (
    accumulation as accumulation,
    dump as dump,
    load as load,
    replace as replace,
)
from .settings import (
    Config as Config,
    CurriculumConfig as CurriculumConfig,
    DataConfig as DataConfig,
    GroupConfig as GroupConfig,
    GrpoConfig as GrpoConfig,
    ModelConfig as ModelConfig,
    PredictConfig as PredictConfig,
    RewardConfig as RewardConfig,
    TrainConfig as TrainConfig,
)
from .tree import ConfigError as ConfigError, plain as plain
