from .cities import FILE as FILE, hashed as hashed, identity as identity
from .names import (
    codes as codes,
    geocode as geocode,
    resolve as resolve,
    resolve_many as resolve_many,
)
from .points import Place as Place
from .regions import Region as Region
from .text import key as key
