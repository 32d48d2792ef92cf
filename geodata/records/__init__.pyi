from .chats import (
    TRUTH as TRUTH,
    Options as Options,
    RecordError as RecordError,
    batches as batches,
    grpo as grpo,
    schema as schema,
    sft as sft,
)
from .llava import read_llava as read_llava, read_llava_batches as read_llava_batches
from .writing import Written as Written, write as write
