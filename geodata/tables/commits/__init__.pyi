from .attempts import (
    CONFIGURATION as CONFIGURATION,
    Payload as Payload,
    actions as actions,
    commit as commit,
    committing as committing,
    content as content,
    discard as discard,
    properties as properties,
    software as software,
)
from .tidying import keep_few as keep_few
