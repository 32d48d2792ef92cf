from .chats import Turn as Turn, with_image as with_image
from .images import open_image as open_image
from .judgements import (
    answer_records as answer_records,
    judge_records as judge_records,
    told_records as told_records,
    write_judgements as write_judgements,
)
from .loader import Loader as Loader, Standing as Standing
from .opening import (
    Photos as Photos,
    Reader as Reader,
    load as load,
    photos as photos,
    texts as texts,
)
from .prompts import question as question
from .sources import (
    DataError as DataError,
    home_of as home_of,
    open_source as open_source,
    pinned as pinned,
)
from .streaming import Stream as Stream
from .trainers import checked as checked, trainer_inputs as trainer_inputs
from .world import EUROPE_AFRICA as EUROPE_AFRICA, Box as Box, world_photos as world_photos
from .world_reasons import PHRASES as PHRASES, generated_reasons as generated_reasons
