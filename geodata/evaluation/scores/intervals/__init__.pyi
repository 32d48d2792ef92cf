from .bootstrap import (
    RESAMPLES as RESAMPLES,
    SEED as SEED,
    clustered_shares as clustered_shares,
)
from .closed_form import (
    CONFIDENCE as CONFIDENCE,
    Interval as Interval,
    clustered_median as clustered_median,
    median_interval as median_interval,
    wilson as wilson,
)
from .clusters import (
    FEW_CLUSTERS as FEW_CLUSTERS,
    sign_flip as sign_flip,
)
from .pairs import (
    Paired as Paired,
    compare_within as compare_within,
    holm as holm,
)
