from .parquet import (
    FILE_ROWS as FILE_ROWS,
    ROW_GROUP as ROW_GROUP,
    DataFile as DataFile,
    now_ms as now_ms,
    read as read,
    remove as remove,
    write as write,
    write_one as write_one,
)
from .schemas import fitted as fitted, kept_schema as kept_schema, stream as stream
