from .listed import RECIPES as RECIPES, Recipe as Recipe, plan as plan, sources as sources
from .sampling import Made as Made
