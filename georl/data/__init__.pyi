from .chats import Turn as Turn, with_image as with_image
from .prompts import question as question
from .rows_of_run import (
    Photos as Photos,
    Purpose as Purpose,
    Reader as Reader,
    load as load,
    photos as photos,
    texts as texts,
)
from .sources import DataError as DataError, pinned as pinned
from .world import world_photos as world_photos
