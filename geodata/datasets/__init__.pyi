from .audits import Audit as Audit
from .building import (
    Built as Built,
    DatasetError as DatasetError,
    EmptyDatasetError as EmptyDatasetError,
    Task as Task,
    build as build,
    build_by as build_by,
)
from .recipes import (
    RECIPES as RECIPES,
    Labelling as Labelling,
    Made as Made,
    Recipe as Recipe,
    register as register,
    sorted_rows as sorted_rows,
)
from .replaying import audit as audit, rebuild as rebuild
