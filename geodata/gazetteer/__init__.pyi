from .cities import KEYS_FILE as KEYS_FILE, hashed as hashed, places_identity as places_identity
from .names import (
    codes as codes,
    geocode as geocode,
    places as places,
    resolve as resolve,
    resolve_many as resolve_many,
)
from .points import Place as Place
from .regions import Region as Region
from .string_rule import same_by_string as same_by_string
from .text import is_name as is_name, key as key
