from .audits import Audit as Audit
from .building import (
    Built as Built,
    DatasetError as DatasetError,
    EmptyDatasetError as EmptyDatasetError,
    audit as audit,
    build as build,
    rebuild as rebuild,
)
from .recipes import RECIPES as RECIPES, Recipe as Recipe, register as register
