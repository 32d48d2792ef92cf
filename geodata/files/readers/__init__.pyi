from .cutting import BOMB_RATIO as BOMB_RATIO, FREE_BYTES as FREE_BYTES, pieces as pieces
from .delimited import (
    delimited_batches as delimited_batches,
    refuse_open_quotes as refuse_open_quotes,
)
from .flattening import (
    MAX_COLUMNS as MAX_COLUMNS,
    Batch as Batch,
    column_at as column_at,
    flat as flat,
    flat_names as flat_names,
    no_rows as no_rows,
    outer_names as outer_names,
)
from .jsonrows import (
    Kinds as Kinds,
    json_batches as json_batches,
    json_kinds as json_kinds,
    json_names as json_names,
    json_of as json_of,
    typed as typed,
)
from .loaded import (
    LOADED as LOADED,
    loaded_batches as loaded_batches,
    loaded_head as loaded_head,
    loaded_schema as loaded_schema,
    loaded_tables as loaded_tables,
)
from .parquet import (
    parquet_batches as parquet_batches,
    parquet_head as parquet_head,
    parquet_rows as parquet_rows,
    parquet_schema as parquet_schema,
    parquet_tables as parquet_tables,
)
from .text import delimited_head as delimited_head, encoding_hint as encoding_hint
