from .binding import (
    RewardError as RewardError,
    bind_given as bind_given,
    bind_rewards as bind_rewards,
    valid as valid,
)
from .chains import chain_shares as chain_shares, held as held
from .entities import listed as listed
from .geo import (
    GEO_R_KNOTS_KM as GEO_R_KNOTS_KM,
    GEO_R_VALUES as GEO_R_VALUES,
    GEOSCORE_SCALE_KM as GEOSCORE_SCALE_KM,
    RELEASE_KNOTS_KM as RELEASE_KNOTS_KM,
    RewardFunction as RewardFunction,
    chain as chain,
    combine as combine,
    consistency as consistency,
    distance as distance,
    exponential as exponential,
    format as format,
    geo_r as geo_r,
    geo_r_release as geo_r_release,
    geoscore as geoscore,
    region as region,
)
from .globe import (
    CITY_SHARE as CITY_SHARE,
    place_accuracy as place_accuracy,
    think_format as think_format,
    visual_grounding as visual_grounding,
)
from .judge import (
    Localizability as Localizability,
    addresses_judge as addresses_judge,
    judge_question as judge_question,
    localizability as localizability,
)
from .spoken import answer as answer, names as names, reasoning as reasoning
from .verdicts import TOP as TOP, verdict as verdict
