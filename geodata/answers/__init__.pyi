from .contract import (
    BODY_CHARS as BODY_CHARS,
    HOWS as HOWS,
    MAX_CHARS as MAX_CHARS,
    STATUSES as STATUSES,
    Answer as Answer,
)
from .declining import LANGUAGES as LANGUAGES, declines as declines, is_refusal as is_refusal
from .json_only import parse_json as parse_json
from .questions import LEVELS as LEVELS, VARIANTS as VARIANTS, question as question
from .strict import parse_strict as parse_strict, render as render, strict_pair as strict_pair
from .tolerant import parse_tolerant as parse_tolerant
