from .cities import KEYS_FILE as KEYS_FILE, hashed as hashed, places_identity as places_identity
from .names import (
    codes as codes,
    geocode as geocode,
    resolve as resolve,
    resolve_many as resolve_many,
)
from .points import Place as Place
from .regions import Region as Region
from .text import key as key
