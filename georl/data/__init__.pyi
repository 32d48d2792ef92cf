from .chats import Turn as Turn, with_image as with_image
from .opening import (
    Photos as Photos,
    Reader as Reader,
    load as load,
    photos as photos,
    texts as texts,
)
from .prompts import question as question
from .sources import DataError as DataError, pinned as pinned
from .trainers import checked as checked, trainer_inputs as trainer_inputs
from .world import (
    EUROPE_AFRICA as EUROPE_AFRICA,
    Box as Box,
    world_photos as world_photos,
)
