from .asking import asked_for as asked_for, with_source as with_source
from .catalogue import (
    RECIPES as RECIPES,
    Recipe as Recipe,
    all_inputs as all_inputs,
    all_parameters as all_parameters,
    recipe_of as recipe_of,
    register as register,
)
from .label import Labelling as Labelling, sorted_rows as sorted_rows
from .sampling import Made as Made
