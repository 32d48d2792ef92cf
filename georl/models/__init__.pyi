from .loading import (
    base_name as base_name,
    base_revision as base_revision,
    load as load,
    load_processor as load_processor,
    lora as lora,
    special_ids as special_ids,
    vision_tower as vision_tower,
)
from .tiny import (
    PIXELS as PIXELS,
    build_model as build_model,
    build_processor as build_processor,
    build_tokenizer as build_tokenizer,
)
